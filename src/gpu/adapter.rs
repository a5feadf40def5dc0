//! Lists the adapters of this machine and finds the one that a [`DeviceChoice`] means.

use wgpu::{AdapterInfo, DeviceType};

use super::choice::DeviceChoice;
use super::error::GpuError;

/// What a [`DeviceChoice`] means on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The adapter at this index of the list.
    Adapter(usize),
    /// The CPU, with the reason.
    Cpu(&'static str),
}

/// Returns whether an adapter is a hardware GPU and not a software rasterizer.
pub fn is_hardware(info: &AdapterInfo) -> bool {
    info.device_type != DeviceType::Cpu
}

/// Returns the sort key of an adapter: hardware before software, discrete before integrated.
fn rank(info: &AdapterInfo) -> u8 {
    match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// Makes the wgpu instance.
///
/// OpenGL is left out. It offers the same devices again with lower limits, and old drivers print
/// complaints about displays when it is probed.
pub fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// Lists all adapters, best first.
///
/// The order is stable, so that [`DeviceChoice::Index`] means the same adapter in each process.
pub fn list(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    all.sort_by_cached_key(|a| {
        let info = a.get_info();
        (rank(&info), info.name, info.device)
    });
    all
}

/// Finds the adapter that `wanted` means in `adapters`, which are in the order of [`list`].
///
/// # Errors
/// [`GpuError::NoAdapter`] if no adapter matches. `Auto` and `Cpu` always succeed.
pub fn choose(adapters: &[AdapterInfo], wanted: &DeviceChoice) -> Result<Choice, GpuError> {
    let find = |matches: &dyn Fn(&AdapterInfo) -> bool| adapters.iter().position(matches);
    let hardware = find(&is_hardware);
    let found = match wanted {
        DeviceChoice::Cpu => return Ok(Choice::Cpu("asked for")),
        DeviceChoice::Auto => {
            return Ok(match hardware {
                Some(i) => Choice::Adapter(i),
                None if adapters.is_empty() => Choice::Cpu("no GPU was found"),
                None => Choice::Cpu("there is only a software rasterizer, which is slower"),
            });
        }
        DeviceChoice::Gpu => hardware,
        DeviceChoice::Software => find(&|a| !is_hardware(a)),
        DeviceChoice::Index(i) => (*i < adapters.len()).then_some(*i),
        DeviceChoice::Name(name) => {
            let name = name.to_lowercase();
            find(&|a| a.name.to_lowercase().contains(&name))
        }
    };
    found
        .map(Choice::Adapter)
        .ok_or_else(|| GpuError::NoAdapter {
            wanted: wanted.clone(),
            adapters: adapters.iter().map(|a| a.name.clone()).collect(),
        })
}

/// Describes an adapter in a few words, for people and records: its name, backend and driver, and
/// whether it is a software rasterizer.
pub fn describe(info: &AdapterInfo) -> String {
    let driver = match info.driver_info.trim() {
        "" => String::new(),
        driver => format!(", {driver}"),
    };
    let software = match is_hardware(info) {
        true => "",
        false => ", software rasterizer",
    };
    format!("{} ({}{driver}{software})", info.name, info.backend)
}
