//! Why rows cannot be compared.

use std::io;
use std::path::{Path, PathBuf};

/// Why a table of embeddings cannot be read, or its rows cannot be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimilarError {
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The ending of a table's name stands for no format that embeddings are read from.
    #[error("cannot read {0}: embeddings are read from .parquet, .jsonl and .npy files")]
    Ending(PathBuf),
    /// The format was left out of this build.
    #[error("cannot read {0}: this build of sonoprint has no parquet support")]
    NotBuilt(PathBuf),
    /// The file is no table of embeddings, or it is damaged.
    #[error("{path} is not a table of embeddings: {why}")]
    NotATable {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Embeddings of several lengths do not compare.
    #[error("row {row} of {path} has an embedding of {found} numbers, and not of {expected}")]
    Dimension {
        /// Path of the table.
        path: PathBuf,
        /// The row, from 0.
        row: u64,
        /// Its length.
        found: usize,
        /// The length of the others.
        expected: usize,
    },
    /// The table has no embedding at all.
    #[error("{0} has no embeddings")]
    Empty(PathBuf),
    /// A query has another length than the table's embeddings.
    #[error("the query has {found} numbers, and the embeddings of {path} have {expected}")]
    Query {
        /// Path of the table.
        path: PathBuf,
        /// Length of the query.
        found: usize,
        /// Length of the table's embeddings.
        expected: usize,
    },
    /// A query is zero or not finite.
    #[error("the embedding of {0} is missing, zero or not finite: it has no direction to compare")]
    NoDirection(PathBuf),
    /// Embeddings of another model do not compare.
    #[error("{path} has embeddings of the model {found}, and this is the model {expected}")]
    Model {
        /// Path of the table.
        path: PathBuf,
        /// Fingerprint of the model that made the table.
        found: String,
        /// Fingerprint of the model at hand.
        expected: String,
    },
    /// The output cannot be written.
    #[error("cannot write the matrix: {0}")]
    Write(io::Error),
}

impl SimilarError {
    pub(super) fn read(path: &Path) -> impl Fn(io::Error) -> Self {
        |source| Self::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn not_a_table(path: &Path, why: impl Into<String>) -> Self {
        Self::NotATable {
            path: path.to_owned(),
            why: why.into(),
        }
    }
}
