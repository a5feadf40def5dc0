//! The result of one file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// The prediction for a file that could be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Probability of each class: the mean over the file's clips that are not silent.
    pub probabilities: Vec<f32>,
    /// Length of the file, seconds.
    pub seconds: f64,
    /// Number of clips that the network classified.
    pub clips: usize,
    /// Number of clips that were left out because they are silent.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub silent: usize,
    /// Whether the file is shorter than a clip and was filled up, with silence or by repetition.
    #[serde(default, skip_serializing_if = "is_false")]
    pub padded: bool,
    /// What is wrong with the file, if it is damaged and could be read in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<String>,
    /// Input of the network's dense layer, the mean over the clips; empty if not requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<f32>,
    /// The classified clips, in order; empty if not requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<ClipPrediction>,
}

/// The prediction for one clip of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipPrediction {
    /// Start in the file, seconds.
    pub start: f64,
    /// End in the file, seconds.
    pub end: f64,
    /// Probability of each class.
    pub probabilities: Vec<f32>,
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !b
}

/// Returns the classes and their probabilities, most probable first. Ties keep the order of the
/// classes.
pub fn ranked(probabilities: &[f32]) -> Vec<(usize, f32)> {
    let mut all: Vec<_> = probabilities.iter().copied().enumerate().collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

/// A prediction, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The file was read and classified.
    Ok(Prediction),
    /// The file could not be read or classified.
    Failed {
        /// A stable word for tables: one of [`crate::audio::AudioError::reason`], or `silent` for a
        /// file without sound, or `not_finite` where the network's outputs are no numbers.
        reason: String,
        /// One line for people.
        message: String,
    },
}

impl Outcome {
    /// Whether the file could not be read or classified.
    pub fn is_failed(&self) -> bool {
        matches!(self, Self::Failed { .. })
    }
}

/// The result of one file: a row of the result table.
#[derive(Clone, Debug, PartialEq)]
pub struct FileResult {
    /// Path of the file as it was found.
    pub path: PathBuf,
    /// Version of the file when it was read; `None` if the system does not report it.
    pub stamp: Option<Stamp>,
    /// The prediction or the failure.
    pub outcome: Outcome,
}
