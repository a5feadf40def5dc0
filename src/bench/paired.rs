//! Our kernels and Burn's in turns: what the benchmarks of single layers share.

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use super::record::Stat;

/// The largest error that rounding may make, relative to the largest value.
pub const TOLERANCE: f32 = 1e-4;

/// Times with our kernels and with Burn's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PairedTimes {
    /// Our kernels, or those that the plan chooses.
    pub ours: Stat,
    /// Burn's own kernels.
    #[serde(rename = "burns")]
    pub burn: Stat,
    /// Largest error of Burn's result, compared with the CPU reference and relative to the largest
    /// value. Beyond [`TOLERANCE`] Burn's numbers are wrong.
    #[serde(rename = "burns_off")]
    pub burn_error: f32,
}

impl PairedTimes {
    /// Returns Burn's time divided by ours.
    pub fn ratio(&self) -> f64 {
        self.burn.median / self.ours.median
    }
}

/// Returns reproducible values in -1..1.
pub(super) fn noise(shape: [usize; 4], seed: u32, device: &Device) -> Tensor<4> {
    let hash = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 8;
    let value = |i: usize| hash(i) as f32 / (1 << 23) as f32 - 1.0;
    let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
