//! The front end: PCM in, features for the network or images out.
//!
//! A [`FrontEndConfig`](config::FrontEndConfig) says what is computed, and a [`FrontEnd`] computes
//! it on the device that it was made for: with the WGSL passes of `shaders/frontend` on a GPU, with
//! their implementations in Rust on the CPU. Both read the same [`tables`], and tests hold them
//! against each other and against the libraries that the [`presets`] copy.

pub mod augment;
pub mod colormap;
pub mod config;
pub mod cpu;
mod error;
mod front_end;
pub mod gpu;
mod image;
pub mod presets;
mod samples;
mod spectrogram;
pub mod tables;

pub use error::FrontEndError;
pub use front_end::FrontEnd;
pub use image::encode_png;
pub use samples::{DeviceSamples, Samples};
pub use spectrogram::{NO_VALUE, Spectrogram};
