//! Chooses between our convolution and Burn's.

use std::fmt;

use super::geometry::Geometry;
use super::parts::Parts;
use super::source::ConvKernel;
use crate::gpu::DeviceTraits;

/// Which convolution runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvPlan {
    /// Ours: this WGSL on a GPU, im2col on the `cpu` device.
    Ours(ConvKernel),
    /// Ours, with the kernel cut into parts: on a software adapter.
    InParts,
    /// Burn's, with the reason.
    Burn(&'static str),
}

/// [`ConvKernel::Direct`] has one line of source for each tap of each pixel of a tile.
const MAX_DIRECT_TAPS: usize = 25;
/// [`ConvKernel::Direct`] keeps the pixels between two places of the kernel in registers.
const MAX_DIRECT_STRIDE: usize = 4;

impl ConvPlan {
    /// Chooses for a device, before any shape is known.
    pub fn for_device(traits: DeviceTraits) -> Self {
        match traits {
            DeviceTraits { wgsl: false, .. } => {
                Self::Burn("Burn compiles to SPIR-V here, with matrix units")
            }
            DeviceTraits { software: true, .. } => Self::Ours(ConvKernel::Direct),
            DeviceTraits { .. } => Self::Ours(ConvKernel::Tiled),
        }
    }

    /// Chooses for one convolution on a GPU.
    pub fn new(traits: DeviceTraits, g: &Geometry) -> Self {
        let padded_too_far = (g.padding.iter().zip(g.kernel))
            .any(|(&(before, after), kernel)| before.max(after) >= kernel);
        let tensors = [g.image_len(), g.channels * g.pixels()];
        let too_large = tensors.iter().any(|len| g.n * len > i32::MAX as usize);
        match Self::for_device(traits) {
            Self::Ours(_) if too_large => Self::Burn("more numbers than 31 bits count"),
            Self::Ours(_) if padded_too_far => Self::Burn("padded by more than the kernel"),
            Self::Ours(ConvKernel::Direct) if g.taps() > MAX_DIRECT_TAPS => {
                let parts = Parts::new(g.kernel).geometry(g);
                match g.stride == [1, 1] && g.n * parts.image_len() <= i32::MAX as usize {
                    true => Self::InParts,
                    false => Self::Burn("a large kernel"),
                }
            }
            Self::Ours(ConvKernel::Direct) if g.stride.iter().any(|&s| s > MAX_DIRECT_STRIDE) => {
                Self::Burn("a large stride")
            }
            plan => plan,
        }
    }

    /// Returns whether our convolution runs.
    pub fn is_ours(self) -> bool {
        !matches!(self, Self::Burn(_))
    }
}

impl fmt::Display for ConvPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(ConvKernel::Tiled) => f.write_str("ours, tiles in workgroup memory"),
            Self::Ours(ConvKernel::Direct) => {
                f.write_str("ours, tiles in registers, without barriers")
            }
            Self::InParts => f.write_str("ours, of the parts of a large kernel"),
            Self::Burn(reason) => write!(f, "Burn's: {reason}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traits(software: bool, wgsl: bool) -> DeviceTraits {
        DeviceTraits { software, wgsl }
    }

    #[test]
    fn adapters_get_the_kernels_that_suit_them() {
        let plan = |software| ConvPlan::for_device(traits(software, true));
        assert_eq!(plan(true), ConvPlan::Ours(ConvKernel::Direct));
        assert_eq!(plan(false), ConvPlan::Ours(ConvKernel::Tiled));
        for software in [false, true] {
            assert!(!ConvPlan::for_device(traits(software, false)).is_ours());
        }
    }

    #[test]
    fn shapes_that_ours_are_not_made_for_are_burns() {
        let usual = Geometry {
            n: 4,
            input: [32, 89, 89],
            channels: 64,
            kernel: [3, 3],
            stride: [1, 1],
            padding: [(0, 0); 2],
        };
        let plan = |g| ConvPlan::new(traits(true, true), &g);
        assert_eq!(plan(usual), ConvPlan::Ours(ConvKernel::Direct));
        let uneven = Geometry {
            padding: [(0, 1), (2, 1)],
            ..usual
        };
        assert_eq!(plan(uneven), ConvPlan::Ours(ConvKernel::Direct));
        let burns = [
            Geometry {
                n: 1 << 16,
                ..usual
            },
            Geometry {
                padding: [(3, 3), (0, 0)],
                ..usual
            },
            Geometry {
                padding: [(0, 0), (0, 3)],
                ..usual
            },
            Geometry {
                kernel: [7, 7],
                stride: [2, 1],
                ..usual
            },
            Geometry {
                stride: [1, 5],
                ..usual
            },
        ];
        for g in burns {
            assert!(!plan(g).is_ours(), "{g:?}");
        }
        let large = Geometry {
            kernel: [7, 7],
            ..usual
        };
        assert_eq!(plan(large), ConvPlan::InParts);
        // The tiled kernel loops over the taps, so that their number does not matter.
        let plan = ConvPlan::new(traits(false, true), &large);
        assert_eq!(plan, ConvPlan::Ours(ConvKernel::Tiled));
    }
}
