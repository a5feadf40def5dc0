//! The WGSL kernels, each on its own.

use burn::tensor::{FloatDType, Tensor};

use super::{close, noise, on, software};
use crate::model::ops::conv::geometry::Geometry;
use crate::model::ops::conv::op::{ConvOps, ConvSettings, Dispatch};
use crate::model::ops::conv::source::ConvKernel;

const KERNELS: [ConvKernel; 2] = [ConvKernel::Tiled, ConvKernel::Direct];

type Dispatched = burn::backend::tensor::FloatTensor<Dispatch>;

/// The padding of one axis.
type Padding = (usize, usize);
/// n, image, channels out, kernel, stride, padding.
type Case = (
    usize,
    [usize; 3],
    usize,
    [usize; 2],
    [usize; 2],
    [Padding; 2],
);

/// Shapes that the networks use and others: odd sizes, batches of 1 to 33, 1 to 130 channels,
/// kernels that are not square, and uneven padding.
const CASES: [Case; 15] = [
    (1, [1, 1, 1], 1, [1, 1], [1, 1], [(0, 0), (0, 0)]),
    (2, [4, 23, 37], 32, [3, 3], [1, 1], [(0, 0), (0, 0)]),
    (3, [32, 11, 13], 65, [3, 3], [1, 1], [(0, 0), (0, 0)]),
    (2, [64, 10, 9], 130, [2, 2], [1, 1], [(0, 0), (0, 0)]),
    (33, [128, 4, 5], 3, [2, 2], [1, 1], [(0, 0), (0, 0)]),
    (1, [4, 31, 18], 24, [3, 3], [2, 2], [(1, 1), (1, 1)]),
    (2, [5, 16, 9], 7, [3, 3], [1, 1], [(1, 1), (1, 1)]),
    (3, [24, 17, 12], 32, [1, 1], [2, 2], [(0, 0), (0, 0)]),
    (1, [130, 3, 3], 1, [3, 3], [2, 2], [(1, 1), (1, 1)]),
    (2, [2, 9, 11], 3, [4, 3], [3, 2], [(0, 0), (2, 2)]),
    (2, [3, 7, 12], 5, [1, 5], [1, 3], [(0, 0), (4, 4)]),
    (2, [3, 9, 7], 9, [4, 2], [1, 1], [(1, 2), (0, 1)]),
    (1, [6, 10, 12], 8, [3, 4], [2, 3], [(0, 1), (3, 0)]),
    (2, [3, 9, 11], 4, [2, 2], [1, 1], [(0, 1), (0, 1)]),
    (2, [5, 21, 1], 10, [7, 1], [1, 1], [(3, 3), (0, 0)]),
];

/// The results and gradients of both kernels are those of the CPU reference.
#[test]
fn kernels_match_the_cpu_reference() {
    let device = software();
    for (n, input, channels, kernel, stride, padding) in CASES {
        let g = Geometry {
            n,
            input,
            channels,
            kernel,
            stride,
            padding,
        };
        let ([c, height, width], [oh, ow]) = (input, g.output());
        let of_x = [n, c, height, width];
        let of_weight = [channels, c, kernel[0], kernel[1]];
        let of_out = [n, channels, oh, ow];
        let count = |of: [usize; 4]| of.iter().product::<usize>();
        let (x, weight) = (noise(count(of_x), 1), noise(count(of_weight), 2));
        let (gradient, bias) = (noise(count(of_out), 3), noise(channels, 4));
        let plain = g.forward(&x, &weight, |_, _| {});
        let add = |c: usize, row: &mut [f32]| row.iter_mut().for_each(|v| *v += bias[c]);
        let biased = g.forward(&x, &weight, add);
        let rectified: Vec<f32> = biased.iter().map(|v| v.max(0.0)).collect();
        let data = g.backward_data(&weight, &gradient);
        let for_weight = g.backward_weight(&x, &gradient);
        let for_bias = g.backward_bias(&gradient);
        for kernel in KERNELS {
            let what = format!("{g:?} {kernel:?}");
            let settings = ConvSettings {
                stride,
                padding,
                kernel,
            };
            let x = || on(&device, &x, of_x).into_dispatch();
            let w = || on(&device, &weight, of_weight).into_dispatch();
            let b = || on(&device, &bias, [channels]).into_dispatch();
            let d = || on(&device, &gradient, of_out).into_dispatch();
            let out = Dispatch::conv_plain(x(), w(), settings);
            close(&what, Tensor::<4>::from_dispatch(out), &plain);
            // Each is one more source to compile: once with whole tiles, once with a remainder.
            if channels == 32 || channels == 7 {
                let out = Dispatch::conv_bias(x(), w(), b(), settings);
                close(&what, Tensor::<4>::from_dispatch(out), &biased);
                let out = Dispatch::conv_bias_relu(x(), w(), b(), settings);
                close(&what, Tensor::<4>::from_dispatch(out), &rectified);
            }
            let out = Dispatch::conv_backward_data(w(), d(), of_x, settings);
            close(&what, Tensor::<4>::from_dispatch(out), &data);
            let (out, bias) = Dispatch::conv_backward_weight(x(), d(), of_weight, settings);
            close(&what, Tensor::<4>::from_dispatch(out), &for_weight);
            close(&what, Tensor::<1>::from_dispatch(bias), &for_bias);
        }
    }
}

/// On tensors of f16 the results are as near to the CPU reference as eleven bits allow.
#[test]
fn kernels_match_the_cpu_reference_on_halves() {
    let device = software();
    assert!(
        device.supports_dtype(burn::tensor::DType::F16),
        "llvmpipe has f16"
    );
    let (stride, padding) = ([1, 1], [(1, 1); 2]);
    let g = Geometry {
        n: 2,
        input: [5, 16, 9],
        channels: 7,
        kernel: [3, 3],
        stride,
        padding,
    };
    let ([of_x, of_weight], of_out) = ([[2, 5, 16, 9], [7, 5, 3, 3]], [2, 7, 16, 9]);
    // Values that f16 represents exactly, so that only results are rounded.
    let draw = |of: [usize; 4], seed| -> Vec<f32> {
        let coarse = |v: f32| (v * 64.0).round() / 64.0;
        noise(of.iter().product(), seed)
            .into_iter()
            .map(coarse)
            .collect()
    };
    let (x, weight, gradient) = (draw(of_x, 1), draw(of_weight, 2), draw(of_out, 3));
    let half = |values: &[f32], of: [usize; 4]| {
        on(&device, values, of)
            .cast(FloatDType::F16)
            .into_dispatch()
    };
    let near = |what: &str, got: Dispatched, want: &[f32]| {
        let got = Tensor::<4>::from_dispatch(got);
        assert_eq!(got.dtype(), burn::tensor::DType::F16);
        let got: Vec<f32> = got.cast(FloatDType::F32).into_data().try_to_vec().unwrap();
        let scale = want.iter().fold(0.0f32, |m, w| m.max(w.abs()));
        for (g, w) in got.iter().zip(want) {
            assert!((g - w).abs() < 1e-3 * scale, "{what}: {g} for {w}");
        }
    };
    for kernel in KERNELS {
        let settings = ConvSettings {
            stride,
            padding,
            kernel,
        };
        let (x_, w_, d_) = (
            half(&x, of_x),
            half(&weight, of_weight),
            half(&gradient, of_out),
        );
        let out = Dispatch::conv_plain(x_.clone(), w_.clone(), settings);
        near("forward", out, &g.forward(&x, &weight, |_, _| {}));
        let out = Dispatch::conv_backward_data(w_, d_.clone(), of_x, settings);
        near("data", out, &g.backward_data(&weight, &gradient));
        let (out, _) = Dispatch::conv_backward_weight(x_, d_, of_weight, settings);
        near("weight", out, &g.backward_weight(&x, &gradient));
    }
}

/// A convolution is linear in each of its inputs, so that a difference of any size is exactly the
/// gradient's product with it.
#[test]
fn gradients_are_finite_differences() {
    let device = software();
    let (stride, padding) = ([2, 1], [(1, 1), (0, 0)]);
    let (of_x, of_weight, of_out) = ([2, 3, 9, 8], [5, 3, 3, 2], [2, 5, 5, 7]);
    let draw = |of: [usize; 4], seed| on(&device, &noise(of.iter().product(), seed), of);
    let (x, weight, mask) = (draw(of_x, 1), draw(of_weight, 2), draw(of_out, 3));
    for kernel in KERNELS {
        let settings = ConvSettings {
            stride,
            padding,
            kernel,
        };
        let value = |x: &Tensor<4>, w: &Tensor<4>| -> f32 {
            let (x, w) = (x.clone().into_dispatch(), w.clone().into_dispatch());
            let out = Tensor::<4>::from_dispatch(Dispatch::conv_plain(x, w, settings));
            (out * mask.clone()).sum().into_scalar()
        };
        let gradient = || mask.clone().into_dispatch();
        let for_x = Dispatch::conv_backward_data(
            weight.clone().into_dispatch(),
            gradient(),
            of_x,
            settings,
        );
        let (for_weight, _) = Dispatch::conv_backward_weight(
            x.clone().into_dispatch(),
            gradient(),
            of_weight,
            settings,
        );
        for seed in 10..14 {
            let step = draw(of_x, seed);
            let difference = value(&(x.clone() + step.clone()), &weight)
                - value(&(x.clone() - step.clone()), &weight);
            let product: f32 = (Tensor::<4>::from_dispatch(for_x.clone()) * step)
                .sum()
                .into_scalar();
            assert!(
                (difference / 2.0 - product).abs() < 2e-4,
                "{kernel:?} x: {difference} {product}"
            );
            let step = draw(of_weight, seed);
            let difference = value(&x, &(weight.clone() + step.clone()))
                - value(&x, &(weight.clone() - step.clone()));
            let product: f32 = (Tensor::<4>::from_dispatch(for_weight.clone()) * step)
                .sum()
                .into_scalar();
            assert!(
                (difference / 2.0 - product).abs() < 2e-4,
                "{kernel:?} weight: {difference} {product}"
            );
        }
    }
}
