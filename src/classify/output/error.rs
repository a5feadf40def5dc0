//! Errors of tables.

use std::io;
use std::path::{Path, PathBuf};

use super::format::Format;
use crate::classify::journal::JournalError;
use crate::files::ClaimError;

/// Why tables cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A table cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the table.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A table or its journal would be written over a file that is not this program's.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The ending of a table's name stands for no format.
    #[error("cannot write {path}: no format has the ending .{ending}")]
    Ending {
        /// Path of the table.
        path: PathBuf,
        /// The ending.
        ending: String,
    },
    /// The format cannot hold embeddings.
    #[error("cannot write {path}: a {format} table cannot hold embeddings")]
    NoVectors {
        /// Path of the table.
        path: PathBuf,
        /// The format.
        format: Format,
    },
    /// The format holds clips only.
    #[error("cannot write {path}: {format} tables hold clips only")]
    OnlyClips {
        /// Path of the table.
        path: PathBuf,
        /// The format.
        format: Format,
    },
    /// The format holds nothing but embeddings.
    #[error("cannot write {path}: a {format} file holds embeddings only")]
    OnlyVectors {
        /// Path of the table.
        path: PathBuf,
        /// The format.
        format: Format,
    },
    /// A table's format was left out of this build.
    #[error("cannot write {path}: this build of sonoprint has no {format} support")]
    NotBuilt {
        /// Path of the table.
        path: PathBuf,
        /// The format.
        format: Format,
    },
}

impl OutputError {
    pub(in crate::classify) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}
