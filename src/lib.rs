//! Music genre classification on the GPU.
//!
//! Audio becomes spectrograms in WGSL shaders, which write into the memory of a
//! [Burn](https://burn.dev) tensor. A network reads them there and names the genre. Everything runs
//! on one wgpu device, or on the CPU where there is none.
//!
//! # Example
//!
//! ```
//! use sonoprint::gpu::{Compute, DeviceChoice};
//! use sonoprint::inference::Predictor;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let song = concat!(env!("CARGO_MANIFEST_DIR"), "/data/clips/metal/metal.00019.wav");
//! let device = Compute::open(&DeviceChoice::Cpu)?.compute; // `Auto` takes a GPU if there is one
//! let predictor = Predictor::builtin(&device)?;
//! let track = predictor.predict_file(song)?;
//! assert!(predictor.header().classes.contains(&track.label));
//! println!("{} ({:.0} %)", track.label, 100.0 * track.confidence);
//! # Ok(())
//! # }
//! ```
//!
//! `Predictor::open` takes the name of another built-in model, and `Predictor::load` a checkpoint of
//! your own. The folder `examples` of the source has programs for genres, for features and
//! for embeddings.
//!
//! # Modules
//!
//! Each imports only those below it:
//!
//! | | |
//! |---|---|
//! | [`inference`] | [`Predictor`](inference::Predictor): files or clips to probabilities and embeddings |
//! | [`model`] | networks and [checkpoints](model::Checkpoint) |
//! | [`frontend`] | mono PCM to the features that a network reads |
//! | [`audio`], [`gpu`] | audio files to mono PCM; choosing and opening a device |
//!
//! The modules behind the program's commands (`train`, `dataset`, `evaluate`, `classify`, `similar`, `bench`)
//! are public for its tests and benchmarks. They are hidden here, because they follow the program
//! and change with it.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `cli` | yes | the program `sonoprint`; turn it off to use the library alone |
//! | `parquet` | yes | result tables as Parquet |
//! | `vulkan` | no | Burn compiles its kernels to SPIR-V: for Vulkan cards with matrix units |
//! | `autotune` | no | Burn tries several kernels per shape and keeps the fastest: for cards |
//!
//! # Versions
//!
//! Burn and wgpu are part of this API: tensors and devices of theirs come in and go out. Their
//! versions are pinned exactly, because the zero-copy path depends on how Burn keeps its memory. A
//! new version of either is a breaking change.

#![recursion_limit = "256"]

pub mod audio;
#[doc(hidden)]
pub mod bench;
#[doc(hidden)]
pub mod check;
#[doc(hidden)]
pub mod classify;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod dataset;
#[doc(hidden)]
pub mod evaluate;
#[doc(hidden)]
pub mod files;
pub mod frontend;
pub mod gpu;
pub mod inference;
pub mod model;
#[doc(hidden)]
pub mod rng;
#[doc(hidden)]
pub mod similar;
#[doc(hidden)]
pub mod tag;
#[doc(hidden)]
pub mod train;
