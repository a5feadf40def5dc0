//! Timing the layers of `musicnn` whose maximum over frequency is taken in the same operation, with
//! our kernels and with Burn's in turns.

use std::time::{Duration, Instant};

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use super::error::BenchError;
use super::paired::{PairedTimes, TOLERANCE, noise};
use super::record::Stat;
use crate::gpu::Compute;
use crate::model::ops::conv_max::{ConvMaxShape, conv_max, unfused};

/// A layer that reads a spectrogram and keeps the largest sum over all bands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxLayer {
    /// A stable name, for records and for choosing layers.
    pub id: &'static str,
    /// Filters.
    pub channels: usize,
    /// Frames and bands of a filter.
    pub kernel: [usize; 2],
}

/// Patches per run: 30 s of music.
const PATCHES: usize = 10;
/// Frames and bands of a patch.
const PATCH: [usize; 2] = [187, 96];

const fn layer(id: &'static str, channels: usize, kernel: [usize; 2]) -> MaxLayer {
    MaxLayer {
        id,
        channels,
        kernel,
    }
}

/// The layers of the pruned `musicnn-msd`, and the first one with all filters.
pub const MAX_LAYERS: [MaxLayer; 6] = [
    layer("conv-max-timbral-38", 23, [7, 38]),
    layer("conv-max-timbral-67", 14, [7, 67]),
    layer("conv-max-temporal-128", 3, [128, 1]),
    layer("conv-max-temporal-64", 7, [64, 1]),
    layer("conv-max-temporal-32", 17, [32, 1]),
    layer("conv-max-full-38", 204, [7, 38]),
];

impl MaxLayer {
    fn shape(&self) -> ConvMaxShape {
        ConvMaxShape {
            n: PATCHES,
            input: PATCH,
            channels: self.channels,
            kernel: self.kernel,
            padding: ((self.kernel[0] - 1) / 2, self.kernel[0] / 2),
        }
    }

    /// Returns the floating-point operations of the forward pass: two per multiply-add. Those with
    /// the padding do not count.
    pub fn flops(&self) -> f64 {
        let s = self.shape();
        let rows: usize = (0..s.frames()).map(|t| s.inside(t).0.len()).sum();
        2.0 * (s.n * s.channels * s.places() * s.kernel[1] * rows) as f64
    }
}

/// The times of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaxLayerTimes {
    /// The id in [`MAX_LAYERS`].
    pub id: &'static str,
    /// Floating-point operations of the forward pass.
    pub flops: f64,
    /// The forward pass of inference.
    pub forward: PairedTimes,
    /// The forward pass of training, and the gradients of the patches and the weights.
    pub training: PairedTimes,
    /// The same by our convolution and Burn's maximum. Training does this where it learns the
    /// moments of the norm between them.
    pub unfused: PairedTimes,
}

/// The operation, or what it is compared with.
type Op = fn(Tensor<4>, Tensor<4>, (usize, usize)) -> Tensor<3>;

/// Computes the same by Burn's convolution and maximum.
fn burns(x: Tensor<4>, weight: Tensor<4>, padding: (usize, usize)) -> Tensor<3> {
    let options = ConvOptions::new_with_padding([1, 1], [padding, (0, 0)], [1, 1], 1);
    conv2d(x, weight, None, options).max_dim(3).squeeze_dim(3)
}

/// Times one layer with our kernels and with Burn's in turns, after comparing both with the CPU
/// reference.
///
/// # Errors
/// [`BenchError::Wrong`] if our result differs from the reference, [`BenchError::Burn`] if Burn
/// fails.
pub fn conv_max_layer(
    compute: &Compute,
    layer: &MaxLayer,
    runs: usize,
) -> Result<MaxLayerTimes, BenchError> {
    let device = compute.burn();
    let s = layer.shape();
    let inputs = |device: &Device| {
        let [frames, bands] = s.input;
        let [high, wide] = s.kernel;
        let x = noise([s.n, 1, frames, bands], 1, device);
        (x, noise([s.channels, 1, high, wide], 2, device))
    };
    let (x, weight) = inputs(&Device::flex());
    let want = conv_max(x, weight, s.padding);
    let scale: f32 = want.clone().abs().max().into_scalar();
    let (x, weight) = inputs(&device);
    let sync = || device.sync().map_err(|e| BenchError::Burn(e.to_string()));
    let forward = |op: Op| -> Result<(Duration, f32), BenchError> {
        sync()?;
        let start = Instant::now();
        let out = op(x.clone(), weight.clone(), s.padding);
        sync()?;
        let time = start.elapsed();
        let off = (out.to_device(&Device::flex()) - want.clone()).abs().max();
        Ok((time, off.into_scalar::<f32>() / scale))
    };
    let training = |op: Op| -> Result<(Duration, f32), BenchError> {
        sync()?;
        let start = Instant::now();
        let [x, weight] =
            [x.clone(), weight.clone()].map(|tensor| tensor.autodiff().require_grad());
        let gradients = op(x.clone(), weight.clone(), s.padding).sum().backward();
        let both = (x.grad(&gradients), weight.grad(&gradients));
        sync()?;
        drop(both);
        Ok((start.elapsed(), 0.0))
    };
    Ok(MaxLayerTimes {
        id: layer.id,
        flops: layer.flops(),
        forward: paired(layer, runs, conv_max, forward)?,
        training: paired(layer, runs, conv_max, training)?,
        unfused: paired(layer, runs, unfused, training)?,
    })
}

/// Times `ours` and Burn's kernels in turns. `run` returns a time, and the largest error relative
/// to the largest value.
fn paired(
    layer: &MaxLayer,
    runs: usize,
    ours: Op,
    run: impl Fn(Op) -> Result<(Duration, f32), BenchError>,
) -> Result<PairedTimes, BenchError> {
    // The first run of each compiles its kernels. Its result is compared.
    let ((_, our_error), (_, burn_error)) = (run(ours)?, run(burns)?);
    if our_error.is_nan() || our_error > TOLERANCE {
        return Err(BenchError::Wrong {
            implementation: "sonoprint".into(),
            shape: layer.id.into(),
            difference: format!("the maxima differ by {our_error} of the largest value"),
        });
    }
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        times[0].push(run(ours)?.0);
        times[1].push(run(burns)?.0);
    }
    let [ours, burn] = times.map(Stat::of);
    Ok(PairedTimes {
        ours,
        burn,
        burn_error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 7x38 filters at 59 places, of which the first and last three frames meet the padding.
    #[test]
    fn products_with_the_padding_do_not_count() {
        let rows = 187 * 7 - 2 * (1 + 2 + 3);
        assert_eq!(
            MAX_LAYERS[0].flops(),
            2.0 * (10 * 23 * 59 * 38 * rows) as f64
        );
    }
}
