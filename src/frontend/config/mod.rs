//! The front end's configuration: everything from PCM to features or image, as data.
//!
//! A [`FrontEndConfig`] is what a checkpoint stores and what a preset names. It holds no device and
//! no table: [`Plan`](super::gpu::plan::Plan) and [`Tables`](super::tables::Tables) are made from
//! it, so two machines that read the same checkpoint compute the same features.

mod compression;
mod output;
mod text;
mod validate;

use serde::{Deserialize, Serialize};

use crate::audio::{ClipRule, Ends};

pub use compression::Compression;
pub use output::{ImageConfig, MAX_HEIGHT, MAX_WIDTH, Output, Range, Size};
pub use validate::ConfigError;

/// How a signal is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Frame `t` starts at sample `t * hop`; a signal shorter than one frame is padded with zeros
    /// to one frame (matplotlib's `specgram`).
    Start,
    /// Frame `t` is centered on sample `t * hop`; outside the signal there are zeros (librosa's
    /// `center=True`, `pad_mode="constant"`).
    #[serde(alias = "centre_zeros")]
    CenterZeros,
    /// Frame `t` is centered on sample `t * hop`; outside the signal it is mirrored about its first
    /// and last sample (torch.stft's default).
    #[serde(alias = "centre_reflect")]
    CenterReflect,
    /// The frames of the whole track, which are centered on multiples of `hop` as with
    /// `CenterZeros`: a clip is a stretch of them. Frame `t` of a clip starts at its sample `t *
    /// hop`, and the clip begins half a frame before the first frame's center. Outside the track
    /// there are zeros.
    Track,
}

/// The analysis window over `n_fft` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// `numpy.hanning`: zero at both ends.
    HannSymmetric,
    /// `scipy.signal.get_window("hann")`: one period of a raised cosine, as librosa and torch use
    /// it.
    HannPeriodic,
}

/// What a bin's squared magnitude is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// `|X|^2` (librosa, `power=2`).
    Power,
    /// One-sided power spectral density: `|X|^2 / fs / sum(w^2)`, doubled except at DC and Nyquist
    /// (matplotlib).
    Psd {
        /// The sampling frequency that the density refers to. matplotlib's default is 2, whatever
        /// the audio's rate is.
        fs: f64,
    },
}

/// What the rows of the spectrogram are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// The `n_fft / 2 + 1` bins themselves.
    Linear,
    /// Triangular mel bands, Slaney scale and norm (librosa's default).
    Mel {
        /// Number of bands.
        n_mels: usize,
        /// Lower edge of the lowest band, Hz.
        f_min: f64,
        /// Upper edge of the highest band, Hz.
        f_max: f64,
    },
}

/// Everything from PCM to the network's input.
///
/// A clip of `clip_samples` mono samples at `sample_rate` becomes a spectrogram of
/// `frames() x rows()` cells and then what `output` names, of shape `output_shape()`.
///
/// Serde reads the form that earlier versions wrote, too: `decibels` for `compression`, and
/// `colormap`, `range` and `picture` beside the other fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "text::ConfigText")]
pub struct FrontEndConfig {
    /// The preset that this configuration began as.
    pub preset: String,
    /// Samples per second to which audio is resampled before anything else.
    pub sample_rate: u32,
    /// Samples per clip.
    pub clip_samples: usize,
    /// Samples per frame: a power of two from 256 to 8192.
    pub n_fft: usize,
    /// Samples from one frame's start to the next.
    pub hop: usize,
    /// How a clip is cut into frames.
    pub framing: Framing,
    /// Analysis window.
    pub window: Window,
    /// Scale of the power.
    pub scale: Scale,
    /// Rows of the spectrogram.
    pub rows: Rows,
    /// Power to value.
    pub compression: Compression,
    /// Spectrogram to features or image.
    pub output: Output,
}

/// The extent of an output in the two directions of a spectrogram, whatever their order in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axes {
    /// Columns of an image, or frames.
    pub time: usize,
    /// Rows of an image, or bins or mel bands.
    pub frequency: usize,
}

impl FrontEndConfig {
    /// Returns the frames of a clip (columns of the spectrogram).
    pub fn frames(&self) -> usize {
        match self.framing {
            Framing::Start | Framing::Track => {
                self.clip_samples.saturating_sub(self.n_fft) / self.hop.max(1) + 1
            }
            Framing::CenterZeros | Framing::CenterReflect => {
                self.clip_samples / self.hop.max(1) + 1
            }
        }
    }

    /// Returns the bins of a frame: `n_fft / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Returns the rows of the spectrogram: bins, or mel bands.
    pub fn rows(&self) -> usize {
        match self.rows {
            Rows::Linear => self.bins(),
            Rows::Mel { n_mels, .. } => n_mels,
        }
    }

    /// Returns the shape of one clip's output, `[channels, height, width]`: `[4, height, width]` of
    /// an image, `[1, frames, rows]` of features.
    pub fn output_shape(&self) -> [usize; 3] {
        match self.output {
            Output::Image(_) => {
                let Size { height, width } = self.image_size();
                [4, height, width]
            }
            Output::Features => [1, self.frames(), self.rows()],
        }
    }

    /// Returns how long the output is in time and in frequency.
    pub fn output_axes(&self) -> Axes {
        let [_, height, width] = self.output_shape();
        let (time, frequency) = match self.output {
            Output::Image(_) => (width, height),
            Output::Features => (height, width),
        };
        Axes { time, frequency }
    }

    /// Returns how a spectrogram is drawn: as set, or in the default way if the output is features.
    pub fn image(&self) -> ImageConfig {
        match self.output {
            Output::Image(image) => image,
            Output::Features => ImageConfig::default(),
        }
    }

    /// Returns the size of a clip's image: as set, or one pixel per cell (but no more than
    /// [`MAX_HEIGHT`] rows). Features are drawn one pixel per cell, too.
    pub fn image_size(&self) -> Size {
        self.image().size.unwrap_or(Size {
            height: self.rows().min(MAX_HEIGHT),
            width: self.frames(),
        })
    }

    /// Sets the image's size; `None` is one pixel per cell. Features are left as they are, because
    /// they have no size of their own.
    #[must_use]
    pub fn with_image_size(mut self, size: Option<Size>) -> Self {
        if let Output::Image(image) = &mut self.output {
            image.size = size;
        }
        self
    }

    /// Returns the seconds of a clip; where the frames are those of the track, without what a clip
    /// shares with its neighbors.
    pub fn clip_seconds(&self) -> f64 {
        self.clip_rule(0.0).covered() as f64 / f64::from(self.sample_rate)
    }

    /// Sets the clip's length in seconds, rounded to whole samples, or to whole frames where the
    /// frames are those of the track.
    #[must_use]
    pub fn with_clip_seconds(mut self, seconds: f64) -> Self {
        let samples = (seconds * f64::from(self.sample_rate)).round() as usize;
        self.clip_samples = match self.framing {
            Framing::Track => {
                let hop = self.hop.max(1);
                let frames = ((samples + hop / 2) / hop).max(1);
                (frames - 1) * hop + self.n_fft
            }
            _ => samples,
        };
        self
    }

    /// Returns how many samples before the first sample of frame `t` sample `t * hop` lies.
    pub(crate) fn lead(&self) -> usize {
        match self.framing {
            Framing::Start | Framing::Track => 0,
            Framing::CenterZeros | Framing::CenterReflect => self.n_fft / 2,
        }
    }

    /// Returns how files are divided into clips. `overlap` is the fraction of a clip that it
    /// shares with the next one, from 0 to less than 1.
    pub fn clip_rule(&self, overlap: f64) -> ClipRule {
        let ends = match self.framing {
            Framing::Track => Ends::Track {
                margin: self.n_fft / 2,
                hop: self.hop,
            },
            _ => Ends::Inside,
        };
        let mut rule = ClipRule {
            ends,
            ..ClipRule::inside(self.clip_samples)
        };
        let step = rule.covered() as f64 * (1.0 - overlap.clamp(0.0, 1.0));
        rule.step = match ends {
            Ends::Inside => (step as usize).max(1),
            Ends::Track { hop, .. } => (step / hop as f64).round().max(1.0) as usize * hop,
        };
        rule
    }
}
