//! Changes the sample rate of mono PCM, block by block, and removes the filter's delay.

use std::f64::consts::PI;
use std::sync::Arc;

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};

use super::RATES;
use super::error::{AudioError, Result};

/// Minimum length of a block in samples at the lower of the two rates. Longer blocks take less time
/// per sample.
const BLOCK: usize = 2048;

/// What passes unchanged, as a fraction of the lower Nyquist frequency. From there the filter falls
/// to silence at that frequency.
const PASS: f64 = 0.9136;

/// How far down everything over the lower Nyquist frequency is, in dB.
const STOP_DB: f64 = 126.0;

/// Changes the sample rate of mono PCM from `from` Hz to `to` Hz, as [`super::MonoReader`] does for
/// files: aliases at least 80 dB down, no delay, and `round(samples * to / from)` output samples.
///
/// ```
/// let tone: Vec<f32> = (0..44_100).map(|i| (i as f32 * 0.05).sin()).collect();
/// let half = sonoprint::audio::resample(&tone, 44_100, 22_050)?;
/// assert_eq!(half.len(), 22_050);
/// assert!((half[10_000] - tone[20_000]).abs() < 1e-4);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
///
/// # Errors
/// [`AudioError::BadRate`].
pub fn resample(samples: &[f32], from: u32, to: u32) -> Result<Vec<f32>> {
    if let Some(rate) = [from, to].into_iter().find(|rate| !RATES.contains(rate)) {
        return Err(AudioError::BadRate { rate });
    }
    if from == to {
        return Ok(samples.to_vec());
    }
    let mut out = Vec::new();
    let mut resample = Resample::new(from, to)?;
    resample.push(samples, &mut out)?;
    resample.finish(&mut out)?;
    Ok(out)
}

/// A band-limited resampler with the filter of soxr's quality `HQ`, which is what `librosa.load`
/// uses.
///
/// The edge of that filter matters: the networks that are built in hear the uppermost band of a mel
/// spectrogram, and a steeper filter changes what they say of loud music. No crate has that filter.
///
/// The output has `round(input * to / from)` samples, and its sample 0 is at the same instant as
/// input sample 0. The input is extended with silence at both ends.
///
/// The method is overlap-add: each block's spectrum is multiplied by the filter's, and cut or
/// extended to the length of the new rate (J. O. Smith, "Spectral Audio Signal Processing").
pub(super) struct Resample {
    from: u32,
    to: u32,
    forward: Arc<dyn RealToComplex<f32>>,
    inverse: Arc<dyn ComplexToReal<f32>>,
    /// Spectrum of the filter, with all constant factors.
    filter: Vec<Complex<f32>>,
    /// Samples of a block at both rates.
    block: [usize; 2],
    /// A block, and as much silence behind it.
    time: [Vec<f32>; 2],
    spectrum: [Vec<Complex<f32>>; 2],
    scratch: Vec<Complex<f32>>,
    /// What the blocks so far add to the next one.
    overlap: Vec<f32>,
    /// Input that does not fill a block yet.
    pending: Vec<f32>,
    /// Output samples still to drop: the filter's delay.
    delay_left: usize,
    /// Input samples so far.
    taken: u64,
    /// Output samples so far.
    given: u64,
}

impl Resample {
    /// Returns a resampler from `from` Hz to `to` Hz.
    pub(super) fn new(from: u32, to: u32) -> Result<Self> {
        let (a, b) = (from as usize, to as usize);
        // The block lengths are the smallest pair in the ratio of the rates, times an even number,
        // so that the delay, half a block, is a whole number of samples at both rates.
        let pair = gcd(a, b);
        let times = BLOCK.div_ceil(a.min(b) / pair).next_multiple_of(2);
        let block = [times * (a / pair), times * (b / pair)];
        let mut planner = RealFftPlanner::new();
        let forward = planner.plan_fft_forward(2 * block[0]);
        let inverse = planner.plan_fft_inverse(2 * block[1]);
        let mut time = block.map(|n| vec![0.0; 2 * n]);
        let mut spectrum = [forward.make_output_vec(), inverse.make_input_vec()];
        let scratch = forward.get_scratch_len().max(inverse.get_scratch_len());
        let mut scratch = vec![Complex::default(); scratch];
        let cutoff = f64::from(from.min(to)) / f64::from(from);
        // The transform back has no factor, and the amplitude must stay what it is.
        let factor = 1.0 / (2 * block[0]) as f64;
        for (x, tap) in time[0].iter_mut().zip(low_pass(cutoff, block[0])) {
            *x = (tap * factor) as f32;
        }
        forward
            .process_with_scratch(&mut time[0], &mut spectrum[0], &mut scratch)
            .map_err(|e| failed(&e))?;
        Ok(Self {
            filter: spectrum[0].clone(),
            overlap: vec![0.0; block[1]],
            delay_left: block[1] / 2,
            from,
            to,
            forward,
            inverse,
            block,
            time,
            spectrum,
            scratch,
            pending: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    /// Begins anew in the middle of a longer input, with a whole block, so that the output from
    /// sample `output` on is, to the bit, that of a resampler which took all of the input. Returns
    /// the sample of the input that comes next.
    pub(super) fn seek(&mut self, output: u64) -> u64 {
        let [taken, made] = self.block.map(|n| n as u64);
        let delay = made / 2;
        // A block also makes what overlaps the next one, and nothing beyond that.
        let block = ((output + delay) / made).saturating_sub(1);
        self.overlap.fill(0.0);
        self.pending.clear();
        self.taken = block * taken;
        (self.given, self.delay_left) = match block {
            0 => (0, delay as usize),
            _ => ((block + 1) * made - delay, made as usize),
        };
        self.taken
    }

    /// Returns the number of the output sample that comes next.
    pub(super) fn position(&self) -> u64 {
        self.given
    }

    /// Returns how many samples `samples` samples of input become.
    pub(super) fn len(&self, samples: u64) -> u64 {
        let (from, to) = (u128::from(self.from), u128::from(self.to));
        ((u128::from(samples) * to + from / 2) / from) as u64
    }

    /// Takes a block of input and appends finished samples to `out`.
    pub(super) fn push(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let _span = tracing::info_span!("resample").entered();
        self.taken += block.len() as u64;
        self.pending.extend_from_slice(block);
        let whole = self.block[0];
        let mut at = 0;
        while self.pending.len() - at >= whole {
            self.filter_block(at..at + whole, u64::MAX, out)?;
            at += whole;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// Ends the input and appends the remaining samples to `out`.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        let due = self.len(self.taken);
        let mut rest = self.pending.len();
        while self.given < due {
            self.filter_block(0..rest, due, out)?;
            rest = 0;
        }
        self.pending.clear();
        Ok(())
    }

    /// Filters a block of pending samples, with silence behind it, and appends the result to `out`,
    /// up to a total of `due` output samples.
    fn filter_block(
        &mut self,
        range: std::ops::Range<usize>,
        due: u64,
        out: &mut Vec<f32>,
    ) -> Result<()> {
        let [time, new_time] = &mut self.time;
        let [spectrum, new_spectrum] = &mut self.spectrum;
        let n = range.len();
        time[..n].copy_from_slice(&self.pending[range]);
        time[n..].fill(0.0);
        self.forward
            .process_with_scratch(time, spectrum, &mut self.scratch)
            .map_err(|e| failed(&e))?;
        new_spectrum.fill(Complex::default());
        let bins = spectrum.len().min(new_spectrum.len());
        for (new, (x, h)) in
            (new_spectrum.iter_mut()).zip(spectrum[..bins].iter().zip(&self.filter))
        {
            *new = x * h;
        }
        // A real signal has real numbers there, and the filter leaves nothing at the upper end.
        new_spectrum[0].im = 0.0;
        if let Some(last) = new_spectrum.last_mut() {
            last.im = 0.0;
        }
        self.inverse
            .process_with_scratch(new_spectrum, new_time, &mut self.scratch)
            .map_err(|e| failed(&e))?;
        let made = self.block[1];
        for (x, rest) in new_time.iter_mut().zip(&self.overlap) {
            *x += rest;
        }
        self.overlap.copy_from_slice(&new_time[made..]);
        let skip = self.delay_left.min(made);
        self.delay_left -= skip;
        let keep = ((made - skip) as u64).min(due - self.given) as usize;
        out.extend_from_slice(&new_time[skip..skip + keep]);
        self.given += keep as u64;
        Ok(())
    }
}

fn failed(why: &dyn std::fmt::Display) -> AudioError {
    AudioError::unsupported(format!("resampling ({why})"))
}

/// Returns a low-pass filter of `len` taps around tap `len / 2`: a sinc under a Kaiser window, with
/// the window's parameter and length by Kaiser's formulas (Oppenheim and Schafer, "Discrete-Time
/// Signal Processing", 7.5.3). `cutoff` is the frequency of silence, as a fraction of Nyquist.
fn low_pass(cutoff: f64, len: usize) -> Vec<f64> {
    let width = (1.0 - PASS) * cutoff;
    let taps = ((STOP_DB - 7.95) / (2.285 * PI * width)).ceil();
    let beta = 0.1102 * (STOP_DB - 8.7);
    let middle = (1.0 + PASS) / 2.0 * cutoff;
    let half = (taps / 2.0).floor();
    let tap = |i: usize| {
        let x = i as f64 - (len / 2) as f64;
        if x.abs() > half {
            return 0.0;
        }
        let window = bessel(beta * (1.0 - (x / half).powi(2)).sqrt()) / bessel(beta);
        let sinc = match x {
            0.0 => middle,
            x => (PI * middle * x).sin() / (PI * x),
        };
        sinc * window
    };
    let filter: Vec<f64> = (0..len).map(tap).collect();
    let sum: f64 = filter.iter().sum();
    filter.into_iter().map(|h| h / sum).collect()
}

/// Returns the modified Bessel function of the first kind of order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, 1.0);
    while term > 1e-17 * sum {
        term *= (x / (2.0 * k)).powi(2);
        sum += term;
        k += 1.0;
    }
    sum
}

/// Returns the greatest common divisor (Euclid).
fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
