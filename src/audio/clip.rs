//! Divides a file's samples into clips, the stretches of PCM that the front end turns into
//! features one at a time.

use std::ops::Range;

use super::silence::is_silent;

/// One clip of a file that is read as a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// First sample in the file.
    pub start: usize,
    /// Samples of the file that this clip stands for. Clips of frames of a whole track reach
    /// farther on both sides.
    pub len: usize,
    /// Whether the file is shorter than a clip, and silence or repetition fills this one up.
    pub padded: bool,
    /// Exactly one clip length of samples.
    pub samples: Vec<f32>,
    /// The part of `samples` that is the file's own, without what fills it up.
    pub own: Range<usize>,
}

impl Clip {
    /// Returns whether the file has no sound here ([`is_silent`]).
    pub fn is_silent(&self) -> bool {
        is_silent(&self.samples[self.own.clone()])
    }
}

/// One clip as a range of a file's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClipSpan {
    /// First sample.
    pub start: usize,
    /// Samples of the file in this clip: the clip length, or less if the whole file is shorter.
    pub len: usize,
}

/// Divides `samples` samples into clips of `clip` samples.
///
/// The rule:
/// 1. Whole clips follow each other without overlap.
/// 2. A remainder of at least half a clip becomes one more clip: the file's last `clip` samples.
///    It overlaps the clip before it, which gives real audio instead of padding. A shorter
///    remainder is left out.
/// 3. A file shorter than one clip is one clip, to be padded with zeros at its end.
///
/// No samples, or a clip length of 0, give no clips.
///
/// ```
/// use sonoprint::audio::{ClipSpan, cut};
///
/// let starts = |samples, clip| -> Vec<usize> {
///     cut(samples, clip).iter().map(|span| span.start).collect()
/// };
/// assert_eq!(starts(25, 10), [0, 10, 15], "the last clip overlaps");
/// assert_eq!(starts(24, 10), [0, 10], "four samples are less than half a clip");
/// assert_eq!(cut(3, 10), [ClipSpan { start: 0, len: 3 }]);
/// ```
pub fn cut(samples: usize, clip: usize) -> Vec<ClipSpan> {
    if samples == 0 || clip == 0 {
        return Vec::new();
    }
    if samples < clip {
        return vec![ClipSpan {
            start: 0,
            len: samples,
        }];
    }
    let whole = samples / clip;
    let mut spans: Vec<_> = (0..whole)
        .map(|i| ClipSpan {
            start: i * clip,
            len: clip,
        })
        .collect();
    let rest = samples % clip;
    if rest >= clip.div_ceil(2) {
        spans.push(ClipSpan {
            start: samples - clip,
            len: clip,
        });
    }
    spans
}

/// Copies the samples of `span` into a clip of exactly `clip` samples, with zeros at the end if
/// the span is shorter.
///
/// A span that reaches beyond `samples` is truncated there and does not panic.
pub fn extract(samples: &[f32], span: ClipSpan, clip: usize) -> Vec<f32> {
    let mut out = vec![0.0; clip];
    extract_into(samples, span, &mut out);
    out
}

/// Copies like [`extract`] into a slice of one clip's length, and overwrites all of it.
pub fn extract_into(samples: &[f32], span: ClipSpan, out: &mut [f32]) {
    let start = span.start.min(samples.len());
    let len = span.len.min(samples.len() - start).min(out.len());
    out[..len].copy_from_slice(&samples[start..start + len]);
    out[len..].fill(0.0);
}
