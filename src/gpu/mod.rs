//! Devices: choosing one, sharing it with Burn, running passes on it, and writing into the memory
//! of Burn's tensors.
//!
//! [`Compute::open`] is the entry point. No other module opens an adapter.

#[doc(hidden)]
pub mod adapter;
mod choice;
mod compute;
mod device;
mod device_traits;
mod error;
pub(crate) mod kernel;
mod pipeline;
#[cfg(feature = "vulkan")]
mod plain_vulkan;
mod read_back;
#[doc(hidden)]
pub mod tensor;
#[doc(hidden)]
pub mod timing;

pub use choice::DeviceChoice;
pub use compute::{Compute, Opened};
pub use device::Gpu;
pub(crate) use device_traits::{DeviceTraits, device_traits};
pub use error::GpuError;
