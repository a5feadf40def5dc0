//! Convolutions of the networks here, our own: in WGSL on a GPU where the [`Plan`] says so, else Burn's; im2col and products
//! on the `cpu` device.
//!
//! Burn's `flex` backend convolves with im2col and a matrix product, but derives both gradients from further
//! convolutions: that of the weights has a kernel as large as the picture. On a GPU, where Burn compiles to WGSL, it has only
//! a direct kernel that loads both factors of every product.

mod cpu;
mod gpu;
mod kernels;
mod op;
mod plan;

use std::sync::atomic::{AtomicBool, Ordering};

use burn::backend::ops::ModuleOps;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use crate::gpu::device_traits;
use op::{ConvOps, Dispatch, Settings, geometry};

pub use gpu::sum_parts;
pub use kernels::Kind;
pub use plan::Plan;

/// `conv` of `x`, `[n, channels, height, width]`.
///
/// # Panics
/// On the `cpu` device if the convolution is dilated, grouped or padded otherwise than by an explicit, even padding.
pub fn forward(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let Some(settings) = settings(conv, &x) else {
        return conv.forward(x);
    };
    let (x, weight) = (x.into_dispatch(), conv.weight.val().into_dispatch());
    Tensor::from_dispatch(match &conv.bias {
        Some(bias) => Dispatch::conv_bias(x, weight, bias.val().into_dispatch(), settings),
        None => Dispatch::conv_plain(x, weight, settings),
    })
}

/// [`forward`], and the bias left out.
///
/// # Panics
/// As [`forward`].
pub fn without_bias(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let Some(settings) = settings(conv, &x) else {
        return conv2d(x, conv.weight.val(), None, options(conv));
    };
    let (x, weight) = (x.into_dispatch(), conv.weight.val().into_dispatch());
    Tensor::from_dispatch(Dispatch::conv_plain(x, weight, settings))
}

/// [`forward`] of weights and a bias that are not the layer's own, with a ReLU behind it if `rectify`; `None` where Burn's
/// convolution runs. Not differentiable.
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
    let settings = settings(conv, &x).expect("ours");
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    let bias = bias.into_dispatch();
    Tensor::from_dispatch(match rectify {
        true => Dispatch::conv_bias_relu(x, weight, bias, settings),
        false => Dispatch::conv_bias(x, weight, bias, settings),
    })
}

/// For the bench: the gradient of `x` alone, given that of the result; Burn's where the convolution is.
pub fn backward_data(conv: &Conv2d, x: Tensor<4>, gradient: Tensor<4>) -> Tensor<4> {
    let (of, settings) = (x.dims(), settings(conv, &x));
    let (weight, gradient) = (conv.weight.val().into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(match settings {
        Some(settings) => Dispatch::conv_backward_data(weight, gradient, of, settings),
        None => Dispatch::conv2d_x_backward(x.into_dispatch(), weight, gradient, options(conv)),
    })
}

/// For the bench: the gradient of the weights alone, as [`backward_data`].
pub fn backward_weight(conv: &Conv2d, x: Tensor<4>, gradient: Tensor<4>) -> Tensor<4> {
    let (of, settings) = (conv.weight.dims(), settings(conv, &x));
    let (x, gradient) = (x.into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(match settings {
        Some(settings) => Dispatch::conv_backward_weight(x, gradient, of, settings).0,
        None => {
            let weight = conv.weight.val().into_dispatch();
            Dispatch::conv2d_weight_backward(x, weight, gradient, options(conv))
        }
    })
}

fn options(conv: &Conv2d) -> ConvOptions<2> {
    let padding = padding(conv).expect("even padding");
    ConvOptions::new(conv.stride, padding, conv.dilation, conv.groups)
}

/// For the bench: Burn's convolutions from now on, or no longer.
pub fn prefer_burns(yes: bool) {
    PREFER_BURNS.store(yes, Ordering::Relaxed);
}

static PREFER_BURNS: AtomicBool = AtomicBool::new(false);

/// Whether [`forward`] of this layer on `x` is ours.
pub fn is_ours(conv: &Conv2d, x: &Tensor<4>) -> bool {
    settings(conv, x).is_some()
}

/// For our convolution; `None` where it is Burn's.
fn settings(conv: &Conv2d, x: &Tensor<4>) -> Option<Settings> {
    let device = x.device().inner();
    let cpu = device == Device::flex();
    let Some(padding) = padding(conv) else {
        assert!(!cpu, "plain convolutions with explicit, even padding only");
        return None;
    };
    if PREFER_BURNS.load(Ordering::Relaxed) {
        return None;
    }
    let settings = |kind| Settings {
        stride: conv.stride,
        padding,
        kind,
    };
    if cpu {
        return Some(settings(Kind::Direct));
    }
    let geometry = geometry(x.dims(), conv.weight.dims(), &settings(Kind::Direct));
    match Plan::of(device_traits(&device)?, &geometry) {
        Plan::Ours(kind) => Some(settings(kind)),
        Plan::Burns(_) => None,
    }
}

/// Rows above and below, columns left and right, of a convolution that is neither dilated nor grouped.
fn padding(conv: &Conv2d) -> Option<[usize; 2]> {
    if conv.dilation != [1, 1] || conv.groups != 1 {
        return None;
    }
    match conv.padding {
        PaddingConfig2d::Valid => Some([0, 0]),
        PaddingConfig2d::Explicit(top, left, bottom, right) => {
            ((top, left) == (bottom, right)).then_some([top, left])
        }
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod on_a_gpu;
#[cfg(test)]
pub use on_a_gpu::software;

#[cfg(test)]
mod tests {
    use burn::nn::PaddingConfig2d;
    use burn::nn::conv::Conv2dConfig;
    use burn::tensor::{Device, Tensor, TensorData};

    #[track_caller]
    fn close<const D: usize>(ours: Tensor<D>, burns: Tensor<D>) {
        crate::model::ops::flex::close(ours, burns, 2e-5);
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
