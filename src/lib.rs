//! sonoprint: music genre classification that turns PCM into spectrogram pictures on the GPU and reads them there with
//! a CNN.
//!
//! The rooms, each of which knows only those after it: [`cli`], ([`train`] | [`classify`] | [`bench`]), ([`model`], [`dataset`],
//! [`frontend`], [`audio`]), [`gpu`].

#![deny(unsafe_code)]
#![warn(missing_docs)]
#![recursion_limit = "256"]

pub mod audio;
pub mod bench;
pub mod classify;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
pub mod dataset;
pub mod evaluate;
pub mod frontend;
pub mod gpu;
pub mod inference;
pub mod model;
pub mod rng;
pub mod train;
