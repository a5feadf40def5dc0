//! Software adapters in a program that was built with Burn's SPIR-V compiler (cargo feature `vulkan`).
//!
//! cubecl 0.11.3 compiles to SPIR-V wherever Vulkan says that it knows a memory model and buffer addresses, and Mesa 22.3's
//! llvmpipe says so and then crashes on the kernels. Nothing turns the choice off, but cubecl can only ask through Vulkan 1.1
//! or an extension of 1.0. So a software adapter is opened here from an instance that wgpu takes for 1.0 without
//! extensions, and cubecl goes on to WGSL, as it does for any old driver.

#![allow(
    unsafe_code,
    reason = "the way to wgpu's instance from one of Vulkan's"
)]

use ash::vk;
use wgpu::hal::api::Vulkan;

use super::adapter::{self, GpuError};

/// `adapter` itself, or if it is a software one of Vulkan's, the same from an instance of the kind said above.
///
/// # Errors
/// [`GpuError::Device`] if there is no such instance, or it does not have the adapter.
pub(super) fn instead(
    instance: wgpu::Instance,
    adapter: wgpu::Adapter,
) -> Result<(wgpu::Instance, wgpu::Adapter), GpuError> {
    let info = adapter.get_info();
    if adapter::is_hardware(&info) || info.backend != wgpu::Backend::Vulkan {
        return Ok((instance, adapter));
    }
    let failed = |why: String| GpuError::Device {
        adapter: info.name.clone(),
        why: format!("{why}. A program built without the feature `vulkan` needs no second look"),
    };
    let plain = plain().map_err(&failed)?;
    let same = |a: &wgpu::Adapter| {
        let other = a.get_info();
        (&other.name, other.device) == (&info.name, info.device)
    };
    let found = adapter::list(&plain).into_iter().find(same);
    let adapter = found.ok_or_else(|| failed("Vulkan 1.0 does not have it".into()))?;
    Ok((plain, adapter))
}

fn plain() -> Result<wgpu::Instance, String> {
    // SAFETY: Vulkan's loader is a library that wgpu has opened before.
    let entry = unsafe { ash::Entry::load() }.map_err(|e| e.to_string())?;
    // What the driver is told; wgpu is told 1.0 below.
    let about = vk::ApplicationInfo::default()
        .application_name(c"sonoprint")
        .api_version(vk::API_VERSION_1_3);
    let create = vk::InstanceCreateInfo::default().application_info(&about);
    // SAFETY: no layers and no extensions are named, and `about` outlives the call.
    let raw = unsafe { entry.create_instance(&create, None) }.map_err(|e| e.to_string())?;
    // SAFETY: `raw` is of `entry`, has no extensions, and is wgpu's to destroy, since no callback takes that over.
    let instance = unsafe {
        wgpu::hal::vulkan::Instance::from_raw(
            entry,
            raw,
            vk::API_VERSION_1_0,
            0,
            None,
            Vec::new(),
            wgpu::InstanceFlags::empty(),
            wgpu::MemoryBudgetThresholds::default(),
            false,
            None,
        )
    }
    .map_err(|e| e.to_string())?;
    // SAFETY: it was made by wgpu's own constructor.
    Ok(unsafe { wgpu::Instance::from_hal::<Vulkan>(instance) })
}
