//! The convolutions of the networks.
//!
//! Where the [`ConvPlan`] says so they are our own: WGSL on a GPU, im2col and matrix products on
//! the `cpu` device. Elsewhere they are Burn's.
//!
//! Burn's `flex` backend also uses im2col and a matrix product, but it derives both gradients from
//! further convolutions, and that of the weights has a kernel as large as the image. On a GPU where
//! Burn compiles to WGSL, it has only a direct kernel that loads both factors of every product.

mod cpu;
mod geometry;
mod gpu;
mod launch;
mod op;
mod parts;
mod plan;
mod source;
#[cfg(test)]
pub mod tests;

use burn::backend::ops::ModuleOps;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use crate::gpu::device_traits;
use geometry::same_padding;
use op::{ConvOps, ConvSettings, Dispatch};
use parts::Parts;
use source::ConvKernel;

pub use plan::ConvPlan;

/// Applies `conv` to `x`, `[n, channels, height, width]`.
pub fn forward(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let plan = plan(conv, &x);
    forward_planned(conv, x, plan)
}

/// Applies `conv` without its bias.
pub fn forward_without_bias(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let plan = plan(conv, &x);
    run(conv, x, conv.weight.val(), None, plan)
}

/// Applies `conv` with a weight and a bias that are not its own, and then a ReLU if `rectify`. Not
/// differentiable.
pub fn forward_folded(
    conv: &Conv2d,
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    rectify: bool,
) -> Tensor<4> {
    match plan(conv, &x) {
        ConvPlan::Ours(kernel) if rectify => {
            let settings = settings(conv, &x, kernel);
            let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
            let out = Dispatch::conv_bias_relu(x, weight, bias.into_dispatch(), settings);
            Tensor::from_dispatch(out)
        }
        plan => {
            let out = run(conv, x, weight, Some(bias), plan);
            if rectify { relu(out) } else { out }
        }
    }
}

/// Applies `conv` as `plan` says, which for an `Ours` must be that of [`plan()`].
pub fn forward_planned(conv: &Conv2d, x: Tensor<4>, plan: ConvPlan) -> Tensor<4> {
    let bias = conv.bias.as_ref().map(|bias| bias.val());
    run(conv, x, conv.weight.val(), bias, plan)
}

/// Computes the gradient of `x` alone, from that of the result, as `plan` says. For benchmarks.
///
/// Burn computes the gradient of a kernel in parts: ours comes from autodiff alone.
pub fn backward_data(
    conv: &Conv2d,
    x: Tensor<4>,
    gradient: Tensor<4>,
    plan: ConvPlan,
) -> Tensor<4> {
    let (weight, gradient) = (conv.weight.val().into_dispatch(), gradient.into_dispatch());
    Tensor::from_dispatch(match plan {
        ConvPlan::Ours(kernel) => {
            let settings = settings(conv, &x, kernel);
            Dispatch::conv_backward_data(weight, gradient, x.dims(), settings)
        }
        ConvPlan::InParts | ConvPlan::Burn(_) => {
            let options = options(conv, &x);
            Dispatch::conv2d_x_backward(x.into_dispatch(), weight, gradient, options)
        }
    })
}

/// Computes the gradient of the weights alone, from that of the result, as `plan` says. For
/// benchmarks.
///
/// As for [`backward_data`], Burn computes the gradient of a kernel in parts.
pub fn backward_weight(
    conv: &Conv2d,
    x: Tensor<4>,
    gradient: Tensor<4>,
    plan: ConvPlan,
) -> Tensor<4> {
    let gradient = gradient.into_dispatch();
    Tensor::from_dispatch(match plan {
        ConvPlan::Ours(kernel) => {
            let (shape, settings) = (conv.weight.dims(), settings(conv, &x, kernel));
            Dispatch::conv_backward_weight(x.into_dispatch(), gradient, shape, settings).0
        }
        ConvPlan::InParts | ConvPlan::Burn(_) => {
            let (weight, options) = (conv.weight.val().into_dispatch(), options(conv, &x));
            Dispatch::conv2d_weight_backward(x.into_dispatch(), weight, gradient, options)
        }
    })
}

/// Chooses the convolution that [`forward`] runs for `conv` and `x`.
pub fn plan(conv: &Conv2d, x: &Tensor<4>) -> ConvPlan {
    if conv.dilation != [1, 1] || conv.groups != 1 {
        return ConvPlan::Burn("dilated or grouped");
    }
    let device = x.device().inner();
    let kernel = ConvKernel::Direct;
    if device == Device::flex() {
        return ConvPlan::Ours(kernel);
    }
    let settings = settings(conv, x, kernel);
    let geometry = op::geometry(x.dims(), conv.weight.dims(), &settings);
    match device_traits(&device) {
        Some(traits) => ConvPlan::new(traits, &geometry),
        None => ConvPlan::Burn("a device that was not opened here"),
    }
}

fn run(
    conv: &Conv2d,
    x: Tensor<4>,
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    plan: ConvPlan,
) -> Tensor<4> {
    let (settings, x, weight) = match plan {
        ConvPlan::Burn(_) => {
            let options = options(conv, &x);
            return conv2d(x, weight, bias, options);
        }
        ConvPlan::Ours(kernel) => (settings(conv, &x, kernel), x, weight),
        ConvPlan::InParts => {
            let settings = settings(conv, &x, ConvKernel::Direct);
            let geometry = op::geometry(x.dims(), weight.dims(), &settings);
            let parts = Parts::new(geometry.kernel);
            let unpadded = ConvSettings {
                padding: [(0, 0); 2],
                ..settings
            };
            let images = parts.images(x, &geometry);
            (unpadded, images, parts.kernels(weight, &geometry))
        }
    };
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match bias {
        Some(bias) => Dispatch::conv_bias(x, weight, bias.into_dispatch(), settings),
        None => Dispatch::conv_plain(x, weight, settings),
    })
}

/// Returns the settings of our convolution.
fn settings(conv: &Conv2d, x: &Tensor<4>, kernel: ConvKernel) -> ConvSettings {
    ConvSettings {
        stride: conv.stride,
        padding: padding(conv, x),
        kernel,
    }
}

/// Returns the settings of Burn's convolution.
fn options(conv: &Conv2d, x: &Tensor<4>) -> ConvOptions<2> {
    ConvOptions::new_with_padding(conv.stride, padding(conv, x), conv.dilation, conv.groups)
}

/// Returns the zeros above and below, and to the left and to the right, of the images.
///
/// Burn has the same function and does not export it.
fn padding(conv: &Conv2d, x: &Tensor<4>) -> [(usize, usize); 2] {
    let [_, _, height, width] = x.dims();
    match conv.padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        PaddingConfig2d::Same => {
            let [kernel, stride] = [conv.kernel_size, conv.stride];
            [
                same_padding(height, kernel[0], stride[0]),
                same_padding(width, kernel[1], stride[1]),
            ]
        }
    }
}
