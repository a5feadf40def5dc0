//! PCM to spectrogram. CPU implementation of `shaders/frontend/stft.wgsl`.

use std::sync::Arc;

use rayon::prelude::*;
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};

use super::compress::compress;
use crate::frontend::augment::Waveform;
use crate::frontend::config::{Framing, FrontEndConfig, Rows};
use crate::frontend::spectrogram::NO_VALUE;
use crate::frontend::tables::Tables;

/// The pass, planned for one configuration.
pub struct Stft {
    fft: Arc<dyn RealToComplex<f32>>,
}

/// The buffers of one worker.
struct FrameBuffers {
    frame: Vec<f32>,
    spectrum: Vec<Complex<f32>>,
    fft_scratch: Vec<Complex<f32>>,
    power: Vec<f32>,
}

impl Stft {
    /// Plans the transform of a validated configuration.
    pub fn new(config: &FrontEndConfig) -> Self {
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(config.n_fft),
        }
    }

    /// Writes the spectrogram of one clip into `out`, `[frame][row]`. Returns the clip's smallest
    /// and largest value, or `None` if no cell has one.
    ///
    /// `pcm` has `clip_samples` samples, to which [`Waveform::apply`] has been applied; the tempo,
    /// pitch and filter of `waveform` are applied here.
    pub fn run(
        &self,
        config: &FrontEndConfig,
        tables: &Tables,
        pcm: &[f32],
        waveform: &Waveform,
        out: &mut [f32],
    ) -> Option<(f32, f32)> {
        let rows = config.rows();
        let factors = waveform.row_factors(rows);
        let buffers = || FrameBuffers {
            frame: self.fft.make_input_vec(),
            spectrum: self.fft.make_output_vec(),
            fft_scratch: self.fft.make_scratch_vec(),
            power: vec![0.0; config.bins()],
        };
        out.par_chunks_mut(rows)
            .enumerate()
            .map_init(buffers, |buffers, (frame, out)| {
                gather(config, pcm, waveform, frame, &mut buffers.frame);
                self.power(tables, buffers);
                cells(config, tables, &buffers.power, factors.as_deref(), out)
            })
            .reduce(|| None, widen)
    }

    /// Windows and transforms `buffers.frame`, and leaves the scaled powers in `buffers.power`.
    fn power(&self, t: &Tables, buffers: &mut FrameBuffers) {
        for (x, w) in buffers.frame.iter_mut().zip(&t.window) {
            *x *= w;
        }
        self.fft
            .process_with_scratch(
                &mut buffers.frame,
                &mut buffers.spectrum,
                &mut buffers.fft_scratch,
            )
            .expect("the buffers were made by this transform");
        for (p, z) in buffers.power.iter_mut().zip(&buffers.spectrum) {
            *p = z.norm_sqr() * t.inner_scale;
        }
        let last = buffers.power.len() - 1;
        for k in [0, last] {
            buffers.power[k] = buffers.spectrum[k].norm_sqr() * t.edge_scale;
        }
    }
}

/// Copies the samples of frame `frame` into `out`, before windowing.
fn gather(
    config: &FrontEndConfig,
    pcm: &[f32],
    waveform: &Waveform,
    frame: usize,
    out: &mut [f32],
) {
    let lead = config.lead();
    let start = waveform.frame_start(frame * config.hop, pcm.len()) as isize - lead as isize;
    let n = pcm.len() as isize;
    if waveform.pitch != 1.0 {
        let half = (out.len() / 2) as isize;
        for (i, x) in (-half..).zip(out) {
            let away = i as f32 * waveform.pitch;
            let (at, between) = (start + half + away.floor() as isize, away - away.floor());
            let value = |at| value(config, pcm, at);
            *x = value(at) * (1.0 - between) + value(at + 1) * between;
        }
        return;
    }
    if start >= 0 && start + out.len() as isize <= n {
        out.copy_from_slice(&pcm[start as usize..][..out.len()]);
        return;
    }
    for (i, x) in (start..).zip(out) {
        *x = value(config, pcm, i);
    }
}

/// Returns sample `at` of the clip, or of what surrounds it.
fn value(config: &FrontEndConfig, pcm: &[f32], mut at: isize) -> f32 {
    let n = pcm.len() as isize;
    if config.framing == Framing::CenterReflect {
        at = at.abs();
        if at >= n {
            at = 2 * (n - 1) - at;
        }
    }
    let inside = usize::try_from(at).ok().and_then(|at| pcm.get(at));
    inside.copied().unwrap_or(0.0)
}

/// Writes the values of one frame into `out` and returns their range.
fn cells(
    config: &FrontEndConfig,
    tables: &Tables,
    power: &[f32],
    factors: Option<&[f32]>,
    out: &mut [f32],
) -> Option<(f32, f32)> {
    match config.rows {
        Rows::Linear => out.copy_from_slice(power),
        Rows::Mel { .. } => {
            for (row, v) in out.iter_mut().enumerate() {
                *v = tables.mel.dot(row, power);
            }
        }
    }
    for (v, factor) in out.iter_mut().zip(factors.unwrap_or_default()) {
        *v *= factor;
    }
    compress(config.compression, out);
    out.iter()
        .filter(|&&v| v != NO_VALUE)
        .fold(None, |range, &v| widen(range, Some((v, v))))
}

/// Returns the union of two ranges. The order does not matter, and therefore neither does the
/// number of workers.
fn widen(a: Option<(f32, f32)>, b: Option<(f32, f32)>) -> Option<(f32, f32)> {
    match (a, b) {
        (Some((a0, a1)), Some((b0, b1))) => Some((a0.min(b0), a1.max(b1))),
        (one, other) => one.or(other),
    }
}
