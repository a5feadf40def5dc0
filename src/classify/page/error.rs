//! Errors of pages.

use std::io;
use std::path::PathBuf;

use crate::classify::journal::JournalError;

/// Why a page cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PageError {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The page cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the page.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}
