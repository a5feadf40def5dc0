//! What stops an evaluation.

use std::path::PathBuf;

use crate::dataset::DatasetError;
use crate::frontend::FrontEndError;
use crate::inference::InferenceError;

/// Why an evaluation stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluateError {
    /// A file of the dataset cannot be read.
    #[error(transparent)]
    Dataset(#[from] DatasetError),
    /// The front end.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The report cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The device failed, often for lack of memory.
    #[error("the device failed: {0}")]
    Device(String),
}

impl From<InferenceError> for EvaluateError {
    fn from(error: InferenceError) -> Self {
        match error {
            InferenceError::FrontEnd(e) => Self::FrontEnd(e),
            InferenceError::Device(e) => Self::Device(e),
            other => Self::Device(other.to_string()),
        }
    }
}
