//! The lines of a journal.

use serde::{Deserialize, Serialize};

use super::settings::JournalSettings;
use crate::classify::path_text::{path_of_text, text_of_path};
use crate::classify::result::{FileResult, Outcome};
use crate::classify::stamp::Stamp;

/// One line of a journal.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first line.
    Settings(JournalSettings),
    /// A file that is done.
    File(FileLine),
    /// A run that saw this many files reached its end.
    End { files: u64 },
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
