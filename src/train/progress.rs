//! How far an epoch has come.

use serde::{Deserialize, Serialize};

/// How far an epoch has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// From 1.
    pub epoch: usize,
    /// Steps done of this epoch.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Clips seen this epoch.
    pub clips: usize,
    /// Sum of the clips' losses, nats.
    pub loss_sum: f64,
    /// Right answers on the epoch's training clips.
    pub hits: f64,
    /// Seconds that its steps took.
    pub seconds: f64,
}

impl Progress {
    /// Mean loss so far, nats.
    pub fn loss(&self) -> f64 {
        self.loss_sum / self.clips.max(1) as f64
    }

    /// Accuracy so far.
    pub fn accuracy(&self) -> f64 {
        self.hits / self.clips.max(1) as f64
    }
}
