//! What training does to clips in every step, on the device: a few bytes per clip.
//!
//! To add an augmentation of the samples: a field of [`Waveform`] and its CPU implementation here,
//! and the same field in `Augment` of `shaders/frontend/stft_common.wgsl` with its WGSL.

use bytemuck::{Pod, Zeroable};

/// What SpecAugment (Park et al. 2019) hides of one clip: two spans of time and two of frequency,
/// each from..to and possibly empty.
///
/// In an image they count columns and rows from the top, and hidden pixels get the color of the
/// lowest value. In features they count frames and rows from the lowest, and hidden cells get the
/// value of zero power.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Masks {
    /// Time from, time to, frequency from, frequency to; twice.
    pub spans: [[u32; 4]; 2],
}

impl Masks {
    /// Returns whether the cell is hidden.
    pub fn hide(&self, time: usize, frequency: usize) -> bool {
        let within = |v: usize, from: u32, to: u32| (from as usize..to as usize).contains(&v);
        self.spans
            .iter()
            .any(|&[t0, t1, f0, f1]| within(time, t0, t1) || within(frequency, f0, f1))
    }
}

/// Coefficients of [`Waveform::equalizer`].
pub const EQUALIZER_TERMS: usize = 6;

/// What is done to one clip's samples, and how its frames are then taken.
///
/// A sample `x` becomes `(x (1 - mix) + next mix) gain + noise white`. `next` is the clip after
/// this one in the batch (the first, for the last), and `white` is uniform noise in -1..1.
///
/// Tempo and pitch are independent of each other. Frames start `tempo` times as far apart as usual.
/// Within a frame, samples are read `pitch` times as far apart about its middle, with linear
/// interpolation. Frames that would lie behind the clip's end wrap around to its start.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Pod, Zeroable)]
pub struct Waveform {
    /// Factor; a negative one inverts the polarity.
    pub gain: f32,
    /// Amplitude of the noise.
    pub noise: f32,
    /// Share of the next clip: mixup (Zhang et al. 2018) of the waveforms.
    pub mix: f32,
    /// Seed of the noise.
    pub seed: u32,
    /// Factor of the speed at which the clip plays.
    pub tempo: f32,
    /// Factor of all frequencies.
    pub pitch: f32,
    /// Coefficients of a filter. It adds to each row's level, in dB, the sum over `k` from 1 of
    /// `equalizer[k - 1] cos(pi k (row + 1/2) / rows)`.
    pub equalizer: [f32; EQUALIZER_TERMS],
}

impl Default for Waveform {
    /// Leaves samples and frames as they are.
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
    /// Returns whether [`Waveform::apply`] changes any sample.
    pub fn changes_samples(&self) -> bool {
        self.gain != 1.0 || self.noise > 0.0 || self.mix > 0.0
    }

    /// Returns where a frame begins that would begin at sample `at` of `samples` without this
    /// change of tempo; the lead of centered frames is not counted. CPU implementation of
    /// `frame_start` in `shaders/frontend/stft_common.wgsl`, in the same arithmetic.
    pub fn frame_start(&self, at: usize, samples: usize) -> usize {
        if self.tempo == 1.0 {
            at
        } else {
            (at as f32 * self.tempo) as usize % samples
        }
    }

    /// Returns the factor of each row's power, for `rows` rows; `None` if there is no filter. CPU
    /// implementation of `filtered` in `shaders/frontend/stft_common.wgsl`.
    pub fn row_factors(&self, rows: usize) -> Option<Vec<f32>> {
        let factor = |row: usize| {
            let x = std::f64::consts::PI * (row as f64 + 0.5) / rows as f64;
            let terms = (1u8..).zip(self.equalizer);
            let db: f32 = terms
                .map(|(k, a)| a * (f64::from(k) * x).cos() as f32)
                .sum();
            10f32.powf(db / 10.0)
        };
        (self.equalizer != [0.0; EQUALIZER_TERMS]).then(|| (0..rows).map(factor).collect())
    }

    /// Applies mix, gain and noise. CPU implementation of what `value` in
    /// `shaders/frontend/stft_common.wgsl` does to each sample on load.
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

/// Returns the PCG hash of `v` (Jarzynski and Olano 2020).
fn pcg(v: u32) -> u32 {
    let state = v.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
    let word = ((state >> ((state >> 28) + 4)) ^ state).wrapping_mul(277_803_737);
    (word >> 22) ^ word
}

/// Returns uniform noise in -1..1, a multiple of 2^-23 and therefore exact in f32 on every device.
fn white(at: u32, seed: u32) -> f32 {
    (pcg(at.wrapping_add(seed)) >> 8) as f32 / (1 << 23) as f32 - 1.0
}

/// Everything that is done to one clip, as the shaders read it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct Augment {
    /// What is done to its samples.
    pub waveform: Waveform,
    /// What is hidden of its features or image.
    pub masks: Masks,
}
