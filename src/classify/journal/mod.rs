//! The journal beside an output: which files are done, and with what result. A run that was killed at any moment
//! resumes from its journal, and tables can be rebuilt from it.
//!
//! A journal is one JSON object per line. The first line holds the [`JournalSettings`] that the rows were made with.
//! Every other line is a file that is done, or says that a run reached its end. A last line that a kill cut off is
//! dropped when the run resumes.

mod error;
mod line;
mod reader;
mod settings;
mod writer;

use std::path::{Path, PathBuf};

pub use error::JournalError;
pub use reader::{JournalState, read, rows};
pub use settings::{Difference, JournalSetting, JournalSettings, VERSION};
pub use writer::Journal;

/// Returns the path of an output's journal: the output's path with `.journal` at its end.
pub fn journal_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}
