//! How a training run went, epoch by epoch.

use serde::{Deserialize, Serialize};

/// What an epoch did on the validation side.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Mean cross-entropy of a clip, nats.
    pub loss: f64,
    /// Accuracy by clip.
    pub clip_accuracy: f64,
    /// Files answered rightly.
    pub hits: usize,
    /// Files.
    pub files: usize,
}

impl Validation {
    /// Accuracy by file.
    pub fn accuracy(&self) -> f64 {
        self.hits as f64 / self.files.max(1) as f64
    }
}

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Learning rate of its last step.
    pub lr: f64,
    /// Mean training loss, nats.
    pub loss: f64,
    /// Accuracy on the training clips, as they were augmented.
    pub accuracy: f64,
    /// Training clips a second, pictures included, validation not.
    pub clips_per_second: f64,
    /// Seconds of the training steps.
    pub seconds: f64,
    /// Whether it was the best so far and its weights were kept.
    pub best: bool,
    /// On the validation side, if it has files.
    pub valid: Option<Validation>,
}

impl Epoch {
    /// What the best is chosen by: files right, then low loss; without a validation side, the later.
    pub fn score(&self) -> (f64, f64) {
        self.valid
            .map_or((self.epoch as f64, 0.0), |v| (v.accuracy(), -v.loss))
    }
}
