//! What the passes will do, as data: sizes, stages, workgroups, and clips per dispatch.
//!
//! A plan is made from configuration and limits alone, so tests read it without a device.

use super::kernels::{FftPlan, StftKernel};
use crate::frontend::config::{FrontEndConfig, Size};
use crate::gpu::Gpu;
use crate::gpu::adapter::is_hardware;

/// The limits of a device that a plan depends on. See [`wgpu::Limits`].
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
    /// Workgroups per dimension of a dispatch.
    pub workgroups: u32,
    /// The number of which a storage binding's offset must be a multiple.
    pub offset_alignment: u32,
    /// Features beyond WebGPU's base.
    pub features: wgpu::Features,
    /// Invocations of every subgroup; 0 if they differ or are not known.
    pub subgroup: u32,
    /// Whether the adapter is a processor, where barriers and scattered loads are expensive.
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

impl From<&wgpu::Limits> for Limits {
    /// Describes a card without features beyond WebGPU's base.
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
    /// Frames per clip.
    pub frames: u32,
    /// Rows of the spectrogram.
    pub rows: u32,
    /// Height of the image, pixels.
    pub height: u32,
    /// Width of the image, pixels.
    pub width: u32,
    /// Pixels, one under another, that one invocation of the image pass computes.
    pub pixels_per_invocation: u32,
    /// Largest number of clips per dispatch.
    pub clips_per_dispatch: usize,
}

/// Why a configuration cannot run on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The adapter has too little workgroup memory.
    #[error("n_fft {n_fft} needs {need} bytes of workgroup memory, and this adapter has {have}")]
    WorkgroupMemory {
        /// As configured.
        n_fft: usize,
        /// Bytes.
        need: u32,
        /// Bytes.
        have: u32,
    },
    /// The adapter's workgroups are too small.
    #[error("n_fft {n_fft} needs workgroups of {need}, and this adapter allows {have}")]
    WorkgroupSize {
        /// As configured.
        n_fft: usize,
        /// Invocations.
        need: u32,
        /// Invocations.
        have: u32,
    },
    /// The kernel that was named does not exist for this transform, or not on this device.
    #[error("the STFT kernel '{kernel}' cannot run n_fft {n_fft} on this adapter")]
    StftKernel {
        /// As named.
        kernel: StftKernel,
        /// As configured.
        n_fft: usize,
    },
    /// Not even one clip fits.
    #[error("one clip needs a buffer of {need} bytes, and this adapter binds at most {have}")]
    Clip {
        /// Bytes.
        need: u64,
        /// Bytes.
        have: u64,
    },
    /// A pixel covers more cells than a loop may have iterations.
    #[error(
        "a {height}x{width} image of {rows}x{frames} cells is too small for the GPU: \
         a pixel may cover at most {MAX_LOOP_ITERATIONS} cells"
    )]
    ImageTooSmall {
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

/// Mesa's software adapter ends an invocation's loops, all together, after this many iterations
/// (its guard against endless loops) and continues as if they were done. No real image comes near
/// it.
const MAX_LOOP_ITERATIONS: usize = 65_000;

impl Plan {
    /// Plans a validated configuration under `limits`, with the kernel of [`Plan::choose_kernel`].
    ///
    /// # Errors
    /// What the device lacks.
    pub fn new(config: &FrontEndConfig, limits: &Limits) -> Result<Self, PlanError> {
        Self::with_kernel(config, limits, Self::choose_kernel(config.n_fft, limits))
    }

    /// Returns the kernel that is fastest as far as limits can tell: registers on processors,
    /// shared workgroups for short frames.
    pub fn choose_kernel(n_fft: usize, limits: &Limits) -> StftKernel {
        let preferred = match limits.software {
            true => StftKernel::Registers,
            false => StftKernel::SharedWorkgroup,
        };
        let usable = preferred.accurate() && Self::fft(preferred, n_fft, limits).is_ok();
        if usable {
            preferred
        } else {
            StftKernel::OneFrame
        }
    }

    /// Returns the kernels that can run frames of `n_fft` on this device, including those that are
    /// not [`StftKernel::accurate`].
    pub fn possible(n_fft: usize, limits: &Limits) -> Vec<StftKernel> {
        let fits = |v: &StftKernel| Self::fft(*v, n_fft, limits).is_ok();
        StftKernel::ALL.into_iter().filter(fits).collect()
    }

    fn fft(kernel: StftKernel, n_fft: usize, limits: &Limits) -> Result<FftPlan, PlanError> {
        let subgroups_fit = |fft: &FftPlan| {
            let size = kernel.required_subgroup_size(fft);
            size.is_none_or(|size| size == limits.subgroup)
        };
        let fft = kernel
            .fft(n_fft)
            .filter(|_| limits.features.contains(kernel.features()))
            .filter(subgroups_fit)
            .ok_or(PlanError::StftKernel { kernel, n_fft })?;
        let fft = match fft.workgroup_bytes() > limits.workgroup_memory {
            true => fft.without_padding(),
            false => fft,
        };
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

    /// Plans a validated configuration with the kernel that is named.
    ///
    /// # Errors
    /// As [`Plan::new`]; [`PlanError::StftKernel`] if the kernel cannot run this configuration
    /// here.
    pub fn with_kernel(
        config: &FrontEndConfig,
        limits: &Limits,
        kernel: StftKernel,
    ) -> Result<Self, PlanError> {
        let fft = Self::fft(kernel, config.n_fft, limits)?;
        let (frames, rows) = (config.frames(), config.rows());
        let Size { height, width } = config.image_size();
        let cells = |from: usize, to: usize| from.div_ceil(to) + 1;
        let cells_per_pixel = cells(rows, height) * cells(frames, width);
        if cells_per_pixel > MAX_LOOP_ITERATIONS {
            return Err(PlanError::ImageTooSmall {
                height,
                width,
                rows,
                frames,
            });
        }
        Ok(Self {
            fft,
            frames: frames as u32,
            rows: rows as u32,
            height: height as u32,
            width: width as u32,
            pixels_per_invocation: (MAX_LOOP_ITERATIONS / cells_per_pixel).min(16) as u32,
            clips_per_dispatch: clips_per_dispatch(config, limits)?,
        })
    }

    /// Returns the workgroups of `stft` per clip.
    pub fn stft_workgroups(&self) -> u32 {
        self.frames.div_ceil(self.fft.frames)
    }

    /// Returns the workgroups of the image pass per clip, x and y: 64 columns each.
    pub fn image_workgroups(&self) -> [u32; 2] {
        [
            self.width.div_ceil(64),
            self.height.div_ceil(self.pixels_per_invocation),
        ]
    }

    /// Returns the bytes of one clip's spectrogram in f32.
    pub fn spectrogram_bytes(&self) -> u64 {
        u64::from(self.frames) * u64::from(self.rows) * 4
    }

    /// Returns the pixels of one image.
    pub fn pixels(&self) -> u64 {
        u64::from(self.height) * u64::from(self.width)
    }
}

/// Returns the largest number of clips whose buffers the device can bind.
fn clips_per_dispatch(config: &FrontEndConfig, limits: &Limits) -> Result<usize, PlanError> {
    let output = config.output_shape().iter().product::<usize>() as u64 * 4;
    let pcm = config.clip_samples as u64 * 4;
    let spectrogram = (config.frames() * config.rows() * 4) as u64;
    let have = limits.storage_binding.min(limits.buffer);
    // A part of a batch begins anywhere in its tensor. Its binding begins up to an alignment before
    // it, and ends at a multiple of 4.
    let for_output = have.saturating_sub(u64::from(limits.offset_alignment) + 4);
    // The PCM of one more clip than is served, because a clip may be mixed with the next one.
    let fit = (have / spectrogram)
        .min(for_output / output)
        .min((have / pcm).saturating_sub(1))
        .min(u64::from(limits.workgroups));
    if fit == 0 {
        let need = spectrogram.max(output).max(2 * pcm);
        return Err(PlanError::Clip { need, have });
    }
    Ok(fit as usize)
}
