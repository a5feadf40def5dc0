//! The front end on the device that it was made for.

use std::borrow::Cow;
use std::time::Duration;

use burn::tensor::Tensor;

use super::augment::Augment;
use super::config::FrontEndConfig;
use super::cpu::CpuFrontEnd;
use super::error::FrontEndError;
use super::gpu::GpuFrontEnd;
use super::gpu::kernels::StftKernel;
use super::samples::{Samples, check};
use super::spectrogram::Spectrogram;
use crate::gpu::Compute;

/// A front end: PCM to features, on the device that it was made for.
pub enum FrontEnd {
    /// Plain Rust, on all cores.
    Cpu(Box<CpuFrontEnd>),
    /// The WGSL passes.
    Gpu(Box<GpuFrontEnd>),
}

impl FrontEnd {
    /// Checks `config`, plans it for `compute`, compiles shaders and computes tables.
    ///
    /// # Errors
    /// [`FrontEndError::Config`] if the configuration is wrong, [`FrontEndError::Plan`] if it
    /// exceeds what the device can do, [`FrontEndError::Gpu`] if the device fails.
    pub fn new(compute: &Compute, config: &FrontEndConfig) -> Result<Self, FrontEndError> {
        config.validate()?;
        Ok(match compute {
            Compute::Cpu => Self::Cpu(Box::new(CpuFrontEnd::new(config))),
            Compute::Gpu(gpu) => Self::Gpu(Box::new(GpuFrontEnd::new(gpu, config)?)),
        })
    }

    /// Does as [`FrontEnd::new`], with the STFT kernel that is named. The CPU has only one.
    ///
    /// # Errors
    /// As [`FrontEnd::new`], and if the kernel cannot run this configuration on this device.
    pub fn with_kernel(
        compute: &Compute,
        config: &FrontEndConfig,
        kernel: StftKernel,
    ) -> Result<Self, FrontEndError> {
        match compute {
            Compute::Cpu => Self::new(compute, config),
            Compute::Gpu(gpu) => {
                let made = GpuFrontEnd::with_kernel(gpu, config, kernel)?;
                Ok(Self::Gpu(Box::new(made)))
            }
        }
    }

    /// Returns the same front end with features of f16, in half the memory, for a network of f16.
    /// The passes compute in f32 and round on store.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`] on the CPU and on adapters without f16.
    pub fn into_half(self) -> Result<Self, FrontEndError> {
        match self {
            Self::Cpu(_) => Err(FrontEndError::NoHalf("the cpu device".into())),
            Self::Gpu(f) => Ok(Self::Gpu(Box::new(f.into_half()?))),
        }
    }

    /// Returns the configuration.
    pub fn config(&self) -> &FrontEndConfig {
        match self {
            Self::Cpu(f) => f.config(),
            Self::Gpu(f) => f.config(),
        }
    }

    /// Computes the features of `clips`, each of `clip_samples` samples: a tensor
    /// `[n, channels, height, width]` on the device, whose shape per clip is
    /// [`FrontEndConfig::output_shape`], of f32 (of f16 after [`FrontEnd::into_half`]).
    ///
    /// On a GPU the shaders write into the tensor's own memory: nothing returns to the host.
    ///
    /// # Errors
    /// [`FrontEndError::ClipLength`] if a clip has another length, [`FrontEndError::Gpu`] if the
    /// device fails.
    pub fn features(&self, clips: &[&[f32]]) -> Result<Tensor<4>, FrontEndError> {
        self.augmented_features(&Samples::of(clips), &[])
    }

    /// Does as [`FrontEnd::features`], for samples that may be on a device already and with
    /// `augments`, one per clip or none, which the device applies.
    ///
    /// # Errors
    /// As [`FrontEnd::features`], and [`FrontEndError::Augments`] if there are augments, but not
    /// one per clip.
    pub fn augmented_features(
        &self,
        clips: &[Samples<'_>],
        augments: &[Augment],
    ) -> Result<Tensor<4>, FrontEndError> {
        check(self.config(), clips, augments)?;
        match self {
            Self::Gpu(f) => Ok(f.target(clips, augments)?.into_tensor()),
            Self::Cpu(f) => Ok(f.features(&self.on_host(clips)?, augments)),
        }
    }

    /// Draws `clips` as RGBA bytes `[y][x]` of size [`FrontEndConfig::image_size`]. If the output
    /// is features, they are drawn in the default way ([`FrontEndConfig::image`]).
    ///
    /// # Errors
    /// As [`FrontEnd::features`].
    pub fn images(&self, clips: &[&[f32]]) -> Result<Vec<Vec<u8>>, FrontEndError> {
        check(self.config(), &Samples::of(clips), &[])?;
        match self {
            Self::Gpu(f) => f.images(clips),
            Self::Cpu(f) => Ok(f.images(clips)),
        }
    }

    /// Computes the spectrograms of `clips` and brings them to the host, with the waveforms of
    /// `augments` (one per clip, or none) but without their masks.
    ///
    /// # Errors
    /// As [`FrontEnd::augmented_features`].
    pub fn spectrograms(
        &self,
        clips: &[&[f32]],
        augments: &[Augment],
    ) -> Result<Vec<Spectrogram>, FrontEndError> {
        let clips = &Samples::of(clips);
        check(self.config(), clips, augments)?;
        match self {
            Self::Gpu(f) => f.spectrograms(clips, augments),
            Self::Cpu(f) => Ok(f.spectrograms(&self.on_host(clips)?, augments)),
        }
    }

    /// Returns the time that handing PCM over to the GPU has taken until now, by the host's clock.
    /// Zero on the CPU.
    pub fn upload_time(&self) -> Duration {
        match self {
            Self::Gpu(f) => f.upload_time(),
            Self::Cpu(_) => Duration::ZERO,
        }
    }

    /// Brings every clip to the host.
    fn on_host<'a>(&self, clips: &[Samples<'a>]) -> Result<Vec<Cow<'a, [f32]>>, FrontEndError> {
        let len = self.config().clip_samples;
        Ok(clips
            .iter()
            .map(|clip| clip.to_host(len))
            .collect::<Result<_, _>>()?)
    }
}
