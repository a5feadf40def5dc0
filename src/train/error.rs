//! What stops a training run.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use crate::dataset::DatasetError;
use crate::evaluate::EvaluateError;
use crate::files::ClaimError;
use crate::frontend::FrontEndError;
use crate::inference::BatchTooLarge;
use crate::model::{CheckpointError, ModelError};

/// Why a run stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The dataset or its split.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The front end.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The evaluation on the validation files.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A file that would be written is another program's.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// A setting is out of its range.
    #[error("{name} is {value}: it must be {must}")]
    Setting {
        /// Key of the setting in `run.toml`.
        name: &'static str,
        /// The value given.
        value: String,
        /// The range, in words.
        must: &'static str,
    },
    /// A file of the run folder cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The folder already holds a run.
    #[error("{0} already holds a run")]
    RunExists(PathBuf),
    /// The folder holds no run, but a file with the name of one of a run's.
    #[error("{0} exists, and there is no run beside it")]
    NotARun(PathBuf),
    /// The last layer alone was to be trained, and there is no model to start from.
    #[error("only the last layer is to be trained, and no model is given to start from")]
    NothingToFreeze,
    /// The model to start from is not the one that the run began with.
    #[error("{0} is not the model that the run's settings were made for")]
    InitChanged(String),
    /// The loss is no longer a finite number.
    #[error("the loss became {loss} in epoch {epoch}; the best checkpoint so far is kept")]
    Diverged {
        /// NaN or infinite.
        loss: f32,
        /// From 1.
        epoch: usize,
    },
    /// A run was told to end before where it is.
    #[error("the run has {done} epochs, so it cannot train on to {epochs}")]
    TooFewEpochs {
        /// Finished epochs.
        done: usize,
        /// What was asked for.
        epochs: usize,
    },
    /// A run that has one epoch only was told to train on.
    #[error("the run fits its last layer in one step, so it cannot train on")]
    NoEpochs,
    /// The run cannot be resumed from its files.
    #[error("cannot resume from {path}: {why}")]
    State {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A batch has more clips than the device can bind.
    #[error(transparent)]
    BatchTooLarge(#[from] BatchTooLarge),
    /// The device failed, often for lack of memory.
    #[error("the device failed: {0}")]
    Device(String),
}

/// Checks that the setting `name` lies in `range`, which `must` says in words.
pub(super) fn check<T: PartialOrd + ToString>(
    name: &'static str,
    value: T,
    range: RangeInclusive<T>,
    must: &'static str,
) -> Result<(), TrainError> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(TrainError::Setting {
        name,
        value: value.to_string(),
        must,
    })
}
