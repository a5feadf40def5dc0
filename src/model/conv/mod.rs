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
    if x.device().inner() != Device::flex() {
        return conv.forward(x);
    }
    let out = without_bias(conv, x);
    match &conv.bias {
        Some(bias) => {
            let [channels] = bias.dims();
            out + bias.val().reshape([1, channels, 1, 1])
        }
        None => out,
    }
}

/// [`forward`] on the `cpu` device, and the bias left out.
///
/// # Panics
/// As [`forward`].
pub fn without_bias(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let out = Dispatch::cpu_conv2d(
        x.into_dispatch(),
        conv.weight.val().into_dispatch(),
        conv.stride,
        padding(conv),
    );
    Tensor::from_dispatch(out)
}

/// [`forward`] on the `cpu` device, of weights and a bias that are not the layer's own, with a ReLU behind it if `rectify`.
/// Not differentiable.
///
/// # Panics
/// As [`forward`].
pub fn affine(
    conv: &Conv2d,
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    rectify: bool,
) -> Tensor<4> {
    let out = Dispatch::cpu_conv2d_affine(
        x.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        conv.stride,
        padding(conv),
        rectify,
    );
    Tensor::from_dispatch(out)
}

/// Rows above and below, columns left and right.
fn padding(conv: &Conv2d) -> [usize; 2] {
    assert!(
        conv.dilation == [1, 1] && conv.groups == 1,
        "plain convolutions only"
    );
    match conv.padding {
        PaddingConfig2d::Valid => [0, 0],
        PaddingConfig2d::Explicit(top, left, bottom, right) => {
            assert!((top, left) == (bottom, right), "even padding only");
            [top, left]
        }
        _ => panic!("explicit padding only"),
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::PaddingConfig2d;
    use burn::nn::conv::Conv2dConfig;
    use burn::tensor::{Device, Tensor, TensorData};

    #[track_caller]
    fn close<const D: usize>(ours: Tensor<D>, burns: Tensor<D>) {
        crate::model::flex::close(ours, burns, 2e-5);
    }

    /// Through Burn's autodiff, with and without bias, the result and all gradients are those of Burn's own.
    #[test]
    fn it_is_burns_convolution() {
        let device = Device::flex().autodiff();
        for (stride, pad, bias) in [(1, 0, true), (2, 1, false), (2, 0, true)] {
            let conv = Conv2dConfig::new([3, 8], [3, 3])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
                .with_bias(bias)
                .init(&device);
            let values: Vec<f32> = (0..2 * 3 * 13 * 10)
                .map(|i| (i as f32 * 0.37).sin())
                .collect();
            let input = || {
                let data = TensorData::new(values.clone(), [2, 3, 13, 10]);
                Tensor::<4>::from_data(data, &device).require_grad()
            };
            // Transposed views are read as what they are.
            let (x, y) = (input(), input());
            let turned = |t: &Tensor<4>| t.clone().swap_dims(2, 3);
            let (out, want) = (super::forward(&conv, turned(&x)), conv.forward(turned(&y)));
            close(out.clone().inner(), want.clone().inner());
            let got = out.powf_scalar(2.0).sum().backward();
            let want = want.powf_scalar(2.0).sum().backward();
            close(x.grad(&got).unwrap(), y.grad(&want).unwrap());
            close(
                conv.weight.grad(&got).unwrap(),
                conv.weight.grad(&want).unwrap(),
            );
            if let Some(b) = &conv.bias {
                close(b.grad(&got).unwrap(), b.grad(&want).unwrap());
            }
        }
    }
}
