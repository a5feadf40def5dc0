//! Mono PCM from one sample rate to another, in blocks, with the filter's delay taken out.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler, WindowFunction};

use super::error::{AudioError, Result};

/// Samples, at the lower of the two rates, under the filter at least.
///
/// The filter's cutoff lies 13.7 / 2048 under the lower Nyquist frequency, so everything up to 97 %
/// of it passes flat, and what would fold back is already more than 80 dB down at it.
const FILTER: usize = 2048;

/// A band-limited resampler (rubato's FFT method, squared Blackman-Harris window).
///
/// The output has `round(input * to / from)` samples, and sample 0 is at the same instant as input
/// sample 0. Before and after the input there is silence.
pub(super) struct Resample {
    fft: Fft<f32>,
    from: u32,
    to: u32,
    /// Input that does not fill a chunk yet.
    waiting: Vec<f32>,
    chunk: Vec<f32>,
    /// Output still to be dropped: the filter's delay.
    early: usize,
    taken: u64,
    given: u64,
}

impl Resample {
    pub(super) fn new(from: u32, to: u32) -> Result<Self> {
        let (a, b) = (from as usize, to as usize);
        // The smallest pair of block lengths in the ratio of the rates, times an even number: the
        // delay is half a block, and rubato rounds it where a block has an odd length.
        let pair = gcd(a, b);
        let times = FILTER.div_ceil(a.min(b) / pair).next_multiple_of(2);
        let window = WindowFunction::BlackmanHarris2;
        let fft = Fft::new_custom(a, b, times * (a / pair), 1, 1, window, FixedSync::Both)
            .map_err(|e| AudioError::unsupported(format!("{from} Hz to {to} Hz ({e})")))?;
        Ok(Self {
            early: fft.output_delay(),
            chunk: vec![0.0; fft.output_frames_max()],
            fft,
            from,
            to,
            waiting: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    /// Takes a block; appends to `out` what is ready.
    pub(super) fn push(&mut self, block: &[f32], out: &mut Vec<f32>) -> Result<()> {
        let _span = tracing::info_span!("resample").entered();
        self.taken += block.len() as u64;
        self.waiting.extend_from_slice(block);
        let mut at = 0;
        while self.waiting.len() - at >= self.fft.input_frames_next() {
            let n = self.fft.input_frames_next();
            self.chunk_from(at, n, u64::MAX, out)?;
            at += n;
        }
        self.waiting.drain(..at);
        Ok(())
    }

    /// The end of the input: appends the rest.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) -> Result<()> {
        let (from, to) = (u128::from(self.from), u128::from(self.to));
        let due = ((u128::from(self.taken) * to + from / 2) / from) as u64;
        let mut rest = self.waiting.len();
        while self.given < due {
            self.chunk_from(0, rest, due, out)?;
            rest = 0;
        }
        self.waiting.clear();
        Ok(())
    }

    /// Puts `n` waiting samples from `at` (silence for what misses of a chunk) through the filter;
    /// appends what comes out, to `due` samples in all.
    fn chunk_from(&mut self, at: usize, n: usize, due: u64, out: &mut Vec<f32>) -> Result<()> {
        let whole = self.fft.input_frames_next();
        let mut padded;
        let input = match n == whole {
            true => &self.waiting[at..at + n],
            false => {
                padded = self.waiting[at..at + n].to_vec();
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
        let skip = self.early.min(made);
        self.early -= skip;
        let keep = ((made - skip) as u64).min(due - self.given) as usize;
        out.extend_from_slice(&self.chunk[skip..skip + keep]);
        self.given += keep as u64;
        Ok(())
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}
