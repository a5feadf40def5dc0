//! What the device reaches at most: bytes per second of a kernel that only copies, and operations
//! per second of a kernel that only multiplies and adds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use macerator::{AutoArch, Scalar, Simd, WithSimd};

use super::dispatch::{Dispatch, time};
use super::record::Stat;
use crate::gpu::timing::Clock;
use crate::gpu::{Compute, Gpu, GpuError};

/// Bytes copied. They are more than caches hold.
const COPIED_BYTES: u64 = 64 << 20;

/// Measures a copy: gigabytes per second, read and written, from the median of `runs`.
pub(super) fn copy(compute: &Compute, runs: usize) -> Result<f64, GpuError> {
    let (bytes, times) = match compute {
        Compute::Gpu(gpu) => copy_on_gpu(gpu, runs)?,
        Compute::Cpu => (COPIED_BYTES, copy_on_cpu(runs)),
    };
    Ok(2.0 * bytes as f64 / 1e9 / Stat::of(times).median)
}

fn copy_on_cpu(runs: usize) -> Vec<Duration> {
    use rayon::prelude::*;
    let source = vec![1.0f32; COPIED_BYTES as usize / 4];
    let mut target = vec![0.0f32; source.len()];
    let chunk = source.len().div_ceil(rayon::current_num_threads());
    let mut run = || {
        let start = Instant::now();
        let parts = target.par_chunks_mut(chunk).zip(source.par_chunks(chunk));
        parts.for_each(|(to, from)| to.copy_from_slice(from));
        start.elapsed()
    };
    run(); // warms up
    (0..runs).map(|_| run()).collect()
}

/// Returns the bytes copied, which the device may limit, and the times.
fn copy_on_gpu(gpu: &Gpu, runs: usize) -> Result<(u64, Vec<Duration>), GpuError> {
    let bytes = COPIED_BYTES.min(gpu.limits.max_storage_buffer_binding_size);
    let (source, target) = (gpu.storage("source", bytes), gpu.storage("target", bytes));
    let wgsl = include_str!("../../shaders/baselines/copy.wgsl");
    let pipeline = gpu.pipeline(&gpu.module("copy", wgsl), "copy", &[]);
    let groups = (bytes / 16).div_ceil(256) as u32;
    let wide = groups.min(1 << 15);
    let dispatch = Dispatch {
        bind_group: gpu.bind_buffers(&pipeline, &[&source, &target]),
        pipeline,
        workgroups: [wide, groups.div_ceil(wide), 1],
    };
    Ok((bytes, repeat(gpu, dispatch, runs)?))
}

/// Returns the times of `runs` dispatches, after one that warms up.
fn repeat(gpu: &Gpu, dispatch: Dispatch, runs: usize) -> Result<Vec<Duration>, GpuError> {
    let clock = Clock::new(gpu, 1);
    let run = || time(&clock, std::slice::from_ref(&dispatch));
    run()?;
    (0..runs).map(|_| run()).collect()
}

/// Multiply-adds per invocation of `shaders/baselines/fma.wgsl`.
const FMAS_PER_INVOCATION: u32 = 8 * 4 * 256;
/// Invocations of `shaders/baselines/fma.wgsl`, in workgroups of 64.
const FMA_INVOCATIONS: u32 = 64 << 12;

/// Measures fused multiply-adds in registers: GFLOPS (two operations each), from the median of
/// `runs`.
pub(super) fn multiply_add(compute: &Compute, runs: usize) -> Result<f64, GpuError> {
    match compute {
        Compute::Gpu(gpu) => multiply_add_on_gpu(gpu, runs),
        Compute::Cpu => Ok(multiply_add_on_cpu(runs)),
    }
}

/// Independent chains of multiply-adds: enough for two units of a latency of four cycles.
const CHAINS: usize = 12;
/// Multiply-adds per chain and run.
const CHAIN_LEN: usize = 4 << 20;

/// One run of the chains on one thread, in the vectors that our kernels use.
struct Chains;

impl WithSimd for Chains {
    /// Lanes per vector.
    type Output = usize;

    #[inline(always)]
    fn with_simd<S: Simd>(self) -> usize {
        let [factor, summand] = [0.999, 1e-6].map(|v: f32| black_box(v).splat::<S>());
        let mut sums = [1f32.splat::<S>(); CHAINS];
        for _ in 0..CHAIN_LEN {
            for sum in &mut sums {
                *sum = sum.mul_add(factor, summand);
            }
        }
        black_box(sums);
        f32::lanes::<S>()
    }
}

fn multiply_add_on_cpu(runs: usize) -> f64 {
    let run = || {
        let start = Instant::now();
        let lanes = rayon::broadcast(|_| AutoArch::new().dispatch(Chains));
        let flops = 2 * CHAINS * CHAIN_LEN * lanes.iter().sum::<usize>();
        (start.elapsed(), flops as f64)
    };
    let (_, flops) = run(); // warms up
    let times = (0..runs).map(|_| run().0);
    flops / 1e9 / Stat::of(times).median
}

fn multiply_add_on_gpu(gpu: &Gpu, runs: usize) -> Result<f64, GpuError> {
    let out = gpu.storage("sums", u64::from(FMA_INVOCATIONS) * 4);
    let wgsl = include_str!("../../shaders/baselines/fma.wgsl");
    let pipeline = gpu.pipeline(&gpu.module("fma", wgsl), "multiply_add", &[]);
    let dispatch = Dispatch {
        bind_group: gpu.bind_buffers(&pipeline, &[&out]),
        pipeline,
        workgroups: [FMA_INVOCATIONS / 64, 1, 1],
    };
    let times = repeat(gpu, dispatch, runs)?;
    let flops = 2.0 * f64::from(FMAS_PER_INVOCATION) * f64::from(FMA_INVOCATIONS);
    Ok(flops / 1e9 / Stat::of(times).median)
}
