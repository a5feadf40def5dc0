//! Host-side tables: window, twiddles, mel weights, resize weights, colors.
//!
//! All are computed in f64 and rounded once to f32, so that the passes on the GPU and on the CPU
//! read the same numbers.

use std::f64::consts::PI;

use bytemuck::{Pod, Zeroable};

use super::config::{FrontEndConfig, Rows, Scale, Window};

/// A matrix whose rows have few, neighboring non-zero entries: mel bands over bins, pixels over
/// rows or frames.
///
/// Row `r` is `weights[offset[r] ..][.. len[r]]`, applied to the inputs from `start[r]` on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SparseRows {
    /// First input of each row.
    pub start: Vec<u32>,
    /// Number of inputs of each row.
    pub len: Vec<u32>,
    /// Index of each row's first weight in `weights`.
    pub offset: Vec<u32>,
    /// All weights, row after row.
    pub weights: Vec<f32>,
}

impl SparseRows {
    fn push(&mut self, start: usize, weights: impl IntoIterator<Item = f64>) {
        self.start.push(start as u32);
        self.offset.push(self.weights.len() as u32);
        let before = self.weights.len();
        self.weights.extend(weights.into_iter().map(|w| w as f32));
        self.len.push((self.weights.len() - before) as u32);
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> usize {
        self.start.len()
    }

    /// Returns the inputs of row `r` with their weights.
    pub fn row(&self, r: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let (start, offset, len) = (
            self.start[r] as usize,
            self.offset[r] as usize,
            self.len[r] as usize,
        );
        (start..).zip(self.weights[offset..offset + len].iter().copied())
    }

    /// Returns the weighted sum of row `r` over `inputs`, as several sums side by side, so that the
    /// compiler can use vectors.
    pub fn dot(&self, r: usize, inputs: &[f32]) -> f32 {
        const LANES: usize = 16;
        let (start, offset) = (self.start[r] as usize, self.offset[r] as usize);
        let len = self.len[r] as usize;
        let weights = self.weights[offset..offset + len].chunks_exact(LANES);
        let inputs = inputs[start..start + len].chunks_exact(LANES);
        let rest = weights.remainder().iter().zip(inputs.remainder());
        let rest: f32 = rest.map(|(w, x)| w * x).sum();
        let mut lanes = [0.0f32; LANES];
        for (w, x) in weights.zip(inputs) {
            for (lane, (w, x)) in lanes.iter_mut().zip(w.iter().zip(x)) {
                *lane += w * x;
            }
        }
        lanes.iter().sum::<f32>() + rest
    }

    /// Returns a resize as `shaders/frontend/rgba.wgsl` reads it: the cells of each row with the
    /// first and the last weight, and the weight that all cells between share.
    pub fn cell_spans(&self) -> (Vec<CellSpan>, f32) {
        let mut inner = 0.0;
        let span = |r: usize| {
            let weights = &self.weights[self.offset[r] as usize..][..self.len[r] as usize];
            if let [_, between, _, ..] = weights {
                inner = *between;
            }
            CellSpan {
                start: self.start[r],
                len: self.len[r],
                first: weights.first().copied().unwrap_or(0.0),
                last: weights.last().copied().unwrap_or(0.0),
            }
        };
        ((0..self.rows()).map(span).collect(), inner)
    }
}

/// The cells that one pixel covers.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Pod, Zeroable)]
pub struct CellSpan {
    /// First cell.
    pub start: u32,
    /// Number of cells.
    pub len: u32,
    /// Weight of the first.
    pub first: f32,
    /// Weight of the last.
    pub last: f32,
}

/// Returns the analysis window, `n_fft` values.
pub fn window(config: &FrontEndConfig) -> Vec<f32> {
    window_f64(config.window, config.n_fft)
        .into_iter()
        .map(|w| w as f32)
        .collect()
}

fn window_f64(kind: Window, n: usize) -> Vec<f64> {
    let period = match kind {
        Window::HannSymmetric => n - 1,
        Window::HannPeriodic => n,
    } as f64;
    (0..n)
        .map(|i| 0.5 - 0.5 * (2.0 * PI * i as f64 / period).cos())
        .collect()
}

/// Returns the factors of the power of an edge bin (DC, Nyquist) and of every other bin.
pub fn bin_scale(config: &FrontEndConfig) -> (f32, f32) {
    match config.scale {
        Scale::Power => (1.0, 1.0),
        Scale::Psd { fs } => {
            let energy: f64 = window_f64(config.window, config.n_fft)
                .iter()
                .map(|w| w * w)
                .sum();
            let edge = 1.0 / (fs * energy);
            (edge as f32, (2.0 * edge) as f32)
        }
    }
}

/// Returns `exp(-2 pi i k / n)` for `k` in `0..n`, as `[re, im]`: the twiddles of every transform
/// whose length divides `n`.
pub fn twiddles(n: usize) -> Vec<[f32; 2]> {
    (0..n)
        .map(|k| {
            let a = -2.0 * PI * k as f64 / n as f64;
            [a.cos() as f32, a.sin() as f32]
        })
        .collect()
}

/// Converts to Slaney's mel scale (Auditory Toolbox, 1998; librosa's default): linear below 1 kHz,
/// logarithmic above.
pub(super) fn hz_to_mel(hz: f64) -> f64 {
    if hz < 1000.0 {
        hz * 3.0 / 200.0
    } else {
        15.0 + (hz / 1000.0).ln() * 27.0 / 6.4f64.ln()
    }
}

fn mel_to_hz(mel: f64) -> f64 {
    if mel < 15.0 {
        mel * 200.0 / 3.0
    } else {
        1000.0 * ((mel - 15.0) * 6.4f64.ln() / 27.0).exp()
    }
}

/// Returns the mel bands over bins: triangles between neighboring mel points, each of unit area in
/// Hz (`librosa.filters.mel` with `norm="slaney"`). Empty for linear rows.
pub fn mel_weights(config: &FrontEndConfig) -> SparseRows {
    let mut out = SparseRows::default();
    let Rows::Mel {
        n_mels,
        f_min,
        f_max,
    } = config.rows
    else {
        return out;
    };
    let (lo, hi) = (hz_to_mel(f_min), hz_to_mel(f_max));
    let point = |i: usize| mel_to_hz(lo + (hi - lo) * i as f64 / (n_mels + 1) as f64);
    let bin_hz = f64::from(config.sample_rate) / config.n_fft as f64;
    for m in 0..n_mels {
        let (left, center, right) = (point(m), point(m + 1), point(m + 2));
        let weight = |k: usize| {
            let f = k as f64 * bin_hz;
            let rise = (f - left) / (center - left);
            let fall = (right - f) / (right - center);
            rise.min(fall).max(0.0) * 2.0 / (right - left)
        };
        let inside: Vec<usize> = (0..config.bins()).filter(|&k| weight(k) > 0.0).collect();
        // Narrow bands of a short transform may hold no bin at all. They stay empty, as in librosa.
        let first = inside.first().copied().unwrap_or(0);
        out.push(first, inside.iter().map(|&k| weight(k)));
    }
    out
}

/// Returns weights that resize an axis of `from` cells to `to` pixels: the mean over the cells that
/// a pixel covers when shrinking, linear interpolation between cell centers when growing, the cell
/// itself when equal. The weights of a row sum to 1.
///
/// With `flip`, pixel 0 is the far end of the axis (low frequencies at the bottom).
pub fn resize_weights(from: usize, to: usize, flip: bool) -> SparseRows {
    let mut out = SparseRows::default();
    let ratio = from as f64 / to as f64;
    for pixel in 0..to {
        let p = if flip { to - 1 - pixel } else { pixel } as f64;
        if to < from {
            let (a, b) = (p * ratio, (p + 1.0) * ratio);
            let (first, last) = (a.floor() as usize, (b.ceil() as usize).min(from));
            let share = |c: usize| ((c + 1) as f64).min(b) - (c as f64).max(a);
            // By rounding, a pixel that ends at a cell's edge may seem to cover a sliver of the
            // next.
            let cells: Vec<usize> = (first..last).filter(|&c| share(c) > 1e-9).collect();
            let sum: f64 = cells.iter().map(|&c| share(c)).sum();
            out.push(cells[0], cells.iter().map(|&c| share(c) / sum));
        } else {
            let center = ((p + 0.5) * ratio - 0.5).clamp(0.0, (from - 1) as f64);
            let (cell, t) = (center.floor() as usize, center.fract());
            if t < 1e-9 {
                out.push(cell, [1.0]);
            } else {
                out.push(cell, [1.0 - t, t]);
            }
        }
    }
    out
}

/// Mel bands ordered by bins: each bin lies between two mel points, where one band falls and the
/// next rises. Segment `s`, of `rows + 1`, holds the bins in which band `s - 1` falls and band `s`
/// rises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MelSegments {
    /// First bin after each segment.
    pub ends: Vec<u32>,
    /// Weights of each bin in the falling and in the rising band.
    pub weights: Vec<[f32; 2]>,
}

impl MelSegments {
    /// Converts `rows`, in which no more than two neighbors overlap, over `bins` bins.
    pub fn new(rows: &SparseRows, bins: usize) -> Self {
        if rows.rows() == 0 {
            return Self::default();
        }
        let mut of_bin: Vec<Vec<(usize, f32)>> = vec![Vec::new(); bins];
        for r in 0..rows.rows() {
            for (bin, weight) in rows.row(r) {
                of_bin[bin].push((r, weight));
            }
        }
        let mut ends = vec![0; rows.rows() + 1];
        let mut weights = Vec::with_capacity(bins);
        let mut segment = 0;
        for (bin, bands) in of_bin.iter().enumerate() {
            if let Some((highest, _)) = bands.last() {
                segment = segment.max(*highest);
            }
            let weight = |of: Option<usize>| {
                let found = bands.iter().find(|(r, _)| Some(*r) == of);
                found.map_or(0.0, |(_, w)| *w)
            };
            // A bin that belongs to one band only, past its peak, lies in the segment where it
            // falls.
            let alone = bands.len() == 1 && segment == bands[0].0;
            if alone && bin > 0 && past_peak(rows, bands[0].0, bin) {
                segment += 1;
            }
            weights.push([weight(segment.checked_sub(1)), weight(Some(segment))]);
            ends[segment] = bin as u32 + 1;
        }
        // Segments without a bin end where their predecessor ends.
        for s in 1..ends.len() {
            ends[s] = ends[s].max(ends[s - 1]);
        }
        Self { ends, weights }
    }
}

/// Returns whether band `r` has a larger weight in a bin before `bin`.
fn past_peak(rows: &SparseRows, r: usize, bin: usize) -> bool {
    let here = rows.row(r).find(|(b, _)| *b == bin).map_or(0.0, |(_, w)| w);
    rows.row(r).any(|(b, w)| b < bin && w > here)
}

/// All tables of one front end.
#[derive(Clone, Debug)]
pub struct Tables {
    /// `n_fft` values.
    pub window: Vec<f32>,
    /// `exp(-2 pi i k / n_fft)`, `n_fft` values.
    pub twiddles: Vec<[f32; 2]>,
    /// Scale of the power of DC and Nyquist.
    pub edge_scale: f32,
    /// Scale of the power of every other bin.
    pub inner_scale: f32,
    /// Mel bands over bins; no rows if the rows are linear.
    pub mel: SparseRows,
    /// Rows of the image over rows of the spectrogram, low frequencies at the bottom.
    pub y: SparseRows,
    /// Columns of the image over frames.
    pub x: SparseRows,
    /// Color table: 256 entries of RGBA in 0..=1.
    pub colors: Vec<[f32; 4]>,
}

impl Tables {
    /// Computes the tables of a validated configuration.
    pub fn new(config: &FrontEndConfig) -> Self {
        let size = config.image_size();
        let (edge_scale, inner_scale) = bin_scale(config);
        Self {
            window: window(config),
            twiddles: twiddles(config.n_fft),
            edge_scale,
            inner_scale,
            mel: mel_weights(config),
            y: resize_weights(config.rows(), size.height, true),
            x: resize_weights(config.frames(), size.width, false),
            colors: config.image().colormap.table(),
        }
    }
}
