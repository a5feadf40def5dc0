//! How far an epoch has come.

use serde::{Deserialize, Serialize};

/// How far the current epoch has come, with its sums so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Number of the epoch, from 1.
    pub epoch: usize,
    /// Steps of this epoch that are done.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Clips of this epoch that were learned from.
    pub clips: usize,
    /// Sum of those clips' losses, nats.
    pub loss_sum: f64,
    /// Number of those clips that were classified correctly; of tags, of those whose most probable
    /// tag is one of theirs.
    #[serde(alias = "hits")]
    pub correct: f64,
    /// Seconds that the steps took.
    pub seconds: f64,
}

impl Progress {
    /// Returns the mean loss so far, nats.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.clips.max(1) as f64
    }

    /// Returns the accuracy so far.
    pub fn accuracy(&self) -> f64 {
        self.correct / self.clips.max(1) as f64
    }
}
