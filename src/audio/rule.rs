//! The rule by which a file is divided into clips.

use super::clip::{ClipSpan, cut};

/// How a file is divided into clips. All lengths are samples.
///
/// ```
/// use sonoprint::audio::{ClipRule, Ends};
///
/// // Frames of 4 samples every 2 samples, three frames per clip.
/// let rule = ClipRule { len: 8, step: 6, ends: Ends::Track { margin: 2, hop: 2 } };
/// let track = rule.prepare((1..=13).map(|x| x as f32).collect());
/// assert_eq!(track[..5], [0.0, 0.0, 1.0, 2.0, 3.0], "silence before the track");
/// let starts: Vec<usize> = rule.spans(track.len()).iter().map(|span| span.start).collect();
/// assert_eq!(starts, [0, 6], "a rest is left out");
/// // A track of two frames begins again behind them.
/// assert_eq!(rule.prepare(vec![1.0, 2.0, 3.0]), [0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClipRule {
    /// Length of a clip.
    pub len: usize,
    /// From the start of one clip to the start of the next one: at least 1.
    pub step: usize,
    /// What happens at the ends of a file.
    pub ends: Ends,
}

/// What happens at the ends of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Each clip is analyzed by itself. A rest of at least half a step becomes one more clip: the
    /// file's last samples. Silence fills up a file that is shorter than a clip.
    Inside,
    /// The frames are those of the whole track, centered on multiples of `hop`, and each clip is a
    /// stretch of them. A rest is left out. A track that is shorter than a clip begins again behind
    /// its last frame, until the clip is full.
    Track {
        /// Silence before and behind the track: half a frame.
        margin: usize,
        /// From one frame to the next.
        hop: usize,
    },
}

impl ClipRule {
    /// Returns the rule for clips of `len` samples, one behind the other, each analyzed by itself.
    pub fn inside(len: usize) -> Self {
        Self {
            len,
            step: len,
            ends: Ends::Inside,
        }
    }

    /// Returns the rule with a length and a step that are possible.
    pub(super) fn valid(self) -> Self {
        let len = self.len.max(1);
        Self {
            len,
            step: self.step.clamp(1, len),
            ..self
        }
    }

    /// Returns the silence before a file's first sample and behind its last one.
    pub fn margin(&self) -> usize {
        match self.ends {
            Ends::Inside => 0,
            Ends::Track { margin, .. } => margin,
        }
    }

    /// Returns the stretch of a file that a clip stands for: the clip without what it shares with
    /// the clip that follows it.
    pub fn covered(&self) -> usize {
        match self.ends {
            Ends::Inside => self.len,
            Ends::Track { margin, hop } => (self.len + hop).saturating_sub(2 * margin),
        }
    }

    /// Returns whether a file of `samples` samples is shorter than a clip.
    pub fn is_short(&self, samples: usize) -> bool {
        samples + 2 * self.margin() < self.len
    }

    /// Returns how many clips a file of `samples` samples has that is read as a stream, unless it is
    /// shorter than a clip.
    pub(super) fn count(&self, samples: usize) -> usize {
        let with_margins = samples + 2 * self.margin();
        if with_margins < self.len {
            return usize::from(samples > 0);
        }
        let whole = (with_margins - self.len) / self.step + 1;
        let rest = (with_margins - self.len) % self.step;
        match self.ends {
            Ends::Inside => whole + usize::from(rest >= self.step.div_ceil(2)),
            Ends::Track { .. } => whole,
        }
    }

    /// Returns the first sample of clip `number` of a file of `samples` samples, counted from the
    /// beginning of its margin.
    pub(super) fn start(&self, number: usize, samples: usize) -> usize {
        let start = number * self.step;
        match self.ends {
            Ends::Inside => start.min(samples.saturating_sub(self.len)),
            Ends::Track { .. } => start,
        }
    }

    /// Adds to a whole file what its clips need at its ends. [`ClipRule::spans`] divides the
    /// result.
    pub fn prepare(&self, mut samples: Vec<f32>) -> Vec<f32> {
        match self.ends {
            Ends::Track { margin, hop } if self.is_short(samples.len()) => {
                looped(&samples, self.len, margin, hop)
            }
            Ends::Track { margin, .. } => {
                samples.splice(0..0, std::iter::repeat_n(0.0, margin));
                samples.resize(samples.len() + margin, 0.0);
                samples
            }
            Ends::Inside => samples,
        }
    }

    /// Divides a file of which `len` samples are left by [`ClipRule::prepare`].
    ///
    /// With [`Ends::Inside`], the rule is that of [`cut`], and `step` must be `len`.
    pub fn spans(&self, len: usize) -> Vec<ClipSpan> {
        match self.ends {
            Ends::Inside => cut(len, self.len),
            Ends::Track { .. } if len < self.len => Vec::new(),
            Ends::Track { .. } => {
                let last = len - self.len;
                let starts = (0..=last).step_by(self.step.max(1));
                let span = |start| ClipSpan {
                    start,
                    len: self.len,
                };
                starts.map(span).collect()
            }
        }
    }
}

/// Returns a clip of `len` samples: `margin` zeros, then `samples` again and again, each time with
/// as many zeros behind them as fill the last frame's hop.
pub(super) fn looped(samples: &[f32], len: usize, margin: usize, hop: usize) -> Vec<f32> {
    let mut out = vec![0.0; len];
    if samples.is_empty() {
        return out;
    }
    let period = (samples.len() / hop.max(1) + 1) * hop.max(1);
    for part in out[margin.min(len)..].chunks_mut(period) {
        let n = part.len().min(samples.len());
        part[..n].copy_from_slice(&samples[..n]);
    }
    out
}
