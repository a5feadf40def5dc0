//! Batch normalization (Ioffe and Szegedy 2015) and the ReLU that follows it: Burn's on a GPU, our
//! own on the `cpu` device.
//!
//! Burn's `flex` backend normalizes by a dozen tensor operations, each of which reads and writes
//! all activations, and it transposes them to sum over a channel. Ours takes one pass for the
//! moments and one for the result, and as many for the gradients.

mod cpu;
mod op;

use burn::nn::BatchNorm;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};

use super::conv;
use op::{CpuNorm, Dispatch};

/// Applies `norm` to `x`, `[n, channels, height, width]`, and then a ReLU if `rectify`.
///
/// Training updates the running moments as [`BatchNorm::forward`] does.
pub fn forward(norm: &BatchNorm, x: Tensor<4>, rectify: bool) -> Tensor<4> {
    let device = x.device();
    if device.clone().inner() != Device::flex() {
        let out = norm.forward(x);
        return if rectify { relu(out) } else { out };
    }
    let [channels] = norm.gamma.dims();
    let learned = learns_moments(norm, &device);
    let moments = if learned {
        let moments = Dispatch::cpu_moments(x.clone().inner().into_dispatch());
        let moments = Tensor::<2>::from_dispatch(moments);
        let running = [&norm.running_mean, &norm.running_var];
        for (i, running) in running.into_iter().enumerate() {
            let new = moments
                .clone()
                .slice([i..i + 1, 0..channels])
                .reshape([channels]);
            let old = running.value_sync();
            let old = if old.device().is_autodiff() {
                old.inner()
            } else {
                old
            };
            let moved = old * (1.0 - norm.momentum) + new * norm.momentum;
            running.update(moved);
        }
        moments.autodiff()
    } else {
        let [mean, variance] = [norm.running_mean.value(), norm.running_var.value()];
        Tensor::stack(vec![mean, variance], 0)
    };
    let out = Dispatch::cpu_norm(
        x.into_dispatch(),
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        moments.into_dispatch(),
        norm.epsilon,
        rectify,
        learned,
    );
    Tensor::from_dispatch(out)
}

/// Returns whether `norm` computes the moments of its input on `device`, instead of using the
/// running ones.
pub fn learns_moments(norm: &BatchNorm, device: &Device) -> bool {
    device.is_autodiff() && norm.training.is_enabled()
}

/// Returns the scale and the shift of each channel, `[channels]`, that the running moments make of
/// `norm`.
pub fn affine(norm: &BatchNorm) -> [Tensor<1>; 2] {
    let deviation = (norm.running_var.value() + norm.epsilon).sqrt();
    let scale = norm.gamma.val() / deviation;
    let shift = norm.beta.val() - norm.running_mean.value() * scale.clone();
    [scale, shift]
}

/// Applies `conv` to `x`, and then `norm` and the ReLU as [`forward`] does.
///
/// At inference, folds the batch norm into the weights and the bias of a convolution of ours: the
/// batch norm is one scale and one shift per channel.
pub fn conv_batch_norm(norm: &BatchNorm, conv: &Conv2d, x: Tensor<4>, rectify: bool) -> Tensor<4> {
    // A device with autodiff equals the one without.
    if x.device().is_autodiff() || !conv::plan(conv, &x).is_ours() || conv.bias.is_some() {
        return forward(norm, conv::forward(conv, x), rectify);
    }
    let [channels] = norm.gamma.dims();
    let [scale, bias] = affine(norm);
    let weight = conv.weight.val() * scale.reshape([channels, 1, 1, 1]);
    conv::forward_folded(conv, x, weight, bias, rectify)
}

#[cfg(test)]
mod tests {
    use crate::model::ops::flex::close;
    use burn::module::{Module, Param};
    use burn::nn::conv::Conv2dConfig;
    use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
    use burn::tensor::activation::relu;
    use burn::tensor::{Device, Tensor, TensorData};

    fn noise<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
        let hash = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 8;
        let values: Vec<f32> = (0..shape.iter().product())
            .map(|i| hash(i) as f32 / (1 << 23) as f32 - 0.7)
            .collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// The result, the gradients and the running moments are Burn's, also for values far from zero.
    #[test]
    fn it_is_burns_normalization() {
        let device = Device::flex().autodiff();
        for (shape, far) in [
            ([3, 5, 7, 9], 0.0),
            ([1, 2, 1, 3], 0.0),
            ([4, 3, 70, 80], 50.0),
        ] {
            let c = shape[1];
            // Far from zero, Burn's sums in f32 are less exact than ours.
            let within = if far == 0.0 { 2e-5 } else { 1e-3 };
            for rectify in [false, true] {
                let layer = || -> BatchNorm {
                    let mut norm = BatchNormConfig::new(c).init(&device);
                    let plain = device.clone().inner();
                    norm.gamma = norm
                        .gamma
                        .map(|_| noise([c], 1, &plain).autodiff().require_grad());
                    norm.beta = norm
                        .beta
                        .map(|_| noise([c], 2, &plain).autodiff().require_grad());
                    norm
                };
                let (ours, burns) = (layer(), layer());
                let input = || {
                    (noise(shape, 3, &device.clone().inner()) + far)
                        .autodiff()
                        .require_grad()
                };
                let weights = noise(shape, 4, &device);
                let (x, y) = (input(), input());
                let out = super::forward(&ours, x.clone(), rectify);
                let want = burns.forward(y.clone());
                let want = if rectify { relu(want) } else { want };
                close(out.clone().inner(), want.clone().inner(), within);
                let got = (out * weights.clone()).sum().backward();
                let want = (want * weights).sum().backward();
                close(x.grad(&got).unwrap(), y.grad(&want).unwrap(), within);
                close(
                    ours.gamma.grad(&got).unwrap(),
                    burns.gamma.grad(&want).unwrap(),
                    within,
                );
                close(
                    ours.beta.grad(&got).unwrap(),
                    burns.beta.grad(&want).unwrap(),
                    within,
                );
                close(
                    ours.running_mean.value_sync().inner(),
                    burns.running_mean.value_sync().inner(),
                    within,
                );
                close(
                    ours.running_var.value_sync().inner(),
                    burns.running_var.value_sync().inner(),
                    within,
                );
            }
        }
    }

    /// Where a layer does not learn its moments, they are constants for the gradients, too.
    #[test]
    fn gradients_of_fixed_moments_are_burns() {
        let plain = Device::flex();
        let device = plain.clone().autodiff();
        let layer = || -> BatchNorm {
            let mut norm = BatchNormConfig::new(3).init(&device);
            norm.training = Param::from_bool(false);
            norm.running_mean.update(noise([3], 5, &plain));
            norm.running_var.update(noise([3], 6, &plain).abs() + 0.1);
            norm
        };
        let (ours, burns) = (layer(), layer());
        let input = || noise([2, 3, 5, 4], 7, &plain).autodiff().require_grad();
        let weights = noise([2, 3, 5, 4], 8, &device);
        let (x, y) = (input(), input());
        let out = super::forward(&ours, x.clone(), true);
        let want = relu(burns.forward(y.clone()));
        close(out.clone().inner(), want.clone().inner(), 1e-6);
        let got = (out * weights.clone()).sum().backward();
        let want = (want * weights).sum().backward();
        close(x.grad(&got).unwrap(), y.grad(&want).unwrap(), 1e-5);
        for (ours, burns) in [(&ours.gamma, &burns.gamma), (&ours.beta, &burns.beta)] {
            close(ours.grad(&got).unwrap(), burns.grad(&want).unwrap(), 1e-5);
        }
    }

    /// Inference uses the running moments and does not change them.
    #[test]
    fn inference_uses_the_running_moments() {
        let device = Device::flex();
        let norm = BatchNormConfig::new(3).init(&device);
        norm.running_mean.update(noise([3], 5, &device));
        norm.running_var.update(noise([3], 6, &device).abs() + 0.1);
        let x = noise([2, 3, 5, 4], 7, &device);
        let within = 1e-6;
        close(
            super::forward(&norm, x.clone(), false),
            norm.forward(x.clone()),
            within,
        );
        close(
            super::forward(&norm, x.clone(), true),
            relu(norm.forward(x)),
            within,
        );
    }

    /// Folding the batch norm into the convolution does not change the result.
    #[test]
    fn a_folded_normalization_is_the_same() {
        let device = Device::flex();
        let norm = BatchNormConfig::new(6).init(&device);
        norm.running_mean.update(noise([6], 5, &device));
        norm.running_var.update(noise([6], 6, &device).abs() + 0.1);
        let conv = Conv2dConfig::new([3, 6], [3, 3])
            .with_stride([2, 2])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .with_bias(false)
            .init(&device);
        let x = noise([2, 3, 17, 12], 7, &device);
        // In training nothing is folded, and the weights get their gradients.
        let layer = conv.clone().train();
        let out = super::conv_batch_norm(&norm.clone().train(), &layer, x.clone().autodiff(), true);
        let gradients = out.sum().backward();
        assert!(layer.weight.grad(&gradients).is_some());
        for rectify in [false, true] {
            let folded = super::conv_batch_norm(&norm, &conv, x.clone(), rectify);
            let behind = norm.forward(conv.forward(x.clone()));
            let behind = if rectify { relu(behind) } else { behind };
            close(folded, behind, 1e-5);
        }
    }
}
