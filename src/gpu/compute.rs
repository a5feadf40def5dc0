//! Where the work runs: on the CPU, or on one GPU that is shared with Burn.

use std::sync::Arc;

use burn::tensor::Device;

use super::adapter::{self, Choice};
use super::choice::DeviceChoice;
use super::device::Gpu;
use super::error::GpuError;

/// A device that computes features and runs networks.
#[derive(Clone, Debug)]
pub enum Compute {
    /// Burn's `flex` backend and the CPU fallback of the front end.
    Cpu,
    /// A wgpu adapter, hardware or software.
    Gpu(Arc<Gpu>),
}

/// An opened device, and how it was chosen.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The device.
    pub compute: Compute,
    /// One line for the user: the device, and the reason if it was chosen automatically.
    pub note: String,
}

impl Compute {
    /// Opens the device that `wanted` means on this machine.
    ///
    /// Call it once per process, because Burn never releases a device that was registered with it.
    ///
    /// # Errors
    /// [`GpuError`] if no adapter matches or the driver refuses to open it. `Cpu` always succeeds.
    pub fn open(wanted: &DeviceChoice) -> Result<Opened, GpuError> {
        if *wanted == DeviceChoice::Cpu {
            return Ok(Opened {
                compute: Self::Cpu,
                note: "device: cpu".into(),
            });
        }
        let instance = adapter::instance();
        let mut all = adapter::list(&instance);
        let infos: Vec<_> = all.iter().map(wgpu::Adapter::get_info).collect();
        match adapter::choose(&infos, wanted)? {
            Choice::Cpu(reason) => Ok(Opened {
                compute: Self::Cpu,
                note: format!("device: cpu, since {reason}"),
            }),
            Choice::Adapter(i) => Ok(Opened {
                note: format!("device: {}", adapter::describe(&infos[i])),
                compute: Self::Gpu(Arc::new(Gpu::open(instance, all.swap_remove(i))?)),
            }),
        }
    }

    /// Returns the device as Burn knows it, without autodiff.
    pub fn burn(&self) -> Device {
        match self {
            Self::Cpu => Device::flex(),
            Self::Gpu(gpu) => gpu.burn.clone(),
        }
    }

    /// Returns the bytes of the largest buffer that a kernel can read; `None` without a limit.
    pub fn largest_binding(&self) -> Option<u64> {
        match self {
            Self::Cpu => None,
            Self::Gpu(gpu) => {
                let limits = &gpu.limits;
                let binding = limits.max_storage_buffer_binding_size;
                Some(binding.min(limits.max_buffer_size))
            }
        }
    }

    /// Returns the device's name, for records.
    pub fn name(&self) -> String {
        match self {
            Self::Cpu => "cpu".into(),
            Self::Gpu(gpu) => gpu.describe(),
        }
    }
}
