//! The front end: each preset with each kernel, f16, and a clip alone and in a batch.

use std::sync::Arc;

use wgpu::Features;

use super::comparison::{Case, CheckError, Comparison, Part, of_largest, read};
use super::{Scope, signal};
use crate::frontend::config::{Compression, FrontEndConfig, Size};
use crate::frontend::gpu::kernels::StftKernel;
use crate::frontend::gpu::plan::{Limits, Plan};
use crate::frontend::{FrontEnd, NO_VALUE, Spectrogram, presets};
use crate::gpu::{Compute, Gpu};

/// Cells at most so far below the loudest of their frame are compared, in dB.
const COMPARED_RANGE_DB: f32 = 60.0;
/// The largest difference of decibels in those cells. f32 has a hundredth of it.
const TOLERANCE_DB: f64 = 0.1;
/// The same for logarithms to the base 10 of 1 and more.
const TOLERANCE_LOG: f64 = 1e-3;
/// The presets that the built-in models and `train` use first.
const SHORT: [&str; 2] = ["musicnn", "mel"];

const REFERENCE: &str = "the CPU reference";

pub(super) fn cases(gpu: &Arc<Gpu>, scope: Scope) -> Vec<Case<'_>> {
    let limits = Limits::from(gpu.as_ref());
    let mut all = Vec::new();
    for name in presets::names() {
        let n_fft = config(name).n_fft;
        let kernels = match scope {
            Scope::Whole => Plan::possible(n_fft, &limits),
            Scope::Short if SHORT.contains(&name) => vec![Plan::choose_kernel(n_fft, &limits)],
            Scope::Short => continue,
        };
        let kernels = kernels.into_iter().filter(|kernel| kernel.accurate());
        for kernel in kernels {
            all.push(case(name, config(name), kernel, gpu));
            if scope == Scope::Whole && name == "mel" {
                all.push(case("mel, frames apart", apart(), kernel, gpu));
            }
        }
        if scope == Scope::Whole {
            all.push(alone(name, gpu));
            if gpu.device.features().contains(Features::SHADER_F16) {
                all.push(half(name, gpu));
            }
        }
    }
    all
}

/// Returns a preset with small clips and images.
fn config(name: &str) -> FrontEndConfig {
    let size = Size {
        height: 40,
        width: 56,
    };
    let preset = presets::preset(name).expect("one of the presets' own names");
    preset.with_clip_seconds(1.5).with_image_size(Some(size))
}

/// Returns the preset mel with frames that do not overlap: what is loud in one of them must leave no
/// trace in the next.
pub(super) fn apart() -> FrontEndConfig {
    let mel = config("mel");
    FrontEndConfig {
        hop: mel.n_fft,
        ..mel
    }
}

/// Compares the spectrograms of a configuration and a kernel.
pub(super) fn case<'a>(
    name: &'static str,
    config: FrontEndConfig,
    kernel: StftKernel,
    gpu: &'a Arc<Gpu>,
) -> Case<'a> {
    let (tolerance, unit) = match config.compression {
        Compression::Log { .. } => (TOLERANCE_LOG, "log10"),
        _ => (TOLERANCE_DB, "dB"),
    };
    let what = format!("front end {name}, kernel {kernel}");
    let part = Part::FrontEnd(kernel);
    Comparison::of(part, what, REFERENCE, tolerance, unit).by(move || {
        let clips: Vec<_> = (1..=3)
            .map(|s| signal::clip(config.clip_samples, s))
            .collect();
        let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
        let gpu = FrontEnd::with_kernel(&Compute::Gpu(gpu.clone()), &config, kernel)?;
        let cpu = FrontEnd::new(&Compute::Cpu, &config)?;
        let (got, want) = (
            gpu.spectrograms(&clips, &[])?,
            cpu.spectrograms(&clips, &[])?,
        );
        let pairs = got.iter().zip(&want);
        let range = match config.compression {
            Compression::Log { .. } => f32::INFINITY,
            _ => COMPARED_RANGE_DB,
        };
        Ok(pairs.map(|(g, w)| furthest(g, w, range)).fold(0.0, worse))
    })
}

/// Returns the largest difference in cells that are at most `range` below the largest value of
/// their frame.
fn furthest(got: &Spectrogram, want: &Spectrogram, range: f32) -> f64 {
    if got.values.len() != want.values.len() {
        return f64::INFINITY;
    }
    let frames = got
        .values
        .chunks(got.rows)
        .zip(want.values.chunks(want.rows));
    let of_frame = |(got, want): (&[f32], &[f32])| {
        let loudest = want.iter().copied().fold(NO_VALUE, f32::max);
        let compared = |w: f32| w != NO_VALUE && w >= loudest - range;
        let pairs = got.iter().zip(want).filter(|(_, w)| compared(**w));
        pairs
            .map(|(g, w)| f64::from((g - w).abs()))
            .fold(0.0, worse)
    };
    frames.map(of_frame).fold(0.0, worse)
}

/// Returns the larger number, or NaN if one is.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// Compares a clip alone with the same clip in a batch, bit by bit.
fn alone<'a>(name: &'static str, gpu: &'a Arc<Gpu>) -> Case<'a> {
    let what = format!("front end {name}, a clip alone");
    let against = "the same clip in a batch";
    Comparison::of(Part::Batches, what, against, 0.0, "values that differ").by(move || {
        let config = config(name);
        let clips: Vec<_> = (1..=5)
            .map(|s| signal::clip(config.clip_samples, s))
            .collect();
        let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
        let front_end = FrontEnd::new(&Compute::Gpu(gpu.clone()), &config)?;
        let together = read(front_end.features(&clips)?)?;
        let mut differ = 0usize;
        for (clip, want) in clips
            .iter()
            .zip(together.chunks(together.len() / clips.len()))
        {
            let got = read(front_end.features(&[clip])?)?;
            let pairs = got.iter().zip(want);
            differ += pairs.filter(|(g, w)| g.to_bits() != w.to_bits()).count();
        }
        Ok(differ as f64)
    })
}

/// Compares features of f16 with those of f32.
fn half<'a>(name: &'static str, gpu: &'a Arc<Gpu>) -> Case<'a> {
    let what = format!("front end {name}, f16");
    let (against, unit) = ("f32 on the same device", "of the largest value");
    Comparison::of(Part::Half, what, against, 1e-3, unit).by(move || {
        let config = config(name);
        let clip = signal::clip(config.clip_samples, 1);
        let whole = FrontEnd::new(&Compute::Gpu(gpu.clone()), &config)?;
        let want = read(whole.features(&[&clip])?)?;
        let got = read(whole.into_half()?.features(&[&clip])?)?;
        Ok::<_, CheckError>(of_largest(&got, &want))
    })
}
