//! Which stretch of which file stands in which step.

use rand_chacha::ChaCha8Rng;

use crate::audio::{self, ClipSpan};
use crate::dataset::shuffle::{below, shuffle, stream};

use crate::frontend::Masks;
use crate::frontend::settings::Size;

use super::{PcmSet, TrainSettings};

/// One step's clips: PCM of equal length, and their classes.
pub struct Batch {
    /// `clip_samples` each.
    pub clips: Vec<Vec<f32>>,
    /// Index into the classes.
    pub classes: Vec<usize>,
    /// What is hidden of each clip's picture.
    pub masks: Vec<Masks>,
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
pub fn epoch<'a>(
    set: &'a PcmSet,
    settings: &TrainSettings,
    epoch: usize,
) -> impl Iterator<Item = Batch> + 'a {
    let (clip, batch, seed) = (
        settings.front_end.clip_samples,
        settings.batch,
        settings.seed,
    );
    let size = settings.front_end.picture_size();
    let longest = settings.mask;
    let mut hide = stream(seed, &format!("masks of epoch {epoch}"));
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
        masks: spans
            .iter()
            .map(|_| masks(&mut hide, size, longest))
            .collect(),
    })
}

/// Two stretches of each side, of random length up to `longest` of it, at random places.
fn masks(rng: &mut ChaCha8Rng, size: Size, longest: f64) -> Masks {
    let mut stretch = |side: usize| {
        let len = below(rng, (side as f64 * longest) as u64 + 1);
        let from = below(rng, side as u64 - len + 1);
        (from as u32, (from + len) as u32)
    };
    Masks {
        stretches: [(); 2].map(|()| {
            let ((x0, x1), (y0, y1)) = (stretch(size.width), stretch(size.height));
            [x0, x1, y0, y1]
        }),
    }
}

/// Steps of an epoch: what [`epoch`] will yield.
pub fn steps(set: &PcmSet, clip: usize, batch: usize) -> usize {
    let clips = set.clips(clip).len();
    let whole = clips.div_ceil(batch);
    whole - usize::from(whole > 1 && clips % batch == 1)
}
