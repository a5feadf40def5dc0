//! A convolution of a spectrogram and its maximum over frequency, in one operation.
//!
//! musicnn (Pons and Serra 2019) looks for each of its filters at all frequencies and keeps the
//! best match. On the `cpu` device the sums are reduced while they are in registers, because they
//! are 30 to 96 times as many as the maxima. Elsewhere Burn's maximum follows a convolution of
//! [`super::conv`].

mod cpu;
mod op;
mod shape;
#[cfg(test)]
mod tests;

use burn::module::Param;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2dConfig;
use burn::tensor::{Device, Tensor};

use super::conv;
use op::{CpuConvMax, Dispatch};

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
    if x.device().inner() == Device::flex() {
        let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
        return Tensor::from_dispatch(Dispatch::cpu_conv_max(x, weight, padding));
    }
    let [channels, _, frames, bands] = weight.dims();
    let mut layer = Conv2dConfig::new([1, channels], [frames, bands])
        .with_padding(PaddingConfig2d::Explicit(padding.0, 0, padding.1, 0))
        .with_bias(false)
        .init(&x.device());
    layer.weight = Param::from_tensor(weight);
    conv::forward(&layer, x).max_dim(3).squeeze_dim(3)
}
