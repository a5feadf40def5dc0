//! The journal beside an output: which files are done, and with what result. A run that was killed
//! at any moment resumes from its journal, and tables can be rebuilt from it.
//!
//! A journal is one JSON object per line, which begins with the line's checksum. The first line
//! holds the [`JournalSettings`] that the rows were made with. Every other line is a file that is
//! done, or says that a run reached its end. A last line that a kill cut off is dropped when the
//! run resumes. A line whose checksum does not match is passed over and counted, and its file is
//! not done.

mod error;
mod line;
mod reader;
mod settings;
mod writer;

use std::path::{Path, PathBuf};

use crate::files::Ours;

pub use error::JournalError;
pub use reader::{JournalState, read, rows, settings};
pub use settings::{Difference, JournalSetting, JournalSettings, VERSION};
pub use writer::Journal;

/// Returns the path of an output's journal: the output's path with `.journal` at its end.
pub fn journal_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}

/// How a journal is recognized: by its first line.
pub(super) const OURS: Ours = Ours {
    what: "a journal",
    is: |head| {
        let first = head.start.split(|&b| b == b'\n').next();
        // Behind the checksum, if there is one.
        let first = first.unwrap_or_default();
        let settings = first.splitn(2, |&b| b == b',').nth(1);
        let version_2 = head.starts_with("{\"crc\":\"")
            && settings.is_none_or(|rest| starts(rest, b"\"settings\":{"));
        version_2 || head.starts_with("{\"settings\":{\"journal\":")
    },
};

/// Whether `text` starts with `start`, or is a part of it.
fn starts(text: &[u8], start: &[u8]) -> bool {
    let len = text.len().min(start.len());
    text[..len] == start[..len]
}
