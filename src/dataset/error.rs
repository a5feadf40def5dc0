//! Errors of dataset folders, splits and decoding.

use std::io;
use std::path::PathBuf;

use crate::audio::AudioError;

/// Result of everything in [`crate::dataset`].
pub type Result<T> = std::result::Result<T, DatasetError>;

/// What is wrong with a dataset folder, a split or a file, in one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The folder does not exist or is not a folder.
    #[error("no such folder: {}", path.display())]
    NoFolder {
        /// The path as the caller gave it.
        path: PathBuf,
    },
    /// The system failed to read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The folder holds no folders, which would be the classes.
    #[error("no class folders in {}", path.display())]
    NoClasses {
        /// The dataset's root.
        path: PathBuf,
    },
    /// The folder holds a single class folder.
    #[error("only one class ({class}): classification needs at least two")]
    OneClass {
        /// The class's name.
        class: String,
    },
    /// A class folder holds no audio files.
    #[error("no audio files in class folder {class:?}")]
    EmptyClass {
        /// The class's name.
        class: String,
    },
    /// The fractions are negative, not numbers, or leave nothing to train on.
    #[error("cannot split by {valid} and {test}: both must be at least 0 and their sum below 1")]
    Fractions {
        /// The fraction for validation.
        valid: f64,
        /// The fraction for testing.
        test: f64,
    },
    /// A file of a split or of labels is malformed or belongs to another dataset.
    #[error("{}, line {line}: {why}", path.display())]
    CsvFile {
        /// The CSV file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// What the line holds that it should not.
        why: String,
    },
    /// The split names files that the dataset does not have.
    #[error("{count} files of the split are not in the dataset: {first}")]
    Missing {
        /// How many.
        count: usize,
        /// The first few, separated by commas.
        first: String,
    },
    /// A split lists a file twice, which could test a model on its training data.
    #[error("file is in the split twice: {file}")]
    Twice {
        /// Its path in the dataset.
        file: String,
    },
    /// No file has a label, or none is left.
    #[error("no labeled files in {}{notes}", path.display())]
    NoLabels {
        /// The dataset's root.
        path: PathBuf,
        /// What was left out, each after a semicolon; may be empty.
        notes: String,
    },
    /// A split was used with a dataset that it was not made from.
    #[error("split and dataset do not belong together: entry {index} of {len}")]
    OutOfRange {
        /// The index in the split.
        index: usize,
        /// Number of entries of the dataset.
        len: usize,
    },
    /// A subset has files, but none of them gives usable audio.
    #[error("no file of the {subset} subset can be read; the first: {first}")]
    NothingReadable {
        /// `train`, `valid` or `test`.
        subset: &'static str,
        /// The first file's reason.
        first: String,
    },
    /// A class has files to train on, but none of them gives usable audio.
    #[error(
        "no file of the class {class:?} in the training subset can be used; the first: {first}"
    )]
    ClassWithoutSound {
        /// The class's name.
        class: String,
        /// The first file's reason.
        first: String,
    },
    /// A file that could be read at the start of the run cannot be read now.
    #[error("{path}: {source}. The file was readable when the run began")]
    Audio {
        /// The file.
        path: PathBuf,
        /// Why it cannot be read now.
        source: AudioError,
    },
}

/// Names listed in [`DatasetError::Missing`].
const LISTED: usize = 3;

impl DatasetError {
    /// Returns [`DatasetError::Missing`] with the first few of `files`.
    pub(super) fn missing(files: &[String]) -> Self {
        let mut first = files[..files.len().min(LISTED)].join(", ");
        if files.len() > LISTED {
            first.push_str(", ...");
        }
        Self::Missing {
            count: files.len(),
            first,
        }
    }
}
