//! The named settings. Golden tests hold each against the library that it copies.

use super::colormap::Colormap;
use super::config::{
    ConfigError, Decibels, Framing, FrontEndConfig, Range, Rows, Scale, Size, Window,
};

/// The presets there are.
pub const NAMES: [&str; 2] = ["deeppixel", "mel"];

/// The settings that `name` stands for.
///
/// # Errors
/// [`ConfigError::Preset`] if there is none of that name.
pub fn preset(name: &str) -> Result<FrontEndConfig, ConfigError> {
    match name {
        "deeppixel" => Ok(deeppixel()),
        "mel" => Ok(mel()),
        _ => Err(ConfigError::Preset(name.to_owned())),
    }
}

/// The seed system's picture: matplotlib's `specgram(NFFT=2048, Fs=2, noverlap=128)` in dB through `inferno`, at
/// 720x720. A 30 s clip has 344 frames of 1025 bins.
pub fn deeppixel() -> FrontEndConfig {
    FrontEndConfig {
        preset: "deeppixel".into(),
        sample_rate: 22_050,
        clip_samples: 661_500,
        n_fft: 2048,
        hop: 1920,
        framing: Framing::Start,
        window: Window::HannSymmetric,
        colormap: Colormap::Inferno,
        scale: Scale::Psd { fs: 2.0 },
        rows: Rows::Linear,
        decibels: Decibels::Masked,
        range: Range::MinMax,
        picture: Some(Size {
            height: 720,
            width: 720,
        }),
    }
}

/// The modern default: librosa's `melspectrogram` (2048/512, 128 bands) and `power_to_db(ref=np.max, top_db=80)`. A
/// 30 s clip has 1292 frames of 128 bands, and its picture has that size.
pub fn mel() -> FrontEndConfig {
    FrontEndConfig {
        preset: "mel".into(),
        sample_rate: 22_050,
        clip_samples: 661_500,
        n_fft: 2048,
        hop: 512,
        framing: Framing::CenterZeros,
        window: Window::HannPeriodic,
        colormap: Colormap::Inferno,
        scale: Scale::Power,
        rows: Rows::Mel {
            n_mels: 128,
            f_min: 0.0,
            f_max: 11_025.0,
        },
        decibels: Decibels::Floor { amin: 1e-10 },
        range: Range::Top { db: 80.0 },
        picture: None,
    }
}
