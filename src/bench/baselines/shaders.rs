//! WGSL as one writes it first: `shaders/baselines`.

use std::time::Duration;

use super::Baseline;
use crate::bench::catalog::Shape;
use crate::bench::measure::BenchError;
use crate::frontend::tables::Tables;
use crate::gpu::Gpu;
use crate::gpu::timing::{Clock, Times};
use bytemuck::{Pod, Zeroable};

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct Params {
    clip_samples: u32,
    frames: u32,
    hop: u32,
    edge_scale: f32,
    inner_scale: f32,
    first_clip: u32,
    pad: [u32; 2],
}

/// What both read and write.
struct Common {
    gpu: Gpu,
    clock: Clock,
    params: Params,
    pcm: wgpu::Buffer,
    window: wgpu::Buffer,
    db: wgpu::Buffer,
    frames: u32,
    bins: u32,
    n_fft: u32,
    clips: u32,
}

impl Common {
    /// `None` if a buffer were larger than the device binds.
    fn new(gpu: &Gpu, shape: &Shape, clips: &[Vec<f32>]) -> Option<Self> {
        let s = &shape.front_end;
        let tables = Tables::new(s);
        let params = Params {
            clip_samples: s.clip_samples as u32,
            frames: s.frames() as u32,
            hop: s.hop as u32,
            edge_scale: tables.edge_scale,
            inner_scale: tables.inner_scale,
            first_clip: 0,
            pad: [0; 2],
        };
        let pcm: Vec<f32> = clips.iter().flatten().copied().collect();
        let cells = (clips.len() * s.frames() * s.rows()) as u64;
        Some(Self {
            params,
            pcm: gpu.storage_of("pcm", bytemuck::cast_slice(&pcm)),
            window: gpu.storage_of("window", bytemuck::cast_slice(&tables.window)),
            db: storage(gpu, cells * 4)?,
            clock: Clock::new(gpu, 1),
            gpu: gpu.clone(),
            frames: s.frames() as u32,
            bins: s.rows() as u32,
            n_fft: s.n_fft as u32,
            clips: clips.len() as u32,
        })
    }

    fn constants(&self) -> [(&'static str, f64); 2] {
        [
            ("N_FFT", f64::from(self.n_fft)),
            ("LOG2", f64::from(self.n_fft.ilog2())),
        ]
    }

    fn first(&self) -> Result<Vec<f32>, BenchError> {
        let size = u64::from(self.frames) * u64::from(self.bins) * 4;
        let bytes = self.gpu.read(&self.db, size)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }
}

fn storage(gpu: &Gpu, size: u64) -> Option<wgpu::Buffer> {
    let most = gpu.limits.max_storage_buffer_binding_size;
    (size <= most.min(gpu.limits.max_buffer_size)).then(|| gpu.storage("baseline", size))
}

fn taken(times: Times) -> Duration {
    times.passes.first().copied().unwrap_or(times.wall)
}

/// One workgroup a frame, radix 2, all in workgroup memory.
pub(super) struct NaiveStft {
    common: Common,
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
}

impl NaiveStft {
    /// `None` if a frame does not fit into workgroup memory.
    pub(super) fn new(gpu: &Gpu, shape: &Shape, clips: &[Vec<f32>]) -> Option<Self> {
        let common = Common::new(gpu, shape, clips)?;
        if common.n_fft * 8 > gpu.limits.max_compute_workgroup_storage_size {
            return None;
        }
        let text = include_str!("../../../shaders/baselines/naive.wgsl");
        let pipeline = gpu.pipeline(&gpu.module("naive", text), "naive", &common.constants());
        let params = gpu.uniform_of("params", bytemuck::bytes_of(&common.params));
        let buffers = [&params, &common.pcm, &common.window, &common.db];
        let group = gpu.bind_buffers(&pipeline, &buffers);
        Some(Self {
            common,
            pipeline,
            group,
        })
    }
}

impl Baseline for NaiveStft {
    fn name(&self) -> &'static str {
        "naive WGSL"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        let c = &self.common;
        let times = c.clock.time(|encoder| {
            let mut pass = c.clock.pass(0, encoder);
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(0, &self.group, &[]);
            pass.dispatch_workgroups(c.frames, c.clips, 1);
        })?;
        Ok(taken(times))
    }

    fn first(&mut self) -> Result<Vec<f32>, BenchError> {
        self.common.first()
    }
}

struct Step {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    /// A frame.
    invocations: u32,
    clips: u32,
}

/// A dispatch a stage, radix 2, all in global memory.
pub(super) struct MultiPassStft {
    common: Common,
    steps: Vec<Step>,
}

impl MultiPassStft {
    /// `None` if the points of one clip are more than the device binds. With those of all clips more than that, clips
    /// take turns.
    pub(super) fn new(gpu: &Gpu, shape: &Shape, clips: &[Vec<f32>]) -> Option<Self> {
        let c = Common::new(gpu, shape, clips)?;
        let clip = u64::from(c.frames) * u64::from(c.n_fft) * 8;
        let most = gpu.limits.max_storage_buffer_binding_size / clip;
        let at_once = (most as u32).clamp(1, c.clips);
        let work = storage(gpu, u64::from(at_once) * clip)?;
        let text = include_str!("../../../shaders/baselines/passes.wgsl");
        let module = gpu.module("passes", text);
        let make = |entry| gpu.pipeline(&module, entry, &c.constants());
        let (load, butterfly, store) = (make("load"), make("butterfly"), make("store"));
        let halves: Vec<_> = (0..c.n_fft.ilog2())
            .map(|stage| gpu.uniform_of("half", bytemuck::bytes_of(&[1u32 << stage, 0, 0, 0])))
            .collect();
        let mut steps = Vec::new();
        for first_clip in (0..c.clips).step_by(at_once as usize) {
            let clips = at_once.min(c.clips - first_clip);
            let params = Params {
                first_clip,
                ..c.params
            };
            let params = gpu.uniform_of("params", bytemuck::bytes_of(&params));
            let mut step = |pipeline: &wgpu::ComputePipeline,
                            invocations,
                            buffers: &[(u32, &wgpu::Buffer)]| {
                steps.push(Step {
                    pipeline: pipeline.clone(),
                    group: gpu.bind_group(
                        pipeline,
                        buffers.iter().map(|(i, b)| (*i, b.as_entire_binding())),
                    ),
                    invocations,
                    clips,
                });
            };
            let buffers = [(0, &params), (1, &c.pcm), (2, &c.window), (4, &work)];
            step(&load, c.n_fft, &buffers);
            for half in &halves {
                step(
                    &butterfly,
                    c.n_fft / 2,
                    &[(0, &params), (4, &work), (5, half)],
                );
            }
            step(&store, c.bins, &[(0, &params), (3, &c.db), (4, &work)]);
        }
        Some(Self { common: c, steps })
    }
}

impl Baseline for MultiPassStft {
    fn name(&self) -> &'static str {
        "a pass a stage"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        let c = &self.common;
        let times = c.clock.time(|encoder| {
            let mut pass = c.clock.pass(0, encoder);
            for step in &self.steps {
                pass.set_pipeline(&step.pipeline);
                pass.set_bind_group(0, &step.group, &[]);
                pass.dispatch_workgroups(step.invocations.div_ceil(64), c.frames, step.clips);
            }
        })?;
        Ok(taken(times))
    }

    fn first(&mut self) -> Result<Vec<f32>, BenchError> {
        self.common.first()
    }
}
