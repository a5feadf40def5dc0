//! What can be wrong with a configuration.

use std::fmt;
use std::path::PathBuf;

/// Why the options of a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named, or the one in its usual place, cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Something in the file is no option.
    #[error("{place}: {message}")]
    File { place: Place, message: String },
    /// The value of an option is wrong. The message is clap's.
    #[error("{message}\n  from {origin}")]
    Value { message: String, origin: Source },
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path.display(), self.line)
    }
}

/// Where the value of an option comes from, if not from the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This variable.
    Variable(String),
    /// This key of the file: its table and its name, joined by dots.
    File { place: Place, key: String },
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::File { place, key } => write!(f, "file {place}, {key}"),
        }
    }
}
