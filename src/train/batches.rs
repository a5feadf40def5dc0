//! Which stretch of which file stands in which step.

use rand_chacha::ChaCha8Rng;

use crate::audio::ClipSpan;
use crate::frontend::Samples;
use crate::frontend::augment::{Augment, EQUALIZER_TERMS, Masks, Waveform};
use crate::frontend::config::Size;
use crate::rng::{below, shuffle, stream};

use super::{TrainError, TrainSettings};
use crate::dataset::pcm::{ClipPcm, File, PcmSet};

/// One step's clips before their samples are fetched: some bytes a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Index of the file, and which stretch of it.
    pub spans: Vec<(usize, ClipSpan)>,
    /// What is done to each clip and its picture.
    pub augments: Vec<Augment>,
}

/// One step's clips: PCM of equal length, and their classes.
pub struct Batch {
    /// `clip_samples` each.
    pub clips: Vec<ClipPcm>,
    /// Index into the classes.
    pub classes: Vec<usize>,
    /// What is done to each clip and its picture.
    pub augments: Vec<Augment>,
}

impl Planned {
    /// The samples, from memory or from the files.
    ///
    /// # Errors
    /// As [`PcmSet::fetch`].
    pub fn fetch(self, set: &PcmSet, clip_samples: usize) -> Result<Batch, TrainError> {
        Ok(Batch {
            clips: set.fetch(&self.spans, clip_samples)?,
            classes: self
                .spans
                .iter()
                .map(|&(f, _)| set.files[f].class)
                .collect(),
            augments: self.augments,
        })
    }
}

impl Batch {
    /// The clips as the front end takes them.
    pub fn pcm(&self) -> Vec<Samples<'_>> {
        self.clips.iter().map(ClipPcm::samples).collect()
    }
}

/// The batches of one epoch, from (`seed`, `epoch`) and the files' lengths alone.
///
/// A file gives as many clips as fit into it, each from a place of its own drawn anew every epoch: within its nth
/// stretch, moved by up to half a clip. All batches are full but the last, which is left out if it holds a single clip
/// (batch normalization has nothing to normalize over).
pub fn epoch(set: &PcmSet, settings: &TrainSettings, epoch: usize) -> Vec<Planned> {
    let (clip, batch, seed) = (
        settings.front_end.clip_samples,
        settings.batch,
        settings.seed,
    );
    let mut change = stream(seed, &format!("augments of epoch {epoch}"));
    let mut warp = stream(seed, &format!("warps of epoch {epoch}"));
    let mut rng = stream(seed, &format!("crops of epoch {epoch}"));
    let mut spans: Vec<(usize, ClipSpan)> = set
        .clips(clip)
        .into_iter()
        .map(|(file, span)| {
            let len = set.files[file].len;
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
    spans
        .chunks(batch)
        .take(steps(set, clip, batch))
        .map(|spans| Planned {
            spans: spans.to_vec(),
            augments: spans
                .iter()
                .map(|&(file, _)| {
                    let mut augment = augment(&mut change, settings, &set.files[file]);
                    warped(&mut warp, settings, &mut augment.waveform);
                    augment
                })
                .collect(),
        })
        .collect()
}

/// Draws what is done to one clip. The number of draws does not depend on the settings, so that switching one off
/// leaves the others as they were.
fn augment(rng: &mut ChaCha8Rng, s: &TrainSettings, file: &File) -> Augment {
    let mut unit = || unit(rng);
    let gain = 10f64.powf(s.gain * (2.0 * unit() - 1.0) / 20.0);
    let turned = unit() < 0.5 && s.polarity;
    let (noisy, depth) = (unit() < 0.5, 30.0 * unit());
    let mix = s.mixup * unit();
    let noise = match s.noise_snr {
        Some(snr) if noisy => {
            let rms = f64::from(file.rms) * gain;
            // Uniform noise of amplitude a has an RMS of a / sqrt(3).
            rms * 10f64.powf(-(snr + depth) / 20.0) * 3f64.sqrt()
        }
        _ => 0.0,
    };
    let seed = below(rng, 1 << 32) as u32;
    Augment {
        waveform: Waveform {
            gain: (if turned { -gain } else { gain }) as f32,
            noise: noise as f32,
            mix: mix as f32,
            seed,
            ..Waveform::default()
        },
        masks: masks(rng, s.front_end.image_size(), s.mask),
    }
}

/// Draws tempo, pitch and filter of one clip; from a stream of their own, so that they leave the other draws as they were.
fn warped(rng: &mut ChaCha8Rng, s: &TrainSettings, waveform: &mut Waveform) {
    let mut both = || 2.0 * unit(rng) - 1.0;
    waveform.tempo = (1.0 + s.tempo).powf(both()) as f32;
    waveform.pitch = 2f64.powf(s.pitch / 12.0 * both()) as f32;
    waveform.equalizer = std::array::from_fn::<_, EQUALIZER_TERMS, _>(|k| {
        (s.equalize * both() / ((k + 1) as f64).sqrt()) as f32
    });
}

/// Uniform in 0..1.
fn unit(rng: &mut ChaCha8Rng) -> f64 {
    below(rng, 1 << 53) as f64 / (1u64 << 53) as f64
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

#[cfg(test)]
mod tests {
    use super::{TrainSettings, Waveform, stream, warped};

    #[test]
    fn warps_stay_in_their_bounds_and_reach_both_ends() {
        let draw = |settings: &TrainSettings| -> Vec<Waveform> {
            let mut rng = stream(1, "test");
            let mut all = vec![Waveform::default(); 1000];
            for waveform in &mut all {
                warped(&mut rng, settings, waveform);
            }
            all
        };
        let plain = TrainSettings::plain();
        assert!(draw(&plain).iter().all(|w| *w == Waveform::default()));
        let all = draw(&TrainSettings {
            tempo: 0.25,
            pitch: 12.0,
            equalize: 8.0,
            ..plain
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
