//! The properties of a device that the choice of kernels depends on.

use std::sync::{Mutex, PoisonError};

use burn::backend::Wgpu;
use burn::tensor::{Device, Tensor};
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;
use burn_fusion::FusionBackend;

use super::adapter;
use super::error::GpuError;

/// The properties of a device that the choice of kernels depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceTraits {
    /// The adapter is a software rasterizer, whose threads are those of a processor.
    pub software: bool,
    /// Burn compiles its kernels to WGSL on this device, and therefore also runs ours.
    pub wgsl: bool,
}

impl DeviceTraits {
    /// Predicts the properties of a device from its adapter.
    ///
    /// For an open device use [`device_traits`], which knows: Burn compiles to SPIR-V if it was
    /// built for that and the driver supports it, but never on a software adapter.
    pub fn of(info: &wgpu::AdapterInfo) -> Self {
        let software = !adapter::is_hardware(info);
        let spirv = cfg!(feature = "vulkan") && info.backend == wgpu::Backend::Vulkan;
        Self {
            software,
            wgsl: software || !spirv,
        }
    }
}

/// The properties of each device that was opened.
///
/// A kernel is chosen where only a tensor is at hand. A tensor knows its Burn [`Device`], and a
/// `Device` has no room for data of ours. Entries are only ever added, and never change.
static OPENED_DEVICES: Mutex<Vec<(Device, DeviceTraits)>> = Mutex::new(Vec::new());

/// Returns the properties of a device that [`Gpu::open`](super::Gpu::open) opened, with or without
/// autodiff; `None` for any other device.
pub fn device_traits(device: &Device) -> Option<DeviceTraits> {
    let device = device.clone().inner();
    let opened = OPENED_DEVICES
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let entry = opened.iter().find(|(d, _)| *d == device);
    entry.map(|(_, traits)| *traits)
}

/// Records the properties of a device that was just registered with Burn.
///
/// # Errors
/// [`GpuError::Failed`] if `device` is no wgpu device, or was lost.
pub(super) fn register(device: &Device, info: &wgpu::AdapterInfo) -> Result<(), GpuError> {
    let (_, probe) = runtime_clients(device)?;
    let traits = DeviceTraits {
        // The other compilers are those for SPIR-V and for Metal's language.
        wgsl: probe.client.name() == "wgpu<wgsl>",
        ..DeviceTraits::of(info)
    };
    OPENED_DEVICES
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push((device.clone(), traits));
    Ok(())
}

/// Burn's queue of operations that it may still fuse.
pub(super) type FusionClient = burn_fusion::Client<<CubeBackend as FusionBackend>::FusionRuntime>;

/// Returns the clients of Burn's runtime for a wgpu device. The second one is the `client` of the
/// tensor: Burn offers no other access to it than a small tensor on the device.
///
/// # Errors
/// [`GpuError::Failed`] if `device` is no wgpu device, or was lost.
pub(super) fn runtime_clients(device: &Device) -> Result<(FusionClient, CubeTensor), GpuError> {
    let tensor = Tensor::<1>::empty([1], device)
        .try_into_primitive::<Wgpu>()
        .map_err(|e| GpuError::Failed(format!("{e:?}")))?;
    let fusion = tensor.client.clone();
    let cube = fusion.resolve_tensor_float::<CubeBackend>(tensor);
    Ok((fusion, cube))
}
