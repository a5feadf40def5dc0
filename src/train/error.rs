//! What stops a training run.

use std::path::PathBuf;

use crate::dataset::DatasetError;
use crate::evaluate::EvaluateError;
use crate::frontend::FrontEndError;
use crate::model::{CheckpointError, ModelError};

/// Why a run stopped, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The dataset or its split.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The front end.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The evaluation on the validation side.
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    /// The network.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A setting is wrong.
    #[error("{name} is {value}: it must be {must}")]
    Setting {
        /// Which.
        name: &'static str,
        /// As given.
        value: String,
        /// What would be right.
        must: &'static str,
    },
    /// A file of the run folder cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The run folder holds another run.
    #[error("{0} already holds a run: choose another --out, or remove it")]
    RunExists(PathBuf),
    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} in epoch {epoch}: use a smaller --lr. The best checkpoint so far is kept"
    )]
    Diverged {
        /// NaN or infinite.
        loss: f32,
        /// From 1.
        epoch: usize,
    },
    /// The state of a run cannot be taken up.
    #[error("cannot resume from {path}: {why}")]
    State {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The device failed.
    #[error("the device failed: {0}. Try a smaller --batch or --device cpu")]
    Device(String),
}
