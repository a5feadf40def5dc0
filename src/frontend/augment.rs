//! What training does to clips and pictures in every step, on the device: data of a few bytes a clip.

use bytemuck::{Pod, Zeroable};

/// What SpecAugment (Park et al. 2019) hides of one clip's picture, in pixels: two stretches of columns and two of
/// rows, each from..to and possibly empty. Hidden pixels get the color of the lowest value.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Masks {
    /// Columns from, columns to, rows from, rows to; twice.
    pub stretches: [[u32; 4]; 2],
}

impl Masks {
    /// Whether the pixel is hidden.
    pub fn hide(&self, y: usize, x: usize) -> bool {
        let within = |v: usize, from: u32, to: u32| (from as usize..to as usize).contains(&v);
        self.stretches
            .iter()
            .any(|&[x0, x1, y0, y1]| within(x, x0, x1) || within(y, y0, y1))
    }
}

/// Terms of [`Waveform::equalizer`].
pub const EQUALIZER_TERMS: usize = 6;

/// What is done to one clip's samples: `(x (1 - mix) + next mix) gain + noise white`, where `next` is the clip after it
/// in the batch (the first, for the last) and `white` uniform noise in -1..1; and how its frames are then taken.
///
/// Tempo and pitch are independent of each other: frames stand `tempo` times as far apart as they should, and within a
/// frame samples are read `pitch` times as far apart about its middle, linearly interpolated. Frames that would lie behind
/// the clip's end begin again at its start.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Waveform {
    /// Factor; negative turns the polarity.
    pub gain: f32,
    /// Amplitude of the noise.
    pub noise: f32,
    /// Share of the next clip: mixup (Zhang et al. 2018) of the sound itself.
    pub mix: f32,
    /// Of the noise.
    pub seed: u32,
    /// How many times as fast the clip passes.
    pub tempo: f32,
    /// How many times as high it sounds.
    pub pitch: f32,
    /// What a filter adds to each row's level, dB: `sum of equalizer[k - 1] cos(pi k (row + 1/2) / rows)`.
    pub equalizer: [f32; EQUALIZER_TERMS],
}

impl Default for Waveform {
    /// Leaves the samples as they are.
    fn default() -> Self {
        Self {
            gain: 1.0,
            noise: 0.0,
            mix: 0.0,
            seed: 0,
            tempo: 1.0,
            pitch: 1.0,
            equalizer: [0.0; EQUALIZER_TERMS],
        }
    }
}

impl Waveform {
    /// Whether [`Waveform::apply`] would give anything but the samples themselves.
    pub fn changes_samples(&self) -> bool {
        self.gain != 1.0 || self.noise > 0.0 || self.mix > 0.0
    }

    /// First sample of the frame whose own place would be `at`, in a clip of `samples`; what stands before that place is
    /// not counted. Twin of `frame_start` in `shaders/frontend/stft.wgsl`, in the same arithmetic.
    pub fn frame_start(&self, at: usize, samples: usize) -> usize {
        if self.tempo == 1.0 {
            at
        } else {
            (at as f32 * self.tempo) as usize % samples
        }
    }

    /// What each of `rows` rows' power is multiplied by; `None` if there is no filter. Twin of `filtered` in
    /// `shaders/frontend/stft.wgsl`.
    pub fn row_factors(&self, rows: usize) -> Option<Vec<f32>> {
        let factor = |row: usize| {
            let x = std::f32::consts::PI * (row as f32 + 0.5) / rows as f32;
            let terms = (1u8..).zip(self.equalizer);
            let db: f32 = terms.map(|(k, a)| a * (f32::from(k) * x).cos()).sum();
            10f32.powf(db / 10.0)
        };
        (self.equalizer != [0.0; EQUALIZER_TERMS]).then(|| (0..rows).map(factor).collect())
    }

    /// Twin of what `shaders/frontend/stft.wgsl` does to each sample on load.
    pub fn apply(&self, pcm: &[f32], next: &[f32]) -> Vec<f32> {
        let seed = pcg(self.seed);
        (0u32..)
            .zip(pcm.iter().zip(next))
            .map(|(at, (x, other))| {
                let mut x = *x;
                if self.mix > 0.0 {
                    x = x * (1.0 - self.mix) + other * self.mix;
                }
                x *= self.gain;
                if self.noise > 0.0 {
                    x += self.noise * white(at, seed);
                }
                x
            })
            .collect()
    }
}

/// The PCG hash (Jarzynski and Olano 2020).
fn pcg(v: u32) -> u32 {
    let state = v.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

/// Uniform in -1..1, a multiple of 2^-23: exact in f32 on every device.
fn white(at: u32, seed: u32) -> f32 {
    (pcg(at.wrapping_add(seed)) >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// Everything done to one clip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Augment {
    /// To its samples.
    pub waveform: Waveform,
    /// To its picture.
    pub masks: Masks,
}
