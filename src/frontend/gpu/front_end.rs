//! The front end on one GPU: plans a configuration, and runs its passes on batches of clips.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use burn::tensor::FloatDType;
use wgpu::{BindingResource, Buffer, Features};

use super::batch::{Batch, BatchBuffers};
use super::buffers::Constants;
use super::kernel_cache;
use super::kernels::StftKernel;
use super::pass::Pass;
use super::pipelines::{PipelineKey, Pipelines};
use super::plan::{Limits, Plan};
use crate::frontend::FrontEndError;
use crate::frontend::augment::Augment;
use crate::frontend::config::{FrontEndConfig, Output};
use crate::frontend::samples::{Samples, check};
use crate::frontend::spectrogram::Spectrogram;
use crate::frontend::tables::Tables;
use crate::gpu::tensor::Target;
use crate::gpu::timing::{Clock, Times};
use crate::gpu::{Gpu, GpuError};

/// The front end on one GPU.
pub struct GpuFrontEnd {
    gpu: Gpu,
    config: FrontEndConfig,
    plan: Plan,
    /// Whether tensors are of f16.
    half: bool,
    pipelines: Pipelines,
    constants: Constants,
    /// Made by the first call, and again if a later one needs more.
    buffers: Mutex<Option<BatchBuffers>>,
    upload_nanos: AtomicU64,
}

/// Where the result of a dispatch goes.
#[derive(Clone, Copy)]
enum Destination<'a> {
    /// Into a tensor, from clip `first` on.
    Tensor { target: &'a Target, first: usize },
    /// Into a buffer, as RGBA bytes.
    Bytes(&'a Buffer),
    /// Into the batch's own buffers, as a spectrogram.
    Spectrograms,
}

impl GpuFrontEnd {
    /// Plans the passes of `config` with the kernel that was measured to be the fastest, or else with
    /// the plan's choice, compiles them and uploads their tables.
    ///
    /// # Errors
    /// If the configuration is wrong or exceeds what the device can do, or if the driver refuses a
    /// shader.
    pub fn new(gpu: &Gpu, config: &FrontEndConfig) -> Result<Self, FrontEndError> {
        config.validate()?;
        let limits = Limits::from(gpu);
        let kernel = kernel_cache::read(gpu, config)
            .unwrap_or_else(|| Plan::choose_kernel(config.n_fft, &limits));
        Self::with_kernel(gpu, config, kernel)
    }

    /// Does as [`GpuFrontEnd::new`], with the kernel that is named.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::new`], and if the kernel cannot run this configuration on this device.
    pub fn with_kernel(
        gpu: &Gpu,
        config: &FrontEndConfig,
        kernel: StftKernel,
    ) -> Result<Self, FrontEndError> {
        config.validate()?;
        let plan = Plan::with_kernel(config, &Limits::from(gpu), kernel)?;
        let made = Self {
            gpu: gpu.clone(),
            config: config.clone(),
            plan,
            half: false,
            pipelines: Pipelines::new(gpu, config, &plan),
            constants: Constants::new(gpu, config, &Tables::new(config), kernel),
            buffers: Mutex::new(None),
            upload_nanos: AtomicU64::new(0),
        };
        made.compile_output()?;
        Ok(made)
    }

    /// Returns the same front end with tensors of f16.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`] if the adapter has no f16.
    pub fn into_half(mut self) -> Result<Self, FrontEndError> {
        if !self.gpu.device.features().contains(Features::SHADER_F16) {
            return Err(FrontEndError::NoHalf(self.gpu.info.name.clone()));
        }
        self.half = true;
        self.compile_output()?;
        Ok(self)
    }

    /// Compiles the passes of the output, so that a shader which the driver refuses is reported early.
    fn compile_output(&self) -> Result<(), GpuError> {
        self.pipelines.get(self.stft_key(false, true))?;
        if let Output::Image(_) = self.config.output {
            let half = self.half;
            self.pipelines.get(PipelineKey::RgbaTensor { half })?;
        }
        Ok(())
    }

    /// Returns the configuration.
    pub fn config(&self) -> &FrontEndConfig {
        &self.config
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Computes the features of `clips` in memory of Burn's, `[n, channels, height, width]`. If they
    /// are spectrograms, the STFT pass writes them there itself.
    ///
    /// PCM on the host is uploaded once, PCM on the device is copied there, and nothing is read back.
    /// `augments` has an entry per clip, or none.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost or its memory is full;
    /// [`FrontEndError::ClipLength`] and [`FrontEndError::Augments`].
    pub fn target(
        &self,
        clips: &[Samples<'_>],
        augments: &[Augment],
    ) -> Result<Target, FrontEndError> {
        check(&self.config, clips, augments)?;
        let target = self.new_target(clips.len())?;
        for range in self.parts(clips.len()) {
            let first = range.start;
            let batch = Batch {
                clips,
                augments,
                range,
            };
            let target = &target;
            drop(self.dispatch(&batch, Destination::Tensor { target, first })?);
        }
        Ok(target)
    }

    fn new_target(&self, clips: usize) -> Result<Target, GpuError> {
        let [channels, height, width] = self.config.output_shape();
        let dtype = match self.half {
            true => FloatDType::F16,
            false => FloatDType::F32,
        };
        Target::new(&self.gpu, [clips, channels, height, width], dtype)
    }

    /// Draws `clips` as RGBA bytes `[y][x]` and reads them back.
    pub(in crate::frontend) fn images(
        &self,
        clips: &[&[f32]],
    ) -> Result<Vec<Vec<u8>>, FrontEndError> {
        let clips = &Samples::of(clips);
        let image = self.plan.pixels() * 4;
        let mut images = Vec::with_capacity(clips.len());
        for range in self.parts(clips.len()) {
            let bytes = image * range.len() as u64;
            let buffer = self.gpu.storage("images", bytes);
            let batch = Batch {
                clips,
                augments: &[],
                range,
            };
            drop(self.dispatch(&batch, Destination::Bytes(&buffer))?);
            let all = self.gpu.read(&buffer, bytes)?;
            images.extend(all.chunks(image as usize).map(<[u8]>::to_vec));
        }
        Ok(images)
    }

    /// Computes the spectrograms and ranges of `clips` and reads them back.
    pub(in crate::frontend) fn spectrograms(
        &self,
        clips: &[Samples<'_>],
        augments: &[Augment],
    ) -> Result<Vec<Spectrogram>, FrontEndError> {
        let one = self.plan.spectrogram_bytes();
        let mut out = Vec::with_capacity(clips.len());
        for range in self.parts(clips.len()) {
            let n = range.len() as u64;
            let batch = Batch {
                clips,
                augments,
                range,
            };
            // Held until everything is read, so that no other thread's call writes in between.
            let guard = self.dispatch(&batch, Destination::Spectrograms)?;
            let Some(buffers) = guard.as_ref() else {
                continue;
            };
            let cells = self
                .gpu
                .read(buffers.spectrograms(&self.gpu, one), one * n)?;
            let keys = self.gpu.read(&buffers.range, 8 * n)?;
            let keys: Vec<[u32; 2]> = bytemuck::pod_collect_to_vec(&keys);
            for (cells, [high, low]) in cells.chunks(one as usize).zip(keys) {
                out.push(Spectrogram {
                    frames: self.plan.frames as usize,
                    rows: self.plan.rows as usize,
                    values: bytemuck::pod_collect_to_vec(cells),
                    range: (high != 0).then(|| (unkey(!low), unkey(high))),
                });
            }
        }
        Ok(out)
    }

    /// Returns the time that handing PCM over has taken until now, by the host's clock.
    pub fn upload_time(&self) -> Duration {
        Duration::from_nanos(self.upload_nanos.load(Ordering::Relaxed))
    }

    /// Runs the passes that make a tensor over `clips` (at most as many as one dispatch serves) `runs`
    /// times, and returns how long each took. Pass 0 is `stft`; pass 1 is `rgba_tensor`, if the output
    /// is an image. Does one extra warm-up run, which is not reported.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn measure(&self, clips: &[&[f32]], runs: usize) -> Result<Vec<Times>, FrontEndError> {
        let clips = &Samples::of(&clips[..clips.len().min(self.plan.clips_per_dispatch)]);
        check(&self.config, clips, &[])?;
        let target = &self.new_target(clips.len())?;
        let to = Destination::Tensor { target, first: 0 };
        let batch = Batch {
            clips,
            augments: &[],
            range: 0..clips.len(),
        };
        // Compiles, allocates and uploads.
        let guard = self.dispatch(&batch, to)?;
        let Some(buffers) = guard.as_ref() else {
            return Ok(Vec::new());
        };
        let passes = self.passes(buffers, &batch, to)?;
        let clock = Clock::new(&self.gpu, passes.len() as u32);
        let run = || {
            clock.time(|encoder| {
                encoder.clear_buffer(&buffers.range, 0, None);
                for (i, pass) in (0..).zip(&passes) {
                    pass.record(&mut clock.pass(i, encoder));
                }
            })
        };
        run()?;
        (0..runs).map(|_| Ok(run()?)).collect()
    }

    /// Returns the parts of a batch of `clips`, each as large as one dispatch may be.
    fn parts(&self, clips: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let most = self.plan.clips_per_dispatch;
        (0..clips)
            .step_by(most)
            .map(move |first| first..(first + most).min(clips))
    }

    /// Uploads one part of a batch and submits its passes. Returns the buffers that hold what lies
    /// between them.
    fn dispatch(
        &self,
        batch: &Batch<'_>,
        to: Destination<'_>,
    ) -> Result<MutexGuard<'_, Option<BatchBuffers>>, GpuError> {
        let mut guard = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = guard.take().filter(|b| b.clips >= batch.len());
        let clip_samples = self.config.clip_samples;
        let new = || BatchBuffers::new(&self.gpu, batch.len(), clip_samples);
        let buffers = guard.insert(kept.unwrap_or_else(new));
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        buffers.fill(&self.gpu, batch, clip_samples, &mut encoder, |at, pcm| {
            let _span = tracing::info_span!("upload").entered();
            let start = Instant::now();
            let bytes = bytemuck::cast_slice(pcm);
            self.gpu.queue.write_buffer(&buffers.pcm, at, bytes);
            let nanos = start.elapsed().as_nanos() as u64;
            self.upload_nanos.fetch_add(nanos, Ordering::Relaxed);
        })?;
        for pass in self.passes(buffers, batch, to)? {
            pass.record(&mut self.gpu.pass(pass.name, &mut encoder));
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(guard)
    }

    /// Returns the passes of one dispatch, in order.
    fn passes(
        &self,
        buffers: &BatchBuffers,
        batch: &Batch<'_>,
        to: Destination<'_>,
    ) -> Result<Vec<Pass>, GpuError> {
        let augment = !batch.augments.is_empty();
        let spectrograms = || {
            let one = self.plan.spectrogram_bytes();
            buffers.spectrograms(&self.gpu, one).as_entire_binding()
        };
        let clips = batch.len();
        Ok(match (to, self.config.output) {
            (Destination::Spectrograms, _) => {
                vec![self.stft(
                    buffers,
                    clips,
                    self.stft_key(augment, false),
                    spectrograms(),
                )?]
            }
            (Destination::Tensor { target, first }, Output::Features) => {
                let key = self.stft_key(augment, true);
                let place = self.place(target, first, clips);
                vec![self.stft(buffers, clips, key, place)?]
            }
            (Destination::Tensor { target, first }, Output::Image(_)) => {
                let half = self.half;
                let key = PipelineKey::RgbaTensor { half };
                let place = self.place(target, first, clips);
                let augments = buffers.augments.as_entire_binding();
                vec![
                    self.stft(
                        buffers,
                        clips,
                        self.stft_key(augment, false),
                        spectrograms(),
                    )?,
                    self.rgba(buffers, clips, key, [(6, place), (8, augments)])?,
                ]
            }
            (Destination::Bytes(bytes), _) => {
                let bytes = [(7, bytes.as_entire_binding())];
                vec![
                    self.stft(
                        buffers,
                        clips,
                        self.stft_key(augment, false),
                        spectrograms(),
                    )?,
                    self.rgba(buffers, clips, PipelineKey::RgbaBytes, bytes)?,
                ]
            }
        })
    }

    /// Returns the variant of the STFT pass; `output`: the result is what the configuration says.
    fn stft_key(&self, augment: bool, output: bool) -> PipelineKey {
        let features = output && self.config.output == Output::Features;
        PipelineKey::Stft {
            augment,
            features,
            half: features && self.half,
        }
    }

    /// Returns the part of a tensor that holds `clips` clips from `first` on.
    fn place<'t>(&self, target: &'t Target, first: usize, clips: usize) -> BindingResource<'t> {
        let values = self.config.output_shape().iter().product::<usize>() as u64;
        let one = values * if self.half { 2 } else { 4 };
        // The size of a binding is a multiple of 4, and an odd number of f16 is not. Burn's memory
        // ends at a multiple of 4, and the shader writes only what belongs to the clips.
        let size = (clips as u64 * one).next_multiple_of(4);
        target.binding(first as u64 * one, size)
    }

    fn stft(
        &self,
        buffers: &BatchBuffers,
        clips: usize,
        key: PipelineKey,
        spectrogram: BindingResource<'_>,
    ) -> Result<Pass, GpuError> {
        let pipeline = self.pipelines.get(key)?;
        let c = &self.constants;
        let mut bound = vec![(0, &c.stft_params), (1, &buffers.pcm)];
        bound.extend([(2, &c.window), (3, &c.twiddles)]);
        bound.extend([(4, &c.mel_ends), (5, &c.mel_weights)]);
        bound.extend([(7, &buffers.range), (8, &buffers.augments)]);
        bound.extend(c.bins.as_ref().map(|bins| (9, bins)));
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

/// Returns the f32 behind a key of the range buffer.
fn unkey(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 {
        key & 0x7fff_ffff
    } else {
        !key
    })
}
