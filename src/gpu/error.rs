//! The one error of this module.

use super::choice::DeviceChoice;

/// Reasons why a GPU cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No adapter matches the request.
    #[error("no adapter is {}; {}", describe_choice(.wanted), describe_adapters(.adapters))]
    NoAdapter {
        /// The request.
        wanted: DeviceChoice,
        /// The names of all adapters of this machine, best first.
        adapters: Vec<String>,
    },
    /// The driver refused to open the device.
    #[error("{adapter} could not be opened: {reason}")]
    Open {
        /// The adapter's name.
        adapter: String,
        /// The driver's words.
        reason: String,
    },
    /// The device failed while it worked: it was lost, ran out of memory or refused a shader.
    #[error("the GPU failed: {0}")]
    Failed(String),
}

impl GpuError {
    /// Wraps an error that wgpu or Burn reported while the device worked.
    pub(crate) fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }
}

fn describe_choice(wanted: &DeviceChoice) -> String {
    match wanted {
        DeviceChoice::Software => "a software rasterizer".into(),
        DeviceChoice::Index(i) => format!("number {i}"),
        DeviceChoice::Name(name) => format!("called '{}'", name.to_lowercase()),
        // These two accept the CPU, so only a hardware GPU can be missing.
        DeviceChoice::Auto | DeviceChoice::Cpu | DeviceChoice::Gpu => "a hardware GPU".into(),
    }
}

fn describe_adapters(adapters: &[String]) -> String {
    match adapters {
        [] => "this machine has none".into(),
        names => format!("this machine has: {}", names.join(", ")),
    }
}
