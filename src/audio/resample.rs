//! Changes the sample rate of mono PCM, block by block, and removes the filter's delay.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

use super::error::{AudioError, Result};

/// Minimum length of the filter in samples at the lower of the two rates.
///
/// The cutoff lies 13.7 / 2048 below the lower Nyquist frequency. Everything up to 97 % of that
/// frequency passes flat, and aliases are more than 80 dB down.
const FILTER: usize = 2048;

/// A band-limited resampler (rubato's FFT method, squared Blackman-Harris window).
///
/// The output has `round(input * to / from)` samples, and its sample 0 is at the same instant as
/// input sample 0. The input is extended with silence at both ends.
pub(super) struct Resample {
    fft: Fft<f32>,
    from: u32,
    to: u32,
    /// Input that does not fill a chunk yet.
    pending: Vec<f32>,
    chunk: Vec<f32>,
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
        // The block lengths are the smallest pair in the ratio of the rates, times an even number:
        // the delay is half a block, and rubato would round it for an odd length.
        let pair = gcd(a, b);
        let times = FILTER.div_ceil(a.min(b) / pair).next_multiple_of(2);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(a, b, times * (a / pair), 1, 1, window, FixedSync::Both)
            .map_err(|e| AudioError::unsupported(format!("{from} Hz to {to} Hz ({e})")))?;
        Ok(Self {
            delay_left: fft.output_delay(),
            chunk: vec![0.0; fft.output_frames_max()],
            fft,
            from,
            to,
            pending: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    /// Takes a block of input and appends finished samples to `out`.
    pub(super) fn push(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let _span = tracing::info_span!("resample").entered();
        self.taken += block.len() as u64;
        self.pending.extend_from_slice(block);
        let mut at = 0;
        while self.pending.len() - at >= self.fft.input_frames_next() {
            let n = self.fft.input_frames_next();
            self.chunk_from(at, n, u64::MAX, out)?;
            at += n;
        }
        self.pending.drain(..at);
        Ok(())
    }

    /// Ends the input and appends the remaining samples to `out`.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        let (from, to) = (u128::from(self.from), u128::from(self.to));
        let due = ((u128::from(self.taken) * to + from / 2) / from) as u64;
        let mut rest = self.pending.len();
        while self.given < due {
            self.chunk_from(0, rest, due, out)?;
            rest = 0;
        }
        self.pending.clear();
        Ok(())
    }

    /// Filters `n` pending samples from `at` on, padded with silence to a chunk, and appends the
    /// result to `out`, up to a total of `due` output samples.
    fn chunk_from(&mut self, at: usize, n: usize, due: u64, out: &mut Vec<f32>) -> Result<()> {
        let whole = self.fft.input_frames_next();
        let mut padded;
        let input = match n == whole {
            true => &self.pending[at..at + n],
            false => {
                padded = self.pending[at..at + n].to_vec();
                padded.resize(whole, 0.0);
                &padded
            }
        };
        let failed = |what: String| AudioError::unsupported(format!("resampling ({what})"));
        let frames = self.chunk.len();
        let input = InterleavedSlice::new(input, 1, whole).map_err(|e| failed(e.to_string()))?;
        let mut output = InterleavedSlice::new_mut(&mut self.chunk, 1, frames)
            .map_err(|e| failed(e.to_string()))?;
        let (_, made) = self
            .fft
            .process_into_buffer(&input, &mut output, Some(&Indexing::new()))
            .map_err(|e| failed(e.to_string()))?;
        let skip = self.delay_left.min(made);
        self.delay_left -= skip;
        let keep = ((made - skip) as u64).min(due - self.given) as usize;
        out.extend_from_slice(&self.chunk[skip..skip + keep]);
        self.given += keep as u64;
        Ok(())
    }
}

/// Returns the greatest common divisor (Euclid).
fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
