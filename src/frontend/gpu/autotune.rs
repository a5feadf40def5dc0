//! Measures which STFT kernel is the fastest on this very adapter.
//!
//! Only kernels that pass the accuracy tests are candidates; the choice affects speed, not results.

use std::path::PathBuf;
use std::time::Duration;

use super::kernels::StftKernel;
use super::plan::{Limits, Plan};
use super::{GpuFrontEnd, kernel_cache};
use crate::frontend::config::FrontEndConfig;
use crate::frontend::{FrontEndError, presets};
use crate::gpu::Gpu;

/// The time that one kernel took.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelTime {
    /// The kernel.
    pub kernel: StftKernel,
    /// Median time of the STFT pass.
    pub time: Duration,
}

/// The measurement of all candidates for one configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// The candidates, fastest first.
    pub times: Vec<KernelTime>,
    /// The file that now holds the choice, or why it holds for this process only.
    pub kept: Result<PathBuf, String>,
}

/// Measures every accurate kernel that can run `config` on `gpu`, on a few clips of noise, and
/// keeps the fastest for front ends that are made later.
///
/// # Errors
/// If the configuration is wrong or the device fails.
pub fn tune(gpu: &Gpu, config: &FrontEndConfig) -> Result<Tuned, FrontEndError> {
    const CLIPS: usize = 4;
    const RUNS: usize = 5;
    config.validate()?;
    let clip: Vec<f32> = (0..config.clip_samples as u32)
        .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 24) as f32 - 0.5)
        .collect();
    let clips = [clip.as_slice(); CLIPS];
    let mut times = Vec::new();
    for kernel in Plan::possible(config.n_fft, &Limits::from(gpu)) {
        if !kernel.accurate() {
            continue;
        }
        let runs = GpuFrontEnd::with_kernel(gpu, config, kernel)?.measure(&clips, RUNS)?;
        let mut stft: Vec<Duration> = runs
            .iter()
            .map(|t| t.passes.first().copied().unwrap_or(t.wall))
            .collect();
        stft.sort();
        times.push(KernelTime {
            kernel,
            time: stft[RUNS / 2],
        });
    }
    times.sort_by_key(|t| t.time);
    let kept = match times.first() {
        Some(fastest) => kernel_cache::keep(gpu, config, fastest.kernel),
        None => Err("no kernel can run this configuration".into()),
    };
    Ok(Tuned { times, kept })
}

/// Measures for each preset.
///
/// # Errors
/// As [`tune`].
pub fn tune_presets(gpu: &Gpu) -> Result<Vec<(FrontEndConfig, Tuned)>, FrontEndError> {
    [presets::deeppixel(), presets::mel()]
        .into_iter()
        .map(|config| Ok((config.clone(), tune(gpu, &config)?)))
        .collect()
}
