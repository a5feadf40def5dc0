//! A radix-2 FFT with one dispatch per stage, in global memory:
//! `shaders/baselines/multi_pass.wgsl`.

use std::time::Duration;

use super::baseline::Baseline;
use super::buffers::{Buffers, storage};
use crate::bench::catalog::Shape;
use crate::bench::dispatch::{Dispatch, time};
use crate::bench::error::BenchError;
use crate::gpu::Gpu;

/// Invocations per workgroup in `multi_pass.wgsl`.
const WORKGROUP: u32 = 64;

/// An STFT that loads, makes each butterfly stage and stores in dispatches of their own.
pub(super) struct MultiPassStft {
    buffers: Buffers,
    dispatches: Vec<Dispatch>,
}

impl MultiPassStft {
    /// Prepares the dispatches. `None` if the points of one clip are more than the device can bind.
    ///
    /// If the points of all clips are more than the device can bind, the clips run in several
    /// groups, which share one buffer.
    pub(super) fn new(gpu: &Gpu, shape: &Shape, clips: &[Vec<f32>]) -> Option<Self> {
        let b = Buffers::new(gpu, shape, clips)?;
        let clip_bytes = u64::from(b.frames) * u64::from(b.n_fft) * 8;
        let clips_that_fit = gpu.limits.max_storage_buffer_binding_size / clip_bytes;
        let group_size = (clips_that_fit as u32).clamp(1, b.clips);
        let work = storage(gpu, u64::from(group_size) * clip_bytes)?;
        let wgsl = include_str!("../../../shaders/baselines/multi_pass.wgsl");
        let module = gpu.module("multi_pass", wgsl);
        let make = |entry_point| gpu.pipeline(&module, entry_point, &b.overrides());
        let (load, butterfly, store) = (make("load"), make("butterfly"), make("store"));
        let half_blocks: Vec<_> = (0..b.n_fft.ilog2())
            .map(|stage| gpu.uniform_of("half", bytemuck::bytes_of(&[1u32 << stage, 0, 0, 0])))
            .collect();
        let mut dispatches = Vec::new();
        for first_clip in (0..b.clips).step_by(group_size as usize) {
            let clips = group_size.min(b.clips - first_clip);
            let mut params = b.params;
            params.first_clip = first_clip;
            let params = gpu.uniform_of("params", bytemuck::bytes_of(&params));
            let mut add = |pipeline: &wgpu::ComputePipeline,
                           invocations: u32,
                           buffers: &[(u32, &wgpu::Buffer)]| {
                let bindings = buffers.iter().map(|(i, b)| (*i, b.as_entire_binding()));
                dispatches.push(Dispatch {
                    pipeline: pipeline.clone(),
                    bind_group: gpu.bind_group(pipeline, bindings),
                    workgroups: [invocations.div_ceil(WORKGROUP), b.frames, clips],
                });
            };
            let inputs = [(0, &params), (1, &b.pcm), (2, &b.window), (4, &work)];
            add(&load, b.n_fft, &inputs);
            for half in &half_blocks {
                let stage = [(0, &params), (4, &work), (5, half)];
                add(&butterfly, b.n_fft / 2, &stage);
            }
            add(&store, b.bins, &[(0, &params), (3, &b.db), (4, &work)]);
        }
        Some(Self {
            buffers: b,
            dispatches,
        })
    }
}

impl Baseline for MultiPassStft {
    fn name(&self) -> &'static str {
        "multi-pass WGSL"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        Ok(time(&self.buffers.clock, &self.dispatches)?)
    }

    fn first_decibels(&mut self) -> Result<Vec<f32>, BenchError> {
        self.buffers.first_decibels()
    }
}
