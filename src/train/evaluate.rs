//! How well a network answers, clip by clip and file by file.

use burn::tensor::{Tensor, activation::log_softmax};

use super::{Confusion, PcmSet, TrainError};
use crate::audio;
use crate::frontend::Engine;
use crate::model::Network;

/// Answers over one side of a split.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean cross-entropy of a clip, nats.
    pub loss: f64,
    /// One answer a clip.
    pub clips: Confusion,
    /// One answer a file: the mean of its clips' probabilities.
    pub files: Confusion,
}

/// Reads log-probabilities `[n, classes]` back to the host.
///
/// # Errors
/// [`TrainError::Device`] if the device failed.
pub fn log_probabilities(logits: Tensor<2>) -> Result<Vec<f32>, TrainError> {
    log_softmax(logits, 1)
        .try_into_data()
        .map_err(|e| TrainError::Device(e.to_string()))?
        .try_to_vec()
        .map_err(|e| TrainError::Device(e.to_string()))
}

/// Evaluates `network` (without autodiff) on every clip of `set`.
///
/// # Errors
/// If the device fails.
pub fn evaluate(
    network: &Network,
    engine: &Engine,
    set: &PcmSet,
    classes: usize,
    clip_samples: usize,
    batch: usize,
) -> Result<Evaluation, TrainError> {
    let clips = set.clips(clip_samples);
    let mut sums = vec![0.0f64; set.files.len() * classes];
    let mut by_clip = Confusion::new(classes);
    let mut loss = 0.0;
    for chunk in clips.chunks(batch) {
        let pcm: Vec<Vec<f32>> = chunk
            .iter()
            .map(|&(file, span)| audio::extract(&set.files[file].samples, span, clip_samples))
            .collect();
        let pcm: Vec<&[f32]> = pcm.iter().map(Vec::as_slice).collect();
        let answers = log_probabilities(network.forward(engine.pictures(&pcm)?))?;
        for (&(file, _), answer) in chunk.iter().zip(answers.chunks(classes)) {
            let truth = set.files[file].class;
            by_clip.add(truth, largest(answer.iter().map(|&v| f64::from(v))));
            loss -= f64::from(answer[truth]);
            for (sum, v) in sums[file * classes..].iter_mut().zip(answer) {
                *sum += f64::from(v.exp());
            }
        }
    }
    let mut by_file = Confusion::new(classes);
    for (file, sum) in set.files.iter().zip(sums.chunks(classes)) {
        by_file.add(file.class, largest(sum.iter().copied()));
    }
    Ok(Evaluation {
        loss: loss / clips.len().max(1) as f64,
        clips: by_clip,
        files: by_file,
    })
}

/// The place of the largest value; the first of equals.
fn largest(values: impl Iterator<Item = f64>) -> usize {
    values
        .enumerate()
        .fold((0, f64::NEG_INFINITY), |best, (i, v)| {
            if v > best.1 { (i, v) } else { best }
        })
        .0
}
