//! A radix-2 FFT in one dispatch, in workgroup memory: `shaders/baselines/naive.wgsl`.

use std::time::Duration;

use super::baseline::Baseline;
use super::buffers::Buffers;
use crate::bench::catalog::Shape;
use crate::bench::dispatch::{Dispatch, time};
use crate::bench::error::BenchError;
use crate::gpu::Gpu;

/// A first WGSL version of an STFT: one workgroup per frame.
pub(super) struct NaiveStft {
    buffers: Buffers,
    dispatch: Dispatch,
}

impl NaiveStft {
    /// Prepares the dispatch. `None` if a frame does not fit into workgroup memory.
    pub(super) fn new(gpu: &Gpu, shape: &Shape, clips: &[Vec<f32>]) -> Option<Self> {
        let buffers = Buffers::new(gpu, shape, clips)?;
        let frame_bytes = buffers.n_fft * 8;
        if frame_bytes > gpu.limits.max_compute_workgroup_storage_size {
            return None;
        }
        let wgsl = include_str!("../../../shaders/baselines/naive.wgsl");
        let pipeline = gpu.pipeline(&gpu.module("naive", wgsl), "naive", &buffers.overrides());
        let params = gpu.uniform_of("params", bytemuck::bytes_of(&buffers.params));
        let bound = [&params, &buffers.pcm, &buffers.window, &buffers.db];
        Some(Self {
            dispatch: Dispatch {
                bind_group: gpu.bind_buffers(&pipeline, &bound),
                pipeline,
                workgroups: [buffers.frames, buffers.clips, 1],
            },
            buffers,
        })
    }
}

impl Baseline for NaiveStft {
    fn name(&self) -> &'static str {
        "naive WGSL"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        let dispatches = std::slice::from_ref(&self.dispatch);
        Ok(time(&self.buffers.clock, dispatches)?)
    }

    fn first_decibels(&mut self) -> Result<Vec<f32>, BenchError> {
        self.buffers.first_decibels()
    }
}
