//! The report of an evaluation or a run: one HTML page without external files, and the same figures
//! as JSON.

mod html;
pub(crate) mod plots;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Epoch, EvaluateError, LevelMetrics};

pub use html::html;

/// A clip that was classified wrongly, with its image.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Name of the file in the dataset.
    pub file: String,
    /// Start of the clip in the file, seconds.
    pub start: f64,
    /// Its true class.
    pub truth: String,
    /// The predicted class.
    pub predicted: String,
    /// Probability of the predicted class.
    pub confidence: f32,
    /// Its spectrogram as PNG.
    pub png: Vec<u8>,
}

/// Everything that a report shows.
#[derive(Clone, Debug)]
pub struct Report {
    /// The heading.
    pub title: String,
    /// What was evaluated on what, for people: names and values.
    pub facts: Vec<(String, String)>,
    /// Class names.
    pub classes: Vec<String>,
    /// Figures by clip.
    pub clips: LevelMetrics,
    /// Figures by file.
    pub files: LevelMetrics,
    /// The epochs of the training run, if this is the report of one.
    pub epochs: Vec<Epoch>,
    /// Mistakes, the most confident first.
    pub mistakes: Vec<Mistake>,
}

/// The content of `metrics.json`. Scripts read its keys.
#[derive(Serialize)]
struct Json<'a> {
    title: &'a str,
    facts: BTreeMap<&'a str, &'a str>,
    classes: &'a [String],
    clips: &'a LevelMetrics,
    files: &'a LevelMetrics,
    epochs: &'a [Epoch],
}

impl Report {
    /// Returns the figures as JSON, without the mistakes.
    pub fn json(&self) -> String {
        let facts = self.facts.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let json = Json {
            title: &self.title,
            facts: facts.collect(),
            classes: &self.classes,
            clips: &self.clips,
            files: &self.files,
            epochs: &self.epochs,
        };
        serde_json::to_string_pretty(&json).expect("a report is plain data")
    }

    /// Writes `report.html` and `metrics.json` into `folder`.
    ///
    /// # Errors
    /// [`EvaluateError::Write`].
    pub fn write(&self, folder: &Path) -> Result<(), EvaluateError> {
        for (name, text) in [("report.html", html(self)), ("metrics.json", self.json())] {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|source| EvaluateError::Write { path, source })?;
        }
        Ok(())
    }
}
