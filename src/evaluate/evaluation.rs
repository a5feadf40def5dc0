//! How well a network answers, clip by clip and file by file.

use burn::tensor::activation::softmax;

use super::EvaluateError;
use super::metrics::LevelMetrics;
use crate::dataset::pcm::{ClipPcm, PcmSet, prefetch};
use crate::frontend::FrontEnd;
use crate::model::Network;

/// One clip's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipAnswer {
    /// Index into the files that were asked about.
    pub file: usize,
    /// First sample of the clip in its file.
    pub start: usize,
    /// Index of the true class.
    pub truth: usize,
    /// One a class.
    pub probabilities: Vec<f32>,
}

/// Answers over one side of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Every clip, files in order.
    pub answers: Vec<ClipAnswer>,
    /// One answer a clip.
    pub clips: LevelMetrics,
    /// One answer a file: the mean of its clips' probabilities.
    pub files: LevelMetrics,
}

/// Evaluates `network` (without autodiff) on every clip of `set`.
///
/// # Errors
/// If the device fails, or a file can no longer be read.
pub fn evaluate(
    network: &Network,
    engine: &FrontEnd,
    set: &PcmSet,
    classes: usize,
    clip_samples: usize,
    batch: usize,
) -> Result<Evaluation, EvaluateError> {
    let failed = |e: String| EvaluateError::Device(e);
    let clips = set.clips(clip_samples);
    let work = |chunk: &[_]| set.fetch(chunk, clip_samples);
    let answers = prefetch(clips.chunks(batch), work, |fetched| {
        let mut answers = Vec::with_capacity(clips.len());
        for (chunk, pcm) in clips.chunks(batch).zip(fetched) {
            let pcm = pcm?;
            let pcm: Vec<_> = pcm.iter().map(ClipPcm::samples).collect();
            let pictures = engine.augmented_features(&pcm, &[])?;
            let flat: Vec<f32> = softmax(network.forward(pictures), 1)
                .try_into_data()
                .map_err(|e| failed(e.to_string()))?
                .try_to_vec()
                .map_err(|e| failed(e.to_string()))?;
            for (&(file, span), probabilities) in chunk.iter().zip(flat.chunks(classes)) {
                answers.push(ClipAnswer {
                    file,
                    start: span.start,
                    truth: set.files[file].class,
                    probabilities: probabilities.to_vec(),
                });
            }
        }
        Ok::<_, EvaluateError>(answers)
    })?;
    Ok(Evaluation::new(answers, classes))
}

impl Evaluation {
    /// Counts `answers`, the clips of a file standing together.
    pub fn new(answers: Vec<ClipAnswer>, classes: usize) -> Self {
        let by_clip = answers.iter().map(|a| {
            (
                a.truth,
                a.probabilities.iter().map(|&p| f64::from(p)).collect(),
            )
        });
        let clips = LevelMetrics::new(classes, by_clip);
        let by_file = answers.chunk_by(|a, b| a.file == b.file).map(|clips| {
            let mean = (0..classes).map(|c| {
                let sum: f64 = clips.iter().map(|a| f64::from(a.probabilities[c])).sum();
                sum / clips.len() as f64
            });
            (clips[0].truth, mean.collect())
        });
        let files = LevelMetrics::new(classes, by_file);
        Self {
            answers,
            clips,
            files,
        }
    }

    /// The wrong clips that were answered with most confidence, at most one a file, at most `n`.
    pub fn worst(&self, n: usize) -> Vec<&ClipAnswer> {
        let confidence = |a: &ClipAnswer| a.probabilities.iter().copied().fold(0.0f32, f32::max);
        let mut wrong: Vec<&ClipAnswer> = self
            .answers
            .iter()
            .filter(|a| a.predicted() != a.truth)
            .collect();
        wrong.sort_by(|a, b| confidence(b).total_cmp(&confidence(a)));
        let mut seen = std::collections::HashSet::new();
        wrong.retain(|a| seen.insert(a.file));
        wrong.truncate(n);
        wrong
    }
}

impl ClipAnswer {
    /// The most probable class; the first of equals.
    pub fn predicted(&self) -> usize {
        super::metrics::argmax(self.probabilities.iter().map(|&p| f64::from(p)))
    }
}
