//! The implementations of the STFT pass: what each needs, and where it is good.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An implementation of the STFT pass. All compute the same numbers within rounding, and each
/// computes the same bits for a frame wherever it stands in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StftKernel {
    /// One frame per workgroup, its real samples as half as many complex ones.
    OneFrame,
    /// As [`StftKernel::OneFrame`], but short frames share a workgroup of 128 invocations.
    SharedWorkgroup,
    /// Two frames of a clip as real and imaginary part of one transform. Kept for comparison, never
    /// chosen: see [`StftKernel::accurate`].
    Packed,
    /// 32 x 32 points in the registers of sixteen invocations, tables in uniform buffers: for
    /// processors.
    Registers,
    /// 32 points in the registers of each invocation of one subgroup, exchanged by shuffles: frames
    /// of 64 samples per invocation of a subgroup.
    Subgroup,
}

/// The transform of one workgroup under one [`StftKernel`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FftPlan {
    /// The kernel.
    pub kernel: StftKernel,
    /// Complex points of a transform.
    pub points: u32,
    /// Transforms per workgroup.
    pub transforms: u32,
    /// Frames per workgroup.
    pub frames: u32,
    /// Invocations per workgroup.
    pub lanes: u32,
    /// Groups of eight points that an invocation holds in registers.
    pub rounds: u32,
    /// Stages of radix 8, including the one that reads PCM.
    pub radix8_stages: u32,
    /// Radix of the last stage: 4, 2, or 1 for none.
    pub tail: u32,
    /// One point of padding per `2^pad_shift`; 31 for none.
    pub pad_shift: u32,
    /// Points of workgroup memory per transform, including padding.
    pub frame_len: u32,
}

impl FftPlan {
    /// Returns the bytes of workgroup memory that the pass declares.
    pub fn workgroup_bytes(&self) -> u32 {
        self.frame_len * self.transforms * 8
    }

    /// Returns the same transform in less memory, with bank conflicts, if the kernel can leave out
    /// padding.
    pub fn without_padding(self) -> Self {
        match self.kernel {
            StftKernel::OneFrame | StftKernel::SharedWorkgroup | StftKernel::Packed => Self {
                pad_shift: 31,
                frame_len: self.points,
                ..self
            },
            StftKernel::Registers | StftKernel::Subgroup => self,
        }
    }
}

impl StftKernel {
    /// All kernels.
    pub const ALL: [Self; 5] = [
        Self::OneFrame,
        Self::SharedWorkgroup,
        Self::Packed,
        Self::Registers,
        Self::Subgroup,
    ];

    /// Returns the name, for tables and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneFrame => "one-frame",
            Self::SharedWorkgroup => "shared-workgroup",
            Self::Packed => "packed",
            Self::Registers => "registers",
            Self::Subgroup => "subgroup",
        }
    }

    /// Returns the features beyond WebGPU's base that the kernel needs.
    pub fn features(self) -> wgpu::Features {
        match self {
            Self::Subgroup => wgpu::Features::SUBGROUP,
            _ => wgpu::Features::empty(),
        }
    }

    /// Returns the size that all of the device's subgroups must have, if it matters.
    pub fn required_subgroup_size(self, plan: &FftPlan) -> Option<u32> {
        (self == Self::Subgroup).then_some(plan.lanes)
    }

    /// Returns whether the kernel may be chosen without being named.
    ///
    /// [`StftKernel::Packed`] may not: the rounding error of a loud frame appears in the quiet one
    /// beside it, whose spectrum is then wrong by far more than f32's own rounding (a test measures
    /// it).
    pub fn accurate(self) -> bool {
        self != Self::Packed
    }

    /// Returns what a workgroup does for frames of `n_fft` (validated: a power of two from 256 to
    /// 8192), or `None` if the kernel has no such transform.
    pub fn fft(self, n_fft: usize) -> Option<FftPlan> {
        let half = n_fft as u32 / 2;
        match self {
            Self::OneFrame => Some(radix8(self, half, 1)),
            Self::SharedWorkgroup => {
                let together = 1024 / half.max(1);
                (together > 1).then(|| radix8(self, half, together))
            }
            // n_fft 8192 would need four rounds in registers and 64 KiB of workgroup memory.
            Self::Packed => (n_fft <= 4096).then(|| FftPlan {
                frames: 2,
                ..radix8(self, 2 * half, 1)
            }),
            Self::Registers => (n_fft == 2048).then_some(FftPlan {
                kernel: self,
                points: 1024,
                transforms: 1,
                frames: 1,
                lanes: 16,
                rounds: 8,
                radix8_stages: 0,
                tail: 1,
                pad_shift: 31,
                frame_len: 1025,
            }),
            Self::Subgroup => (512..=2048).contains(&n_fft).then_some(FftPlan {
                kernel: self,
                points: half,
                transforms: 1,
                frames: 1,
                lanes: half / 32,
                rounds: 4,
                radix8_stages: 0,
                tail: 1,
                pad_shift: 5,
                // Powers, which need half the memory of complex numbers.
                frame_len: (half + half / 32) / 2 + 1,
            }),
        }
    }
}

fn radix8(kernel: StftKernel, points: u32, transforms: u32) -> FftPlan {
    let log2 = points.ilog2();
    let rounds = if points > 2048 { 2 } else { 1 };
    // Padding avoids bank conflicts. It would exceed the 32 KiB that most adapters have at 4096
    // points, and WebGPU's base of 16 KiB at 2048.
    let pad_shift = if points >= 4096 { 31 } else { 4 };
    FftPlan {
        kernel,
        points,
        transforms,
        frames: transforms,
        lanes: points / 8 / rounds * transforms,
        rounds,
        radix8_stages: log2 / 3,
        tail: 1 << (log2 % 3),
        pad_shift,
        frame_len: points + (points >> pad_shift),
    }
}

impl fmt::Display for StftKernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for StftKernel {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|v| v.name() == s)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name).join(", ");
                format!("no STFT kernel is called '{s}': there are {names}")
            })
    }
}
