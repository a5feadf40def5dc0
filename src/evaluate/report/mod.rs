//! The report of an evaluation or a run: one HTML page without external files, and the same figures
//! as JSON.

mod chance;
mod date;
mod html;
mod html_classes;
mod html_facts;
mod html_mistakes;
mod html_tags;
mod html_text;
pub(crate) mod plots;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use super::{Epoch, EvaluateError, Figures, Levels};
use crate::files::{ClaimError, Claims, Ours, replace};
use crate::model::Task;

pub use date::now;
pub use html::html;

/// Names of the files.
const HTML: &str = "report.html";
const JSON: &str = "metrics.json";

/// Recognized by the head of the page.
const HTML_OURS: Ours = Ours {
    what: "a report",
    is: |head| {
        let icon = b"</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>";
        let page = &head.start;
        head.starts_with("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
            && page.windows(icon.len()).any(|window| window == icon)
    },
};
/// Recognized by the first keys.
const JSON_OURS: Ours = Ours {
    what: "figures of a report",
    is: |head| {
        let facts = b"\n  \"facts\": {";
        let text = &head.start;
        head.starts_with("{\n  \"title\": \"") && text.windows(facts.len()).any(|w| w == facts)
    },
};

/// A mistake on a clip, with the clip's image.
#[derive(Clone, Debug, PartialEq)]
pub struct Mistake {
    /// Name of the file in the dataset.
    pub file: String,
    /// Start of the clip in the file, seconds.
    pub start: f64,
    /// Its true class, or its tags separated by commas.
    pub truth: String,
    /// The predicted class.
    pub predicted: String,
    /// Probability of the predicted class.
    pub confidence: f32,
    /// Of tags, the tag of the file that ranks below `predicted`, and its probability.
    pub missed: Option<(String, f32)>,
    /// Its spectrogram as PNG, if it is shown. The page lists mistakes without one in a table.
    pub png: Option<Vec<u8>>,
}

/// A setting of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its key in `run.toml`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// The default, if the value is another.
    pub default: Option<String>,
}

/// Everything that a report shows.
#[derive(Clone, Debug)]
pub struct Report {
    /// The heading.
    pub title: String,
    /// What was evaluated on what, for people: names and values.
    pub facts: Vec<(String, String)>,
    /// All settings of the run. Those that differ from their defaults are shown first.
    pub settings: Vec<Setting>,
    /// Class names.
    pub classes: Vec<String>,
    /// The figures, by clip and by file.
    pub figures: Figures,
    /// The epochs of the training run, if this is the report of one.
    pub epochs: Vec<Epoch>,
    /// Number of the epoch whose weights were kept, if there are epochs.
    pub kept: Option<usize>,
    /// Mistakes, the most confident first.
    pub mistakes: Vec<Mistake>,
}

/// The content of `metrics.json`. Scripts read its keys.
#[derive(Serialize)]
struct Json<'a, M> {
    title: &'a str,
    facts: BTreeMap<&'a str, &'a str>,
    task: Task,
    classes: &'a [String],
    chance: f64,
    settings: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    levels: &'a Levels<M>,
    epochs: &'a [Epoch],
}

impl Report {
    /// Returns the figures as JSON, without the mistakes.
    pub fn json(&self) -> String {
        match &self.figures {
            Figures::SingleLabel(levels) => self.json_of(Task::SingleLabel, levels),
            Figures::MultiLabel(levels) => self.json_of(Task::MultiLabel, levels),
        }
    }

    fn json_of<M: Serialize>(&self, task: Task, levels: &Levels<M>) -> String {
        let facts = self.facts.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        let json = Json {
            title: &self.title,
            facts: facts.collect(),
            task,
            classes: &self.classes,
            chance: chance::chance(&self.figures),
            settings: self
                .settings
                .iter()
                .map(|s| (s.name.as_str(), s.value.as_str()))
                .collect(),
            levels,
            epochs: &self.epochs,
        };
        serde_json::to_string_pretty(&json).expect("a report is plain data")
    }

    /// Checks that the report may be written into `folder`: its files are not there yet, or are
    /// those of an earlier report.
    ///
    /// # Errors
    /// [`ClaimError`].
    pub fn claim(folder: &Path, claims: &mut Claims) -> Result<(), ClaimError> {
        claims.output(&folder.join(HTML), HTML_OURS)?;
        claims.output(&folder.join(JSON), JSON_OURS)
    }

    /// Writes `report.html` and `metrics.json` into `folder`.
    ///
    /// # Errors
    /// [`EvaluateError::Write`].
    pub fn write(&self, folder: &Path) -> Result<(), EvaluateError> {
        for (name, text) in [(HTML, html(self)), (JSON, self.json())] {
            let path = folder.join(name);
            replace(&path, text.as_bytes())
                .map_err(|source| EvaluateError::Write { path, source })?;
        }
        Ok(())
    }
}
