//! Predicts labeled files, clip by clip, and computes the figures.

use std::cmp::{Ordering, Reverse};
use std::collections::HashSet;

use serde::Serialize;

use super::EvaluateError;
use super::metrics::{LevelMetrics, argmax, clip_interval};
use super::tags::{TagMetrics, TagPrediction};
use crate::dataset::pcm::{ClipPcm, PcmSet, prefetch};
use crate::frontend::FrontEnd;
use crate::inference::probabilities;
use crate::model::{CalibratedTask, Network, Task};

/// Seed of the bootstrap intervals, a constant: an evaluation has one interval.
const SEED: u64 = 1;

/// A labeled clip and what the network predicted for it.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluatedClip {
    /// Index of the file in the set that was evaluated.
    pub file: usize,
    /// First sample of the clip in its file.
    pub start: usize,
    /// Indices of its file's true classes, ascending. Exactly one for [`Task::SingleLabel`].
    pub labels: Vec<usize>,
    /// Probability of each class.
    pub probabilities: Vec<f32>,
}

/// The result of a network on a set of labeled files.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Every clip, with the clips of a file in a row.
    pub predictions: Vec<EvaluatedClip>,
    /// The figures.
    pub figures: Figures,
}

/// The figures of an evaluation by clip, and by file, whose probabilities are the means over its
/// clips.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// Of [`Task::SingleLabel`].
    SingleLabel(Levels<LevelMetrics>),
    /// Of [`Task::MultiLabel`].
    MultiLabel(Levels<TagMetrics>),
}

/// Metrics by clip and by file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Levels<M> {
    /// By clip.
    pub clips: M,
    /// By file.
    pub files: M,
}

/// Evaluates `network` (without autodiff), trained for `task` (for a checkpoint,
/// [`Header::calibrated_task`](crate::model::Header::calibrated_task)), on every clip of `set`,
/// `batch` clips at a time.
///
/// # Errors
/// [`EvaluateError`], if the device fails or a file can no longer be read.
pub fn evaluate(
    network: &Network,
    task: impl Into<CalibratedTask>,
    front_end: &FrontEnd,
    set: &PcmSet,
    classes: usize,
    batch: usize,
) -> Result<Evaluation, EvaluateError> {
    let task = task.into();
    let predictions = predict(network, task, front_end, set, batch)?;
    Ok(Evaluation::new(task.task, predictions, classes))
}

/// Predicts every clip of `set`, as [`evaluate`] does, without the figures.
///
/// # Errors
/// As of [`evaluate`].
pub fn predict(
    network: &Network,
    task: impl Into<CalibratedTask>,
    front_end: &FrontEnd,
    set: &PcmSet,
    batch: usize,
) -> Result<Vec<EvaluatedClip>, EvaluateError> {
    let task = task.into();
    let clips = set.clips();
    let fetch = |chunk: &[_]| set.fetch(chunk);
    prefetch(clips.chunks(batch), fetch, |fetched| {
        let mut predictions = Vec::with_capacity(clips.len());
        for (chunk, pcm) in clips.chunks(batch).zip(fetched) {
            let pcm = pcm?;
            let pcm: Vec<_> = pcm.iter().map(ClipPcm::samples).collect();
            let rows = probabilities(front_end, network, task, &pcm)?;
            for (&(file, span), probabilities) in chunk.iter().zip(rows) {
                predictions.push(EvaluatedClip {
                    file,
                    start: span.start,
                    labels: set.files[file].labels.clone(),
                    probabilities,
                });
            }
        }
        Ok(predictions)
    })
}

impl Evaluation {
    /// Computes the figures of `predictions`, in which the clips of a file must be in a row.
    pub fn new(task: Task, predictions: Vec<EvaluatedClip>, classes: usize) -> Self {
        let figures = Figures::new(task, &predictions, classes, Some(SEED));
        Self {
            predictions,
            figures,
        }
    }

    /// Returns the figures of one label per file, `None` if they are those of tags.
    pub fn single_label(&self) -> Option<&Levels<LevelMetrics>> {
        match &self.figures {
            Figures::SingleLabel(levels) => Some(levels),
            Figures::MultiLabel(_) => None,
        }
    }

    /// Returns the worst clips and their mistakes, the worst first: at most one clip per file, at
    /// most `n`.
    ///
    /// One label per file: the wrong class of the highest probability. Tags: a tag that the file
    /// does not have, ranked above one that it has, by the largest difference of probability.
    pub fn worst(&self, n: usize) -> Vec<WrongClip<'_>> {
        let mut wrong: Vec<WrongClip<'_>> = self.predictions.iter().filter_map(wrong).collect();
        let badness = |wrong: &WrongClip<'_>| {
            let of = |class: usize| wrong.clip.probabilities[class];
            match self.figures {
                Figures::SingleLabel(_) => of(wrong.predicted),
                Figures::MultiLabel(_) => of(wrong.predicted) - of(wrong.missed),
            }
        };
        wrong.sort_by(|a, b| badness(b).total_cmp(&badness(a)));
        let mut seen = HashSet::new();
        wrong.retain(|wrong| seen.insert(wrong.clip.file));
        wrong.truncate(n);
        wrong
    }
}

/// A mistake on a clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WrongClip<'a> {
    /// The clip.
    pub clip: &'a EvaluatedClip,
    /// The most probable of the classes that its file does not have.
    pub predicted: usize,
    /// The least probable of the classes that its file has, which is less probable.
    pub missed: usize,
}

/// Returns the mistake on a clip, or `None` if all its classes come before all others. Of equal
/// probabilities, the class that comes first in the network counts as more probable.
fn wrong(clip: &EvaluatedClip) -> Option<WrongClip<'_>> {
    let rank = |class: usize| (clip.probabilities[class], Reverse(class));
    let order = |a: &usize, b: &usize| {
        let (a, b) = (rank(*a), rank(*b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    };
    let has = |class: &usize| clip.labels.contains(class);
    let all = || 0..clip.probabilities.len();
    let predicted = all().filter(|class| !has(class)).max_by(order)?;
    let missed = clip.labels.iter().copied().min_by(order)?;
    (order(&predicted, &missed) == Ordering::Greater).then_some(WrongClip {
        clip,
        predicted,
        missed,
    })
}

impl Figures {
    /// Computes the figures of `predictions`, in which the clips of a file must be in a row.
    /// Without a `seed`, there is no bootstrap: tags have no intervals, and clips one that takes
    /// them for independent.
    pub(super) fn new(
        task: Task,
        predictions: &[EvaluatedClip],
        classes: usize,
        seed: Option<u64>,
    ) -> Self {
        let by_clip = predictions.iter().map(|clip| TagPrediction {
            file: clip.file,
            labels: clip.labels.clone(),
            probabilities: clip.probabilities.iter().map(|&p| f64::from(p)).collect(),
        });
        let by_file = predictions.chunk_by(|a, b| a.file == b.file).map(|clips| {
            let mean = (0..classes).map(|class| {
                let of_class = clips.iter().map(|c| f64::from(c.probabilities[class]));
                of_class.sum::<f64>() / clips.len() as f64
            });
            TagPrediction {
                file: clips[0].file,
                labels: clips[0].labels.clone(),
                probabilities: mean.collect(),
            }
        });
        match task {
            Task::SingleLabel => {
                let mut clips = single(classes, by_clip);
                let files = predictions.chunk_by(|a, b| a.file == b.file).map(|clips| {
                    let is_right = |clip: &&EvaluatedClip| {
                        clip.labels[0] == argmax(clip.probabilities.iter().map(|&p| p.into()))
                    };
                    (clips.iter().filter(is_right).count(), clips.len())
                });
                if let Some(seed) = seed {
                    clips.interval = clip_interval(&files.collect::<Vec<_>>(), seed);
                }
                Self::SingleLabel(Levels {
                    clips,
                    files: single(classes, by_file),
                })
            }
            Task::MultiLabel => {
                let metrics = |items: Vec<_>| TagMetrics::new(classes, &items, seed);
                Self::MultiLabel(Levels {
                    clips: metrics(by_clip.collect()),
                    files: metrics(by_file.collect()),
                })
            }
        }
    }
}

fn single(classes: usize, items: impl Iterator<Item = TagPrediction>) -> LevelMetrics {
    let items = items.map(|item| (item.labels[0], item.probabilities));
    LevelMetrics::new(classes, items)
}
