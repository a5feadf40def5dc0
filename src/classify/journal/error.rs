//! Errors of journals.

use std::path::{Path, PathBuf};

use super::settings::Difference;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path of the journal.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The journal cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the journal.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The journal's rows were made with other settings.
    #[error("{path} belongs to rows made with another {difference}")]
    Settings {
        /// Path of the journal.
        path: PathBuf,
        /// The first setting that differs.
        difference: Difference,
    },
    /// Another process writes to the journal.
    #[error("{path} is being written by another sonoprint")]
    Busy {
        /// Path of the journal.
        path: PathBuf,
    },
    /// The journal was there, and was removed during the run.
    #[error("{path} was removed while rows were added to it")]
    Removed {
        /// Path of the journal.
        path: PathBuf,
    },
    /// The file is not a journal, or was damaged.
    #[error("{path} is not a journal of sonoprint (line {line})")]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: usize,
    },
}

impl JournalError {
    pub(super) fn read(path: &Path, source: std::io::Error) -> Self {
        Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn write(path: &Path, source: std::io::Error) -> Self {
        Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}
