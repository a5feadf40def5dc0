//! What the passes are given once: pipelines, parameters and tables on the device.

use bytemuck::{Pod, Zeroable};
use wgpu::ComputePipeline;

use super::kernels::StftKernel;
use super::plan::Plan;
use crate::frontend::config::{Compression, Framing, FrontEndConfig, MAX_HEIGHT, Range, Rows};
use crate::frontend::cpu::NO_VALUE;
use crate::frontend::tables::{CellSpan, MelSegments, Tables};
use crate::gpu::Gpu;
use crate::gpu::kernel::real;

#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct StftParams {
    clip_samples: u32,
    frames: u32,
    rows: u32,
    hop: u32,
    lead: i32,
    reflect: u32,
    amin: f32,
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

/// Tables and parameters on the device: written once, read by every dispatch.
pub(super) struct Constants {
    pub(super) stft_params: wgpu::Buffer,
    pub(super) rgba_params: wgpu::Buffer,
    pub(super) window: wgpu::Buffer,
    pub(super) twiddles: wgpu::Buffer,
    pub(super) mel_ends: wgpu::Buffer,
    /// Of [`StftKernel::Registers`] alone.
    pub(super) bins: Option<wgpu::Buffer>,
    pub(super) mel_weights: wgpu::Buffer,
    pub(super) y_axis: wgpu::Buffer,
    pub(super) x_axis: wgpu::Buffer,
    pub(super) colors: wgpu::Buffer,
}

impl Constants {
    pub(super) fn new(
        gpu: &Gpu,
        settings: &FrontEndConfig,
        tables: &Tables,
        variant: StftKernel,
    ) -> Self {
        let storage = |label, contents: &[u8]| gpu.storage_of(label, contents);
        let uniform = |label, contents: &[u8]| gpu.uniform_of(label, contents);
        let mel = MelSegments::new(&tables.mel, settings.bins());
        let registers = (variant == StftKernel::Registers).then(|| Registers::new(mel.clone()));
        // What the registers' way reads is uniform, and in its own order.
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
        let stft = StftParams::new(settings, tables);
        let size = settings.image_size();
        let rgba = RgbaParams {
            frames: settings.frames() as u32,
            rows: settings.rows() as u32,
            height: size.height as u32,
            width: size.width as u32,
            top_db: match settings.image().range {
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
        }
    }
}

/// The tables of `shaders/frontend/stft_registers.wgsl`, 32 x 32 points.
struct Registers {
    between: Vec<[f32; 2]>,
    bins: Vec<[f32; 2]>,
    mel: MelSegments,
}

impl Registers {
    fn new(mut mel: MelSegments) -> Self {
        const SIDE: usize = 32;
        let turn = |k: usize, n: usize| {
            let a = -std::f64::consts::TAU * k as f64 / n as f64;
            [a.cos() as f32, a.sin() as f32]
        };
        let mut between = Vec::with_capacity(SIDE * SIDE);
        for pair in 0..SIDE / 2 {
            for k in 0..SIDE {
                between.extend([2 * pair, 2 * pair + 1].map(|c| turn(c * k, SIDE * SIDE)));
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
                bins.push(turn(bin, 2 * SIDE * SIDE));
            }
        }
        // The lengths that the shader declares.
        mel.ends.resize(4 * 129, 0);
        mel.weights.resize(2 * 513, [0.0; 2]);
        Self { between, bins, mel }
    }
}

impl StftParams {
    fn new(settings: &FrontEndConfig, tables: &Tables) -> Self {
        Self {
            clip_samples: settings.clip_samples as u32,
            frames: settings.frames() as u32,
            rows: settings.rows() as u32,
            hop: settings.hop as u32,
            lead: match settings.framing {
                Framing::Start => 0,
                Framing::CenterZeros | Framing::CenterReflect => settings.n_fft as i32 / 2,
            },
            reflect: u32::from(settings.framing == Framing::CenterReflect),
            amin: match settings.compression {
                Compression::Floor { amin } => amin as f32,
                _ => 0.0,
            },
            edge_scale: tables.edge_scale,
            inner_scale: tables.inner_scale,
            pad: [0; 3],
        }
    }
}

/// The pipelines of every run: `stft`, `rgba_tensor` of f32, `rgba_u8`.
pub(super) fn pipelines(
    gpu: &Gpu,
    settings: &FrontEndConfig,
    plan: &Plan,
) -> (ComputePipeline, ComputePipeline, ComputePipeline) {
    const { assert!(NO_VALUE == -3.0e38, "the shaders say so too") };
    let rgba = rgba_module(gpu, false);
    (
        stft_pipeline(gpu, settings, plan, false),
        rgba_pipeline(gpu, plan, &rgba, "rgba_tensor"),
        rgba_pipeline(gpu, plan, &rgba, "rgba_u8"),
    )
}

/// The picture pass; `half`: its tensor is of f16.
pub(super) fn rgba_module(gpu: &Gpu, half: bool) -> wgpu::ShaderModule {
    let text = [
        real(half),
        include_str!("../../../shaders/frontend/rgba.wgsl"),
    ]
    .concat();
    gpu.module("rgba", text)
}

/// An entry point of the picture pass.
pub(super) fn rgba_pipeline(
    gpu: &Gpu,
    plan: &Plan,
    module: &wgpu::ShaderModule,
    entry: &str,
) -> ComputePipeline {
    gpu.pipeline(module, entry, &[("RUN", f64::from(plan.run))])
}

/// The `stft` pipeline, which augments samples on load if `augment`.
pub(super) fn stft_pipeline(
    gpu: &Gpu,
    settings: &FrontEndConfig,
    plan: &Plan,
    augment: bool,
) -> ComputePipeline {
    const COMMON: &str = include_str!("../../../shaders/frontend/stft_common.wgsl");
    const DFT32: &str = include_str!("../../../shaders/frontend/stft_dft32.wgsl");
    let fft = &plan.fft;
    let flag = |on: bool| f64::from(u8::from(on));
    let mut overrides = vec![
        ("MEL", flag(matches!(settings.rows, Rows::Mel { .. }))),
        ("AUGMENT", flag(augment)),
    ];
    let (before, own) = match fft.variant {
        StftKernel::Registers => (
            DFT32,
            include_str!("../../../shaders/frontend/stft_registers.wgsl"),
        ),
        StftKernel::Subgroup => {
            overrides.extend([
                ("SIZE", f64::from(fft.lanes)),
                ("STAGES", f64::from(fft.lanes.ilog2())),
                ("N_FFT", settings.n_fft as f64),
                ("POINTS", f64::from(fft.points)),
                (
                    "WORK_LEN",
                    f64::from(fft.points + (fft.points >> fft.pad_shift) + 1),
                ),
            ]);
            (
                DFT32,
                include_str!("../../../shaders/frontend/stft_subgroup.wgsl"),
            )
        }
        StftKernel::OneFrame | StftKernel::SharedWorkgroup | StftKernel::Packed => {
            overrides.extend([
                ("N_FFT", settings.n_fft as f64),
                ("POINTS", f64::from(fft.points)),
                ("FRAMES", f64::from(fft.transforms)),
                ("FRAME_LANES", f64::from(fft.lanes / fft.transforms)),
                ("LANES", f64::from(fft.lanes)),
                ("ROUNDS", f64::from(fft.rounds)),
                ("RADIX8_STAGES", f64::from(fft.radix8_stages)),
                ("TAIL", f64::from(fft.tail)),
                ("PAD_SHIFT", f64::from(fft.pad_shift)),
                ("FRAME_LEN", f64::from(fft.frame_len)),
                ("WORK_LEN", f64::from(fft.frame_len * fft.transforms)),
                ("PACKED", flag(fft.variant == StftKernel::Packed)),
            ]);
            ("", include_str!("../../../shaders/frontend/stft.wgsl"))
        }
    };
    // No `enable subgroups;`: naga 30 takes the functions without it and refuses the line.
    let text = [COMMON, before, own].join("\n");
    gpu.pipeline(&gpu.module("stft", text), "stft", &overrides)
}
