//! The front end on one GPU: plans a configuration, and runs its passes on batches of clips.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wgpu::Features;

use super::batch::{Batch, BatchBuffers};
use super::kernel_cache;
use super::kernels::StftKernel;
use super::passes::{Destination, Passes};
use super::plan::{Limits, Plan};
use crate::frontend::FrontEndError;
use crate::frontend::augment::Augment;
use crate::frontend::config::FrontEndConfig;
use crate::frontend::samples::{Samples, check};
use crate::frontend::spectrogram::Spectrogram;
use crate::gpu::tensor::Target;
use crate::gpu::timing::{Clock, Times};
use crate::gpu::{Gpu, GpuError};

/// The front end on one GPU.
pub struct GpuFrontEnd {
    gpu: Gpu,
    config: FrontEndConfig,
    plan: Plan,
    passes: Passes,
    /// Made by the first call, and again if a later one needs more.
    buffers: Mutex<Option<BatchBuffers>>,
    upload_nanos: AtomicU64,
}

impl GpuFrontEnd {
    /// Plans the passes of `config` with the kernel that was measured to be the fastest, or else
    /// with the plan's choice, compiles them and uploads their tables.
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
        Ok(Self {
            gpu: gpu.clone(),
            config: config.clone(),
            plan,
            passes: Passes::new(gpu, config, &plan)?,
            buffers: Mutex::new(None),
            upload_nanos: AtomicU64::new(0),
        })
    }

    /// Returns the same front end with tensors of f16.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`] if the adapter has no f16.
    pub fn into_half(self) -> Result<Self, FrontEndError> {
        if !self.gpu.device.features().contains(Features::SHADER_F16) {
            return Err(FrontEndError::NoHalf(self.gpu.info.name.clone()));
        }
        let passes = self.passes.into_half()?;
        Ok(Self { passes, ..self })
    }

    /// Returns the configuration.
    pub fn config(&self) -> &FrontEndConfig {
        &self.config
    }

    /// Returns the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Computes the features of `clips` in memory of Burn's, `[n, channels, height, width]`. If
    /// they are spectrograms, the STFT pass writes them there itself.
    ///
    /// PCM on the host is uploaded once, PCM on the device is copied there, and nothing is read
    /// back. `augments` has an entry per clip, or none.
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
        let target = self.passes.target(clips.len())?;
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

    /// Runs the passes that make a tensor over `clips` (at most as many as one dispatch serves)
    /// `runs` times, and returns how long each took. Pass 0 is `stft`; pass 1 is `rgba_tensor`, if
    /// the output is an image. Does one extra warm-up run, which is not reported.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn measure(&self, clips: &[&[f32]], runs: usize) -> Result<Vec<Times>, FrontEndError> {
        let clips = &Samples::of(&clips[..clips.len().min(self.plan.clips_per_dispatch)]);
        check(&self.config, clips, &[])?;
        let target = &self.passes.target(clips.len())?;
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
        let passes = self.passes.make(buffers, batch.len(), false, to)?;
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
        let augment = !batch.augments.is_empty();
        for pass in self.passes.make(buffers, batch.len(), augment, to)? {
            pass.record(&mut self.gpu.pass(pass.name, &mut encoder));
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(guard)
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
