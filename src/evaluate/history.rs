//! How a training run went, epoch by epoch.

use serde::{Deserialize, Serialize};

use super::evaluation::{EvaluatedClip, Figures, Levels};
use super::ranking::Auc;
use crate::model::Task;

/// The result of an epoch on the validation files.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Mean cross-entropy per clip, nats; of tags, per clip and tag.
    pub loss: f64,
    /// Accuracy by clip; of tags, the share of the clips whose most probable tag is one of theirs.
    pub clip_accuracy: f64,
    /// Number of files that were classified correctly; of tags, of those whose most probable tag
    /// is one of theirs.
    // The name in `metrics.json` and in saved states.
    #[serde(rename = "hits")]
    pub correct: usize,
    /// Number of files.
    pub files: usize,
    /// Of tags, the means over the tags by file, if any tag has files with and without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auc: Option<Auc>,
}

impl Validation {
    /// Computes the figures of `predictions`, in which the clips of a file must be in a row.
    pub fn new(task: Task, predictions: &[EvaluatedClip], classes: usize) -> Self {
        match Figures::new(task, predictions, classes, None) {
            Figures::SingleLabel(Levels { clips, files }) => Self {
                loss: clips.loss,
                clip_accuracy: clips.accuracy,
                correct: files.correct(),
                files: files.total(),
                auc: None,
            },
            Figures::MultiLabel(Levels { clips, files }) => Self {
                loss: clips.loss,
                clip_accuracy: clips.precision_at_1,
                correct: files.right_at_1(),
                files: files.items,
                auc: files.auc(),
            },
        }
    }

    /// Returns the accuracy by file; of tags, the precision at 1.
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
    /// Accuracy on the training clips, as they were augmented; of tags, the share of the clips
    /// whose most probable tag is one of theirs.
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
    ///
    /// Of tags, it is the mean PR-AUC by file instead of the accuracy. Most tags are rare, and
    /// PR-AUC looks at the files that rank highest for a tag; ROC-AUC is near 1 for a rare tag as
    /// soon as most of the others rank low.
    pub fn score(&self) -> (f64, f64) {
        let first = |v: &Validation| v.auc.map_or_else(|| v.accuracy(), |auc| auc.pr_auc);
        self.valid
            .map_or((self.epoch as f64, 0.0), |v| (first(&v), -v.loss))
    }
}
