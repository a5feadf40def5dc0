//! The passes on the GPU: pipelines, buffers and dispatches of `shaders/frontend/stft.wgsl` and `shaders/frontend/rgba.wgsl`.

pub mod autotune;
mod buffers;
pub mod kernels;
mod measure;
pub mod plan;

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use burn::tensor::{DType, FloatDType};
use wgpu::{ComputePipeline, Features};

use self::buffers::{Constants, pipelines, rgba_module, rgba_pipeline};
use self::kernels::StftKernel;
use self::plan::{Limits, Plan};
use super::augment::{Augment, Masks, Waveform};
use super::config::FrontEndConfig;
use super::tables::Tables;
use super::{FrontEndError, Samples, Spectrogram};
use crate::gpu::tensor::Target;
use crate::gpu::{Gpu, GpuError};

/// What lies between the passes, for as many clips as one dispatch serves.
struct Scratch {
    clips: usize,
    pcm: wgpu::Buffer,
    db: wgpu::Buffer,
    range: wgpu::Buffer,
    masks: wgpu::Buffer,
    waveforms: wgpu::Buffer,
}

/// The front end on one GPU.
pub struct GpuFrontEnd {
    gpu: Gpu,
    settings: FrontEndConfig,
    plan: Plan,
    stft: ComputePipeline,
    /// Compiled when first needed: only training does.
    stft_augmented: OnceLock<ComputePipeline>,
    rgba_tensor: ComputePipeline,
    /// Of the tensor.
    dtype: FloatDType,
    rgba_u8: ComputePipeline,
    constants: Constants,
    scratch: std::sync::Mutex<Option<Scratch>>,
    upload_nanos: AtomicU64,
}

/// Where the picture pass writes.
enum Sink<'a> {
    Tensor(&'a Target),
    Bytes(&'a wgpu::Buffer),
}

impl GpuFrontEnd {
    /// Plans the passes for `settings`, compiles them and uploads their tables.
    ///
    /// # Errors
    /// Settings that the device has no room for, or a shader that its driver refuses.
    pub fn new(gpu: &Gpu, settings: &FrontEndConfig) -> Result<Self, FrontEndError> {
        settings.validate()?;
        let limits = Limits::from(gpu);
        let variant = autotune::remembered(gpu, settings)
            .unwrap_or_else(|| Plan::variant(settings.n_fft, &limits));
        Self::with_kernel(gpu, settings, variant)
    }

    /// As [`GpuFrontEnd::new`], by the way to decibels that is asked for.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::new`], and if this is no way for these settings on this device.
    pub fn with_kernel(
        gpu: &Gpu,
        settings: &FrontEndConfig,
        variant: StftKernel,
    ) -> Result<Self, FrontEndError> {
        settings.validate()?;
        let plan = Plan::with_kernel(settings, &Limits::from(gpu), variant)?;
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let (stft, rgba_tensor, rgba_u8) = pipelines(gpu, settings, &plan);
        let constants = Constants::new(gpu, settings, &Tables::new(settings), variant);
        if let Some(e) = pollster::block_on(scope.pop()) {
            return Err(GpuError::Failed(e.to_string()).into());
        }
        Ok(Self {
            gpu: gpu.clone(),
            settings: settings.clone(),
            plan,
            stft,
            stft_augmented: OnceLock::new(),
            rgba_tensor,
            dtype: FloatDType::F32,
            rgba_u8,
            constants,
            scratch: std::sync::Mutex::new(None),
            upload_nanos: AtomicU64::new(0),
        })
    }

    /// The same front end, whose tensors are of f16.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`] if the adapter has no f16.
    pub fn into_half(mut self) -> Result<Self, FrontEndError> {
        if !self.gpu.device.features().contains(Features::SHADER_F16) {
            return Err(FrontEndError::NoHalf(self.gpu.info.name.clone()));
        }
        self.rgba_tensor = rgba_pipeline(
            &self.gpu,
            &self.plan,
            &rgba_module(&self.gpu, true),
            "rgba_tensor",
        );
        self.dtype = FloatDType::F16;
        Ok(self)
    }

    /// Bytes of one picture's tensor.
    fn picture_bytes(&self) -> u64 {
        self.plan.pixels() * 4 * DType::from(self.dtype).size() as u64
    }

    /// What was planned.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Pictures of `clips` (each of `clip_samples`) in memory of Burn's: `[n, 4, height, width]`, in 0..=1.
    ///
    /// PCM on the host goes up once, PCM on the device is copied there, and nothing comes down. `augments` has an entry a
    /// clip, or none at all.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost or its memory is full.
    pub fn target(
        &self,
        clips: &[Samples<'_>],
        augments: &[Augment],
    ) -> Result<Target, FrontEndError> {
        let (height, width) = (self.plan.height as usize, self.plan.width as usize);
        let target = Target::new(&self.gpu, [clips.len(), 4, height, width], self.dtype)?;
        let mut first = 0;
        for chunk in clips.chunks(self.plan.clips_per_dispatch) {
            self.dispatch(
                clips,
                first..first + chunk.len(),
                augments,
                Some(Sink::Tensor(&target)),
            )?;
            first += chunk.len();
        }
        Ok(target)
    }

    /// Pictures of `clips` as packed RGBA bytes `[y][x]`, read back to the host.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn bytes(&self, clips: &[&[f32]]) -> Result<Vec<Vec<u8>>, FrontEndError> {
        let clips = &Samples::of(clips);
        let mut out = Vec::with_capacity(clips.len());
        let picture = self.plan.pixels() * 4;
        let mut first = 0;
        for chunk in clips.chunks(self.plan.clips_per_dispatch) {
            let buffer = self.gpu.storage("pictures", picture * chunk.len() as u64);
            self.dispatch(
                clips,
                first..first + chunk.len(),
                &[],
                Some(Sink::Bytes(&buffer)),
            )?;
            first += chunk.len();
            let all = self.gpu.read(&buffer, picture * chunk.len() as u64)?;
            out.extend(all.chunks(picture as usize).map(<[u8]>::to_vec));
        }
        Ok(out)
    }

    /// Decibels and ranges of `clips`, read back to the host. For tests and measurements.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn spectrograms(
        &self,
        clips: &[&[f32]],
        augments: &[Augment],
    ) -> Result<Vec<Spectrogram>, FrontEndError> {
        let clips = &Samples::of(clips);
        let mut out = Vec::with_capacity(clips.len());
        let mut first = 0;
        for chunk in clips.chunks(self.plan.clips_per_dispatch) {
            self.dispatch(clips, first..first + chunk.len(), augments, None)?;
            first += chunk.len();
            let guard = self.lock();
            let scratch = guard.as_ref().expect("made by dispatch");
            let n = chunk.len() as u64;
            let db = self.gpu.read(&scratch.db, self.plan.db_bytes() * n)?;
            let keys = self.gpu.read(&scratch.range, 8 * n)?;
            let keys: &[[u32; 2]] = bytemuck::cast_slice(&keys);
            for (db, key) in db.chunks(self.plan.db_bytes() as usize).zip(keys) {
                out.push(Spectrogram {
                    frames: self.plan.frames as usize,
                    rows: self.plan.rows as usize,
                    db: bytemuck::pod_collect_to_vec(db),
                    range: (key[0] != 0).then(|| (unkey(!key[1]), unkey(key[0]))),
                });
            }
        }
        Ok(out)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Scratch>> {
        self.scratch
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn make_scratch(&self, clips: usize) -> Scratch {
        let n = clips as u64;
        Scratch {
            clips,
            // One more, since a clip may be mixed with the one after it.
            pcm: self
                .gpu
                .storage("pcm", (n + 1) * self.settings.clip_samples as u64 * 4),
            db: self.gpu.storage("db", n * self.plan.db_bytes()),
            range: self.gpu.storage("range", n * 8),
            masks: self.gpu.storage("masks", n * size_of::<Masks>() as u64),
            waveforms: self
                .gpu
                .storage("waveforms", n * size_of::<Waveform>() as u64),
        }
    }

    /// Both passes over the clips of `range`. A tensor is written from clip `range.start` on, bytes from the beginning.
    fn dispatch(
        &self,
        clips: &[Samples<'_>],
        range: Range<usize>,
        augments: &[Augment],
        sink: Option<Sink<'_>>,
    ) -> Result<(), GpuError> {
        let chunk = &clips[range.clone()];
        let mut guard = self.lock();
        if guard.as_ref().is_none_or(|s| s.clips < chunk.len()) {
            *guard = Some(self.make_scratch(chunk.len()));
        }
        let scratch = guard.as_ref().expect("made above");
        let augments = augments.get(range.clone()).unwrap_or_default();
        let next = (!augments.is_empty()).then(|| clips[range.end % clips.len()]);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        for (i, pcm) in chunk.iter().copied().chain(next).enumerate() {
            self.place(pcm, i, &scratch.pcm, &mut encoder);
        }
        let n = chunk.len() as u32;
        encoder.clear_buffer(&scratch.range, 0, None);
        if augments.is_empty() {
            encoder.clear_buffer(&scratch.masks, 0, None);
        } else {
            let masks: Vec<Masks> = augments.iter().map(|a| a.masks).collect();
            let waveforms: Vec<Waveform> = augments.iter().map(|a| a.waveform).collect();
            let write = |buffer, bytes| self.gpu.queue.write_buffer(buffer, 0, bytes);
            write(&scratch.masks, bytemuck::cast_slice(&masks));
            write(&scratch.waveforms, bytemuck::cast_slice(&waveforms));
        }
        {
            let mut pass = self.gpu.pass("stft", &mut encoder);
            let stft = match augments.is_empty() {
                true => &self.stft,
                false => self.stft_augmented.get_or_init(|| {
                    buffers::stft_pipeline(&self.gpu, &self.settings, &self.plan, true)
                }),
            };
            pass.set_pipeline(stft);
            pass.set_bind_group(0, &self.stft_group(stft, scratch), &[]);
            pass.dispatch_workgroups(self.plan.workgroups(), n, 1);
            if let Some(sink) = sink {
                drop(pass);
                let mut pass = self.gpu.pass("rgba", &mut encoder);
                let (pipeline, group) = self.rgba_group(scratch, &sink, range.start as u64, n);
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, &group, &[]);
                let [x, y] = self.plan.picture_workgroups();
                pass.dispatch_workgroups(x, y, n);
            }
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(())
    }

    /// Brings the samples of one clip to where the first pass reads clip `i`.
    fn place(
        &self,
        samples: Samples<'_>,
        i: usize,
        to: &wgpu::Buffer,
        encoder: &mut wgpu::CommandEncoder,
    ) {
        let clip = self.settings.clip_samples;
        let at = (i * clip) as u64 * 4;
        match samples {
            Samples::Host(pcm) => {
                assert_eq!(pcm.len(), clip, "samples a clip");
                let _span = tracing::info_span!("upload").entered();
                let start = Instant::now();
                self.gpu
                    .queue
                    .write_buffer(to, at, bytemuck::cast_slice(pcm));
                let nanos = start.elapsed().as_nanos() as u64;
                self.upload_nanos.fetch_add(nanos, Ordering::Relaxed);
            }
            Samples::Device { buffer, start, len } => {
                assert!(len <= clip, "samples a clip");
                let bytes = len as u64 * 4;
                encoder.copy_buffer_to_buffer(buffer, start as u64 * 4, to, at, bytes);
                if len < clip {
                    encoder.clear_buffer(to, at + bytes, Some((clip - len) as u64 * 4));
                }
            }
        }
    }

    /// Time that handing PCM over has taken so far, by the host's clock.
    pub fn upload_time(&self) -> Duration {
        Duration::from_nanos(self.upload_nanos.load(Ordering::Relaxed))
    }

    fn stft_group(&self, pipeline: &ComputePipeline, scratch: &Scratch) -> wgpu::BindGroup {
        let c = &self.constants;
        let mut buffers = vec![&c.stft_params, &scratch.pcm, &c.window, &c.twiddles];
        buffers.extend([&c.mel_ends, &c.mel_weights, &scratch.db, &scratch.range]);
        buffers.push(&scratch.waveforms);
        buffers.extend(&c.bins);
        self.gpu.bind_buffers(pipeline, &buffers)
    }

    fn rgba_group(
        &self,
        scratch: &Scratch,
        sink: &Sink<'_>,
        first: u64,
        clips: u32,
    ) -> (&ComputePipeline, wgpu::BindGroup) {
        let c = &self.constants;
        let mut buffers = vec![&c.rgba_params, &c.colors, &scratch.db, &scratch.range];
        buffers.extend([&c.y_axis, &c.x_axis]);
        let mut entries: Vec<_> = (0..)
            .zip(buffers.into_iter().map(wgpu::Buffer::as_entire_binding))
            .collect();
        let pipeline = match sink {
            Sink::Tensor(target) => {
                let picture = self.picture_bytes();
                let place = target.binding(first * picture, u64::from(clips) * picture);
                entries.push((6, place));
                entries.push((8, scratch.masks.as_entire_binding()));
                &self.rgba_tensor
            }
            Sink::Bytes(buffer) => {
                entries.push((7, buffer.as_entire_binding()));
                &self.rgba_u8
            }
        };
        (pipeline, self.gpu.bind_group(pipeline, entries))
    }
}

/// The f32 behind a key of the range buffer.
fn unkey(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 {
        key & 0x7fff_ffff
    } else {
        !key
    })
}
