//! The largest value over frequency of a convolution of a spectrogram.

use burn::tensor::Tensor;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;

/// Returns the largest value over the last axis of the convolution of `x`, `[n, 1, height, width]`,
/// with `weight`, `[channels, 1, kernel height, kernel width]`: `[n, channels, height]`. `pad` is
/// the number of zeros above and below.
pub fn conv_max(x: Tensor<4>, weight: Tensor<4>, pad: (usize, usize)) -> Tensor<3> {
    let options = ConvOptions::new_with_padding([1, 1], [pad, (0, 0)], [1, 1], 1);
    conv2d(x, weight, None, options).max_dim(3).squeeze_dim(3)
}
