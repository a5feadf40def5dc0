//! Convolutions of the networks here: Burn's on a GPU, our own on the `cpu` device.
//!
//! Burn's `flex` backend convolves with im2col and a matrix product, but derives both gradients from further
//! convolutions: that of the weights has a kernel as large as the picture. Here all three are im2col and one product.

mod cpu;
mod op;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use cpu::Geometry;
use op::{CpuConv, Dispatch};

/// `conv` of `x`, `[n, channels, height, width]`: on the `cpu` device by our kernels, elsewhere by Burn's.
///
/// # Panics
/// On the `cpu` device if the convolution is dilated, grouped or padded otherwise than by an explicit, even padding.
pub fn forward(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let device = x.device();
    let plain = if device.is_autodiff() {
        device.clone().inner()
    } else {
        device
    };
    if plain != Device::flex() {
        return conv.forward(x);
    }
    assert!(
        conv.dilation == [1, 1] && conv.groups == 1,
        "plain convolutions only"
    );
    let padding = match conv.padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(top, left, bottom, right) => {
            assert!((top, left) == (bottom, right), "even padding only");
            [top, left]
        }
        _ => panic!("explicit padding only"),
    };
    let weight = conv.weight.val();
    let out = Dispatch::cpu_conv2d(
        x.into_dispatch(),
        weight.into_dispatch(),
        conv.stride,
        padding,
    );
    let out = Tensor::<4>::from_dispatch(out);
    match &conv.bias {
        Some(bias) => {
            let [channels] = bias.dims();
            out + bias.val().reshape([1, channels, 1, 1])
        }
        None => out,
    }
}
