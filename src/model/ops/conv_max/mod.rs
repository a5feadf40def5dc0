//! A convolution of a spectrogram and its maximum over frequency, in one operation.
//!
//! musicnn (Pons and Serra 2019) looks for each of its filters at all frequencies and keeps the
//! best match. The sums are reduced while they are in registers, because they are 30 to 96 times as
//! many as the maxima.

mod cpu;
mod gpu;
mod op;
mod shape;
mod source;
#[cfg(test)]
mod tests;

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::{DType, Device, Tensor};

use super::conv;
use crate::gpu::{DeviceTraits, device_traits};
pub use shape::ConvMaxShape;

use op::{ConvMaxOps, ConvMaxSettings, Dispatch, shape};
use source::MaxLaunch;

/// Convolves `x`, `[n, 1, frames, bands]`, with `weight`, `[channels, 1, kernel frames, kernel
/// bands]`, and takes the maximum over frequency: `[n, channels, frames out]`.
///
/// The stride is one. `padding` frames of zeros stand before and after the image, and no bands:
/// out\[n, c, t\] is the maximum over f of the sum over i, j of
/// `x[n, 0, t + i - padding.0, f + j] * weight[c, 0, i, j]`. The gradient goes to the first of
/// equal sums.
///
/// # Panics
/// If `x` or `weight` has more than one input channel, or the filters are larger than the padded
/// image.
pub fn conv_max(x: Tensor<4>, weight: Tensor<4>, padding: (usize, usize)) -> Tensor<3> {
    let Some(software) = ours(&x, &weight, padding) else {
        return unfused(x, weight, padding);
    };
    let settings = ConvMaxSettings { padding, software };
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::conv_max(x, weight, settings))
}

/// Returns whether the device is a software adapter, or `None` if the operation does not run on it.
fn ours(x: &Tensor<4>, weight: &Tensor<4>, padding: (usize, usize)) -> Option<bool> {
    let device = x.device();
    let settings = ConvMaxSettings {
        padding,
        software: false,
    };
    let shape = shape(x.dims(), weight.dims(), settings);
    if device.clone().inner() == Device::flex() {
        return Some(false);
    }
    let DeviceTraits { software, wgsl } = device_traits(&device)?;
    // The gradients are computed on f32 only.
    let trains = device.is_autodiff() && x.dtype() != DType::F32;
    (wgsl && MaxLaunch::fits(&shape) && !trains).then_some(software)
}

/// Computes [`conv_max`] by a convolution of ours and Burn's maximum.
pub fn unfused(x: Tensor<4>, weight: Tensor<4>, padding: (usize, usize)) -> Tensor<3> {
    let [channels, _, frames, bands] = weight.dims();
    let mut layer = Conv2dConfig::new([1, channels], [frames, bands])
        .with_padding(PaddingConfig2d::Explicit(padding.0, 0, padding.1, 0))
        .with_bias(false)
        .init(&x.device());
    layer.weight = Param::from_tensor(weight);
    conv::forward(&layer, x).max_dim(3).squeeze_dim(3)
}
