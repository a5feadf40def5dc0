//! What the rows of a journal were made with.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::classify::shard::Shard;
use crate::model::{DecisionRule, Task};

/// The version of the journal that this program writes. Version 1, whose lines have no checksums,
/// is read and resumed, too.
pub const VERSION: u32 = 2;

/// What all rows of a journal were made with. Rows of different settings are not mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalSettings {
    /// Version of the journal: [`VERSION`].
    pub journal: u32,
    /// Fingerprint of the checkpoint: weights, front end and classes.
    pub model: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// What the network's outputs mean. Journals of earlier versions do not have it.
    #[serde(default)]
    pub task: Task,
    /// The probability from which a class of a multi-label task is given; `None` for other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// The probability that the most probable class needs for any label to be given, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<f32>,
    /// Fraction of a clip that it shares with the next one.
    pub overlap: f64,
    /// Which parts of long tracks the rows are about ([`crate::audio::Excerpts`] as text); `None`:
    /// whole tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excerpts: Option<String>,
    /// Whether the rows list every clip.
    pub timeline: bool,
    /// Whether the rows hold embeddings.
    #[serde(default)]
    pub embeddings: bool,
    /// Whether the network computed in f16.
    #[serde(default)]
    pub half: bool,
    /// Which part of the files the rows are about.
    pub shard: Shard,
}

/// Names one field of [`JournalSettings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalSetting {
    /// [`JournalSettings::journal`].
    Version,
    /// [`JournalSettings::model`].
    Checkpoint,
    /// [`JournalSettings::classes`].
    Classes,
    /// [`JournalSettings::task`].
    Task,
    /// [`JournalSettings::threshold`].
    Threshold,
    /// [`JournalSettings::min_confidence`].
    MinConfidence,
    /// [`JournalSettings::overlap`].
    ClipOverlap,
    /// [`JournalSettings::excerpts`].
    Excerpts,
    /// [`JournalSettings::timeline`].
    Timeline,
    /// [`JournalSettings::embeddings`].
    Embeddings,
    /// [`JournalSettings::half`].
    Half,
    /// [`JournalSettings::shard`].
    Shard,
}

impl fmt::Display for JournalSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "version of the journal",
            Self::Checkpoint => "checkpoint",
            Self::Classes => "list of classes",
            Self::Task => "task",
            Self::Threshold => "threshold of tags",
            Self::MinConfidence => "minimal confidence",
            Self::ClipOverlap => "clip overlap",
            Self::Excerpts => "choice of excerpts",
            Self::Timeline => "timeline setting",
            Self::Embeddings => "embeddings setting",
            Self::Half => "precision",
            Self::Shard => "shard",
        })
    }
}

/// A setting in which a journal and a run differ, with both values as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which setting.
    pub setting: JournalSetting,
    /// The journal's value.
    pub journal: String,
    /// The run's value.
    pub run: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            journal,
            run,
        } = self;
        write!(f, "{setting}: {journal}, not {run}")
    }
}

impl JournalSettings {
    /// Returns how the rows' probabilities become labels.
    pub fn rule(&self) -> DecisionRule {
        DecisionRule {
            task: self.task,
            threshold: self.threshold,
            min_confidence: self.min_confidence,
        }
    }

    /// Returns the first setting in which `self`, a journal's, and `run` differ.
    pub fn difference(&self, run: &Self) -> Option<Difference> {
        // Both are destructured completely, so that a new field does not compile until it is
        // compared.
        let Self {
            journal,
            model,
            classes,
            task,
            threshold,
            min_confidence,
            overlap,
            excerpts,
            timeline,
            embeddings,
            half,
            shard,
        } = self;
        let Self {
            journal: run_journal,
            model: run_model,
            classes: run_classes,
            task: run_task,
            threshold: run_threshold,
            min_confidence: run_min_confidence,
            overlap: run_overlap,
            excerpts: run_excerpts,
            timeline: run_timeline,
            embeddings: run_embeddings,
            half: run_half,
            shard: run_shard,
        } = run;
        let on_off = |on: &bool| if *on { "on" } else { "off" }.to_owned();
        let precision = |half: &bool| if *half { "f16" } else { "f32" }.to_owned();
        let probability = |p: &Option<f32>| p.map_or("none".to_owned(), |p| p.to_string());
        let task_name = |task: &Task| match task {
            Task::SingleLabel => "single label".to_owned(),
            Task::MultiLabel => "multi-label".to_owned(),
        };
        let list = |names: &Vec<String>| names.join(", ");
        let parts = |excerpts: &Option<String>| match excerpts {
            Some(excerpts) => excerpts.clone(),
            None => "whole tracks".to_owned(),
        };
        use JournalSetting as S;
        compare(S::Version, journal, run_journal, u32::to_string)
            .or_else(|| compare(S::Checkpoint, model, run_model, String::clone))
            .or_else(|| compare(S::Classes, classes, run_classes, list))
            .or_else(|| compare(S::Task, task, run_task, task_name))
            .or_else(|| compare(S::Threshold, threshold, run_threshold, probability))
            .or_else(|| {
                let run = run_min_confidence;
                compare(S::MinConfidence, min_confidence, run, probability)
            })
            .or_else(|| compare(S::ClipOverlap, overlap, run_overlap, f64::to_string))
            .or_else(|| compare(S::Excerpts, excerpts, run_excerpts, parts))
            .or_else(|| compare(S::Timeline, timeline, run_timeline, on_off))
            .or_else(|| compare(S::Embeddings, embeddings, run_embeddings, on_off))
            .or_else(|| compare(S::Half, half, run_half, precision))
            .or_else(|| compare(S::Shard, shard, run_shard, Shard::to_string))
    }
}

fn compare<T: PartialEq>(
    setting: JournalSetting,
    journal: &T,
    run: &T,
    show: impl Fn(&T) -> String,
) -> Option<Difference> {
    (journal != run).then(|| Difference {
        setting,
        journal: show(journal),
        run: show(run),
    })
}

#[cfg(test)]
impl JournalSettings {
    /// Returns settings of two classes for unit tests.
    pub(super) fn plain() -> Self {
        Self {
            journal: VERSION,
            model: "0123456789ab".into(),
            classes: vec!["blues".into(), "jazz".into()],
            task: Task::SingleLabel,
            threshold: Some(0.5),
            min_confidence: Some(0.25),
            overlap: 0.0,
            excerpts: Some("3 of 15 s, spread".into()),
            timeline: false,
            embeddings: false,
            half: false,
            shard: Shard::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::classify::journal::JournalError;

    /// Changes every field in turn, by its name in the file, so that a field added later is checked
    /// too.
    #[test]
    fn every_setting_is_compared() {
        let same = JournalSettings::plain();
        assert_eq!(same.difference(&same), None);
        let Value::Object(fields) = serde_json::to_value(&same).unwrap() else {
            panic!("settings are an object");
        };
        let mut found = Vec::new();
        for name in fields.keys() {
            let mut changed = fields.clone();
            let value = &mut changed[name];
            *value = match &*value {
                Value::Bool(on) => json!(!on),
                Value::Number(n) if n.is_f64() => json!(n.as_f64().unwrap() + 0.5),
                Value::Number(n) => json!(n.as_u64().unwrap() + 1),
                Value::String(task) if task == "single_label" => json!("multi_label"),
                Value::String(text) => json!(format!("{text}-changed")),
                Value::Array(_) => json!(["rock"]),
                Value::Object(_) => json!({"number": 2, "of": 3}),
                Value::Null => panic!("{name} has no value"),
            };
            let changed = serde_json::from_value(Value::Object(changed)).unwrap();
            let difference = same.difference(&changed);
            let difference = difference.unwrap_or_else(|| panic!("{name} is not compared"));
            assert_ne!(difference.journal, difference.run, "{name}");
            found.push(difference.setting);
        }
        for (i, setting) in found.iter().enumerate() {
            assert!(!found[..i].contains(setting), "{setting:?} twice");
        }
    }

    #[test]
    fn a_difference_says_both_values() {
        let half = JournalSettings {
            half: true,
            ..JournalSettings::plain()
        };
        let error = JournalError::Settings {
            path: "out.csv.journal".into(),
            difference: JournalSettings::plain().difference(&half).unwrap(),
        };
        assert_eq!(
            error.to_string(),
            "out.csv.journal belongs to rows made with another precision: f32, not f16"
        );
    }
}
