//! Augmentation of training clips: the settings, and the random draws that follow from them.
//!
//! A new augmentation takes four places: a field of [`AugmentConfig`] (with its flag, default and
//! range), its draw in [`Draws::next`], its CPU reference in `frontend/augment.rs` (a field of
//! `Waveform` or `Masks`), and its WGSL in `shaders/frontend/`.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::error::{TrainError, check};
use crate::dataset::pcm::File;
use crate::frontend::augment::{Augment, EQUALIZER_TERMS, Masks, Waveform};
use crate::frontend::config::Axes;
use crate::rng::{below, stream};

/// How strongly training clips are changed. Every change is drawn anew for each clip in each epoch.
// A key that `run.toml` lacks is read as "none": the augmentation did not exist when the file was
// written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "cli",
    derive(clap::Args),
    group(id = "augment", conflicts_with_all = ["resume", "config"])
)]
pub struct AugmentConfig {
    /// Longest SpecAugment mask, as a share of the clip's length or of its frequency rows. Two
    /// masks in time and two in frequency hide parts of each clip; their lengths are random. 0:
    /// none.
    #[cfg_attr(feature = "cli", arg(
        long, value_name = "SHARE", default_value_t = Self::default().mask
    ))]
    pub mask: f64,
    /// Largest gain or attenuation of a clip, dB, drawn uniformly. 0: none.
    #[cfg_attr(feature = "cli", arg(long, value_name = "DB", default_value_t = Self::default().gain))]
    pub gain: f64,
    /// Invert the polarity of half of the clips.
    #[cfg_attr(feature = "cli", arg(long))]
    pub polarity: bool,
    /// Add white noise to half of the clips. The level is drawn: from this many dB below the RMS of
    /// the clip's file, to 30 dB less. Absent: none.
    #[cfg_attr(feature = "cli", arg(long, value_name = "DB"))]
    #[serde(default)]
    pub noise_snr: Option<f64>,
    /// Mixup: largest share of another clip of the batch that is mixed into each clip, with its
    /// label. 0: none.
    #[cfg_attr(feature = "cli", arg(
        long, value_name = "SHARE", default_value_t = Self::default().mixup
    ))]
    pub mixup: f64,
    /// Play clips faster or slower by up to this share, at the same pitch. The tempo is drawn on a
    /// logarithmic scale from 1 / (1 + SHARE) to 1 + SHARE. 0: none.
    #[cfg_attr(feature = "cli", arg(
        long, value_name = "SHARE", default_value_t = Self::default().tempo
    ))]
    #[serde(default)]
    pub tempo: f64,
    /// Transpose clips by up to this many semitones up or down, at the same tempo. 0: none.
    #[cfg_attr(feature = "cli", arg(
        long, value_name = "SEMITONES", default_value_t = Self::default().pitch
    ))]
    #[serde(default)]
    pub pitch: f64,
    /// Filter clips with random curves that are smooth over frequency: the widest wave of a curve
    /// changes the level by up to this many dB, narrower ones by less. 0: none.
    #[cfg_attr(feature = "cli", arg(
        long, alias = "equalise", value_name = "DB", default_value_t = Self::default().equalize
    ))]
    #[serde(default, alias = "equalise")]
    pub equalize: f64,
}

impl Default for AugmentConfig {
    /// Masks only, as SpecAugment.
    fn default() -> Self {
        Self {
            mask: 0.15,
            ..Self::NONE
        }
    }
}

impl AugmentConfig {
    /// Changes nothing.
    pub const NONE: Self = Self {
        mask: 0.0,
        gain: 0.0,
        polarity: false,
        noise_snr: None,
        mixup: 0.0,
        tempo: 0.0,
        pitch: 0.0,
        equalize: 0.0,
    };

    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the first setting out of its range.
    pub fn validate(&self) -> Result<(), TrainError> {
        let Self {
            mask,
            gain,
            polarity: _,
            noise_snr,
            mixup,
            tempo,
            pitch,
            equalize,
        } = *self;
        check("mask", mask, 0.0..=0.5, "from 0 to 0.5")?;
        check("gain", gain, 0.0..=60.0, "from 0 to 60 dB")?;
        if let Some(snr) = noise_snr {
            check("noise_snr", snr, 0.0..=100.0, "from 0 to 100 dB")?;
        }
        check("mixup", mixup, 0.0..=0.5, "from 0 to 0.5")?;
        check("tempo", tempo, 0.0..=0.5, "from 0 to 0.5")?;
        check("pitch", pitch, 0.0..=12.0, "from 0 to 12 semitones")?;
        check("equalize", equalize, 0.0..=30.0, "from 0 to 30 dB")
    }
}

/// The random draws of one epoch, clip after clip.
///
/// The number of draws per clip does not depend on the settings, so that switching one augmentation
/// off leaves the draws of the others as they were.
pub struct Draws<'a> {
    config: &'a AugmentConfig,
    /// Extent of the network's input in time and frequency, for which the masks are drawn.
    axes: Axes,
    /// Gain, polarity, noise, mixup and masks.
    levels: ChaCha8Rng,
    /// Tempo, pitch and filter. They came later and have a stream of their own, so that the draws
    /// of the others stayed as they were.
    warps: ChaCha8Rng,
}

impl<'a> Draws<'a> {
    /// Starts the draws of an epoch, which depend on (`seed`, `epoch`) alone.
    pub fn new(config: &'a AugmentConfig, axes: Axes, seed: u64, epoch: usize) -> Self {
        Self {
            config,
            axes,
            levels: stream(seed, &format!("augments of epoch {epoch}")),
            warps: stream(seed, &format!("warps of epoch {epoch}")),
        }
    }

    /// Draws what is done to the next clip, which comes from `file`.
    pub fn next(&mut self, file: &File) -> Augment {
        let config = self.config;
        let mut unit = || unit(&mut self.levels);
        let gain = 10f64.powf(config.gain * (2.0 * unit() - 1.0) / 20.0);
        let inverted = unit() < 0.5 && config.polarity;
        let (noisy, depth) = (unit() < 0.5, 30.0 * unit());
        let mix = config.mixup * unit();
        let noise = match config.noise_snr {
            Some(snr) if noisy => {
                let rms = f64::from(file.rms) * gain;
                // Uniform noise of amplitude a has an RMS of a / sqrt(3).
                rms * 10f64.powf(-(snr + depth) / 20.0) * 3f64.sqrt()
            }
            _ => 0.0,
        };
        let seed = below(&mut self.levels, 1 << 32) as u32;
        let masks = masks(&mut self.levels, self.axes, config.mask);
        let mut waveform = Waveform {
            gain: (if inverted { -gain } else { gain }) as f32,
            noise: noise as f32,
            mix: mix as f32,
            seed,
            ..Waveform::default()
        };
        warp(&mut self.warps, config, &mut waveform);
        Augment { waveform, masks }
    }
}

/// Draws tempo, pitch and filter of one clip.
fn warp(rng: &mut ChaCha8Rng, config: &AugmentConfig, waveform: &mut Waveform) {
    let mut signed = || 2.0 * unit(rng) - 1.0;
    waveform.tempo = (1.0 + config.tempo).powf(signed()) as f32;
    waveform.pitch = 2f64.powf(config.pitch / 12.0 * signed()) as f32;
    waveform.equalizer = std::array::from_fn::<_, EQUALIZER_TERMS, _>(|k| {
        (config.equalize * signed() / ((k + 1) as f64).sqrt()) as f32
    });
}

/// Draws a number uniformly from 0..1.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    below(rng, 1 << 53) as f64 / (1u64 << 53) as f64
}

/// Draws two masks in time and two in frequency, each of a random length up to the share `longest`
/// of its dimension, at random places.
fn masks(rng: &mut ChaCha8Rng, axes: Axes, longest: f64) -> Masks {
    let mut mask = |length: usize| {
        let masked = below(rng, (length as f64 * longest) as u64 + 1);
        let from = below(rng, length as u64 - masked + 1);
        (from as u32, (from + masked) as u32)
    };
    Masks {
        spans: [(); 2].map(|()| {
            let ((x0, x1), (y0, y1)) = (mask(axes.time), mask(axes.frequency));
            [x0, x1, y0, y1]
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{AugmentConfig, Waveform, stream, warp};

    #[test]
    fn warps_stay_in_their_bounds_and_reach_both_ends() {
        let draw = |config: &AugmentConfig| -> Vec<Waveform> {
            let mut rng = stream(1, "test");
            let mut all = vec![Waveform::default(); 1000];
            for waveform in &mut all {
                warp(&mut rng, config, waveform);
            }
            all
        };
        let none = AugmentConfig::NONE;
        assert!(draw(&none).iter().all(|w| *w == Waveform::default()));
        let all = draw(&AugmentConfig {
            tempo: 0.25,
            pitch: 12.0,
            equalize: 8.0,
            ..none
        });
        let ends = |of: fn(&Waveform) -> f32| {
            let values = all.iter().map(of);
            values.fold((f32::MAX, f32::MIN), |(a, b), v| (a.min(v), b.max(v)))
        };
        let near = |(low, high), (least, most)| {
            assert!(least <= low && low < least + (most - least) * 0.01);
            assert!(most - (most - least) * 0.01 < high && high <= most);
        };
        near(ends(|w| w.tempo), (0.8, 1.25));
        near(ends(|w| w.pitch), (0.5, 2.0));
        near(ends(|w| w.equalizer[0]), (-8.0, 8.0));
        near(ends(|w| w.equalizer[3]), (-4.0, 4.0));
    }
}
