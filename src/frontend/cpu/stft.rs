//! PCM to decibels. Twin of `shaders/frontend/stft.wgsl`.

use std::sync::Arc;

use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::NO_VALUE;
use crate::frontend::augment::Waveform;
use crate::frontend::config::{Compression, Framing, FrontEndConfig, Rows};
use crate::frontend::tables::Tables;

/// Decibels of a doubling of power.
const DB_PER_LOG2: f32 = 10.0 * std::f32::consts::LOG10_2;

/// The pass, planned for one set of settings.
pub struct Stft {
    fft: Arc<dyn RealToComplex<f32>>,
}

/// What one worker writes into.
struct Scratch {
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    fft: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Stft {
    /// Plans the transform of validated settings.
    pub fn new(settings: &FrontEndConfig) -> Self {
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(settings.n_fft),
        }
    }

    /// Decibels of one clip, `[frame][row]`, into `db`; returns the clip's smallest and largest value, or `None` if no
    /// cell has one. `pcm` has `clip_samples` samples, to which [`Waveform::apply`] has been done; the tempo, pitch and
    /// filter of `waveform` are done here.
    pub fn run(
        &self,
        settings: &FrontEndConfig,
        tables: &Tables,
        pcm: &[f32],
        waveform: &Waveform,
        db: &mut [f32],
    ) -> Option<(f32, f32)> {
        let rows = settings.rows();
        let factors = waveform.row_factors(rows);
        let scratch = || Scratch {
            frame: self.fft.make_input_vec(),
            spectrum: self.fft.make_output_vec(),
            fft: self.fft.make_scratch_vec(),
            power: vec![0.0; settings.bins()],
        };
        db.par_chunks_mut(rows)
            .enumerate()
            .map_init(scratch, |scratch, (frame, out)| {
                gather(settings, pcm, waveform, frame, &mut scratch.frame);
                self.power(tables, scratch);
                decibels(settings, tables, &scratch.power, factors.as_deref(), out)
            })
            .reduce(|| None, widen)
    }

    fn power(&self, t: &Tables, scratch: &mut Scratch) {
        for (x, w) in scratch.frame.iter_mut().zip(&t.window) {
            *x *= w;
        }
        self.fft
            .process_with_scratch(&mut scratch.frame, &mut scratch.spectrum, &mut scratch.fft)
            .expect("the buffers were made by this transform");
        for (p, z) in scratch.power.iter_mut().zip(&scratch.spectrum) {
            *p = z.norm_sqr() * t.inner_scale;
        }
        let last = scratch.power.len() - 1;
        for k in [0, last] {
            scratch.power[k] = scratch.spectrum[k].norm_sqr() * t.edge_scale;
        }
    }
}

/// The samples of frame `frame`, before windowing.
fn gather(
    settings: &FrontEndConfig,
    pcm: &[f32],
    waveform: &Waveform,
    frame: usize,
    out: &mut [f32],
) {
    let lead = match settings.framing {
        Framing::Start => 0,
        Framing::CenterZeros | Framing::CenterReflect => settings.n_fft / 2,
    };
    let start = waveform.frame_start(frame * settings.hop, pcm.len()) as isize - lead as isize;
    let n = pcm.len() as isize;
    if waveform.pitch != 1.0 {
        let half = (out.len() / 2) as isize;
        for (i, x) in (-half..).zip(out) {
            let away = i as f32 * waveform.pitch;
            let (at, between) = (start + half + away.floor() as isize, away - away.floor());
            let value = |at| value(settings, pcm, at);
            *x = value(at) * (1.0 - between) + value(at + 1) * between;
        }
        return;
    }
    if start >= 0 && start + out.len() as isize <= n {
        out.copy_from_slice(&pcm[start as usize..][..out.len()]);
        return;
    }
    for (i, x) in (start..).zip(out) {
        *x = value(settings, pcm, i);
    }
}

/// Sample `at` of the clip, or of its surroundings.
fn value(settings: &FrontEndConfig, pcm: &[f32], mut at: isize) -> f32 {
    let n = pcm.len() as isize;
    if settings.framing == Framing::CenterReflect {
        at = at.abs();
        if at >= n {
            at = 2 * (n - 1) - at;
        }
    }
    let inside = usize::try_from(at).ok().and_then(|at| pcm.get(at));
    inside.copied().unwrap_or(0.0)
}

fn decibels(
    settings: &FrontEndConfig,
    tables: &Tables,
    power: &[f32],
    factors: Option<&[f32]>,
    out: &mut [f32],
) -> Option<(f32, f32)> {
    let amin = match settings.compression {
        Compression::Floor { amin } => amin as f32,
        _ => 0.0,
    };
    let db = |p: f32| {
        let p = p.max(amin);
        if p < f32::MIN_POSITIVE {
            NO_VALUE
        } else {
            log2(p) * DB_PER_LOG2
        }
    };
    match settings.rows {
        Rows::Linear => {
            out.copy_from_slice(power);
        }
        Rows::Mel { .. } => {
            for (row, v) in out.iter_mut().enumerate() {
                *v = tables.mel.dot(row, power);
            }
        }
    }
    for (v, factor) in out.iter_mut().zip(factors.unwrap_or_default()) {
        *v *= factor;
    }
    out.iter_mut().for_each(|v| *v = db(*v));
    out.iter()
        .filter(|&&v| v != NO_VALUE)
        .fold(None, |range, &v| widen(range, Some((v, v))))
}

/// The binary logarithm of a normal positive number, within 3e-7 of it or, over 2, of its last place: without a call or a
/// branch, so that the compiler may use vectors.
///
/// The number is halved until it lies in sqrt(1/2)..sqrt(2), and there ln(m) = 2 atanh((m - 1) / (m + 1)).
fn log2(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let halvings = x.to_bits().wrapping_sub(SQRT_HALF) as i32 >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((halvings << 23) as u32));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    // 2 / ln 2 times 1, 1/3, 1/5, 1/7, 1/9.
    let series =
        2.885_39 + z * (0.961_796_7 + z * (0.577_078_04 + z * (0.412_198_6 + z * 0.320_598_9)));
    halvings as f32 + s * series
}

/// The union of two ranges. Order does not matter, so neither does the number of workers.
fn widen(a: Option<(f32, f32)>, b: Option<(f32, f32)>) -> Option<(f32, f32)> {
    match (a, b) {
        (Some((a0, a1)), Some((b0, b1))) => Some((a0.min(b0), a1.max(b1))),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::log2;

    #[test]
    fn log2_is_the_logarithm() {
        let mut worst = 0.0f64;
        for bits in (f32::MIN_POSITIVE.to_bits()..f32::MAX.to_bits()).step_by(9_973) {
            let x = f32::from_bits(bits);
            let want = f64::from(x).log2();
            worst = worst.max((f64::from(log2(x)) - want).abs() / want.abs().max(2.0));
        }
        assert!(worst < 1.5e-7, "{worst}");
        assert_eq!([1.0, 2.0, 0.25, 1e-10f32].map(log2)[..3], [0.0, 1.0, -2.0]);
    }
}
