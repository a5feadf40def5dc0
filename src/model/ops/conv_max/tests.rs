//! The operation against Burn's convolution and maximum.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};

use super::conv_max;
use crate::model::ops::conv::tests::{noise, on, software};

/// Computes the same by Burn's own operations.
fn burns(x: Tensor<4>, weight: Tensor<4>, padding: (usize, usize)) -> Tensor<3> {
    let options = ConvOptions::new_with_padding([1, 1], [padding, (0, 0)], [1, 1], 1);
    conv2d(x, weight, None, options).max_dim(3).squeeze_dim(3)
}

type Case = ([usize; 4], [usize; 4], (usize, usize));

const CASES: [Case; 4] = [
    ([2, 1, 30, 96], [5, 1, 7, 38], (3, 3)),
    ([1, 1, 40, 12], [10, 1, 32, 1], (15, 16)),
    ([3, 1, 9, 40], [3, 1, 2, 3], (0, 1)),
    ([1, 1, 4, 5], [1, 1, 4, 5], (0, 0)),
];

/// The result and the gradients are those of Burn's operations.
#[test]
fn it_is_burns_convolution_and_maximum() {
    for (x, weight, padding) in CASES {
        check(&Device::flex().autodiff(), x, weight, padding);
    }
}

/// A GPU gives the same result and gradients as the `cpu` device.
#[test]
fn a_gpu_gives_the_same() {
    for (x, weight, padding) in CASES {
        let [cpu, gpu] = [Device::flex(), software()].map(|device| {
            let device = device.autodiff();
            run(conv_max, &device, x, weight, padding)
        });
        for (gpu, cpu) in gpu.iter().zip(&cpu) {
            close_values(gpu, cpu, 1e-4);
        }
    }
}

#[track_caller]
fn check(device: &Device, x: [usize; 4], weight: [usize; 4], padding: (usize, usize)) {
    let got = run(conv_max, device, x, weight, padding);
    let want = run(burns, device, x, weight, padding);
    for (got, want) in got.iter().zip(&want) {
        close_values(got, want, 2e-5);
    }
}

type Op = fn(Tensor<4>, Tensor<4>, (usize, usize)) -> Tensor<3>;

/// Returns the result of `op` on noise, and the gradients of x and the weights.
fn run(
    op: Op,
    device: &Device,
    of_x: [usize; 4],
    of_weight: [usize; 4],
    padding: (usize, usize),
) -> [Vec<f32>; 3] {
    let [x, weight] = [(of_x, 1), (of_weight, 2)]
        .map(|(of, seed)| on(device, &noise(of.iter().product(), seed), of).require_grad());
    let out = op(x.clone(), weight.clone(), padding);
    let factors = on(device, &noise(out.dims().iter().product(), 3), out.dims());
    let gradients = (out.clone() * factors).sum().backward();
    let values = |data: burn::tensor::TensorData| data.try_to_vec().unwrap();
    [
        values(out.into_data()),
        values(x.grad(&gradients).unwrap().into_data()),
        values(weight.grad(&gradients).unwrap().into_data()),
    ]
}

#[track_caller]
fn close_values(got: &[f32], want: &[f32], within: f32) {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(1e-3f32, |m, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= within * scale,
            "{i}: {g} for {w}, of {scale}"
        );
    }
}
