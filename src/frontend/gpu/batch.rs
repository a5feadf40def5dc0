//! The buffers of one dispatch: what is uploaded for it, and what lies between the passes.

use std::cell::OnceCell;
use std::ops::Range;

use wgpu::{Buffer, CommandEncoder};

use crate::frontend::augment::Augment;
use crate::frontend::samples::Samples;
use crate::gpu::{Gpu, GpuError};

/// Clips of one dispatch, among all clips of a call.
pub(super) struct Batch<'a> {
    pub(super) clips: &'a [Samples<'a>],
    /// One per clip of the call, or none.
    pub(super) augments: &'a [Augment],
    /// Which of them.
    pub(super) range: Range<usize>,
}

impl Batch<'_> {
    /// Returns the number of clips.
    pub(super) fn len(&self) -> usize {
        self.range.len()
    }

    /// Returns the clips' augments; none if there are none.
    pub(super) fn augments(&self) -> &[Augment] {
        self.augments.get(self.range.clone()).unwrap_or_default()
    }

    /// Returns the clips, and behind them the one with which the last may be mixed.
    fn clips_and_next(&self) -> impl Iterator<Item = Samples<'_>> {
        let next =
            (!self.augments.is_empty()).then(|| self.clips[self.range.end % self.clips.len()]);
        self.clips[self.range.clone()].iter().copied().chain(next)
    }
}

/// Device memory for as many clips as one dispatch serves.
pub(super) struct BatchBuffers {
    /// Number of clips.
    pub(super) clips: usize,
    pub(super) pcm: Buffer,
    pub(super) augments: Buffer,
    /// The clips' ranges, as keys.
    pub(super) range: Buffer,
    /// Not needed where the STFT pass writes into a tensor.
    spectrograms: OnceCell<Buffer>,
}

impl BatchBuffers {
    pub(super) fn new(gpu: &Gpu, clips: usize, clip_samples: usize) -> Self {
        let n = clips as u64;
        Self {
            clips,
            // One more, because a clip may be mixed with the next one.
            pcm: gpu.storage("pcm", (n + 1) * clip_samples as u64 * 4),
            augments: gpu.storage("augments", n * size_of::<Augment>() as u64),
            range: gpu.storage("range", n * 8),
            spectrograms: OnceCell::new(),
        }
    }

    /// Returns memory for the spectrograms, of `bytes` per clip.
    pub(super) fn spectrograms(&self, gpu: &Gpu, bytes: u64) -> &Buffer {
        self.spectrograms
            .get_or_init(|| gpu.storage("spectrograms", self.clips as u64 * bytes))
    }

    /// Transfers everything that the passes read of `batch`: by commands of `encoder`, and by
    /// `write_pcm`, which is called with samples of the host and their first byte in `pcm`.
    ///
    /// # Errors
    /// [`GpuError::Failed`] if samples lie on another device, and that device was lost.
    pub(super) fn fill(
        &self,
        gpu: &Gpu,
        batch: &Batch<'_>,
        clip_samples: usize,
        encoder: &mut CommandEncoder,
        write_pcm: impl Fn(u64, &[f32]),
    ) -> Result<(), GpuError> {
        let clip_bytes = clip_samples as u64 * 4;
        for (i, samples) in (0..).zip(batch.clips_and_next()) {
            let at = i * clip_bytes;
            match samples {
                Samples::Device(samples) if samples.are_on(gpu) => {
                    samples.copy(&self.pcm, at, encoder);
                    let bytes = samples.len() as u64 * 4;
                    if bytes < clip_bytes {
                        encoder.clear_buffer(&self.pcm, at + bytes, Some(clip_bytes - bytes));
                    }
                }
                _ => write_pcm(at, &samples.to_host(clip_samples)?),
            }
        }
        encoder.clear_buffer(&self.range, 0, None);
        if batch.augments().is_empty() {
            // No mask hides anything.
            encoder.clear_buffer(&self.augments, 0, None);
        } else {
            let bytes = bytemuck::cast_slice(batch.augments());
            gpu.queue.write_buffer(&self.augments, 0, bytes);
        }
        Ok(())
    }
}
