//! The front end: PCM in, features for the network or images out.
//!
//! A [`FrontEndConfig`](config::FrontEndConfig) says what is computed, and a [`FrontEnd`] computes
//! it on the device that it was made for: with the WGSL passes of `shaders/frontend` on a GPU, with
//! their implementations in Rust on the CPU. Both read the same [`tables`], and tests hold them
//! against each other and against the libraries that the [`presets`] copy.
//!
//! ```
//! use sonoprint::frontend::config::{Compression, FrontEndConfig, Output};
//! use sonoprint::frontend::{FrontEnd, presets};
//! use sonoprint::gpu::Compute;
//!
//! # fn main() -> Result<(), sonoprint::frontend::FrontEndError> {
//! let config = FrontEndConfig {
//!     compression: Compression::Log { scale: 10_000.0 },
//!     output: Output::Features,
//!     ..presets::mel().with_clip_seconds(1.0)
//! };
//! let clip = vec![0.0; config.clip_samples];
//! let features = FrontEnd::new(&Compute::Cpu, &config)?.features(&[&clip])?;
//! assert_eq!(features.dims()[1..], config.output_shape());
//! # Ok(())
//! # }
//! ```

pub mod augment;
pub mod axes;
pub mod colormap;
pub mod config;
#[doc(hidden)]
pub mod cpu;
mod error;
mod front_end;
#[doc(hidden)]
pub mod gpu;
mod image;
pub mod presets;
mod samples;
mod spectrogram;
#[doc(hidden)]
pub mod tables;

pub use error::FrontEndError;
pub use front_end::FrontEnd;
#[doc(inline)]
pub use gpu::kernels::StftKernel;
#[doc(inline)]
pub use gpu::plan::PlanError;
pub use image::encode_png;
pub use samples::{DeviceSamples, Samples};
pub use spectrogram::{NO_VALUE, Spectrogram};
