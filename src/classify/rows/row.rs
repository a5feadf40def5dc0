//! A row of a result table.

use std::path::PathBuf;

use crate::classify::output::Schema;
use crate::classify::result::{FileResult, Outcome, ranked};
use crate::model::Task;

/// Whether a file has an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowStatus {
    /// It has one.
    Ok,
    /// The model was not sure enough.
    Unsure,
    /// The file could not be read or classified.
    Failed,
}

/// The labels of a row, each with its probability if the table has it.
#[derive(Clone, Debug, PartialEq)]
pub enum RowLabels {
    /// Of a single-label model: the genres, most probable first. Empty if unsure or failed.
    Genres(Vec<(String, Option<f32>)>),
    /// Of a multi-label model: the tags over the threshold, most probable first.
    Tags(Vec<(String, Option<f32>)>),
}

impl RowLabels {
    /// Returns the labels of either kind.
    pub fn all(&self) -> &[(String, Option<f32>)] {
        match self {
            Self::Genres(all) | Self::Tags(all) => all,
        }
    }
}

/// A row of a result table of files.
#[derive(Clone, Debug, PartialEq)]
pub struct TableRow {
    /// Path of the file, as the table has it: relative to where `classify` ran, or absolute.
    pub path: PathBuf,
    /// Whether it has an answer.
    pub status: RowStatus,
    /// Its genres or tags.
    pub labels: RowLabels,
    /// The probability of each class that the table has one of, in the order of the table.
    pub probabilities: Vec<(String, f32)>,
    /// Length of the file in seconds.
    pub seconds: Option<f64>,
    /// Why it failed, or `damaged`: a stable word.
    pub reason: Option<String>,
    /// The same for people.
    pub message: Option<String>,
    /// Fingerprint of the checkpoint.
    pub model: Option<String>,
}

impl TableRow {
    /// Returns the row that a table of `schema` has for `result`.
    pub fn of(result: &FileResult, schema: &Schema) -> Self {
        let name = |class: usize| schema.classes.get(class).cloned();
        let mut row = Self {
            path: result.path.clone(),
            status: RowStatus::Failed,
            labels: match schema.rule.task {
                Task::SingleLabel => RowLabels::Genres(Vec::new()),
                Task::MultiLabel => RowLabels::Tags(Vec::new()),
            },
            probabilities: Vec::new(),
            seconds: None,
            reason: None,
            message: None,
            model: Some(schema.model.clone()),
        };
        match &result.outcome {
            Outcome::Failed { reason, message } => {
                row.reason = Some(reason.clone());
                row.message = Some(message.clone());
            }
            Outcome::Ok(prediction) => {
                let p = &prediction.probabilities;
                let labels = schema.rule.labels(p);
                let classes: Vec<usize> = match schema.rule.task {
                    Task::SingleLabel if labels.is_empty() => labels,
                    Task::SingleLabel => {
                        let ranked = ranked(p).into_iter().take(schema.top.max(1));
                        ranked.map(|(class, _)| class).collect()
                    }
                    Task::MultiLabel => labels,
                };
                let labels = classes
                    .into_iter()
                    .filter_map(|c| Some((name(c)?, Some(p[c]))));
                row.labels = match row.labels {
                    RowLabels::Genres(_) => RowLabels::Genres(labels.collect()),
                    RowLabels::Tags(_) => RowLabels::Tags(labels.collect()),
                };
                row.status = match schema.rule.is_unsure(p) {
                    true => RowStatus::Unsure,
                    false => RowStatus::Ok,
                };
                let classes = schema.classes.iter().cloned();
                row.probabilities = classes.zip(p.iter().copied()).collect();
                row.seconds = Some(prediction.seconds);
                if let Some(damage) = &prediction.damaged {
                    row.reason = Some("damaged".into());
                    row.message = Some(damage.clone());
                }
            }
        }
        row
    }
}
