//! Tables and parameters of the passes on the device.

use bytemuck::{Pod, Zeroable};

use super::kernels::StftKernel;
use crate::frontend::config::{Framing, FrontEndConfig, MAX_HEIGHT, Range};
use crate::frontend::tables::{CellSpan, MelSegments, Tables};
use crate::gpu::Gpu;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct StftParams {
    clip_samples: u32,
    frames: u32,
    rows: u32,
    hop: u32,
    lead: i32,
    reflect: u32,
    compression: f32,
    edge_scale: f32,
    inner_scale: f32,
    pad: [u32; 3],
}

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct RgbaParams {
    frames: u32,
    rows: u32,
    height: u32,
    width: u32,
    top_db: f32,
    y_inner: f32,
    x_inner: f32,
    pad: u32,
}

/// Tables and parameters, written once and read by every dispatch.
pub(super) struct Constants {
    pub(super) stft_params: wgpu::Buffer,
    pub(super) rgba_params: wgpu::Buffer,
    pub(super) window: wgpu::Buffer,
    pub(super) twiddles: wgpu::Buffer,
    pub(super) mel_ends: wgpu::Buffer,
    /// Only for [`StftKernel::Registers`].
    pub(super) bins: Option<wgpu::Buffer>,
    pub(super) mel_weights: wgpu::Buffer,
    pub(super) y_axis: wgpu::Buffer,
    pub(super) x_axis: wgpu::Buffer,
    pub(super) colors: wgpu::Buffer,
    /// The uniform `before` of clips that begin where their binding does.
    pub(super) nothing_before: wgpu::Buffer,
}

impl Constants {
    pub(super) fn new(
        gpu: &Gpu,
        config: &FrontEndConfig,
        tables: &Tables,
        kernel: StftKernel,
    ) -> Self {
        let storage = |label, contents: &[u8]| gpu.storage_of(label, contents);
        let uniform = |label, contents: &[u8]| gpu.uniform_of(label, contents);
        let mel = MelSegments::new(&tables.mel, config.bins());
        let registers = (kernel == StftKernel::Registers).then(|| Registers::new(mel.clone()));
        // The registers kernel reads its tables from uniform buffers, in its own order.
        let table = |label, contents: &[u8]| match &registers {
            None => storage(label, contents),
            Some(_) => uniform(label, contents),
        };
        let (twiddles, mel) = match &registers {
            None => (&tables.twiddles, &mel),
            Some(r) => (&r.between, &r.mel),
        };
        let (mut y_axis, y_inner) = tables.y.cell_spans();
        let (x_axis, x_inner) = tables.x.cell_spans();
        y_axis.resize(MAX_HEIGHT, CellSpan::default());
        let stft = StftParams::new(config, tables);
        let size = config.image_size();
        let rgba = RgbaParams {
            frames: config.frames() as u32,
            rows: config.rows() as u32,
            height: size.height as u32,
            width: size.width as u32,
            top_db: match config.image().range {
                Range::MinMax => 0.0,
                Range::Top { db } => db as f32,
            },
            y_inner,
            x_inner,
            pad: 0,
        };
        Self {
            stft_params: uniform("stft params", bytemuck::bytes_of(&stft)),
            rgba_params: uniform("rgba params", bytemuck::bytes_of(&rgba)),
            window: table("window", bytemuck::cast_slice(&tables.window)),
            twiddles: table("twiddles", bytemuck::cast_slice(twiddles)),
            mel_ends: table("mel ends", bytemuck::cast_slice(&mel.ends)),
            mel_weights: table("mel weights", bytemuck::cast_slice(&mel.weights)),
            bins: registers
                .as_ref()
                .map(|r| uniform("bins", bytemuck::cast_slice(&r.bins))),
            y_axis: uniform("y axis", bytemuck::cast_slice(&y_axis)),
            x_axis: storage("x axis", bytemuck::cast_slice(&x_axis)),
            colors: uniform("colors", bytemuck::cast_slice(&tables.colors)),
            nothing_before: uniform("before", &[0; 16]),
        }
    }
}

/// The tables of `shaders/frontend/stft_registers.wgsl`, 32 x 32 points.
struct Registers {
    /// Twiddles between the two transforms of 32 points.
    between: Vec<[f32; 2]>,
    /// Twiddles that unpack the bins of the real transform.
    bins: Vec<[f32; 2]>,
    mel: MelSegments,
}

impl Registers {
    fn new(mut mel: MelSegments) -> Self {
        const SIDE: usize = 32;
        let twiddle = |k: usize, n: usize| {
            let a = -std::f64::consts::TAU * k as f64 / n as f64;
            [a.cos() as f32, a.sin() as f32]
        };
        let mut between = Vec::with_capacity(SIDE * SIDE);
        for pair in 0..SIDE / 2 {
            for k in 0..SIDE {
                between.extend([2 * pair, 2 * pair + 1].map(|c| twiddle(c * k, SIDE * SIDE)));
            }
        }
        let mut bins = Vec::with_capacity(SIDE * SIDE / 2);
        for row in 0..SIDE / 2 {
            for i in 0..SIDE {
                let bin = match (row, i) {
                    (0, 0) => SIDE * SIDE / 2,
                    (0, i) if i < SIDE / 2 => SIDE * i,
                    (0, i) => SIDE / 2 + SIDE * (i - SIDE / 2),
                    (row, i) => row + SIDE * i,
                };
                bins.push(twiddle(bin, 2 * SIDE * SIDE));
            }
        }
        // The lengths that the shader declares.
        mel.ends.resize(4 * 129, 0);
        mel.weights.resize(2 * 513, [0.0; 2]);
        Self { between, bins, mel }
    }
}

impl StftParams {
    fn new(config: &FrontEndConfig, tables: &Tables) -> Self {
        Self {
            clip_samples: config.clip_samples as u32,
            frames: config.frames() as u32,
            rows: config.rows() as u32,
            hop: config.hop as u32,
            lead: config.lead() as i32,
            reflect: u32::from(config.framing == Framing::CenterReflect),
            compression: config
                .compression
                .parameter()
                .1
                .map_or(0.0, |p| p.value as f32),
            edge_scale: tables.edge_scale,
            inner_scale: tables.inner_scale,
            pad: [0; 3],
        }
    }
}
