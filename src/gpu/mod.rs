//! The one place that knows adapters and devices: choosing one, sharing it with Burn, and writing into its tensors.

pub mod adapter;
pub mod bridge;
pub mod clock;
mod compute;
pub mod launch;
mod passes;
#[cfg(feature = "vulkan")]
mod plain_vulkan;
mod shared;

pub use adapter::{DeviceChoice, GpuError};
pub use compute::{Compute, Opened};
pub use passes::PassTime;
pub use shared::{Facts, Gpu, describe, facts};
