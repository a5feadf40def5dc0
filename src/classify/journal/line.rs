//! The lines of a journal, and their checksums.
//!
//! The first member of a line's object is `crc`: the CRC-32 of what follows it, in hexadecimal. A
//! line of version 1 has none.

use serde::{Deserialize, Serialize};

use super::settings::JournalSettings;
use crate::classify::result::{FileResult, Outcome};
use crate::classify::stamp::Stamp;
use crate::files::{path_of_text, text_of_path};

/// One line of a journal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first line.
    Settings(JournalSettings),
    /// A file that is done.
    File(FileLine),
    /// A run that saw this many files reached its end.
    End {
        files: u64,
        /// Damaged lines before this one, which the run knew of.
        #[serde(default, skip_serializing_if = "is_zero")]
        damaged: u64,
    },
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// What stands before the checksum, and between it and the rest.
const CRC: (&[u8], &[u8]) = (b"{\"crc\":\"", b"\",");
/// Length of a checksum in hexadecimal.
const DIGITS: usize = 8;

/// What a line of text is.
pub(super) enum Parsed {
    Line(Line),
    /// Its checksum does not match, or it has none where each line has one.
    Damaged,
    /// No line of a journal.
    Foreign,
}

impl Line {
    /// Returns the line's text, with its checksum and a newline.
    pub(super) fn text(&self) -> serde_json::Result<Vec<u8>> {
        let object = serde_json::to_vec(self)?;
        // The members, without the opening brace.
        let members = &object[1..];
        let crc = format!("{:08x}", crc32fast::hash(members));
        Ok([CRC.0, crc.as_bytes(), CRC.1, members, b"\n"].concat())
    }

    /// Parses a line's text. `checked` says whether each line must have a checksum.
    pub(super) fn parse(text: &[u8], checked: bool) -> Parsed {
        let parsed = |json: &[u8]| match serde_json::from_slice(json) {
            Ok(line) => Parsed::Line(line),
            Err(_) => Parsed::Foreign,
        };
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        match split_crc(text) {
            Some((crc, members)) if crc32fast::hash(members) == crc => {
                parsed(&[b"{", members].concat())
            }
            None if !checked => parsed(text),
            _ => Parsed::Damaged,
        }
    }
}

/// Returns the checksum of a line, and the bytes that it is of.
fn split_crc(text: &[u8]) -> Option<(u32, &[u8])> {
    let (crc, rest) = text.strip_prefix(CRC.0)?.split_at_checked(DIGITS)?;
    let crc = u32::from_str_radix(std::str::from_utf8(crc).ok()?, 16).ok()?;
    Some((crc, rest.strip_prefix(CRC.1)?))
}

/// A [`FileResult`] as a journal stores it.
#[derive(Serialize, Deserialize)]
pub(super) struct FileLine {
    /// As [`text_of_path`] writes it.
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamp: Option<Stamp>,
    outcome: Outcome,
}

impl FileLine {
    pub(super) fn new(result: &FileResult) -> Self {
        Self {
            path: text_of_path(&result.path),
            stamp: result.stamp,
            outcome: result.outcome.clone(),
        }
    }

    /// Returns the result; `None` if its path is invalid, or it does not have a probability for
    /// each of `classes`.
    pub(super) fn into_result(self, classes: usize) -> Option<FileResult> {
        if let Outcome::Ok(prediction) = &self.outcome {
            let clips = prediction.timeline.iter().map(|clip| &clip.probabilities);
            let mut all = clips.chain([&prediction.probabilities]);
            if !all.all(|p| p.len() == classes) {
                return None;
            }
        }
        Some(FileResult {
            path: path_of_text(&self.path)?,
            stamp: self.stamp,
            outcome: self.outcome,
        })
    }
}
