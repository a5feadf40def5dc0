//! The front end: PCM in, spectrogram pictures out, on the GPU or on the CPU, from the same settings and tables.

pub mod augment;
pub mod colormap;
pub mod config;
pub mod cpu;
pub mod gpu;
pub mod presets;
pub mod tables;

use std::borrow::Cow;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::gpu::Compute;
use crate::gpu::GpuError;
use augment::{Augment, Masks, Waveform};
use config::{ConfigError, FrontEndConfig, Range, Size};
use cpu::NO_VALUE;
use cpu::stft::Stft;
use gpu::GpuFrontEnd;
use gpu::kernels::StftKernel;
use tables::Tables;

/// Why no picture could be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontEndError {
    /// The settings are wrong in themselves.
    #[error("front end: {0}")]
    Settings(#[from] ConfigError),
    /// The settings are too much for this device.
    #[error("front end: {0}")]
    Plan(#[from] gpu::plan::PlanError),
    /// f16 was asked for.
    #[error(
        "{0} does not compute in f16: leave out --half, or take an adapter that does (see `sonoprint devices`)"
    )]
    NoHalf(String),
    /// The device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
}

/// The samples of one clip, where they are.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a> {
    /// `clip_samples` of them on the host.
    Host(&'a [f32]),
    /// On the GPU already: `len` samples of `buffer` from sample `start` on, then silence up to `clip_samples`.
    Device {
        /// With `COPY_SRC`, on the engine's own device.
        buffer: &'a wgpu::Buffer,
        /// First sample.
        start: usize,
        /// At most `clip_samples`.
        len: usize,
    },
}

impl<'a> Samples<'a> {
    /// All of them on the host.
    fn of(clips: &[&'a [f32]]) -> Vec<Self> {
        clips.iter().map(|pcm| Self::Host(pcm)).collect()
    }

    fn host(self) -> &'a [f32] {
        match self {
            Self::Host(pcm) => pcm,
            Self::Device { .. } => panic!("samples on a GPU, and a front end on the CPU"),
        }
    }
}

/// Decibels of one clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrogram {
    /// Columns.
    pub frames: usize,
    /// Rows: bins or mel bands, lowest frequency first.
    pub rows: usize,
    /// `[frame][row]`; [`NO_VALUE`] where there is none.
    pub db: Vec<f32>,
    /// Smallest and largest value; `None` if no cell has one.
    pub range: Option<(f32, f32)>,
}

impl Spectrogram {
    /// Decibels at a cell as the libraries print them: `None` for no value, and under [`Range::Top`] relative to the
    /// clip's maximum and floored (`power_to_db(ref=np.max, top_db=..)`).
    pub fn value(&self, settings: &FrontEndConfig, row: usize, frame: usize) -> Option<f32> {
        let v = self.db[frame * self.rows + row];
        let (_, max) = self.range?;
        match settings.image().range {
            _ if v == NO_VALUE => None,
            Range::MinMax => Some(v),
            Range::Top { db } => Some((v - max).max(-db as f32)),
        }
    }
}

/// The front end on the CPU.
pub struct CpuFrontEnd {
    settings: FrontEndConfig,
    tables: Tables,
    stft: Stft,
}

impl CpuFrontEnd {
    fn spectrogram(&self, pcm: &[f32], waveform: &Waveform) -> Spectrogram {
        assert_eq!(pcm.len(), self.settings.clip_samples, "samples a clip");
        let (frames, rows) = (self.settings.frames(), self.settings.rows());
        let _span = tracing::info_span!("stft").entered();
        let mut db = vec![0.0; frames * rows];
        let (settings, tables) = (&self.settings, &self.tables);
        let range = self.stft.run(settings, tables, pcm, waveform, &mut db);
        Spectrogram {
            frames,
            rows,
            db,
            range,
        }
    }

    /// `[channel][y][x]` of one clip's picture, into `out`.
    fn picture(&self, pcm: &[f32], augment: &Augment, out: &mut [f32]) {
        let Augment { waveform, masks } = augment;
        let s = self.spectrogram(pcm, waveform);
        let _span = tracing::info_span!("rgba").entered();
        cpu::rgba::run(&self.settings, &self.tables, &s.db, s.range, out);
        if *masks == Masks::default() {
            return;
        }
        let Size { height, width } = self.settings.image_size();
        let [r, g, b, _] = self.tables.colors[0];
        for (plane, v) in out.chunks_mut(height * width).zip([r, g, b, 1.0]) {
            for (i, pixel) in plane.iter_mut().enumerate() {
                if masks.hide(i / width, i % width) {
                    *pixel = v;
                }
            }
        }
    }
}

/// A front end on the device it was made for.
pub enum FrontEnd {
    /// The CPU twin.
    Cpu(Box<CpuFrontEnd>),
    /// The WGSL passes.
    Gpu(Box<GpuFrontEnd>),
}

impl FrontEnd {
    /// Checks and plans `settings` for `compute`, compiles shaders, makes tables.
    ///
    /// # Errors
    /// Settings that are wrong, or too much for the device.
    pub fn new(compute: &Compute, settings: &FrontEndConfig) -> Result<Self, FrontEndError> {
        settings.validate()?;
        Ok(match compute {
            Compute::Cpu => Self::Cpu(Box::new(CpuFrontEnd {
                settings: settings.clone(),
                tables: Tables::new(settings),
                stft: Stft::new(settings),
            })),
            Compute::Gpu(gpu) => Self::Gpu(Box::new(GpuFrontEnd::new(gpu, settings)?)),
        })
    }

    /// As [`FrontEnd::new`], but by the way to decibels that is asked for; on the CPU there is only one.
    ///
    /// # Errors
    /// As [`FrontEnd::new`], and if this is no way for these settings on this device.
    pub fn with_kernel(
        compute: &Compute,
        settings: &FrontEndConfig,
        variant: StftKernel,
    ) -> Result<Self, FrontEndError> {
        match compute {
            Compute::Cpu => Self::new(compute, settings),
            Compute::Gpu(gpu) => {
                let made = GpuFrontEnd::with_kernel(gpu, settings, variant)?;
                Ok(Self::Gpu(Box::new(made)))
            }
        }
    }

    /// The same front end, whose pictures are of f16: half the memory, for a network of f16. The passes compute in f32.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`] on the CPU and on adapters without f16.
    pub fn into_half(self) -> Result<Self, FrontEndError> {
        match self {
            Self::Cpu(_) => Err(FrontEndError::NoHalf("the cpu device".into())),
            Self::Gpu(f) => Ok(Self::Gpu(Box::new(f.into_half()?))),
        }
    }

    /// Pictures of `clips`, each of `clip_samples` samples: `[n, 4, height, width]`, in 0..=1, on the device; of f32, unless
    /// [`FrontEnd::into_half`] was called.
    ///
    /// On a GPU the shaders write into the tensor's own memory: nothing returns to the host.
    ///
    /// # Errors
    /// [`FrontEndError::Gpu`] if the device fails.
    ///
    /// # Panics
    /// If a clip has another length.
    pub fn features(&self, clips: &[&[f32]]) -> Result<Tensor<4>, FrontEndError> {
        self.augmented_features(&Samples::of(clips), &[])
    }

    /// As [`FrontEnd::features`], of samples that may be on the device already, with `augments` (one a clip, or none)
    /// done to them there.
    ///
    /// # Errors
    /// As [`FrontEnd::features`].
    ///
    /// # Panics
    /// If a clip has another length, there are augments but not one a clip, or samples of a GPU are given to the CPU.
    pub fn augmented_features(
        &self,
        clips: &[Samples<'_>],
        augments: &[Augment],
    ) -> Result<Tensor<4>, FrontEndError> {
        one_each(clips.len(), augments);
        match self {
            Self::Gpu(f) => Ok(f.target(clips, augments)?.into_tensor()),
            Self::Cpu(f) => {
                let clips: Vec<_> = clips.iter().map(|c| c.host()).collect();
                let Size { height, width } = f.settings.image_size();
                let mut pictures = vec![0.0f32; clips.len() * 4 * height * width];
                (pictures.par_chunks_mut(4 * height * width).enumerate()).for_each(|(n, out)| {
                    let augment = augments.get(n).copied().unwrap_or_default();
                    f.picture(&samples(&clips, &augment.waveform, n), &augment, out);
                });
                let data = TensorData::new(pictures, [clips.len(), 4, height, width]);
                Ok(Tensor::from_data(data, &burn::tensor::Device::flex()))
            }
        }
    }

    /// Time that handing PCM over to the GPU has taken so far, by the host's clock. None on the CPU.
    pub fn upload_time(&self) -> std::time::Duration {
        match self {
            Self::Gpu(f) => f.upload_time(),
            Self::Cpu(_) => std::time::Duration::ZERO,
        }
    }

    /// Pictures of `clips` as RGBA bytes, `[y][x]`, for PNG.
    ///
    /// # Errors
    /// [`FrontEndError::Gpu`] if the device fails.
    pub fn bytes(&self, clips: &[&[f32]]) -> Result<Vec<Vec<u8>>, FrontEndError> {
        match self {
            Self::Gpu(f) => f.bytes(clips),
            Self::Cpu(f) => Ok(clips
                .par_iter()
                .map(|pcm| {
                    let Size { height, width } = f.settings.image_size();
                    let plane = height * width;
                    let mut picture = vec![0.0; 4 * plane];
                    f.picture(pcm, &Augment::default(), &mut picture);
                    let byte = |v: f32| (v * 255.0 + 0.5) as u8;
                    let pixel = |i: usize| (0..4).map(move |channel| channel * plane + i);
                    (0..plane)
                        .flat_map(pixel)
                        .map(|at| byte(picture[at]))
                        .collect()
                })
                .collect()),
        }
    }

    /// Decibels of `clips`, with the waveforms of `augments` (one a clip, or none).
    ///
    /// # Errors
    /// [`FrontEndError::Gpu`] if the device fails.
    ///
    /// # Panics
    /// As [`FrontEnd::augmented_features`].
    pub fn spectrograms(
        &self,
        clips: &[&[f32]],
        augments: &[Augment],
    ) -> Result<Vec<Spectrogram>, FrontEndError> {
        one_each(clips.len(), augments);
        match self {
            Self::Gpu(f) => f.spectrograms(clips, augments),
            Self::Cpu(f) => Ok((0..clips.len())
                .map(|n| {
                    let waveform = augments
                        .get(n)
                        .map_or_else(Waveform::default, |a| a.waveform);
                    f.spectrogram(&samples(clips, &waveform, n), &waveform)
                })
                .collect()),
        }
    }
}

fn one_each(clips: usize, augments: &[Augment]) {
    assert!(
        augments.is_empty() || augments.len() == clips,
        "augments are none, or one a clip"
    );
}

/// The samples of clip `n`, changed as `waveform` says.
fn samples<'a>(clips: &[&'a [f32]], waveform: &Waveform, n: usize) -> Cow<'a, [f32]> {
    if waveform.changes_samples() {
        Cow::Owned(waveform.apply(clips[n], clips[(n + 1) % clips.len()]))
    } else {
        Cow::Borrowed(clips[n])
    }
}
