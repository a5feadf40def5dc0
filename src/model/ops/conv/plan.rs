//! Whose convolution runs: ours or Burn's.

use std::fmt;

use super::cpu::Geometry;
use super::kernels::Kind;
use crate::gpu::DeviceTraits;

/// Whose, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Our WGSL.
    Ours(Kind),
    /// Burn's kernels, and why.
    Burns(&'static str),
}

impl Plan {
    /// For an adapter, before any shape is known.
    pub fn for_adapter(facts: DeviceTraits) -> Self {
        match facts {
            DeviceTraits { wgsl: false, .. } => {
                Self::Burns("Burn compiles to SPIR-V here, with matrix units")
            }
            DeviceTraits { software: true, .. } => Self::Ours(Kind::Direct),
            DeviceTraits { .. } => Self::Ours(Kind::Tiled),
        }
    }

    /// For one convolution on an adapter.
    pub fn of(facts: DeviceTraits, g: &Geometry) -> Self {
        let fits = |i: usize| g.padding[i] < g.kernel[i];
        let largest = [
            g.n * g.input.iter().product::<usize>(),
            g.n * g.channels * g.output().iter().product::<usize>(),
        ];
        match Self::for_adapter(facts) {
            Self::Ours(_) if largest.iter().any(|&n| n > i32::MAX as usize) => {
                Self::Burns("more numbers than 31 bits count")
            }
            Self::Ours(_) if !(fits(0) && fits(1)) => Self::Burns("padded by more than the kernel"),
            // Each tap of each pixel of a tile is a line of text.
            Self::Ours(Kind::Direct) if g.kernel.iter().product::<usize>() > 25 => {
                Self::Burns("a large kernel")
            }
            Self::Ours(Kind::Direct) if g.stride.iter().any(|&s| s > 4) => {
                Self::Burns("a large stride")
            }
            plan => plan,
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours(Kind::Tiled) => f.write_str("ours, tiles in workgroup memory"),
            Self::Ours(Kind::Direct) => f.write_str("ours, tiles in registers, without barriers"),
            Self::Burns(why) => write!(f, "Burn's: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(software: bool, wgsl: bool) -> DeviceTraits {
        DeviceTraits { software, wgsl }
    }

    #[test]
    fn adapters_get_the_kernels_that_suit_them() {
        let ours = Plan::Ours;
        assert_eq!(Plan::for_adapter(facts(true, true)), ours(Kind::Direct));
        assert_eq!(Plan::for_adapter(facts(false, true)), ours(Kind::Tiled));
        for software in [false, true] {
            let plan = Plan::for_adapter(facts(software, false));
            assert!(matches!(plan, Plan::Burns(_)));
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
            padding: [0, 0],
        };
        let of = |g| Plan::of(facts(true, true), &g);
        assert_eq!(of(usual), Plan::Ours(Kind::Direct));
        let burns = [
            Geometry {
                n: 1 << 16,
                ..usual
            },
            Geometry {
                padding: [3, 0],
                ..usual
            },
            Geometry {
                kernel: [7, 7],
                ..usual
            },
            Geometry {
                stride: [1, 5],
                ..usual
            },
        ];
        for g in burns {
            assert!(matches!(of(g), Plan::Burns(_)), "{g:?}");
        }
        // On cards the kernel's size is no text.
        let large = Geometry {
            kernel: [7, 7],
            ..usual
        };
        let plan = Plan::of(facts(false, true), &large);
        assert_eq!(plan, Plan::Ours(Kind::Tiled));
    }
}
