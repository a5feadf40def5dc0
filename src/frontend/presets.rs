//! The named configurations. Golden tests hold each against the library that it copies.

use super::colormap::Colormap;
use super::config::{
    Compression, Framing, FrontEndConfig, ImageConfig, Output, Range, Rows, Scale, Size, Window,
};

/// Makes a preset's configuration.
type Preset = fn() -> FrontEndConfig;

/// The presets: one row each.
const PRESETS: [(&str, Preset); 3] = [("deeppixel", deeppixel), ("mel", mel), ("musicnn", musicnn)];

/// A name that no preset has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no preset is called '{0}': there are {all}", all = names().collect::<Vec<_>>().join(", "))]
pub struct UnknownPreset(pub String);

/// Returns the names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// Returns the configuration that `name` stands for.
///
/// # Errors
/// [`UnknownPreset`] if there is none of that name.
pub fn preset(name: &str) -> Result<FrontEndConfig, UnknownPreset> {
    let found = PRESETS.iter().find(|(preset, _)| *preset == name);
    found
        .map(|(_, config)| config())
        .ok_or_else(|| UnknownPreset(name.to_owned()))
}

/// Returns the original project's image: matplotlib's `specgram(NFFT=2048, Fs=2, noverlap=128)` in
/// dB through `inferno`, at 720x720. A 30 s clip has 344 frames of 1025 bins.
pub fn deeppixel() -> FrontEndConfig {
    FrontEndConfig {
        preset: "deeppixel".into(),
        sample_rate: 22_050,
        clip_samples: 661_500,
        n_fft: 2048,
        hop: 1920,
        framing: Framing::Start,
        window: Window::HannSymmetric,
        scale: Scale::Psd { fs: 2.0 },
        rows: Rows::Linear,
        compression: Compression::Masked,
        output: Output::Image(ImageConfig {
            colormap: Colormap::Inferno,
            range: Range::MinMax,
            size: Some(Size {
                height: 720,
                width: 720,
            }),
        }),
    }
}

/// Returns the modern default: librosa's `melspectrogram` (2048/512, 128 bands) and
/// `power_to_db(ref=np.max, top_db=80)`. A 30 s clip has 1292 frames of 128 bands, and its image
/// has that size.
pub fn mel() -> FrontEndConfig {
    FrontEndConfig {
        preset: "mel".into(),
        sample_rate: 22_050,
        clip_samples: 661_500,
        n_fft: 2048,
        hop: 512,
        framing: Framing::CenterZeros,
        window: Window::HannPeriodic,
        scale: Scale::Power,
        rows: Rows::Mel {
            n_mels: 128,
            f_min: 0.0,
            f_max: 11_025.0,
        },
        compression: Compression::Floor { amin: 1e-10 },
        output: Output::Image(ImageConfig {
            colormap: Colormap::Inferno,
            range: Range::Top { db: 80.0 },
            size: None,
        }),
    }
}

/// Returns the input of musicnn (Pons and Serra 2019): librosa's `melspectrogram` at 16 kHz
/// (512/256, 96 bands), `log10(1 + 10000 power)`, and clips that are stretches of 187 frames (3 s)
/// of the whole track.
///
/// Nothing sets the level: a softer recording has smaller features.
pub fn musicnn() -> FrontEndConfig {
    FrontEndConfig {
        preset: "musicnn".into(),
        sample_rate: 16_000,
        clip_samples: 186 * 256 + 512,
        n_fft: 512,
        hop: 256,
        framing: Framing::Track,
        window: Window::HannPeriodic,
        scale: Scale::Power,
        rows: Rows::Mel {
            n_mels: 96,
            f_min: 0.0,
            f_max: 8_000.0,
        },
        compression: Compression::Log { scale: 10_000.0 },
        output: Output::Features,
    }
}
