//! Which stretch of which file is learned from in which step.

use super::augment::Draws;
use super::{TrainError, TrainSettings};
use crate::audio::ClipSpan;
use crate::dataset::pcm::{ClipPcm, PcmSet};
use crate::frontend::Samples;
use crate::frontend::augment::Augment;
use crate::rng::{below, shuffle, stream};

/// The plan of one step: its clips before their samples are fetched, a few bytes per clip.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchPlan {
    /// Index of each clip's file, and the stretch of it.
    pub spans: Vec<(usize, ClipSpan)>,
    /// The augmentation of each clip.
    pub augments: Vec<Augment>,
}

/// The clips of one step: PCM of equal length, and their labels.
pub struct Batch {
    /// `clip_samples` samples each.
    pub clips: Vec<ClipPcm>,
    /// Indices of each clip's classes: one, or several where the task is multi-label.
    pub labels: Vec<Vec<usize>>,
    /// The augmentation of each clip.
    pub augments: Vec<Augment>,
}

impl BatchPlan {
    /// Fetches the samples, from memory or from the files.
    ///
    /// # Errors
    /// As [`PcmSet::fetch`].
    pub fn fetch(self, set: &PcmSet) -> Result<Batch, TrainError> {
        Ok(Batch {
            clips: set.fetch(&self.spans)?,
            labels: self
                .spans
                .iter()
                .map(|&(file, _)| set.files[file].labels.clone())
                .collect(),
            augments: self.augments,
        })
    }
}

impl Batch {
    /// Returns the clips as the front end takes them.
    pub fn pcm(&self) -> Vec<Samples<'_>> {
        self.clips.iter().map(ClipPcm::samples).collect()
    }
}

/// Plans the batches of one epoch. They depend on the seed, `epoch` (from 1) and the files' lengths
/// alone.
///
/// A file gives as many clips as fit into it. Each begins at a random place, drawn anew in every
/// epoch: the nth clip is moved from the nth stretch by up to half a clip. All batches are full
/// except the last, which is dropped if it holds a single clip, because batch normalization cannot
/// normalize over one.
pub fn epoch(set: &PcmSet, settings: &TrainSettings, epoch: usize) -> Vec<BatchPlan> {
    let (clip, batch, seed) = (
        settings.front_end.clip_samples,
        settings.batch,
        settings.seed,
    );
    let mut crops = stream(seed, &format!("crops of epoch {epoch}"));
    let mut spans: Vec<(usize, ClipSpan)> = set
        .clips()
        .into_iter()
        .map(|(file, span)| {
            let len = set.files[file].len;
            if len <= clip {
                return (file, span);
            }
            let moved =
                (span.start + below(&mut crops, clip as u64) as usize).saturating_sub(clip / 2);
            let start = moved.min(len - clip);
            (file, ClipSpan { start, len: clip })
        })
        .collect();
    shuffle(&mut spans, seed, &format!("order of epoch {epoch}"));
    let axes = settings.front_end.output_axes();
    let mut draws = Draws::new(&settings.augment, axes, seed, epoch);
    spans
        .chunks(batch)
        .take(steps(set, batch))
        .map(|spans| BatchPlan {
            spans: spans.to_vec(),
            augments: spans
                .iter()
                .map(|&(file, _)| draws.next(&set.files[file]))
                .collect(),
        })
        .collect()
}

/// Returns the number of batches that [`epoch`] plans.
pub fn steps(set: &PcmSet, batch: usize) -> usize {
    let clips = set.clips().len();
    let batches = clips.div_ceil(batch);
    batches - usize::from(batches > 1 && clips % batch == 1)
}

/// Returns the share of the clips of `set` that have each of `classes` classes.
pub fn class_shares(set: &PcmSet, classes: usize) -> Vec<f64> {
    let clips = set.clips();
    let mut shares = vec![0.0; classes];
    for &(file, _) in &clips {
        for &label in &set.files[file].labels {
            shares[label] += 1.0 / clips.len() as f64;
        }
    }
    shares
}
