//! What was found out about one file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Stamp;

/// What was found out about a file that could be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Probability of each class: the mean over the file's clips with sound in them.
    pub probabilities: Vec<f32>,
    /// Length of the file, seconds.
    pub seconds: f64,
    /// Clips that were looked at.
    pub clips: usize,
    /// Clips that were left out, since there is no sound in them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub silent: usize,
    /// Whether the file is shorter than a clip, and silence was put behind it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub padded: bool,
    /// What is wrong with the file although it could be read, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<String>,
    /// What the network's dense layer reads, the mean over the clips, where this was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f32>,
    /// Every clip that was looked at, in order, where this was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<ClipPrediction>,
}

/// One clip of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipPrediction {
    /// Where it begins, seconds.
    pub start: f64,
    /// Where it ends, seconds.
    pub end: f64,
    /// One a class.
    pub probabilities: Vec<f32>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !b
}

/// Classes, most probable first, with their probabilities. Equals stay in class order.
pub fn ranked(probabilities: &[f32]) -> Vec<(usize, f32)> {
    let mut all: Vec<_> = probabilities.iter().copied().enumerate().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

/// An answer, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The file was read.
    Ok(Prediction),
    /// It was not.
    Failed {
        /// A stable word for tables: see [`crate::audio::AudioError::reason`]; `silent` for a file without sound.
        reason: String,
        /// One line for people.
        message: String,
    },
}

/// One file's result.
#[derive(Clone, Debug, PartialEq)]
pub struct FileResult {
    /// As it was found.
    pub path: PathBuf,
    /// What it was then; `None` if the system would not say.
    pub stamp: Option<Stamp>,
    /// What came of it.
    pub outcome: Outcome,
}
