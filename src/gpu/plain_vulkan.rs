//! Software adapters in a program that was built with Burn's SPIR-V compiler (cargo feature
//! `vulkan`).
//!
//! cubecl 0.11.3 compiles to SPIR-V wherever Vulkan reports a memory model and buffer addresses.
//! Mesa 22.3's llvmpipe reports both, and then crashes on the kernels. No setting turns SPIR-V off,
//! but cubecl can only ask through Vulkan 1.1 or an extension of 1.0. Therefore a software adapter
//! is opened here from an instance that wgpu takes for 1.0 without extensions, and cubecl compiles
//! to WGSL, as it does for any old driver.

#![allow(
    unsafe_code,
    reason = "wgpu makes an instance from one of Vulkan's only through unsafe functions"
)]

use ash::vk;
use wgpu::hal::api::Vulkan;

use super::adapter;
use super::error::GpuError;

/// Returns `adapter` itself, or if it is a software adapter of Vulkan's, the same adapter from an
/// instance that compiles to WGSL.
///
/// # Errors
/// [`GpuError::Open`] if Vulkan makes no such instance, or the instance does not list the adapter.
pub(super) fn replace_software(
    instance: wgpu::Instance,
    adapter: wgpu::Adapter,
) -> Result<(wgpu::Instance, wgpu::Adapter), GpuError> {
    let info = adapter.get_info();
    if adapter::is_hardware(&info) || info.backend != wgpu::Backend::Vulkan {
        return Ok((instance, adapter));
    }
    let failed = |reason: String| GpuError::Open {
        adapter: info.name.clone(),
        reason: format!("as Vulkan 1.0, which the cargo feature `vulkan` needs here: {reason}"),
    };
    let plain = plain_instance().map_err(&failed)?;
    let same = |a: &wgpu::Adapter| {
        let other = a.get_info();
        (&other.name, other.device) == (&info.name, info.device)
    };
    let found = adapter::list(&plain).into_iter().find(same);
    let adapter = found.ok_or_else(|| failed("the adapter is not listed".into()))?;
    Ok((plain, adapter))
}

/// Makes an instance without layers and extensions that wgpu takes for Vulkan 1.0.
fn plain_instance() -> Result<wgpu::Instance, String> {
    // SAFETY: Vulkan's loader is a library that wgpu has opened before.
    let entry = unsafe { ash::Entry::load() }.map_err(|e| e.to_string())?;
    // The driver gets the real version; wgpu gets 1.0 below.
    let about = vk::ApplicationInfo::default()
        .application_name(c"sonoprint")
        .api_version(vk::API_VERSION_1_3);
    let create = vk::InstanceCreateInfo::default().application_info(&about);
    // SAFETY: no layers and no extensions are named, and `about` outlives the call.
    let raw = unsafe { entry.create_instance(&create, None) }.map_err(|e| e.to_string())?;
    // SAFETY: `raw` is of `entry`, has no extensions, and is wgpu's to destroy, since no callback
    // takes that over.
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
