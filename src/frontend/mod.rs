//! The front end: PCM in, spectrogram pictures out, on the GPU or on the CPU, from the same settings and tables.

pub mod colormap;
pub mod cpu;
pub mod gpu;
pub mod plan;
pub mod presets;
pub mod settings;
pub mod tables;

use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use crate::gpu::Compute;
use crate::gpu::GpuError;
use cpu::NO_VALUE;
use cpu::stft::Stft;
use gpu::GpuFrontEnd;
use settings::{FrontEnd, Range, SettingsError};
use tables::Tables;

/// Why no picture could be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontEndError {
    /// The settings are wrong in themselves.
    #[error("front end: {0}")]
    Settings(#[from] SettingsError),
    /// The settings are too much for this device.
    #[error("front end: {0}")]
    Plan(#[from] plan::PlanError),
    /// The device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
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
    pub fn value(&self, settings: &FrontEnd, row: usize, frame: usize) -> Option<f32> {
        let v = self.db[frame * self.rows + row];
        let (_, max) = self.range?;
        match settings.range {
            _ if v == NO_VALUE => None,
            Range::MinMax => Some(v),
            Range::Top { db } => Some((v - max).max(-db as f32)),
        }
    }
}

/// What SpecAugment hides of one clip's picture, in pixels: two stretches of columns and two of rows, each from..to
/// and possibly empty. Hidden pixels get the colour of the lowest value.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Masks {
    /// Columns from, columns to, rows from, rows to; twice.
    pub stretches: [[u32; 4]; 2],
}

impl Masks {
    /// Whether the pixel is hidden.
    pub fn hide(&self, y: usize, x: usize) -> bool {
        let within = |v: usize, from: u32, to: u32| (from as usize..to as usize).contains(&v);
        self.stretches
            .iter()
            .any(|&[x0, x1, y0, y1]| within(x, x0, x1) || within(y, y0, y1))
    }
}

/// The front end on the CPU.
pub struct CpuFrontEnd {
    settings: FrontEnd,
    tables: Tables,
    stft: Stft,
}

impl CpuFrontEnd {
    fn spectrogram(&self, pcm: &[f32]) -> Spectrogram {
        assert_eq!(pcm.len(), self.settings.clip_samples, "samples a clip");
        let (frames, rows) = (self.settings.frames(), self.settings.rows());
        let mut db = vec![0.0; frames * rows];
        let range = self.stft.run(&self.settings, &self.tables, pcm, &mut db);
        Spectrogram {
            frames,
            rows,
            db,
            range,
        }
    }

    fn picture(&self, pcm: &[f32]) -> Vec<[f32; 4]> {
        let size = self.settings.picture_size();
        let s = self.spectrogram(pcm);
        let mut pixels = vec![[0.0; 4]; size.height * size.width];
        cpu::rgba::run(&self.settings, &self.tables, &s.db, s.range, &mut pixels);
        pixels
    }
}

/// A front end on the device it was made for.
pub enum Engine {
    /// The CPU twin.
    Cpu(Box<CpuFrontEnd>),
    /// The WGSL passes.
    Gpu(Box<GpuFrontEnd>),
}

impl Engine {
    /// Checks and plans `settings` for `compute`, compiles shaders, makes tables.
    ///
    /// # Errors
    /// Settings that are wrong, or too much for the device.
    pub fn new(compute: &Compute, settings: &FrontEnd) -> Result<Self, FrontEndError> {
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

    /// Pictures of `clips`, each of `clip_samples` samples: `[n, 4, height, width]`, f32 in 0..=1, on the device.
    ///
    /// On a GPU the shaders write into the tensor's own memory: nothing returns to the host.
    ///
    /// # Errors
    /// [`FrontEndError::Gpu`] if the device fails.
    ///
    /// # Panics
    /// If a clip has another length.
    pub fn pictures(&self, clips: &[&[f32]]) -> Result<Tensor<4>, FrontEndError> {
        self.masked_pictures(clips, &[])
    }

    /// As [`Engine::pictures`], with `masks` (one a clip, or none) over them.
    ///
    /// # Errors
    /// As [`Engine::pictures`].
    ///
    /// # Panics
    /// If a clip has another length, or there are masks but not one a clip.
    pub fn masked_pictures(
        &self,
        clips: &[&[f32]],
        masks: &[Masks],
    ) -> Result<Tensor<4>, FrontEndError> {
        assert!(
            masks.is_empty() || masks.len() == clips.len(),
            "masks a clip"
        );
        match self {
            Self::Gpu(f) => Ok(f.target(clips, masks)?.into_tensor()),
            Self::Cpu(f) => {
                let size = f.settings.picture_size();
                let plane = size.height * size.width;
                let mut planar = vec![0.0f32; clips.len() * 4 * plane];
                planar
                    .par_chunks_mut(4 * plane)
                    .zip(clips)
                    .enumerate()
                    .for_each(|(n, (out, pcm))| {
                        let masks = masks.get(n).copied().unwrap_or_default();
                        let [r, g, b, _] = f.tables.colours[0];
                        for (i, mut pixel) in f.picture(pcm).into_iter().enumerate() {
                            if masks.hide(i / size.width, i % size.width) {
                                pixel = [r, g, b, 1.0];
                            }
                            for (channel, v) in pixel.into_iter().enumerate() {
                                out[channel * plane + i] = v;
                            }
                        }
                    });
                let data = TensorData::new(planar, [clips.len(), 4, size.height, size.width]);
                Ok(Tensor::from_data(data, &burn::tensor::Device::flex()))
            }
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
                    let byte = |v: f32| (v * 255.0 + 0.5) as u8;
                    f.picture(pcm)
                        .into_iter()
                        .flat_map(|p| p.map(byte))
                        .collect()
                })
                .collect()),
        }
    }

    /// Decibels of `clips`.
    ///
    /// # Errors
    /// [`FrontEndError::Gpu`] if the device fails.
    pub fn spectrograms(&self, clips: &[&[f32]]) -> Result<Vec<Spectrogram>, FrontEndError> {
        match self {
            Self::Gpu(f) => f.spectrograms(clips),
            Self::Cpu(f) => Ok(clips.iter().map(|pcm| f.spectrogram(pcm)).collect()),
        }
    }
}
