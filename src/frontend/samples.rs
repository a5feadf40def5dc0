//! The samples of a clip, on the host or in a GPU's memory.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use wgpu::BufferUsages;

use super::augment::Augment;
use super::config::FrontEndConfig;
use super::error::FrontEndError;
use crate::gpu::{Gpu, GpuError};

/// The samples of one clip, where they are. Every front end takes both kinds.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'a> {
    /// On the host, exactly `clip_samples` of them.
    Host(&'a [f32]),
    /// In a GPU's memory, at most `clip_samples`; silence follows them.
    Device(&'a DeviceSamples),
}

/// Samples in the memory of a GPU, and the GPU that they are on.
///
/// A front end on that GPU copies them within its memory. Any other front end, the CPU's included,
/// brings them to the host first, which is slow but gives the same result.
#[derive(Clone, Debug)]
pub struct DeviceSamples {
    gpu: Arc<Gpu>,
    buffer: wgpu::Buffer,
    start: usize,
    len: usize,
}

impl DeviceSamples {
    /// Names the samples `range` of `buffer`, which holds f32 and is on `gpu`.
    ///
    /// # Panics
    /// If the buffer ends before the range does, or lacks the usage `COPY_SRC`.
    pub fn new(gpu: Arc<Gpu>, buffer: wgpu::Buffer, range: Range<usize>) -> Self {
        assert!(
            range.end as u64 * 4 <= buffer.size(),
            "samples in the buffer"
        );
        assert!(buffer.usage().contains(BufferUsages::COPY_SRC), "COPY_SRC");
        Self {
            gpu,
            buffer,
            start: range.start,
            len: range.len(),
        }
    }

    /// Names a part of these samples.
    ///
    /// # Panics
    /// If `range` ends behind them.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.end <= self.len, "a part of the samples");
        Self {
            start: self.start + range.start,
            len: range.len(),
            ..self.clone()
        }
    }

    /// Returns how many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns whether `gpu` can read them without the host.
    pub fn are_on(&self, gpu: &Gpu) -> bool {
        self.gpu.device == gpu.device
    }

    /// Records a copy into `to` from byte `at` on.
    pub(super) fn copy(&self, to: &wgpu::Buffer, at: u64, encoder: &mut wgpu::CommandEncoder) {
        let (from, bytes) = (self.start as u64 * 4, self.len as u64 * 4);
        encoder.copy_buffer_to_buffer(&self.buffer, from, to, at, bytes);
    }

    /// Brings them to the host.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn to_host(&self) -> Result<Vec<f32>, GpuError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = self.len as u64 * 4;
        let part = self.gpu.storage("samples for the host", bytes);
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        self.copy(&part, 0, &mut encoder);
        self.gpu.queue.submit([encoder.finish()]);
        Ok(bytemuck::pod_collect_to_vec(&self.gpu.read(&part, bytes)?))
    }
}

impl<'a> Samples<'a> {
    /// Names clips that are all on the host.
    pub(super) fn of(clips: &[&'a [f32]]) -> Vec<Self> {
        clips.iter().map(|pcm| Self::Host(pcm)).collect()
    }

    /// Returns how many samples there are, without the silence that follows samples on a GPU.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Host(pcm) => pcm.len(),
            Self::Device(samples) => samples.len(),
        }
    }

    /// Brings them to the host, with the silence that fills the clip.
    pub(super) fn to_host(self, clip_samples: usize) -> Result<Cow<'a, [f32]>, GpuError> {
        Ok(match self {
            Self::Host(pcm) => Cow::Borrowed(pcm),
            Self::Device(samples) => {
                let mut pcm = samples.to_host()?;
                pcm.resize(clip_samples, 0.0);
                Cow::Owned(pcm)
            }
        })
    }
}

/// Checks that every clip has the configuration's length and that there is an augment per clip, or
/// none.
pub(super) fn check(
    config: &FrontEndConfig,
    clips: &[Samples<'_>],
    augments: &[Augment],
) -> Result<(), FrontEndError> {
    let expected = config.clip_samples;
    let fits = |clip: &&Samples<'_>| match clip {
        Samples::Host(pcm) => pcm.len() == expected,
        Samples::Device(samples) => samples.len() <= expected,
    };
    if let Some(clip) = clips.iter().find(|clip| !fits(clip)) {
        return Err(FrontEndError::ClipLength {
            samples: clip.len(),
            expected,
        });
    }
    if !augments.is_empty() && augments.len() != clips.len() {
        return Err(FrontEndError::Augments {
            augments: augments.len(),
            clips: clips.len(),
        });
    }
    Ok(())
}
