//! The report of an evaluation or a run: one HTML file that needs nothing else, and the same figures as JSON.

mod html;
mod plots;

use std::path::Path;

use serde::Serialize;

use super::{Epoch, EvaluateError, LevelMetrics};

pub use html::html;
pub use plots::sweep as sweep_svg;

/// A clip that was answered wrongly, with its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// File, as the dataset names it.
    pub file: String,
    /// Where in the file the clip begins, seconds.
    pub start: f64,
    /// Its class.
    pub truth: String,
    /// What it was taken for.
    pub predicted: String,
    /// With which probability.
    pub confidence: f32,
    /// Its spectrogram, PNG.
    pub png: Vec<u8>,
}

/// Everything that a report shows.
#[derive(Clone, Debug)]
pub struct Report {
    /// First line.
    pub title: String,
    /// What was evaluated on what, for people: name and value.
    pub facts: Vec<(String, String)>,
    /// Class names.
    pub classes: Vec<String>,
    /// One answer a clip.
    pub clips: LevelMetrics,
    /// One answer a file.
    pub files: LevelMetrics,
    /// Of the training run, if it is one's report.
    pub epochs: Vec<Epoch>,
    /// The worst first.
    pub mistakes: Vec<Mistake>,
}

#[derive(Serialize)]
struct Json<'a> {
    title: &'a str,
    facts: std::collections::BTreeMap<&'a str, &'a str>,
    classes: &'a [String],
    clips: &'a LevelMetrics,
    files: &'a LevelMetrics,
    epochs: &'a [Epoch],
}

impl Report {
    /// The figures as JSON, without pictures.
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
