//! The front end's settings: everything from PCM to picture, as data.
//!
//! A [`FrontEndConfig`] is what a checkpoint stores and what `--preset` names. It holds no device and no table: those are
//! made from it by [`Plan`](super::gpu::plan::Plan) and [`Tables`](super::tables::Tables), so two machines that read the
//! same checkpoint build the same picture.

use serde::{Deserialize, Serialize};

use super::colormap::Colormap;

/// How a signal is cut into frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Frame `t` starts at sample `t * hop`; a signal shorter than one frame is padded with zeros to one frame
    /// (matplotlib's `specgram`).
    Start,
    /// Frame `t` is centerd on sample `t * hop`; outside the signal there are zeros (librosa's `center=True`,
    /// `pad_mode="constant"`).
    #[serde(alias = "centre_zeros")]
    CenterZeros,
    /// Frame `t` is centerd on sample `t * hop`; outside the signal it is mirrored about its first and last sample
    /// (torch.stft's default).
    #[serde(alias = "centre_reflect")]
    CenterReflect,
}

/// The analysis window over `n_fft` samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// `numpy.hanning`: zero at both ends.
    HannSymmetric,
    /// `scipy.signal.get_window("hann")`: one period of a raised cosine, as librosa and torch use it.
    HannPeriodic,
}

/// What a bin's squared magnitude is multiplied by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// `|X|^2` (librosa, `power=2`).
    Power,
    /// One-sided power spectral density: `|X|^2 / fs / sum(w^2)`, doubled but for DC and Nyquist (matplotlib).
    Psd {
        /// The sampling frequency that the density is taken over. matplotlib's default is 2, whatever the audio's.
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

/// How power becomes decibels: `10 log10(power)`, and what is done where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decibels {
    /// A power of exactly zero has no value: the picture is transparent there.
    Masked,
    /// Powers below `amin` count as `amin` (librosa's `power_to_db`).
    Floor {
        /// The smallest power told apart.
        amin: f64,
    },
}

/// Which decibels the two ends of the color map stand for. Always taken over one clip alone.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    /// The clip's own smallest and largest value.
    MinMax,
    /// From `db` under the clip's own maximum up to that maximum (librosa's `ref=np.max, top_db=db`).
    Top {
        /// Decibels under the maximum; everything below is drawn as this.
        db: f64,
    },
}

/// The highest picture: as many rows as n_fft 8192 has bins, and what a uniform buffer of WebGPU's smallest limit holds.
pub const MAX_HEIGHT: usize = 4096;

/// Height and width of a picture, pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Rows, frequency; low frequencies at the bottom.
    pub height: usize,
    /// Columns, time.
    pub width: usize,
}

/// Everything from PCM to picture.
///
/// A clip of `clip_samples` mono samples at `sample_rate` becomes `frames() x rows()` decibels and then an RGBA
/// picture of `picture_size()`, with channels first and values in 0..=1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrontEndConfig {
    /// The preset that these settings began as.
    pub preset: String,
    /// Samples a second that audio is brought to before anything else.
    pub sample_rate: u32,
    /// Samples a clip.
    pub clip_samples: usize,
    /// Samples a frame: a power of two from 256 to 8192.
    pub n_fft: usize,
    /// Samples between frames.
    pub hop: usize,
    /// Cutting into frames.
    pub framing: Framing,
    /// Analysis window.
    pub window: Window,
    /// Colors.
    pub colormap: Colormap,
    /// Scale of the power.
    pub scale: Scale,
    /// Rows of the spectrogram.
    pub rows: Rows,
    /// Power to decibels.
    pub decibels: Decibels,
    /// Decibels to colors.
    pub range: Range,
    /// Picture size; the spectrogram's own (`rows x frames`) if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Size>,
}

/// What is wrong with a set of front-end settings, and what would be right.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// `n_fft` is not usable.
    #[error("n_fft is {0}: it must be a power of two from 256 to 8192")]
    Nfft(usize),
    /// `hop` is not usable.
    #[error("hop is {hop}: it must be from 1 to n_fft ({n_fft})")]
    Hop {
        /// As given.
        hop: usize,
        /// As given.
        n_fft: usize,
    },
    /// The clip is empty or has too many frames.
    #[error(
        "a clip of {samples} samples gives {frames} frames: it must give from 1 to 65535 (a longer hop or shorter clip)"
    )]
    Clip {
        /// Samples a clip.
        samples: usize,
        /// Frames it would give.
        frames: usize,
    },
    /// Mirrored edges need something to mirror.
    #[error(
        "a clip of {samples} samples is too short to be mirrored: more than n_fft / 2 = {half} are needed"
    )]
    Reflect {
        /// Samples a clip.
        samples: usize,
        /// Half a frame.
        half: usize,
    },
    /// The sample rate is out of range.
    #[error("sample_rate is {0}: it must be from 8000 to 192000")]
    SampleRate(u32),
    /// The mel bands cannot be made.
    #[error("mel bands: {0}")]
    Mel(String),
    /// A number that must be positive is not.
    #[error("{name} is {value}: it must be a positive number")]
    NotPositive {
        /// Which.
        name: &'static str,
        /// As given.
        value: f64,
    },
    /// The picture size is out of range.
    #[error("a picture of {width}x{height}: at most 8192 wide and 4096 high, and not empty")]
    Picture {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
    },
    /// There is no such preset.
    #[error("no preset is called '{0}': there are {names}", names = super::presets::NAMES.join(", "))]
    Preset(String),
}

impl FrontEndConfig {
    /// Frames a clip (columns of the spectrogram).
    pub fn frames(&self) -> usize {
        match self.framing {
            Framing::Start => self.clip_samples.saturating_sub(self.n_fft) / self.hop.max(1) + 1,
            Framing::CenterZeros | Framing::CenterReflect => {
                self.clip_samples / self.hop.max(1) + 1
            }
        }
    }

    /// Bins of a frame: `n_fft / 2 + 1`.
    pub fn bins(&self) -> usize {
        self.n_fft / 2 + 1
    }

    /// Rows of the spectrogram: bins, or mel bands.
    pub fn rows(&self) -> usize {
        match self.rows {
            Rows::Linear => self.bins(),
            Rows::Mel { n_mels, .. } => n_mels,
        }
    }

    /// Size of the picture: as set, or the spectrogram's own.
    pub fn picture_size(&self) -> Size {
        self.picture.unwrap_or(Size {
            height: self.rows(),
            width: self.frames(),
        })
    }

    /// Seconds of a clip.
    pub fn clip_seconds(&self) -> f64 {
        self.clip_samples as f64 / f64::from(self.sample_rate)
    }

    /// Sets the clip's length in seconds, rounded to whole samples.
    pub fn with_clip_seconds(mut self, seconds: f64) -> Self {
        self.clip_samples = (seconds * f64::from(self.sample_rate)).round() as usize;
        self
    }

    /// Decibels at the two ends of the color map, given the smallest and largest value of a clip.
    pub fn color_range(&self, min: f32, max: f32) -> (f32, f32) {
        match self.range {
            Range::MinMax => (min, max),
            Range::Top { db } => (max - db as f32, max),
        }
    }

    /// Checks every setting against every other.
    ///
    /// # Errors
    /// The first thing that is wrong, and what would be right.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if !self.n_fft.is_power_of_two() || !(256..=8192).contains(&self.n_fft) {
            return Err(ConfigError::Nfft(self.n_fft));
        }
        if self.hop == 0 || self.hop > self.n_fft {
            return Err(ConfigError::Hop {
                hop: self.hop,
                n_fft: self.n_fft,
            });
        }
        if !(8000..=192_000).contains(&self.sample_rate) {
            return Err(ConfigError::SampleRate(self.sample_rate));
        }
        let frames = self.frames();
        if self.clip_samples == 0 || frames > 65_535 {
            return Err(ConfigError::Clip {
                samples: self.clip_samples,
                frames,
            });
        }
        if self.framing == Framing::CenterReflect && self.clip_samples <= self.n_fft / 2 {
            return Err(ConfigError::Reflect {
                samples: self.clip_samples,
                half: self.n_fft / 2,
            });
        }
        self.validate_numbers()?;
        let Size { height, width } = self.picture.unwrap_or(Size {
            height: 1,
            width: 1,
        });
        if !(1..=MAX_HEIGHT).contains(&height) || !(1..=8192).contains(&width) {
            return Err(ConfigError::Picture { width, height });
        }
        Ok(())
    }

    fn validate_numbers(&self) -> Result<(), ConfigError> {
        let positive = |name, value: f64| {
            if value.is_finite() && value > 0.0 {
                Ok(())
            } else {
                Err(ConfigError::NotPositive { name, value })
            }
        };
        if let Scale::Psd { fs } = self.scale {
            positive("scale.psd.fs", fs)?;
        }
        if let Decibels::Floor { amin } = self.decibels {
            positive("decibels.floor.amin", amin)?;
        }
        if let Range::Top { db } = self.range {
            positive("range.top.db", db)?;
        }
        if let Rows::Mel {
            n_mels,
            f_min,
            f_max,
        } = self.rows
        {
            let nyquist = f64::from(self.sample_rate) / 2.0;
            if !(1..=512).contains(&n_mels) {
                return Err(ConfigError::Mel(format!(
                    "n_mels is {n_mels}: it must be from 1 to 512"
                )));
            }
            if !(f_min >= 0.0 && f_min < f_max && f_max <= nyquist) {
                return Err(ConfigError::Mel(format!(
                    "they go from {f_min} to {f_max} Hz: it must be 0 <= f_min < f_max <= {nyquist}"
                )));
            }
        }
        Ok(())
    }
}
