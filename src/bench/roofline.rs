//! What the device's memory gives to a kernel that does nothing but copy, and its arithmetic to one that does nothing but
//! multiply and add.

use std::time::{Duration, Instant};

use super::record::Stat;
use crate::gpu::timing::Clock;
use crate::gpu::{Compute, Gpu, GpuError};

/// Bytes copied: more than caches hold.
const BYTES: u64 = 64 << 20;

/// Gigabytes a second, read and written, median of `runs`.
pub(super) fn copy(compute: &Compute, runs: usize) -> Result<f64, GpuError> {
    let times = match compute {
        Compute::Gpu(gpu) => on_gpu(gpu, runs)?,
        Compute::Cpu => on_cpu(runs),
    };
    Ok(2.0 * BYTES as f64 / 1e9 / Stat::of(times).median)
}

fn on_cpu(runs: usize) -> Vec<Duration> {
    use rayon::prelude::*;
    let source = vec![1.0f32; BYTES as usize / 4];
    let mut target = vec![0.0f32; source.len()];
    let chunk = source.len().div_ceil(rayon::current_num_threads());
    let mut run = || {
        let start = Instant::now();
        let parts = target.par_chunks_mut(chunk).zip(source.par_chunks(chunk));
        parts.for_each(|(to, from)| to.copy_from_slice(from));
        start.elapsed()
    };
    run();
    (0..runs).map(|_| run()).collect()
}

fn on_gpu(gpu: &Gpu, runs: usize) -> Result<Vec<Duration>, GpuError> {
    let bytes = BYTES.min(gpu.limits.max_storage_buffer_binding_size);
    let (source, target) = (gpu.storage("source", bytes), gpu.storage("target", bytes));
    let module = gpu.module("copy", include_str!("../../shaders/baselines/copy.wgsl"));
    let pipeline = gpu.pipeline(&module, "copy", &[]);
    let group = gpu.bind_buffers(&pipeline, &[&source, &target]);
    let groups = (bytes / 16).div_ceil(256) as u32;
    let wide = groups.min(1 << 15);
    repeat(gpu, &pipeline, &group, [wide, groups.div_ceil(wide)], runs)
}

/// Times of `runs` dispatches, after one that warms up.
fn repeat(
    gpu: &Gpu,
    pipeline: &wgpu::ComputePipeline,
    group: &wgpu::BindGroup,
    [x, y]: [u32; 2],
    runs: usize,
) -> Result<Vec<Duration>, GpuError> {
    let clock = Clock::new(gpu, 1);
    let run = || -> Result<Duration, GpuError> {
        let times = clock.time(|encoder| {
            let mut pass = clock.pass(0, encoder);
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, group, &[]);
            pass.dispatch_workgroups(x, y, 1);
        })?;
        Ok(times.passes.first().copied().unwrap_or(times.wall))
    };
    run()?;
    (0..runs).map(|_| run()).collect()
}

/// Multiply-adds of an invocation of `shaders/baselines/fma.wgsl`, and invocations.
const EACH: u32 = 8 * 4 * 256;
const INVOCATIONS: u32 = 64 << 12;

/// GFLOPS of fused multiply-adds in registers, two operations each, median of `runs`.
pub(super) fn multiply_add(gpu: &Gpu, runs: usize) -> Result<f64, GpuError> {
    let out = gpu.storage("sums", u64::from(INVOCATIONS) * 4);
    let module = gpu.module("fma", include_str!("../../shaders/baselines/fma.wgsl"));
    let pipeline = gpu.pipeline(&module, "multiply_add", &[]);
    let group = gpu.bind_buffers(&pipeline, &[&out]);
    let times = repeat(gpu, &pipeline, &group, [INVOCATIONS / 64, 1], runs)?;
    let flops = 2.0 * f64::from(EACH) * f64::from(INVOCATIONS);
    Ok(flops / 1e9 / Stat::of(times).median)
}
