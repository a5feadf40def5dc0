//! Whose convolution runs: ours or Burn's.

use std::fmt;

use super::cpu::Geometry;
use super::kernels::Kind;
use crate::gpu::Facts;

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
    pub fn for_adapter(facts: Facts) -> Self {
        match facts {
            Facts { wgsl: false, .. } => {
                Self::Burns("Burn compiles to SPIR-V here, with matrix units")
            }
            Facts { software: true, .. } => Self::Ours(Kind::Direct),
            Facts { .. } => Self::Ours(Kind::Tiled),
        }
    }

    /// For one convolution on an adapter.
    pub fn of(facts: Facts, g: &Geometry) -> Self {
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
