//! The check of a configuration, and its error.

use super::compression::Parameter;
use super::{
    Compression, Framing, FrontEndConfig, ImageConfig, MAX_HEIGHT, MAX_WIDTH, Output, Range, Rows,
    Scale, Size,
};

/// What is wrong with a front-end configuration, and what would be right.
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
        "a clip of {samples} samples gives {frames} frames: \
         it must give from 1 to 65535 (a longer hop or shorter clip)"
    )]
    Clip {
        /// Samples per clip.
        samples: usize,
        /// Frames that it would give.
        frames: usize,
    },
    /// The clip is too short for its edges to be mirrored.
    #[error(
        "a clip of {samples} samples is too short to be mirrored: \
         more than n_fft / 2 = {half} are needed"
    )]
    Reflect {
        /// Samples per clip.
        samples: usize,
        /// Half a frame.
        half: usize,
    },
    /// The frames of a track do not fill the clip.
    #[error(
        "a clip of {samples} samples does not end with a frame: \
         framing 'track' needs n_fft ({n_fft}) and a multiple of hop ({hop})"
    )]
    PartOfFrame {
        /// Samples per clip.
        samples: usize,
        /// As given.
        n_fft: usize,
        /// As given.
        hop: usize,
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
        /// The path of the setting.
        name: &'static str,
        /// As given.
        value: f64,
    },
    /// The parameter of the compression is too small or too large for f32.
    #[error("{name} is {value}: f32 holds numbers from 1.2e-38 to 3.4e38")]
    NotF32 {
        /// The path of the setting.
        name: &'static str,
        /// As given.
        value: f64,
    },
    /// Features were asked for, and the compression leaves cells without a value.
    #[error(
        "features need a value in every cell, and \
         compression 'masked' leaves a power of zero without one: it must be 'floor' or 'log'"
    )]
    MaskedFeatures,
    /// The size of the image is out of range.
    #[error(
        "an image of {width}x{height}: \
         at most {MAX_WIDTH} wide and {MAX_HEIGHT} high, and not empty"
    )]
    ImageSize {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
    },
}

impl FrontEndConfig {
    /// Checks every setting against every other.
    ///
    /// # Errors
    /// The first setting that is wrong, and what would be right.
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
        if self.framing == Framing::Track && !self.is_whole_frames() {
            return Err(ConfigError::PartOfFrame {
                samples: self.clip_samples,
                n_fft: self.n_fft,
                hop: self.hop,
            });
        }
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
        if let Scale::Psd { fs } = self.scale {
            positive("scale.psd.fs", fs)?;
        }
        self.rows.validate(self.sample_rate)?;
        self.validate_compression()?;
        match self.output {
            Output::Image(image) => image.validate(),
            Output::Features => Ok(()),
        }
    }

    /// Whether the frames fill the clip.
    fn is_whole_frames(&self) -> bool {
        let rest = self.clip_samples.checked_sub(self.n_fft);
        rest.is_some_and(|rest| rest.is_multiple_of(self.hop))
    }

    fn validate_compression(&self) -> Result<(), ConfigError> {
        let features = self.output == Output::Features;
        let (_, Some(Parameter { name, value })) = self.compression.parameter() else {
            return match features {
                true => Err(ConfigError::MaskedFeatures),
                false => Ok(()),
            };
        };
        positive(name, value)?;
        // An image leaves a cell without a value transparent, so a floor of zero is no fault there.
        let floored_image = !features && matches!(self.compression, Compression::Floor { .. });
        if floored_image || (value as f32).is_normal() {
            Ok(())
        } else {
            Err(ConfigError::NotF32 { name, value })
        }
    }
}

fn positive(name: &'static str, value: f64) -> Result<(), ConfigError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(ConfigError::NotPositive { name, value })
    }
}

impl Rows {
    fn validate(self, sample_rate: u32) -> Result<(), ConfigError> {
        let Self::Mel {
            n_mels,
            f_min,
            f_max,
        } = self
        else {
            return Ok(());
        };
        let nyquist = f64::from(sample_rate) / 2.0;
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
        Ok(())
    }
}

impl ImageConfig {
    fn validate(self) -> Result<(), ConfigError> {
        if let Range::Top { db } = self.range {
            positive("output.image.range.top.db", db)?;
        }
        match self.size {
            Some(Size { height, width })
                if !(1..=MAX_HEIGHT).contains(&height) || !(1..=MAX_WIDTH).contains(&width) =>
            {
                Err(ConfigError::ImageSize { width, height })
            }
            _ => Ok(()),
        }
    }
}
