//! The WGSL against its CPU twin, Burn's `flex` and finite differences, on the software adapter.

use std::sync::OnceLock;

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, FloatDType, Tensor, TensorData};

use super::cpu::Geometry;
use super::op::{ConvOps, Dispatch, Settings};
use super::{Kind, Plan};
use crate::gpu::{Compute, DeviceChoice, device_traits};

pub fn software() -> Device {
    static ONE: OnceLock<Compute> = OnceLock::new();
    let open = || {
        Compute::open(&DeviceChoice::Software)
            .expect("tests need a software adapter: apt-get install mesa-vulkan-drivers")
            .compute
    };
    ONE.get_or_init(open).burn()
}

fn noise(len: usize, seed: u32) -> Vec<f32> {
    let hash = |i: usize| (i as u32 ^ seed.wrapping_mul(0x9e37)).wrapping_mul(2_654_435_761) >> 8;
    (0..len)
        .map(|i| hash(i) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

fn on<const D: usize>(device: &Device, values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

#[track_caller]
fn close<const D: usize>(what: &str, got: Tensor<D>, want: &[f32]) {
    let got: Vec<f32> = got.into_data().try_to_vec().unwrap();
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(1e-3f32, |m, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= 1e-5 * scale,
            "{what} {i}: {g} for {w}, of {scale}"
        );
    }
}

type Dispatched = burn::backend::tensor::FloatTensor<Dispatch>;

/// n, image, channels out, kernel, stride, padding.
type Case = (usize, [usize; 3], usize, [usize; 2], [usize; 2], [usize; 2]);

/// What the networks use and what they do not: odd sizes, batches of 1 to 33, 1 to 130 channels, kernels that are not square.
const CASES: [Case; 11] = [
    (1, [1, 1, 1], 1, [1, 1], [1, 1], [0, 0]),
    (2, [4, 23, 37], 32, [3, 3], [1, 1], [0, 0]),
    (3, [32, 11, 13], 65, [3, 3], [1, 1], [0, 0]),
    (2, [64, 10, 9], 130, [2, 2], [1, 1], [0, 0]),
    (33, [128, 4, 5], 3, [2, 2], [1, 1], [0, 0]),
    (1, [4, 31, 18], 24, [3, 3], [2, 2], [1, 1]),
    (2, [5, 16, 9], 7, [3, 3], [1, 1], [1, 1]),
    (3, [24, 17, 12], 32, [1, 1], [2, 2], [0, 0]),
    (1, [130, 3, 3], 1, [3, 3], [2, 2], [1, 1]),
    (2, [2, 9, 11], 3, [4, 3], [3, 2], [0, 2]),
    (2, [3, 7, 12], 5, [1, 5], [1, 3], [0, 4]),
];

/// Result and gradients of both kinds of kernels are those of the twin.
#[test]
fn it_is_the_twin() {
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
        for kind in [Kind::Tiled, Kind::Direct] {
            let what = format!("{g:?} {kind:?}");
            let settings = Settings {
                stride,
                padding,
                kind,
            };
            let x = || on(&device, &x, of_x).into_dispatch();
            let w = || on(&device, &weight, of_weight).into_dispatch();
            let b = || on(&device, &bias, [channels]).into_dispatch();
            let d = || on(&device, &gradient, of_out).into_dispatch();
            let out = Dispatch::conv_plain(x(), w(), settings);
            close(&what, Tensor::<4>::from_dispatch(out), &plain);
            // Each is a text more to compile: once with whole tiles, once with what is left.
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

/// On tensors of f16, where the adapter has them: as near to the twin as their eleven bits are.
#[test]
fn halves_are_the_twin() {
    let device = software();
    assert!(
        device.supports_dtype(burn::tensor::DType::F16),
        "llvmpipe has f16"
    );
    let (stride, padding) = ([1, 1], [1, 1]);
    let g = Geometry {
        n: 2,
        input: [5, 16, 9],
        channels: 7,
        kernel: [3, 3],
        stride,
        padding,
    };
    let ([of_x, of_weight], of_out) = ([[2, 5, 16, 9], [7, 5, 3, 3]], [2, 7, 16, 9]);
    // What f16 can say, so that only results are rounded.
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
    for kind in [Kind::Tiled, Kind::Direct] {
        let settings = Settings {
            stride,
            padding,
            kind,
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

fn layer(device: &Device, stride: usize, pad: usize, bias: bool) -> Conv2d {
    Conv2dConfig::new([3, 8], [3, 3])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(pad, pad, pad, pad))
        .with_bias(bias)
        .init(device)
}

/// Through fusion and autodiff, among Burn's own operations on both sides, all is what Burn's `flex` gives.
#[test]
fn it_is_burns_convolution_on_flex() {
    use burn::module::Module;
    let (device, cpu) = (software().autodiff(), Device::flex().autodiff());
    for (stride, pad, bias) in [(1, 0, true), (2, 1, false), (2, 0, true)] {
        let burns = layer(&cpu, stride, pad, bias);
        let ours = burns.clone().fork(&device);
        let values = noise(2 * 3 * 13 * 10, 7);
        let input = |device: &Device| on(device, &values, [2, 3, 13, 10]).require_grad();
        let (x, y) = (input(&device), input(&cpu));
        assert!(super::is_ours(&ours, &x));
        // A transposed view, and operations that fusion joins before and behind.
        let before = |t: &Tensor<4>| (t.clone() * 2.0 + 0.5).swap_dims(2, 3);
        let out = super::forward(&ours, before(&x));
        let want = burns.forward(before(&y));
        let flat = |t: Tensor<4>| -> Vec<f32> { t.into_data().try_to_vec().unwrap() };
        close("out", out.clone().inner(), &flat(want.clone().inner()));
        let got = (out.powf_scalar(2.0) + 1.0).sum().backward();
        let want = (want.powf_scalar(2.0) + 1.0).sum().backward();
        close("x", x.grad(&got).unwrap(), &flat(y.grad(&want).unwrap()));
        let weight = burns.weight.grad(&want).unwrap();
        close("weight", ours.weight.grad(&got).unwrap(), &flat(weight));
        if let (Some(a), Some(b)) = (&ours.bias, &burns.bias) {
            let b: Vec<f32> = b.grad(&want).unwrap().into_data().try_to_vec().unwrap();
            close("bias", a.grad(&got).unwrap(), &b);
        }
    }
}

/// A convolution is linear in each of its inputs, so a difference of any size is exactly the gradient's product with it.
#[test]
fn gradients_are_finite_differences() {
    let device = software();
    let (stride, padding) = ([2, 1], [1, 0]);
    let (of_x, of_weight, of_out) = ([2, 3, 9, 8], [5, 3, 3, 2], [2, 5, 5, 7]);
    let draw = |of: [usize; 4], seed| on(&device, &noise(of.iter().product(), seed), of);
    let (x, weight, seen) = (draw(of_x, 1), draw(of_weight, 2), draw(of_out, 3));
    for kind in [Kind::Tiled, Kind::Direct] {
        let settings = Settings {
            stride,
            padding,
            kind,
        };
        let value = |x: &Tensor<4>, w: &Tensor<4>| -> f32 {
            let (x, w) = (x.clone().into_dispatch(), w.clone().into_dispatch());
            let out = Tensor::<4>::from_dispatch(Dispatch::conv_plain(x, w, settings));
            (out * seen.clone()).sum().into_scalar()
        };
        let gradient = || seen.clone().into_dispatch();
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
                "{kind:?} x: {difference} {product}"
            );
            let step = draw(of_weight, seed);
            let difference = value(&x, &(weight.clone() + step.clone()))
                - value(&x, &(weight.clone() - step.clone()));
            let product: f32 = (Tensor::<4>::from_dispatch(for_weight.clone()) * step)
                .sum()
                .into_scalar();
            assert!(
                (difference / 2.0 - product).abs() < 2e-4,
                "{kind:?} weight: {difference} {product}"
            );
        }
    }
}

/// The software adapter gets the kernels without barriers.
#[test]
fn the_plan_knows_the_adapter() {
    let facts = device_traits(&software()).expect("opened by us");
    assert_eq!(Plan::for_adapter(facts), Plan::Ours(Kind::Direct));
}
