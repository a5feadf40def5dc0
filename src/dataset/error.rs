//! Why a folder is no dataset or a split does not fit it.

use std::io;
use std::path::PathBuf;

use crate::audio::AudioError;

/// Result of everything in [`crate::dataset`].
pub type Result<T> = std::result::Result<T, DatasetError>;

/// What is wrong with a dataset folder or a split, in one line that says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatasetError {
    /// The folder does not exist or is not a folder.
    #[error("no such folder: {}", path.display())]
    NoFolder {
        /// As it was given.
        path: PathBuf,
    },
    /// The system would not read or write.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has no folders in it, so there are no classes.
    #[error("no class folders in {}: put each genre's files into a folder of its own", path.display())]
    NoClasses {
        /// The dataset's root.
        path: PathBuf,
    },
    /// One class cannot be told from anything.
    #[error("only one class ({class}): there must be at least two to tell apart")]
    OneClass {
        /// Its name.
        class: String,
    },
    /// A class folder without audio in it.
    #[error("no audio files in class folder {class:?}: fill or remove it")]
    EmptyClass {
        /// Its name.
        class: String,
    },
    /// A name that cannot be written into a split file.
    #[error("file name is not valid UTF-8: {}: rename it", path.display())]
    NotUtf8 {
        /// The file or folder.
        path: PathBuf,
    },
    /// Fractions below 0, above 1, not numbers, or that leave nothing to train on.
    #[error("cannot split by {valid} and {test}: both must be at least 0 and their sum below 1")]
    Fractions {
        /// The fraction for validation.
        valid: f64,
        /// The fraction for testing.
        test: f64,
    },
    /// A split file that cannot be understood.
    #[error("{}, line {line}: {why}", path.display())]
    SplitFile {
        /// The split file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What was found.
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
    /// A file stands twice in a split, so a model could be tested on what it was trained on.
    #[error("file is in the split twice: {file}")]
    Twice {
        /// Its path in the dataset.
        file: String,
    },
    /// A split was used with a dataset that it was not made from.
    #[error("split and dataset do not belong together: entry {index} of {len}")]
    OutOfRange {
        /// The index in the split.
        index: usize,
        /// Entries of the dataset.
        len: usize,
    },
    /// Too many files cannot be read to go on.
    #[error("no file of the {side} side can be read; the first: {first}")]
    NothingReadable {
        /// train, valid or test.
        side: &'static str,
        /// The first file's reason.
        first: String,
    },
    /// A file that could be read when the run began cannot be now.
    #[error("{path}: {source}. It could be read before; put it back, and go on with --resume")]
    Audio {
        /// Which.
        path: PathBuf,
        /// Why.
        source: AudioError,
    },
}
