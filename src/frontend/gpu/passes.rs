//! The passes of one dispatch: which there are, what they are bound to and how large they are.

use burn::tensor::FloatDType;
use wgpu::{BindGroup, BindingResource, Buffer, ComputePass, ComputePipeline};

use super::batch::BatchBuffers;
use super::buffers::Constants;
use super::pipelines::{PipelineKey, Pipelines};
use super::plan::Plan;
use crate::frontend::config::{FrontEndConfig, Output};
use crate::frontend::tables::Tables;
use crate::gpu::tensor::Target;
use crate::gpu::{Gpu, GpuError};

/// A compute pass, ready to be recorded.
pub(super) struct Pass {
    /// The shader, for traces.
    pub(super) name: &'static str,
    pipeline: ComputePipeline,
    group: BindGroup,
    workgroups: [u32; 3],
}

impl Pass {
    /// Records the dispatch.
    pub(super) fn record(&self, pass: &mut ComputePass<'_>) {
        let [x, y, z] = self.workgroups;
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.group, &[]);
        pass.dispatch_workgroups(x, y, z);
    }
}

/// Where the result of a dispatch goes.
#[derive(Clone, Copy)]
pub(super) enum Destination<'a> {
    /// Into a tensor, from clip `first` on.
    Tensor { target: &'a Target, first: usize },
    /// Into a buffer, as RGBA bytes.
    Bytes(&'a Buffer),
    /// Into the batch's own buffers, as a spectrogram.
    Spectrograms,
}

/// Makes the passes of one front end.
pub(super) struct Passes {
    gpu: Gpu,
    config: FrontEndConfig,
    plan: Plan,
    /// Whether tensors are of f16.
    half: bool,
    pipelines: Pipelines,
    constants: Constants,
}

impl Passes {
    /// Uploads the tables and compiles the passes of the output, so that a shader which the driver
    /// refuses is reported early.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the driver refuses a shader.
    pub(super) fn new(gpu: &Gpu, config: &FrontEndConfig, plan: &Plan) -> Result<Self, GpuError> {
        let made = Self {
            gpu: gpu.clone(),
            config: config.clone(),
            plan: *plan,
            half: false,
            pipelines: Pipelines::new(gpu, config, plan),
            constants: Constants::new(gpu, config, &Tables::new(config), plan.fft.kernel),
        };
        made.compile_output()?;
        Ok(made)
    }

    /// Returns the same passes for tensors of f16.
    pub(super) fn into_half(mut self) -> Result<Self, GpuError> {
        self.half = true;
        self.compile_output()?;
        Ok(self)
    }

    fn compile_output(&self) -> Result<(), GpuError> {
        self.pipelines.get(self.stft_key(false, true))?;
        if let Output::Image(_) = self.config.output {
            let half = self.half;
            self.pipelines.get(PipelineKey::RgbaTensor { half })?;
        }
        Ok(())
    }

    /// Allocates a tensor for the output of `clips` clips.
    pub(super) fn target(&self, clips: usize) -> Result<Target, GpuError> {
        let [channels, height, width] = self.config.output_shape();
        let dtype = match self.half {
            true => FloatDType::F16,
            false => FloatDType::F32,
        };
        Target::new(&self.gpu, [clips, channels, height, width], dtype)
    }

    /// Returns the passes over `clips` clips of `buffers`, in order.
    pub(super) fn make(
        &self,
        buffers: &BatchBuffers,
        clips: usize,
        augment: bool,
        to: Destination<'_>,
    ) -> Result<Vec<Pass>, GpuError> {
        let image = matches!(self.config.output, Output::Image(_));
        let (key, (place, before)) = match to {
            Destination::Tensor { target, first } if !image => {
                let key = self.stft_key(augment, true);
                (key, self.place(target, first, clips))
            }
            _ => {
                let one = self.plan.spectrogram_bytes();
                let spectrograms = buffers.spectrograms(&self.gpu, one);
                let key = self.stft_key(augment, false);
                (key, (spectrograms.as_entire_binding(), self.before(0)))
            }
        };
        let mut passes = vec![self.stft(buffers, clips, key, place, &before)?];
        match to {
            Destination::Tensor { target, first } if image => {
                let half = self.half;
                let key = PipelineKey::RgbaTensor { half };
                let (place, before) = self.place(target, first, clips);
                let augments = buffers.augments.as_entire_binding();
                let own = [(6, place), (8, augments), (10, before.as_entire_binding())];
                passes.push(self.rgba(buffers, clips, key, own)?);
            }
            Destination::Bytes(bytes) => {
                let own = [(7, bytes.as_entire_binding())];
                passes.push(self.rgba(buffers, clips, PipelineKey::RgbaBytes, own)?);
            }
            Destination::Tensor { .. } | Destination::Spectrograms => {}
        }
        Ok(passes)
    }

    /// Returns the variant of the STFT pass that writes the `output` of the configuration, or else
    /// a spectrogram for the image pass or the host.
    fn stft_key(&self, augment: bool, output: bool) -> PipelineKey {
        let features = output && self.config.output == Output::Features;
        PipelineKey::Stft {
            augment,
            features,
            half: features && self.half,
        }
    }

    /// Returns a binding with the part of a tensor that holds `clips` clips from `first` on, and
    /// the number of values in it before them.
    fn place<'t>(
        &self,
        target: &'t Target,
        first: usize,
        clips: usize,
    ) -> (BindingResource<'t>, Buffer) {
        let value = if self.half { 2 } else { 4 };
        let one = self.config.output_shape().iter().product::<usize>() as u64 * value;
        let range = first as u64 * one..(first + clips) as u64 * one;
        let alignment = u64::from(self.gpu.limits.min_storage_buffer_offset_alignment);
        let (binding, before) = target.binding(range, alignment);
        (binding, self.before((before / value) as u32))
    }

    /// Returns the uniform `before` of the shaders.
    fn before(&self, values: u32) -> Buffer {
        match values {
            0 => self.constants.nothing_before.clone(),
            _ => {
                let contents = [values, 0, 0, 0];
                let contents = bytemuck::cast_slice(&contents);
                self.gpu.uniform_of("before", contents)
            }
        }
    }

    fn stft(
        &self,
        buffers: &BatchBuffers,
        clips: usize,
        key: PipelineKey,
        spectrogram: BindingResource<'_>,
        before: &Buffer,
    ) -> Result<Pass, GpuError> {
        let pipeline = self.pipelines.get(key)?;
        let c = &self.constants;
        let mut bound = vec![(0, &c.stft_params), (1, &buffers.pcm)];
        bound.extend([(2, &c.window), (3, &c.twiddles)]);
        bound.extend([(4, &c.mel_ends), (5, &c.mel_weights)]);
        bound.extend([(7, &buffers.range), (8, &buffers.augments)]);
        bound.extend(c.bins.as_ref().map(|bins| (9, bins)));
        bound.push((10, before));
        let bound = bound.into_iter().map(|(i, b)| (i, b.as_entire_binding()));
        let bound = bound.chain([(6, spectrogram)]);
        Ok(Pass {
            name: "stft",
            group: self.gpu.bind_group(&pipeline, bound),
            pipeline,
            workgroups: [self.plan.stft_workgroups(), clips as u32, 1],
        })
    }

    /// Returns the image pass with bindings of its own, `own`.
    fn rgba<const N: usize>(
        &self,
        buffers: &BatchBuffers,
        clips: usize,
        key: PipelineKey,
        own: [(u32, BindingResource<'_>); N],
    ) -> Result<Pass, GpuError> {
        let pipeline = self.pipelines.get(key)?;
        let c = &self.constants;
        let spectrograms = buffers.spectrograms(&self.gpu, self.plan.spectrogram_bytes());
        let common = [&c.rgba_params, &c.colors, spectrograms, &buffers.range];
        let common = common.into_iter().chain([&c.y_axis, &c.x_axis]);
        let common = (0..).zip(common.map(Buffer::as_entire_binding));
        let [x, y] = self.plan.image_workgroups();
        Ok(Pass {
            name: "rgba",
            group: self.gpu.bind_group(&pipeline, common.chain(own)),
            pipeline,
            workgroups: [x, y, clips as u32],
        })
    }
}
