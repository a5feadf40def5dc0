//! Which adapters there are, and which of them a `--device` means.

use std::fmt;
use std::str::FromStr;

use wgpu::{AdapterInfo, DeviceType};

/// What `--device` can say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A hardware GPU if there is one, else the CPU.
    #[default]
    Auto,
    /// A hardware GPU.
    Gpu,
    /// A software rasterizer: Mesa's llvmpipe and its like.
    Software,
    /// Burn's `flex` backend behind the CPU twin of the front end.
    Cpu,
    /// The adapter of this number in `sonoprint devices`.
    Index(usize),
    /// The first adapter whose name holds this, in any case.
    Name(String),
}

impl FromStr for DeviceChoice {
    type Err = std::convert::Infallible;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s.to_ascii_lowercase().as_str() {
            "auto" => Self::Auto,
            "gpu" => Self::Gpu,
            "software" => Self::Software,
            "cpu" => Self::Cpu,
            other => other
                .parse()
                .map_or_else(|_| Self::Name(s.to_owned()), Self::Index),
        })
    }
}

/// What a [`DeviceChoice`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The adapter at this place of the list.
    Adapter(usize),
    /// The CPU, and why.
    Cpu(&'static str),
}

/// Why there is no GPU to work with.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No adapter fits.
    #[error("no adapter is {wanted}; there {are}. See `sonoprint devices`{hint}")]
    NoAdapter {
        /// What was asked for.
        wanted: String,
        /// What there is.
        are: String,
        /// What to install, if that would help.
        hint: &'static str,
    },
    /// The driver refused to open the device.
    #[error("{adapter} could not be opened: {why}")]
    Device {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        why: String,
    },
    /// The device failed while working: lost, out of memory, a refused shader.
    #[error("the GPU failed: {0}. Try a smaller --batch, or --device cpu")]
    Failed(String),
}

/// A hardware GPU, as against a software rasterizer.
pub fn is_hardware(info: &AdapterInfo) -> bool {
    info.device_type != DeviceType::Cpu
}

/// Hardware first, then as the driver lists them: discrete, integrated, virtual, unknown, CPU.
fn rank(info: &AdapterInfo) -> u8 {
    match info.device_type {
        DeviceType::DiscreteGpu => 0,
        DeviceType::IntegratedGpu => 1,
        DeviceType::VirtualGpu => 2,
        DeviceType::Other => 3,
        DeviceType::Cpu => 4,
    }
}

/// The wgpu instance, without OpenGL: its adapters are the same devices again with fewer limits, and looking for them
/// makes old drivers complain about displays.
pub fn instance() -> wgpu::Instance {
    wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        flags: wgpu::InstanceFlags::empty(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    })
}

/// All adapters, best first. The order is stable: `--device 1` means the same adapter each time.
pub fn list(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    let mut all = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    all.sort_by_cached_key(|a| {
        let info = a.get_info();
        (rank(&info), info.name, info.device)
    });
    all
}

/// Which of `adapters` (in the order of [`list`]) `wanted` means.
///
/// # Errors
/// [`GpuError::NoAdapter`] if none does; `auto` and `cpu` always find something.
pub fn choose(adapters: &[AdapterInfo], wanted: &DeviceChoice) -> Result<Choice, GpuError> {
    let find = |fits: &dyn Fn(&AdapterInfo) -> bool| adapters.iter().position(fits);
    let hardware = find(&is_hardware);
    let (found, words, hint) = match wanted {
        DeviceChoice::Cpu => return Ok(Choice::Cpu("asked for")),
        DeviceChoice::Auto => {
            return Ok(match hardware {
                Some(i) => Choice::Adapter(i),
                None if adapters.is_empty() => Choice::Cpu("no GPU was found"),
                None => Choice::Cpu("there is only a software rasterizer, which is slower"),
            });
        }
        DeviceChoice::Gpu => (hardware, "a hardware GPU".to_owned(), ""),
        DeviceChoice::Software => (
            find(&|a| !is_hardware(a)),
            "a software rasterizer".to_owned(),
            "; Debian's package mesa-vulkan-drivers has one",
        ),
        DeviceChoice::Index(i) => (
            (*i < adapters.len()).then_some(*i),
            format!("number {i}"),
            "",
        ),
        DeviceChoice::Name(name) => {
            let name = name.to_lowercase();
            (
                find(&|a| a.name.to_lowercase().contains(&name)),
                format!("called '{name}'"),
                "",
            )
        }
    };
    found
        .map(Choice::Adapter)
        .ok_or_else(|| GpuError::NoAdapter {
            wanted: words,
            are: describe(adapters),
            hint,
        })
}

fn describe(adapters: &[AdapterInfo]) -> String {
    if adapters.is_empty() {
        return "is none".into();
    }
    let names: Vec<&str> = adapters.iter().map(|a| a.name.as_str()).collect();
    format!("are: {}", names.join(", "))
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Gpu => f.write_str("gpu"),
            Self::Software => f.write_str("software"),
            Self::Cpu => f.write_str("cpu"),
            Self::Index(i) => write!(f, "{i}"),
            Self::Name(n) => f.write_str(n),
        }
    }
}
