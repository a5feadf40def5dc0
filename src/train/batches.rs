//! Which stretch of which file stands in which step.

use crate::audio::{self, ClipSpan};
use crate::dataset::shuffle::{below, shuffle, stream};

use super::PcmSet;

/// One step's clips: PCM of equal length, and their classes.
pub struct Batch {
    /// `clip_samples` each.
    pub clips: Vec<Vec<f32>>,
    /// Index into the classes.
    pub classes: Vec<usize>,
}

impl Batch {
    /// The clips as the front end takes them.
    pub fn pcm(&self) -> Vec<&[f32]> {
        self.clips.iter().map(Vec::as_slice).collect()
    }
}

/// The batches of one epoch, from (`seed`, `epoch`) alone.
///
/// A file gives as many clips as fit into it, each from a place of its own drawn anew every epoch: within its nth
/// stretch, moved by up to half a clip. All batches are full but the last, which is left out if it holds a single clip
/// (batch normalisation has nothing to normalise over).
pub fn epoch(
    set: &PcmSet,
    clip: usize,
    batch: usize,
    seed: u64,
    epoch: usize,
) -> impl Iterator<Item = Batch> + '_ {
    let mut rng = stream(seed, &format!("crops of epoch {epoch}"));
    let mut spans: Vec<(usize, ClipSpan)> = set
        .clips(clip)
        .into_iter()
        .map(|(file, span)| {
            let len = set.files[file].samples.len();
            if len <= clip {
                return (file, span);
            }
            let moved =
                (span.start + below(&mut rng, clip as u64) as usize).saturating_sub(clip / 2);
            let start = moved.min(len - clip);
            (file, ClipSpan { start, len: clip })
        })
        .collect();
    shuffle(&mut spans, seed, &format!("order of epoch {epoch}"));
    let batches: Vec<Vec<_>> = spans.chunks(batch).map(<[_]>::to_vec).collect();
    let single = batches.len() > 1 && batches.last().is_some_and(|b| b.len() == 1);
    let keep = batches.len() - usize::from(single);
    batches.into_iter().take(keep).map(move |spans| Batch {
        clips: spans
            .iter()
            .map(|&(file, span)| audio::extract(&set.files[file].samples, span, clip))
            .collect(),
        classes: spans.iter().map(|&(f, _)| set.files[f].class).collect(),
    })
}

/// Steps of an epoch: what [`epoch`] will yield.
pub fn steps(set: &PcmSet, clip: usize, batch: usize) -> usize {
    let clips = set.clips(clip).len();
    let whole = clips.div_ceil(batch);
    whole - usize::from(whole > 1 && clips % batch == 1)
}
