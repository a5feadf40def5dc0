//! The buffers that both WGSL baselines read and write.

use bytemuck::{Pod, Zeroable};

use crate::bench::catalog::Shape;
use crate::bench::error::BenchError;
use crate::frontend::tables::Tables;
use crate::gpu::Gpu;
use crate::gpu::timing::Clock;

/// `Params` in `shaders/baselines`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
pub(super) struct Params {
    clip_samples: u32,
    frames: u32,
    hop: u32,
    edge_scale: f32,
    inner_scale: f32,
    pub(super) first_clip: u32,
    pad: [u32; 2],
}

/// Samples and window in, decibels out.
pub(super) struct Buffers {
    pub(super) gpu: Gpu,
    pub(super) clock: Clock,
    pub(super) params: Params,
    /// `[clip][sample]`
    pub(super) pcm: wgpu::Buffer,
    /// `[sample]`
    pub(super) window: wgpu::Buffer,
    /// `[clip][frame][bin]`
    pub(super) db: wgpu::Buffer,
    pub(super) frames: u32,
    pub(super) bins: u32,
    pub(super) n_fft: u32,
    pub(super) clips: u32,
}

impl Buffers {
    /// Uploads the clips. `None` if the decibels of all clips are more than the device can bind.
    pub(super) fn new(gpu: &Gpu, shape: &Shape, clips: &[Vec<f32>]) -> Option<Self> {
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

    /// Returns the values of the shaders' `override` constants.
    pub(super) fn overrides(&self) -> [(&'static str, f64); 2] {
        [
            ("N_FFT", f64::from(self.n_fft)),
            ("LOG2", f64::from(self.n_fft.ilog2())),
        ]
    }

    /// Reads the decibels of the first clip back, `[frame][bin]`.
    pub(super) fn first_decibels(&self) -> Result<Vec<f32>, BenchError> {
        let size = u64::from(self.frames) * u64::from(self.bins) * 4;
        let bytes = self.gpu.read(&self.db, size)?;
        Ok(bytemuck::pod_collect_to_vec(&bytes))
    }
}

/// Makes a storage buffer of `size` bytes. `None` if the device cannot bind so many.
pub(super) fn storage(gpu: &Gpu, size: u64) -> Option<wgpu::Buffer> {
    let limits = &gpu.limits;
    let max_size = limits
        .max_storage_buffer_binding_size
        .min(limits.max_buffer_size);
    (size <= max_size).then(|| gpu.storage("baseline", size))
}
