//! How a training run went, epoch by epoch.

use serde::{Deserialize, Serialize};

/// The result of an epoch on the validation files.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Mean cross-entropy per clip, nats.
    pub loss: f64,
    /// Accuracy by clip.
    pub clip_accuracy: f64,
    /// Number of files that were classified correctly.
    // The name in `metrics.json` and in saved states.
    #[serde(rename = "hits")]
    pub correct: usize,
    /// Number of files.
    pub files: usize,
}

impl Validation {
    /// Returns the accuracy by file.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.files.max(1) as f64
    }
}

/// The result of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Learning rate of its last step.
    pub lr: f64,
    /// Mean training loss, nats.
    pub loss: f64,
    /// Accuracy on the training clips, as they were augmented.
    pub accuracy: f64,
    /// Training clips per second, with the front end, without the validation.
    pub clips_per_second: f64,
    /// Seconds of the training steps.
    pub seconds: f64,
    /// Whether it was the best so far, whose weights were kept.
    pub best: bool,
    /// The result on the validation files, if there are any.
    pub valid: Option<Validation>,
}

impl Epoch {
    /// Returns what epochs are compared by: accuracy by file, then low loss. Without validation
    /// files, a later epoch is better.
    pub fn score(&self) -> (f64, f64) {
        self.valid
            .map_or((self.epoch as f64, 0.0), |v| (v.accuracy(), -v.loss))
    }
}
