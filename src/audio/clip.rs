//! Cutting a file's samples into clips, the stretches that become one picture each.

/// One clip as a stretch of a file's samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClipSpan {
    /// First sample.
    pub start: usize,
    /// Samples of the file in this clip: the clip length, or less where the whole file is shorter.
    pub len: usize,
}

/// Cuts `samples` samples into clips of `clip` samples.
///
/// The rule:
/// 1. consecutive whole clips, without overlap;
/// 2. a remainder of at least half a clip becomes one more clip: the file's last `clip` samples,
///    which overlaps the clip before it (real audio instead of padding); a shorter one is left out;
/// 3. a file shorter than one clip is one clip, to be padded with zeros at its end.
///
/// No samples, or a clip of no samples, give no clips.
///
/// ```
/// # use sonoprint::audio::{cut, ClipSpan};
/// assert_eq!(cut(25, 10), [(0, 10), (10, 10), (15, 10)].map(|(start, len)| ClipSpan { start, len }));
/// assert_eq!(cut(24, 10).len(), 2);
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

/// The samples of `span` as a clip of exactly `clip` samples, zeros at the end where it is shorter.
///
/// A span that reaches past `samples` is cut short there, never a panic.
pub fn extract(samples: &[f32], span: ClipSpan, clip: usize) -> Vec<f32> {
    let mut out = vec![0.0; clip];
    extract_into(samples, span, &mut out);
    out
}

/// Like [`extract`], into a slice of one clip's length, whatever was in it before.
pub fn extract_into(samples: &[f32], span: ClipSpan, out: &mut [f32]) {
    let start = span.start.min(samples.len());
    let len = span.len.min(samples.len() - start).min(out.len());
    out[..len].copy_from_slice(&samples[start..start + len]);
    out[len..].fill(0.0);
}
