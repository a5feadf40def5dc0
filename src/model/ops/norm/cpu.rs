//! Batch normalization and its gradients on the CPU, with planes (one channel of one image) side by
//! side on all cores.
//!
//! The order of each sum is independent of the number of cores.

use rayon::prelude::*;

/// Returns the mean and the biased variance of each channel: `[2, channels]`.
///
/// The moments of the planes are combined by the formula of Chan, Golub and LeVeque (1979), which
/// does not subtract one large number from another.
pub fn moments(x: &[f32], channels: usize, plane: usize) -> Vec<f32> {
    let planes: Vec<(f64, f64)> = x
        .par_chunks(plane)
        .map(|x| {
            let mean = sum(x, |x| x) / plane as f64;
            let shift = mean as f32;
            let squares = sum(x, |x| (x - shift) * (x - shift));
            (
                mean,
                squares - plane as f64 * (mean - f64::from(shift)).powi(2),
            )
        })
        .collect();
    let n = planes.len() / channels.max(1);
    let mut out = vec![0.0; 2 * channels];
    for c in 0..channels {
        let of_channel = || planes.iter().skip(c).step_by(channels);
        let mean = of_channel().map(|p| p.0).sum::<f64>() / n as f64;
        let within = of_channel().map(|p| p.1).sum::<f64>() / plane as f64;
        let between = of_channel().map(|p| (p.0 - mean).powi(2)).sum::<f64>();
        out[c] = mean as f32;
        out[channels + c] = ((within + between) / n as f64).max(0.0) as f32;
    }
    out
}

/// Whitens a channel: `x -> (x - mean) * scale`.
#[derive(Clone, Copy)]
struct Whitening {
    mean: f32,
    scale: f32,
}

/// Returns the whitening of each channel.
fn whitenings(moments: &[f32], epsilon: f64) -> Vec<Whitening> {
    let (mean, variance) = moments.split_at(moments.len() / 2);
    let whitening = |(&mean, v): (&f32, &f32)| Whitening {
        mean,
        scale: (1.0 / (f64::from(*v) + epsilon).sqrt()) as f32,
    };
    mean.iter().zip(variance).map(whitening).collect()
}

/// Normalizes `x`, `[n, channels, plane]`, scales it by `gamma` and shifts it by `beta`. Then
/// applies a ReLU if `rectify`.
pub fn forward(
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    moments: &[f32],
    plane: usize,
    epsilon: f64,
    rectify: bool,
) -> Vec<f32> {
    let (white, channels) = (whitenings(moments, epsilon), gamma.len());
    let least = if rectify { 0.0 } else { f32::NEG_INFINITY };
    let mut out = vec![0.0; x.len()];
    let planes = out.par_chunks_mut(plane).zip(x.par_chunks(plane));
    planes.enumerate().for_each(|(i, (out, x))| {
        let c = i % channels;
        let (mean, scale, shift) = (white[c].mean, gamma[c] * white[c].scale, beta[c]);
        for (out, x) in out.iter_mut().zip(x) {
            *out = ((x - mean) * scale + shift).max(least);
        }
    });
    out
}

/// Computes the gradients of the `x`, `gamma` and `beta` of [`forward`] from that of its result.
///
/// If `learned`, the moments are those of `x`: they depend on it, and the gradient accounts for
/// that. Otherwise they are constants.
pub fn backward(
    x: &[f32],
    (gamma, beta): (&[f32], &[f32]),
    moments: &[f32],
    gradient: &[f32],
    plane: usize,
    epsilon: f64,
    rectify: bool,
    learned: bool,
) -> [Vec<f32>; 3] {
    let (white, channels) = (whitenings(moments, epsilon), gamma.len());
    // Returns the gradient that passes the ReLU, and the normalized x.
    let through = |c: usize| {
        let (white, gamma, beta) = (white[c], gamma[c], beta[c]);
        move |x: f32, g: f32| {
            let x = (x - white.mean) * white.scale;
            let open = !rectify || x * gamma + beta > 0.0;
            (if open { g } else { 0.0 }, x)
        }
    };
    let planes: Vec<(f64, f64)> = x
        .par_chunks(plane)
        .zip(gradient.par_chunks(plane))
        .enumerate()
        .map(|(i, (x, g))| {
            let through = through(i % channels);
            sums(x, g, |x, g| {
                let (g, x) = through(x, g);
                (g, g * x)
            })
        })
        .collect();
    let mut totals = vec![(0.0f64, 0.0f64); channels];
    for (i, (g, gx)) in planes.iter().enumerate() {
        let total = &mut totals[i % channels];
        *total = (total.0 + g, total.1 + gx);
    }
    let count = (x.len() / channels.max(1)) as f64;
    let mut for_x = vec![0.0; x.len()];
    let planes = for_x.par_chunks_mut(plane).zip(x.par_chunks(plane));
    let planes = planes.zip(gradient.par_chunks(plane)).enumerate();
    planes.for_each(|(i, ((out, x), g))| {
        let c = i % channels;
        let through = through(c);
        let (mean, slope) = match learned {
            true => (totals[c].0 / count, totals[c].1 / count),
            false => (0.0, 0.0),
        };
        let (mean, slope) = (mean as f32, slope as f32);
        let scale = gamma[c] * white[c].scale;
        for ((out, x), g) in out.iter_mut().zip(x).zip(g) {
            let (g, x) = through(*x, *g);
            *out = scale * (g - mean - x * slope);
        }
    });
    [
        for_x,
        totals.iter().map(|t| t.1 as f32).collect(),
        totals.iter().map(|t| t.0 as f32).collect(),
    ]
}

/// The number of partial sums side by side, which lets the compiler use vectors.
const LANES: usize = 16;

fn sum(x: &[f32], value: impl Fn(f32) -> f32) -> f64 {
    sums(x, x, |x, _| (value(x), 0.0)).0
}

/// Sums both values over two slices of the same length.
fn sums(x: &[f32], y: &[f32], values: impl Fn(f32, f32) -> (f32, f32)) -> (f64, f64) {
    let mut total = (0.0f64, 0.0f64);
    // Adds a few thousand values in f32, and their sums in f64.
    for (x, y) in x.chunks(4096).zip(y.chunks(4096)) {
        let (mut first, mut second) = ([0.0f32; LANES], [0.0f32; LANES]);
        let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
        let rest = xs.remainder().iter().zip(ys.remainder());
        for (x, y) in rest {
            let (a, b) = values(*x, *y);
            total = (total.0 + f64::from(a), total.1 + f64::from(b));
        }
        for (x, y) in xs.zip(ys) {
            for lane in 0..LANES {
                let (a, b) = values(x[lane], y[lane]);
                first[lane] += a;
                second[lane] += b;
            }
        }
        let add = |lanes: [f32; LANES]| lanes.iter().map(|&v| f64::from(v)).sum::<f64>();
        total = (total.0 + add(first), total.1 + add(second));
    }
    total
}
