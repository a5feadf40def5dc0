//! What a user asks for when choosing a device.

use std::fmt;
use std::str::FromStr;

/// A request for a device, as a user writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A hardware GPU if the machine has one, else the CPU.
    #[default]
    Auto,
    /// A hardware GPU.
    Gpu,
    /// A software rasterizer, for example Mesa's llvmpipe.
    Software,
    /// Burn's `flex` backend and the CPU fallback of the front end.
    Cpu,
    /// The adapter with this number in the list that `sonoprint devices` prints.
    Index(usize),
    /// The first adapter whose name contains this text, regardless of case.
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

/// Writes the text that [`FromStr`] reads.
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
