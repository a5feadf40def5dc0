//! The pipelines of the passes, each compiled when it is first needed.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use wgpu::ComputePipeline;

use super::kernels::StftKernel;
use super::plan::Plan;
use crate::frontend::config::{FrontEndConfig, Rows};
use crate::frontend::spectrogram::NO_VALUE;
use crate::gpu::kernel::real_alias;
use crate::gpu::{Gpu, GpuError};

/// What is common to all STFT kernels.
const COMMON: &str = include_str!("../../../shaders/frontend/stft_common.wgsl");
const DFT32: &str = include_str!("../../../shaders/frontend/stft_dft32.wgsl");
const RGBA: &str = include_str!("../../../shaders/frontend/rgba.wgsl");

const _: () = assert!(NO_VALUE == -3.0e38, "the shaders have the same number");

/// What a pipeline is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum PipelineKey {
    /// PCM to spectrogram.
    Stft {
        /// Whether clips are augmented.
        augment: bool,
        /// Whether the spectrogram is the network's input.
        features: bool,
        /// Whether cells are f16.
        half: bool,
    },
    /// Spectrogram to an image for the network.
    RgbaTensor {
        /// Whether values are f16.
        half: bool,
    },
    /// Spectrogram to RGBA bytes.
    RgbaBytes,
}

/// The pipelines of one front end.
pub(super) struct Pipelines {
    gpu: Gpu,
    config: FrontEndConfig,
    plan: Plan,
    compiled: Mutex<HashMap<PipelineKey, ComputePipeline>>,
}

impl Pipelines {
    pub(super) fn new(gpu: &Gpu, config: &FrontEndConfig, plan: &Plan) -> Self {
        Self {
            gpu: gpu.clone(),
            config: config.clone(),
            plan: *plan,
            compiled: Mutex::default(),
        }
    }

    /// Returns a pipeline, and compiles it if nobody needed it before.
    ///
    /// # Errors
    /// [`GpuError::Failed`] with the driver's words if it refuses the shader.
    pub(super) fn get(&self, key: PipelineKey) -> Result<ComputePipeline, GpuError> {
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pipeline) = compiled.get(&key) {
            return Ok(pipeline.clone());
        }
        let device = &self.gpu.device;
        let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
        let pipeline = self.compile(key);
        if let Some(e) = pollster::block_on(scope.pop()) {
            return Err(GpuError::Failed(e.to_string()));
        }
        compiled.insert(key, pipeline.clone());
        Ok(pipeline)
    }

    fn compile(&self, key: PipelineKey) -> ComputePipeline {
        match key {
            PipelineKey::Stft {
                augment,
                features,
                half,
            } => self.stft(augment, features, half),
            PipelineKey::RgbaTensor { half } => self.rgba(half, "rgba_tensor"),
            PipelineKey::RgbaBytes => self.rgba(false, "rgba_u8"),
        }
    }

    fn rgba(&self, half: bool, entry_point: &str) -> ComputePipeline {
        let module = self.gpu.module("rgba", [real_alias(half), RGBA].concat());
        let pixels = f64::from(self.plan.pixels_per_invocation);
        self.gpu
            .pipeline(&module, entry_point, &[("PIXELS", pixels)])
    }

    fn stft(&self, augment: bool, features: bool, half: bool) -> ComputePipeline {
        let fft = &self.plan.fft;
        let n_fft = self.config.n_fft as f64;
        let flag = |on: bool| f64::from(u8::from(on));
        let (compression, _) = self.config.compression.parameter();
        let mut overrides = vec![
            ("MEL", flag(matches!(self.config.rows, Rows::Mel { .. }))),
            ("AUGMENT", flag(augment)),
            ("FEATURES", flag(features)),
            ("COMPRESSION", f64::from(compression)),
        ];
        let (before, own) = match fft.kernel {
            StftKernel::Registers => (
                DFT32,
                include_str!("../../../shaders/frontend/stft_registers.wgsl"),
            ),
            StftKernel::Subgroup => {
                let work_len = fft.points + (fft.points >> fft.pad_shift) + 1;
                overrides.extend([
                    ("SIZE", f64::from(fft.lanes)),
                    ("STAGES", f64::from(fft.lanes.ilog2())),
                    ("N_FFT", n_fft),
                    ("POINTS", f64::from(fft.points)),
                    ("WORK_LEN", f64::from(work_len)),
                ]);
                (
                    DFT32,
                    include_str!("../../../shaders/frontend/stft_subgroup.wgsl"),
                )
            }
            StftKernel::OneFrame | StftKernel::SharedWorkgroup | StftKernel::Packed => {
                overrides.extend([
                    ("N_FFT", n_fft),
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
                    ("PACKED", flag(fft.kernel == StftKernel::Packed)),
                ]);
                ("", include_str!("../../../shaders/frontend/stft.wgsl"))
            }
        };
        // No `enable subgroups;`: naga 30 accepts the functions without it and refuses the line.
        let text = [real_alias(half), COMMON, before, own].join("\n");
        let module = self.gpu.module("stft", text);
        self.gpu.pipeline(&module, "stft", &overrides)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::cpu::compress::tests::{ALL, assert_near_f64, powers};
    use crate::gpu::{Compute, DeviceChoice};

    /// Runs `expression`, WGSL over `x`, for each number of `input` on the software adapter.
    fn probe(
        expression: &str,
        overrides: &[(&str, f64)],
        params: [f32; 12],
        input: &[f32],
    ) -> Vec<f32> {
        let probe = format!(
            "const N_FFT: u32 = 256u;
            @compute @workgroup_size(64)
            fn probe(@builtin(global_invocation_id) id: vec3<u32>) {{
                if (id.x >= arrayLength(&pcm)) {{ return; }}
                let x = pcm[id.x];
                spectrogram[id.x] = {expression};
            }}"
        );
        let opened = Compute::open(&DeviceChoice::Software).unwrap();
        let Compute::Gpu(gpu) = opened.compute else {
            unreachable!("asked for an adapter")
        };
        let module = gpu.module("probe", [real_alias(false), COMMON, &probe].join("\n"));
        let pipeline = gpu.pipeline(&module, "probe", overrides);
        let params = gpu.uniform_of("params", bytemuck::cast_slice(&params));
        let pcm = gpu.storage_of("input", bytemuck::cast_slice(input));
        let bytes = size_of_val(input) as u64;
        let out = gpu.storage("output", bytes);
        let bound = [(0, &params), (1, &pcm), (6, &out)];
        let bound = bound.map(|(i, b)| (i, b.as_entire_binding()));
        let group = gpu.bind_group(&pipeline, bound);
        let mut encoder = gpu.device.create_command_encoder(&Default::default());
        let mut pass = gpu.pass("probe", &mut encoder);
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &group, &[]);
        pass.dispatch_workgroups(input.len().div_ceil(64) as u32, 1, 1);
        drop(pass);
        gpu.queue.submit([encoder.finish()]);
        let got = gpu.read(&out, bytes).unwrap();
        bytemuck::pod_collect_to_vec(&got)
    }

    /// The shaders' compression against f64, for powers of all magnitudes. WGSL allows log2 an
    /// error of 2^-21 near 1, and of three units in the last place elsewhere.
    #[test]
    fn compressed_values_are_those_of_f64() {
        let input = powers();
        for compression in ALL {
            let (code, parameter) = compression.parameter();
            let overrides = [("COMPRESSION", f64::from(code))];
            let mut params = [0.0f32; 12];
            params[6] = parameter.map_or(0.0, |p| p.value as f32);
            let got = probe("compress(x)", &overrides, params, &input);
            for (power, got) in input.iter().zip(got) {
                assert_near_f64(compression, *power, got, 6e-7);
            }
        }
    }

    /// The cosines of the augmentation's filter against f64, over a turn and a half. The shader
    /// uses no function of WGSL's that may be inexact.
    #[test]
    fn cosines_are_those_of_f64() {
        for rows in [1u16, 96, 513] {
            // The parameters are 0. They are read because the probe binds them.
            let all: Vec<f32> = (0..6 * rows).map(f32::from).collect();
            let expression = format!("cosine(u32(x), {rows}u) + f32(params.rows)");
            let got = probe(&expression, &[], [0.0; 12], &all);
            for (m, got) in all.into_iter().zip(got) {
                let want = (std::f64::consts::FRAC_PI_2 * f64::from(m) / f64::from(rows)).cos();
                let off = (f64::from(got) - want).abs();
                assert!(off < 3e-7, "{m} of {rows}: {got} for {want}");
            }
        }
        let code = |line: &'static str| line.split("//").next().unwrap_or_default();
        let calls = |line: &str| ["cos(", "sin(", "tan("].iter().any(|f| line.contains(f));
        assert!(!COMMON.lines().map(code).any(calls));
    }
}
