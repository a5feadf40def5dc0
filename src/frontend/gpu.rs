//! The passes on the GPU: pipelines, buffers and dispatches of `shaders/stft.wgsl` and `shaders/rgba.wgsl`.

use bytemuck::{Pod, Zeroable};
use wgpu::util::DeviceExt;
use wgpu::{BufferUsages, ComputePipeline};

use super::plan::{Limits, Plan};
use super::settings::{Decibels, Framing, FrontEnd, Range, Rows};
use super::tables::{SparseRows, Tables};
use super::{FrontEndError, Spectrogram, cpu::NO_VALUE};
use crate::gpu::bridge::Target;
use crate::gpu::{Gpu, GpuError};

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
    pad: [u32; 3],
}

/// Tables and parameters on the device: written once, read by every dispatch.
struct Constants {
    stft_params: wgpu::Buffer,
    rgba_params: wgpu::Buffer,
    window: wgpu::Buffer,
    twiddles: wgpu::Buffer,
    mel_rows: wgpu::Buffer,
    mel_weights: wgpu::Buffer,
    y_rows: wgpu::Buffer,
    y_weights: wgpu::Buffer,
    x_rows: wgpu::Buffer,
    x_weights: wgpu::Buffer,
    colours: wgpu::Buffer,
}

/// What lies between the passes, for as many clips as one dispatch serves.
struct Scratch {
    clips: usize,
    pcm: wgpu::Buffer,
    db: wgpu::Buffer,
    range: wgpu::Buffer,
}

/// The front end on one GPU.
pub struct GpuFrontEnd {
    gpu: Gpu,
    settings: FrontEnd,
    plan: Plan,
    stft: ComputePipeline,
    rgba_f32: ComputePipeline,
    rgba_u8: ComputePipeline,
    constants: Constants,
    scratch: std::sync::Mutex<Option<Scratch>>,
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
    pub fn new(gpu: &Gpu, settings: &FrontEnd) -> Result<Self, FrontEndError> {
        settings.validate()?;
        let plan = Plan::new(settings, &Limits::from(&gpu.limits))?;
        let scope = gpu.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let (stft, rgba_f32, rgba_u8) = pipelines(gpu, settings, &plan);
        let constants = Constants::new(gpu, settings, &Tables::new(settings));
        if let Some(e) = pollster::block_on(scope.pop()) {
            return Err(GpuError::Failed(e.to_string()).into());
        }
        Ok(Self {
            gpu: gpu.clone(),
            settings: settings.clone(),
            plan,
            stft,
            rgba_f32,
            rgba_u8,
            constants,
            scratch: std::sync::Mutex::new(None),
        })
    }

    /// What was planned.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Pictures of `clips` (each of `clip_samples`) in memory of Burn's: `[n, 4, height, width]`, f32 in 0..=1.
    ///
    /// PCM goes up once and nothing comes down.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost or its memory is full.
    pub fn target(&self, clips: &[&[f32]]) -> Result<Target, FrontEndError> {
        let (height, width) = (self.plan.height as usize, self.plan.width as usize);
        let target = Target::new(&self.gpu, [clips.len(), 4, height, width])?;
        let mut first = 0;
        for chunk in clips.chunks(self.plan.clips_per_dispatch) {
            self.dispatch(chunk, Some((Sink::Tensor(&target), first)))?;
            first += chunk.len();
        }
        Ok(target)
    }

    /// Pictures of `clips` as packed RGBA bytes `[y][x]`, read back to the host.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn bytes(&self, clips: &[&[f32]]) -> Result<Vec<Vec<u8>>, FrontEndError> {
        let mut out = Vec::with_capacity(clips.len());
        let picture = self.plan.pixels() * 4;
        for chunk in clips.chunks(self.plan.clips_per_dispatch) {
            let buffer = self.buffer("pictures", picture * chunk.len() as u64);
            self.dispatch(chunk, Some((Sink::Bytes(&buffer), 0)))?;
            let all = self.read(&buffer, picture * chunk.len() as u64)?;
            out.extend(all.chunks(picture as usize).map(<[u8]>::to_vec));
        }
        Ok(out)
    }

    /// Decibels and ranges of `clips`, read back to the host. For tests and measurements.
    ///
    /// # Errors
    /// As [`GpuFrontEnd::target`].
    pub fn spectrograms(&self, clips: &[&[f32]]) -> Result<Vec<Spectrogram>, FrontEndError> {
        let mut out = Vec::with_capacity(clips.len());
        for chunk in clips.chunks(self.plan.clips_per_dispatch) {
            self.dispatch(chunk, None)?;
            let guard = self.lock();
            let scratch = guard.as_ref().expect("made by dispatch");
            let n = chunk.len() as u64;
            let db = self.read(&scratch.db, self.plan.db_bytes() * n)?;
            let keys = self.read(&scratch.range, 8 * n)?;
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

    fn buffer(&self, label: &str, size: u64) -> wgpu::Buffer {
        self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC,
            mapped_at_creation: false,
        })
    }

    fn make_scratch(&self, clips: usize) -> Scratch {
        let n = clips as u64;
        Scratch {
            clips,
            pcm: self.buffer("pcm", n * self.settings.clip_samples as u64 * 4),
            db: self.buffer("db", n * self.plan.db_bytes()),
            range: self.buffer("range", n * 8),
        }
    }

    /// Both passes over one chunk of clips; the picture pass writes from clip `first` of the sink on.
    fn dispatch(&self, chunk: &[&[f32]], sink: Option<(Sink<'_>, usize)>) -> Result<(), GpuError> {
        let mut guard = self.lock();
        if guard.as_ref().is_none_or(|s| s.clips < chunk.len()) {
            *guard = Some(self.make_scratch(chunk.len()));
        }
        let scratch = guard.as_ref().expect("made above");
        let clip_bytes = self.settings.clip_samples as u64 * 4;
        for (i, pcm) in chunk.iter().enumerate() {
            assert_eq!(pcm.len(), self.settings.clip_samples, "samples a clip");
            self.gpu.queue.write_buffer(
                &scratch.pcm,
                i as u64 * clip_bytes,
                bytemuck::cast_slice(pcm),
            );
        }
        let n = chunk.len() as u32;
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(&scratch.range, 0, None);
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&self.stft);
            pass.set_bind_group(0, &self.stft_group(scratch), &[]);
            pass.dispatch_workgroups(self.plan.frames, n, 1);
            if let Some((sink, first)) = sink {
                let (pipeline, group) = self.rgba_group(scratch, &sink, first as u64, n);
                pass.set_pipeline(pipeline);
                pass.set_bind_group(0, &group, &[]);
                pass.dispatch_workgroups(self.plan.width.div_ceil(64), self.plan.height, n);
            }
        }
        self.gpu.queue.submit([encoder.finish()]);
        Ok(())
    }

    fn stft_group(&self, scratch: &Scratch) -> wgpu::BindGroup {
        let c = &self.constants;
        let mut buffers = vec![&c.stft_params, &scratch.pcm, &c.window, &c.twiddles];
        buffers.extend([&c.mel_rows, &c.mel_weights, &scratch.db, &scratch.range]);
        let entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, b)| entry(binding, b.as_entire_binding()))
            .collect();
        self.group(&self.stft, &entries)
    }

    fn rgba_group(
        &self,
        scratch: &Scratch,
        sink: &Sink<'_>,
        first: u64,
        clips: u32,
    ) -> (&ComputePipeline, wgpu::BindGroup) {
        let c = &self.constants;
        let mut buffers = vec![&c.rgba_params, &c.colours, &scratch.db, &scratch.range];
        buffers.extend([&c.y_rows, &c.y_weights, &c.x_rows, &c.x_weights]);
        let mut entries: Vec<_> = (0..)
            .zip(buffers)
            .map(|(binding, b)| entry(binding, b.as_entire_binding()))
            .collect();
        let pipeline = match sink {
            Sink::Tensor(target) => {
                let picture = self.plan.pixels() * 16;
                let place = target.binding(first * picture, u64::from(clips) * picture);
                entries.push(entry(8, place));
                &self.rgba_f32
            }
            Sink::Bytes(buffer) => {
                entries.push(entry(9, buffer.as_entire_binding()));
                &self.rgba_u8
            }
        };
        (pipeline, self.group(pipeline, &entries))
    }

    fn group(
        &self,
        pipeline: &ComputePipeline,
        entries: &[wgpu::BindGroupEntry<'_>],
    ) -> wgpu::BindGroup {
        self.gpu
            .device
            .create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &pipeline.get_bind_group_layout(0),
                entries,
            })
    }

    fn read(&self, buffer: &wgpu::Buffer, size: u64) -> Result<Vec<u8>, GpuError> {
        let staging = self.gpu.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size,
            usage: BufferUsages::COPY_DST | BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, 0, &staging, 0, size);
        self.gpu.queue.submit([encoder.finish()]);
        staging.map_async(wgpu::MapMode::Read, .., |_| {});
        self.gpu.wait()?;
        let view = staging
            .get_mapped_range(..)
            .map_err(|e| GpuError::Failed(e.to_string()))?;
        Ok(view.to_vec())
    }
}

fn entry(binding: u32, resource: wgpu::BindingResource<'_>) -> wgpu::BindGroupEntry<'_> {
    wgpu::BindGroupEntry { binding, resource }
}

/// The f32 behind a key of the range buffer.
fn unkey(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 {
        key & 0x7fff_ffff
    } else {
        !key
    })
}

fn pipelines(
    gpu: &Gpu,
    settings: &FrontEnd,
    plan: &Plan,
) -> (ComputePipeline, ComputePipeline, ComputePipeline) {
    const { assert!(NO_VALUE == -3.0e38, "the shaders say so too") };
    let module = |name, text: &'static str| {
        gpu.device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(text.into()),
            })
    };
    let stft = module("stft", include_str!("../../shaders/stft.wgsl"));
    let rgba = module("rgba", include_str!("../../shaders/rgba.wgsl"));
    let fft = &plan.fft;
    let mel = matches!(settings.rows, Rows::Mel { .. });
    let overrides = [
        ("N_FFT", settings.n_fft as f64),
        ("POINTS", f64::from(fft.points)),
        ("LANES", f64::from(fft.lanes)),
        ("ROUNDS", f64::from(fft.rounds)),
        ("RADIX8_STAGES", f64::from(fft.radix8_stages)),
        ("TAIL", f64::from(fft.tail)),
        ("PAD_SHIFT", f64::from(fft.pad_shift)),
        ("WORK_LEN", f64::from(fft.work_len)),
        ("MEL", f64::from(u8::from(mel))),
    ];
    let pipeline = |module, entry_point, constants| {
        gpu.device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry_point),
                layout: None,
                module,
                entry_point: Some(entry_point),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants,
                    // Every word of workgroup memory is written before it is read.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
    };
    (
        pipeline(&stft, "stft", &overrides),
        pipeline(&rgba, "rgba_f32", &[]),
        pipeline(&rgba, "rgba_u8", &[]),
    )
}

impl Constants {
    fn new(gpu: &Gpu, settings: &FrontEnd, tables: &Tables) -> Self {
        let make = |label, contents: &[u8], usage| {
            gpu.device
                .create_buffer_init(&wgpu::util::BufferInitDescriptor {
                    label: Some(label),
                    contents,
                    usage,
                })
        };
        let storage = |label, contents: &[u8]| {
            // A binding may not be empty.
            let contents = if contents.is_empty() {
                &[0; 16]
            } else {
                contents
            };
            make(label, contents, BufferUsages::STORAGE)
        };
        let uniform = |label, contents: &[u8]| make(label, contents, BufferUsages::UNIFORM);
        let rows = |label, t: &SparseRows| {
            (
                storage(label, bytemuck::cast_slice(&t.headers())),
                storage(label, bytemuck::cast_slice(&t.weights)),
            )
        };
        let (mel_rows, mel_weights) = rows("mel", &tables.mel);
        let (y_rows, y_weights) = rows("y", &tables.y);
        let (x_rows, x_weights) = rows("x", &tables.x);
        let stft = StftParams::new(settings, tables);
        let size = settings.picture_size();
        let rgba = RgbaParams {
            frames: settings.frames() as u32,
            rows: settings.rows() as u32,
            height: size.height as u32,
            width: size.width as u32,
            top_db: match settings.range {
                Range::MinMax => 0.0,
                Range::Top { db } => db as f32,
            },
            pad: [0; 3],
        };
        Self {
            stft_params: uniform("stft params", bytemuck::bytes_of(&stft)),
            rgba_params: uniform("rgba params", bytemuck::bytes_of(&rgba)),
            window: storage("window", bytemuck::cast_slice(&tables.window)),
            twiddles: storage("twiddles", bytemuck::cast_slice(&tables.twiddles)),
            mel_rows,
            mel_weights,
            y_rows,
            y_weights,
            x_rows,
            x_weights,
            colours: uniform("colours", bytemuck::cast_slice(&tables.colours)),
        }
    }
}

impl StftParams {
    fn new(settings: &FrontEnd, tables: &Tables) -> Self {
        Self {
            clip_samples: settings.clip_samples as u32,
            frames: settings.frames() as u32,
            rows: settings.rows() as u32,
            hop: settings.hop as u32,
            lead: match settings.framing {
                Framing::Start => 0,
                Framing::CentreZeros | Framing::CentreReflect => settings.n_fft as i32 / 2,
            },
            reflect: u32::from(settings.framing == Framing::CentreReflect),
            amin: match settings.decibels {
                Decibels::Masked => 0.0,
                Decibels::Floor { amin } => amin as f32,
            },
            edge_scale: tables.edge_scale,
            inner_scale: tables.inner_scale,
            pad: [0; 3],
        }
    }
}
