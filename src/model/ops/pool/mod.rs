//! A convolution of the original project's network, with the parametric ReLU and the 2x2
//! max-pooling that follow it.
//!
//! Where the convolution is ours, bias, ReLU and pooling take one pass over the largest activations
//! of the network instead of five.

mod cpu;
mod gpu;
mod op;

use burn::nn::PRelu;
use burn::nn::conv::Conv2d;
use burn::nn::pool::MaxPool2d;
use burn::tensor::Tensor;

use super::conv;
use op::{Dispatch, PoolOps};

/// Applies `conv` to `x`, `[n, channels, height, width]`, then `prelu` if there is one, and then
/// `pool`.
pub fn forward(conv: &Conv2d, prelu: Option<&PRelu>, pool: &MaxPool2d, x: Tensor<4>) -> Tensor<4> {
    let usual = pool.kernel_size == [2, 2] && pool.stride == [2, 2];
    let bias = conv.bias.as_ref().filter(|_| usual);
    let (Some(bias), true) = (bias, conv::plan(conv, &x).is_ours()) else {
        let x = conv::forward(conv, x);
        return pool.forward(match prelu {
            Some(prelu) => prelu.forward(x),
            None => x,
        });
    };
    let slope = match prelu {
        Some(prelu) => prelu.alpha.val(),
        None => Tensor::ones(bias.dims(), &x.device()),
    };
    let out = Dispatch::prelu_pool(
        conv::forward_without_bias(conv, x).into_dispatch(),
        bias.val().into_dispatch(),
        slope.into_dispatch(),
    );
    Tensor::from_dispatch(out)
}

#[cfg(test)]
mod tests {
    use burn::nn::PReluConfig;
    use burn::nn::conv::Conv2dConfig;
    use burn::nn::pool::MaxPool2dConfig;
    use burn::tensor::{Device, Tensor, TensorData};

    #[track_caller]
    fn close<const D: usize>(ours: Tensor<D>, burns: Tensor<D>) {
        crate::model::ops::flex::close(ours, burns, 2e-5);
    }

    /// The result and all gradients are those of Burn's own layers, with odd sizes, with and
    /// without the ReLU.
    #[test]
    fn it_is_burns_layers() {
        let software = crate::model::ops::conv::tests::software().autodiff();
        for device in [Device::flex().autodiff(), software] {
            check(&device);
        }
    }

    fn check(device: &Device) {
        let conv = Conv2dConfig::new([3, 8], [3, 3]).init(device);
        let prelu = PReluConfig::new()
            .with_num_parameters(8)
            .with_alpha(0.2)
            .init(device);
        let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
        let values: Vec<f32> = (0..2 * 3 * 13 * 10)
            .map(|i| (i as f32 * 0.37).sin() + (i as f32 * 0.011).cos())
            .collect();
        let input = || {
            let data = TensorData::new(values.clone(), [2, 3, 13, 10]);
            Tensor::<4>::from_data(data, device).require_grad()
        };
        for prelu in [Some(&prelu), None] {
            let (x, y) = (input(), input());
            let out = super::forward(&conv, prelu, &pool, x.clone());
            let want = conv.forward(y.clone());
            let want = pool.forward(prelu.map_or(want.clone(), |p| p.forward(want)));
            close(out.clone().inner(), want.clone().inner());
            let got = out.powf_scalar(2.0).sum().backward();
            let want = want.powf_scalar(2.0).sum().backward();
            close(x.grad(&got).unwrap(), y.grad(&want).unwrap());
            close(
                conv.weight.grad(&got).unwrap(),
                conv.weight.grad(&want).unwrap(),
            );
            let bias = conv.bias.as_ref().unwrap();
            close(bias.grad(&got).unwrap(), bias.grad(&want).unwrap());
            if let Some(prelu) = prelu {
                close(
                    prelu.alpha.grad(&got).unwrap(),
                    prelu.alpha.grad(&want).unwrap(),
                );
            }
        }
    }
}
