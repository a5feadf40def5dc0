//! What stops an evaluation.

use std::path::PathBuf;

use crate::dataset::DatasetError;
use crate::frontend::FrontEndError;

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
