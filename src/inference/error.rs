//! What stops inference.

use std::path::PathBuf;

use super::batch::BatchTooLarge;
use crate::audio::AudioError;
use crate::frontend::FrontEndError;
use crate::model::CheckpointError;

/// Why nothing was predicted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The checkpoint cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The front end cannot run, or its device failed.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The audio file cannot be read.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// Every clip of the file is silent.
    #[error("there is no sound in {0}")]
    Silent(PathBuf),
    /// The network's outputs for the file are infinite or not a number.
    #[error("the network's outputs for {0} are not finite numbers")]
    NotFinite(PathBuf),
    /// A batch has no clips.
    #[error("a batch must have at least one clip")]
    EmptyBatch,
    /// A clip has the wrong length.
    #[error("a clip of {found} samples: the checkpoint's clips have {expected}")]
    ClipLength {
        /// Samples of the clip.
        found: usize,
        /// Samples of the checkpoint's clips.
        expected: usize,
    },
    /// A batch has more clips than the device can bind.
    #[error(transparent)]
    BatchTooLarge(#[from] BatchTooLarge),
    /// The network's device failed.
    #[error("the device failed: {0}")]
    Device(String),
}
