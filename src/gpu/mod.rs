//! The one place that knows adapters and devices: choosing one, sharing it with Burn, and writing into its tensors.

pub mod adapter;
mod compute;
mod device;
pub mod kernel;
mod pipeline;
#[cfg(feature = "vulkan")]
mod plain_vulkan;
pub mod tensor;
pub mod timing;

pub use adapter::{DeviceChoice, GpuError};
pub use compute::{Compute, Opened};
pub use device::{DeviceTraits, Gpu, describe, device_traits};
pub use timing::PassTime;
