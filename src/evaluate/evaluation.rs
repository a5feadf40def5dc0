//! Classifies labeled files, clip by clip, and counts the results.

use std::collections::HashSet;

use super::EvaluateError;
use super::metrics::{LevelMetrics, argmax};
use crate::dataset::pcm::{ClipPcm, PcmSet, prefetch};
use crate::frontend::FrontEnd;
use crate::inference::probabilities;
use crate::model::{CalibratedTask, Network};

/// A labeled clip and what the network predicted for it.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluatedClip {
    /// Index of the file in the set that was evaluated.
    pub file: usize,
    /// First sample of the clip in its file.
    pub start: usize,
    /// Index of the true class.
    pub truth: usize,
    /// Probability of each class.
    pub probabilities: Vec<f32>,
}

/// The result of a network on a set of labeled files.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Every clip, with the clips of a file in a row.
    pub predictions: Vec<EvaluatedClip>,
    /// Figures by clip.
    pub clips: LevelMetrics,
    /// Figures by file, whose probabilities are the means over its clips.
    pub files: LevelMetrics,
}

/// Evaluates `network` (without autodiff), trained for `task` (for a checkpoint,
/// [`Header::calibrated_task`](crate::model::Header::calibrated_task)), on every clip of `set`, `batch`
/// clips at a time.
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
    let clips = set.clips();
    let fetch = |chunk: &[_]| set.fetch(chunk);
    let predictions = prefetch(clips.chunks(batch), fetch, |fetched| {
        let mut predictions = Vec::with_capacity(clips.len());
        for (chunk, pcm) in clips.chunks(batch).zip(fetched) {
            let pcm = pcm?;
            let pcm: Vec<_> = pcm.iter().map(ClipPcm::samples).collect();
            let rows = probabilities(front_end, network, task, &pcm)?;
            for (&(file, span), probabilities) in chunk.iter().zip(rows) {
                predictions.push(EvaluatedClip {
                    file,
                    start: span.start,
                    truth: set.files[file].class,
                    probabilities,
                });
            }
        }
        Ok::<_, EvaluateError>(predictions)
    })?;
    Ok(Evaluation::new(predictions, classes))
}

impl Evaluation {
    /// Counts `predictions`, in which the clips of a file must be in a row.
    pub fn new(predictions: Vec<EvaluatedClip>, classes: usize) -> Self {
        let by_clip = predictions.iter().map(|clip| {
            let probabilities = clip.probabilities.iter().map(|&p| f64::from(p));
            (clip.truth, probabilities.collect())
        });
        let clips = LevelMetrics::new(classes, by_clip);
        let by_file = predictions.chunk_by(|a, b| a.file == b.file).map(|clips| {
            let mean = (0..classes).map(|class| {
                let of_class = clips.iter().map(|c| f64::from(c.probabilities[class]));
                of_class.sum::<f64>() / clips.len() as f64
            });
            (clips[0].truth, mean.collect())
        });
        let files = LevelMetrics::new(classes, by_file);
        Self {
            predictions,
            clips,
            files,
        }
    }

    /// Returns the wrong clips with the highest confidence: at most one per file, at most `n`.
    pub fn worst(&self, n: usize) -> Vec<&EvaluatedClip> {
        let confidence = |c: &EvaluatedClip| c.probabilities.iter().copied().fold(0.0f32, f32::max);
        let mut wrong: Vec<&EvaluatedClip> = self
            .predictions
            .iter()
            .filter(|clip| clip.predicted() != clip.truth)
            .collect();
        wrong.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
        let mut seen = HashSet::new();
        wrong.retain(|clip| seen.insert(clip.file));
        wrong.truncate(n);
        wrong
    }
}

impl EvaluatedClip {
    /// Returns the most probable class, the first of equal ones.
    pub fn predicted(&self) -> usize {
        argmax(self.probabilities.iter().map(|&p| f64::from(p)))
    }
}
