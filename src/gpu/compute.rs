//! Where the work is done: the CPU, or one GPU shared with Burn.

use std::sync::Arc;

use burn::tensor::Device;

use super::adapter::{self, Choice, DeviceChoice, GpuError};
use super::{Gpu, describe};

/// A device that can make pictures and run networks.
#[derive(Clone, Debug)]
pub enum Compute {
    /// Burn's `flex` backend, and the front end's CPU twin.
    Cpu,
    /// A wgpu adapter, hardware or software.
    Gpu(Arc<Gpu>),
}

/// An opened device and what people should know of how it was chosen.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The device.
    pub compute: Compute,
    /// One line: which it is, and why if nobody asked for it by name.
    pub note: String,
}

impl Compute {
    /// Opens what `wanted` means on this machine. Call it once a process.
    ///
    /// # Errors
    /// [`GpuError`] if there is no such adapter or it cannot be opened; `auto` and `cpu` always work.
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
            Choice::Cpu(why) => Ok(Opened {
                compute: Self::Cpu,
                note: format!("device: cpu, since {why}"),
            }),
            Choice::Adapter(i) => Ok(Opened {
                note: format!("device: {}", describe(&infos[i])),
                compute: Self::Gpu(Arc::new(Gpu::open(instance, all.swap_remove(i))?)),
            }),
        }
    }

    /// The device as Burn knows it, without autodiff.
    pub fn burn(&self) -> Device {
        match self {
            Self::Cpu => Device::flex(),
            Self::Gpu(gpu) => gpu.burn.clone(),
        }
    }

    /// Its name, for records.
    pub fn name(&self) -> String {
        match self {
            Self::Cpu => "cpu".into(),
            Self::Gpu(gpu) => gpu.describe(),
        }
    }
}
