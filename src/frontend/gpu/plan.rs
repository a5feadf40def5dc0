//! What the passes will do, as data: sizes, stages, workgroups, and how many clips one dispatch may serve.
//!
//! A plan is made from settings and limits alone, so tests read it without a device.

use super::kernels::{FftPlan, StftKernel};
use crate::frontend::config::FrontEndConfig;
use crate::gpu::Gpu;
use crate::gpu::adapter::is_hardware;

/// The limits of a device that a plan heeds. See [`wgpu::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one storage binding.
    pub storage_binding: u64,
    /// Bytes of one buffer.
    pub buffer: u64,
    /// Bytes of workgroup memory.
    pub workgroup_memory: u32,
    /// Invocations of one workgroup.
    pub workgroup_size: u32,
    /// Workgroups of one dimension of a dispatch.
    pub workgroups: u32,
    /// What a storage binding's offset must be a multiple of.
    pub offset_alignment: u32,
    /// What the device has beyond WebGPU's base.
    pub features: wgpu::Features,
    /// Invocations of every subgroup; 0 if they differ or are not known.
    pub subgroup: u32,
    /// Whether it is a processor, which pays for barriers and scattered loads what a card does not.
    pub software: bool,
}

impl From<&Gpu> for Limits {
    fn from(gpu: &Gpu) -> Self {
        Self {
            features: gpu.device.features(),
            subgroup: match (gpu.info.subgroup_min_size, gpu.info.subgroup_max_size) {
                (least, most) if least == most => least,
                _ => 0,
            },
            software: !is_hardware(&gpu.info),
            ..Self::from(&gpu.limits)
        }
    }
}

/// A card without features beyond WebGPU's base.
impl From<&wgpu::Limits> for Limits {
    fn from(l: &wgpu::Limits) -> Self {
        Self {
            storage_binding: l.max_storage_buffer_binding_size,
            buffer: l.max_buffer_size,
            workgroup_memory: l.max_compute_workgroup_storage_size,
            workgroup_size: l
                .max_compute_invocations_per_workgroup
                .min(l.max_compute_workgroup_size_x),
            workgroups: l.max_compute_workgroups_per_dimension,
            offset_alignment: l.min_storage_buffer_offset_alignment,
            features: wgpu::Features::empty(),
            subgroup: 0,
            software: false,
        }
    }
}

/// What one front end does on one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The transform.
    pub fft: FftPlan,
    /// Frames a clip.
    pub frames: u32,
    /// Rows of the spectrogram.
    pub rows: u32,
    /// Pixels.
    pub height: u32,
    /// Pixels.
    pub width: u32,
    /// Pixels, one under another, that one invocation of the picture pass makes.
    pub run: u32,
    /// Clips that one dispatch serves at most.
    pub clips_per_dispatch: usize,
}

/// Why settings cannot run on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Not enough workgroup memory.
    #[error(
        "n_fft {n_fft} needs {need} bytes of workgroup memory, and this adapter has {have}: use a smaller n_fft or --device cpu"
    )]
    WorkgroupMemory {
        /// As set.
        n_fft: usize,
        /// Bytes.
        need: u32,
        /// Bytes.
        have: u32,
    },
    /// A workgroup has too few invocations.
    #[error(
        "n_fft {n_fft} needs workgroups of {need}, and this adapter allows {have}: use a smaller n_fft or --device cpu"
    )]
    WorkgroupSize {
        /// As set.
        n_fft: usize,
        /// Invocations.
        need: u32,
        /// Invocations.
        have: u32,
    },
    /// The way to decibels that was asked for does not exist for this transform, or not on this device.
    #[error(
        "the way '{variant}' cannot be taken for n_fft {n_fft} on this adapter: leave the choice to the plan"
    )]
    StftKernel {
        /// As asked for.
        variant: StftKernel,
        /// As set.
        n_fft: usize,
    },
    /// Not even one clip fits.
    #[error(
        "one clip needs a buffer of {need} bytes, and this adapter binds at most {have}: use shorter clips or smaller pictures, or --device cpu"
    )]
    Clip {
        /// Bytes.
        need: u64,
        /// Bytes.
        have: u64,
    },
    /// A pixel covers more cells than a loop may have turns.
    #[error(
        "a {height}x{width} picture of {rows}x{frames} cells is too small for the GPU: a pixel may cover at most {LOOP_TURNS} cells. Use a larger --size or --device cpu"
    )]
    Picture {
        /// Pixels.
        height: usize,
        /// Pixels.
        width: usize,
        /// Cells.
        rows: usize,
        /// Cells.
        frames: usize,
    },
}

/// Mesa's software adapter ends an invocation's loops, all together, after this many turns (its guard against endless
/// ones) and goes on as if they were done. No real picture comes near it.
const LOOP_TURNS: usize = 65_000;

impl Plan {
    /// The plan of validated `settings` under `limits`, by the way that is best as far as limits can tell.
    ///
    /// # Errors
    /// What the device lacks, and what to use instead.
    pub fn new(settings: &FrontEndConfig, limits: &Limits) -> Result<Self, PlanError> {
        Self::with_kernel(settings, limits, Self::variant(settings.n_fft, limits))
    }

    /// The way that is best as far as limits can tell: registers on processors, shared workgroups for short frames.
    pub fn variant(n_fft: usize, limits: &Limits) -> StftKernel {
        let by_preference = match limits.software {
            true => [
                StftKernel::Registers,
                StftKernel::OneFrame,
                StftKernel::OneFrame,
            ],
            false => [
                StftKernel::SharedWorkgroup,
                StftKernel::OneFrame,
                StftKernel::OneFrame,
            ],
        };
        by_preference
            .into_iter()
            .find(|v| v.accurate() && Self::fft(*v, n_fft, limits).is_ok())
            .unwrap_or(StftKernel::OneFrame)
    }

    /// The ways that this device can take to frames of `n_fft`, those that are not [`StftKernel::accurate`] included.
    pub fn possible(n_fft: usize, limits: &Limits) -> Vec<StftKernel> {
        let fits = |v: &StftKernel| Self::fft(*v, n_fft, limits).is_ok();
        StftKernel::ALL.into_iter().filter(fits).collect()
    }

    fn fft(variant: StftKernel, n_fft: usize, limits: &Limits) -> Result<FftPlan, PlanError> {
        let fft = variant
            .fft(n_fft)
            .filter(|_| limits.features.contains(variant.features()))
            .filter(|fft| {
                variant
                    .subgroup(fft)
                    .is_none_or(|size| size == limits.subgroup)
            })
            .ok_or(PlanError::StftKernel { variant, n_fft })?;
        if fft.workgroup_bytes() > limits.workgroup_memory {
            return Err(PlanError::WorkgroupMemory {
                n_fft,
                need: fft.workgroup_bytes(),
                have: limits.workgroup_memory,
            });
        }
        if fft.lanes > limits.workgroup_size {
            return Err(PlanError::WorkgroupSize {
                n_fft,
                need: fft.lanes,
                have: limits.workgroup_size,
            });
        }
        Ok(fft)
    }

    /// The plan by a way that is asked for by name.
    ///
    /// # Errors
    /// As [`Plan::new`]; [`PlanError::StftKernel`] if this is no way for these settings.
    pub fn with_kernel(
        settings: &FrontEndConfig,
        limits: &Limits,
        variant: StftKernel,
    ) -> Result<Self, PlanError> {
        let fft = Self::fft(variant, settings.n_fft, limits)?;
        let size = settings.image_size();
        let cells = |from: usize, to: usize| from.div_ceil(to) + 1;
        let cells = cells(settings.rows(), size.height) * cells(settings.frames(), size.width);
        if cells > LOOP_TURNS {
            return Err(PlanError::Picture {
                height: size.height,
                width: size.width,
                rows: settings.rows(),
                frames: settings.frames(),
            });
        }
        let picture = (size.height * size.width * 16) as u64;
        let pcm = settings.clip_samples as u64 * 4;
        let largest = picture.max((settings.frames() * settings.rows() * 4) as u64);
        let room = limits.storage_binding.min(limits.buffer);
        // The PCM of one clip more than is served: a clip may be mixed with the one after it.
        let fit = (room / largest)
            .min((room / pcm).saturating_sub(1))
            .min(u64::from(limits.workgroups));
        let largest = largest.max(2 * pcm);
        if fit == 0 {
            return Err(PlanError::Clip {
                need: largest,
                have: room,
            });
        }
        // Every chunk of a batch but the last must end where the next binding may begin, of f16 (half of it) as well.
        let step = alignment_step(picture / 2, u64::from(limits.offset_alignment));
        if fit >= step {
            Ok(Self {
                fft,
                frames: settings.frames() as u32,
                rows: settings.rows() as u32,
                height: size.height as u32,
                width: size.width as u32,
                run: (LOOP_TURNS / cells).min(16) as u32,
                clips_per_dispatch: (fit - fit % step) as usize,
            })
        } else {
            Err(PlanError::Clip {
                need: largest * step,
                have: room,
            })
        }
    }

    /// Workgroups of `stft` a clip.
    pub fn workgroups(&self) -> u32 {
        self.frames.div_ceil(self.fft.frames)
    }

    /// Workgroups of the picture pass a clip, x and y: 64 columns each, of a run of rows.
    pub fn picture_workgroups(&self) -> [u32; 2] {
        [self.width.div_ceil(64), self.height.div_ceil(self.run)]
    }

    /// Bytes of one clip's decibels.
    pub fn db_bytes(&self) -> u64 {
        u64::from(self.frames) * u64::from(self.rows) * 4
    }

    /// Pixels of one picture.
    pub fn pixels(&self) -> u64 {
        u64::from(self.height) * u64::from(self.width)
    }
}

/// The smallest number of pictures whose bytes are a multiple of `alignment` (a power of two).
fn alignment_step(picture: u64, alignment: u64) -> u64 {
    let aligned = 1 << picture.trailing_zeros().min(62);
    alignment.div_ceil(aligned).max(1)
}
