//! The operation against Burn's convolution and maximum, and the WGSL against the CPU reference.

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};

use super::op::{ConvMaxOps, ConvMaxSettings, Dispatch};
use super::{conv_max, ours, unfused};
use crate::model::ops::conv::tests::{noise, on, software};

/// x, weight, padding.
type Case = ([usize; 4], [usize; 4], (usize, usize));

/// Images whose rows are no multiple of four, several blocks of places, filters of every kind of
/// tile, few filters and many.
const CASES: [Case; 7] = [
    ([2, 1, 30, 96], [5, 1, 7, 38], (3, 3)),
    ([1, 1, 40, 12], [10, 1, 32, 1], (15, 16)),
    ([3, 1, 9, 41], [3, 1, 2, 3], (0, 1)),
    ([2, 1, 11, 30], [9, 1, 3, 9], (2, 0)),
    ([1, 1, 4, 5], [1, 1, 4, 5], (0, 0)),
    ([1, 1, 3, 6], [2, 1, 2, 1], (4, 5)),
    ([1, 1, 1, 1], [17, 1, 1, 1], (0, 0)),
];

/// The layers of musicnn without the filters that never fire.
const MUSICNN: [Case; 5] = [
    ([1, 1, 187, 96], [31, 1, 7, 38], (3, 3)),
    ([1, 1, 187, 96], [17, 1, 7, 67], (3, 3)),
    ([1, 1, 187, 96], [9, 1, 128, 1], (63, 64)),
    ([1, 1, 187, 96], [20, 1, 64, 1], (31, 32)),
    ([1, 1, 187, 96], [26, 1, 32, 1], (15, 16)),
];

type Op = fn(Tensor<4>, Tensor<4>, (usize, usize)) -> Tensor<3>;

/// Computes the same by Burn's own operations.
fn burns(x: Tensor<4>, weight: Tensor<4>, padding: (usize, usize)) -> Tensor<3> {
    let options = ConvOptions::new_with_padding([1, 1], [padding, (0, 0)], [1, 1], 1);
    conv2d(x, weight, None, options).max_dim(3).squeeze_dim(3)
}

/// Computes the same by the kernels for cards.
fn for_cards(x: Tensor<4>, weight: Tensor<4>, padding: (usize, usize)) -> Tensor<3> {
    let settings = ConvMaxSettings {
        padding,
        software: false,
    };
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::conv_max(x, weight, settings))
}

/// Returns tensors of noise.
fn inputs(device: &Device, (of_x, of_weight, _): Case) -> [Tensor<4>; 2] {
    [(of_x, 1), (of_weight, 2)].map(|(of, seed)| on(device, &noise(of.iter().product(), seed), of))
}

fn values(data: TensorData) -> Vec<f32> {
    data.try_to_vec().unwrap()
}

/// Returns the result of `op`, and the gradients of x and the weights.
fn run(op: Op, device: &Device, case: Case) -> [Vec<f32>; 3] {
    let [x, weight] = inputs(device, case).map(Tensor::require_grad);
    let out = op(x.clone(), weight.clone(), case.2);
    let factors = on(device, &noise(out.dims().iter().product(), 3), out.dims());
    let gradients = (out.clone() * factors).sum().backward();
    [
        values(out.into_data()),
        values(x.grad(&gradients).unwrap().into_data()),
        values(weight.grad(&gradients).unwrap().into_data()),
    ]
}

#[track_caller]
fn close(what: &str, got: &[f32], want: &[f32], within: f32) {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(1e-3f32, |m, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let off = (g - w).abs();
        assert!(off <= within * scale, "{what} {i}: {g} for {w}, of {scale}");
    }
}

/// On the `cpu` device the result and the gradients are those of Burn's operations.
#[test]
fn it_is_burns_convolution_and_maximum() {
    let device = Device::flex().autodiff();
    for case in CASES {
        let (got, want) = (run(conv_max, &device, case), run(burns, &device, case));
        for (got, want) in got.iter().zip(&want) {
            close(&format!("{case:?}"), got, want, 2e-5);
        }
    }
}

/// The WGSL gives the result and the gradients of the `cpu` device, and so does what runs where the
/// WGSL does not.
#[test]
fn a_gpu_gives_the_same() {
    let [cpu, gpu] = [Device::flex(), software()].map(Device::autodiff);
    for case in CASES {
        let [x, weight] = inputs(&gpu, case);
        assert_eq!(ours(&x, &weight, case.2), Some(true), "{case:?}");
        let want = run(conv_max, &cpu, case);
        let ops = [
            ("ours", conv_max as Op),
            ("for cards", for_cards),
            ("unfused", unfused),
        ];
        for (what, op) in ops {
            for (got, want) in run(op, &gpu, case).iter().zip(&want) {
                close(&format!("{what} {case:?}"), got, want, 1e-4);
            }
        }
    }
}

/// At musicnn's sizes, without gradients.
#[test]
fn a_gpu_gives_the_same_at_full_size() {
    for case in MUSICNN {
        let [gpu, cpu] = [software(), Device::flex()].map(|device| {
            let [x, weight] = inputs(&device, case);
            values(conv_max(x, weight, case.2).into_data())
        });
        close(&format!("{case:?}"), &gpu, &cpu, 1e-4);
    }
}

/// A gradient for one input alone is the same as that for both.
#[test]
fn one_input_may_be_frozen() {
    for device in [Device::flex(), software()].map(Device::autodiff) {
        let case = CASES[0];
        let [_, for_x, for_weight] = run(conv_max, &device, case);
        for (i, want) in [for_x, for_weight].into_iter().enumerate() {
            let mut tensors = inputs(&device, case);
            tensors[i] = tensors[i].clone().require_grad();
            let [x, weight] = tensors.clone();
            let out = conv_max(x, weight, case.2);
            let factors = on(&device, &noise(out.dims().iter().product(), 3), out.dims());
            let gradients = (out * factors).sum().backward();
            let got = values(tensors[i].grad(&gradients).unwrap().into_data());
            close("one", &got, &want, 1e-6);
            assert!(tensors[1 - i].grad(&gradients).is_none());
        }
    }
}

/// On tensors of f16 the result is as near to the CPU reference as eleven bits allow. Rows are
/// filled up in f16, too.
#[test]
fn a_gpu_takes_halves() {
    let case = ([2, 1, 12, 41], [9, 1, 3, 5], (1, 1));
    let coarse = |t: Tensor<4>| (t * 64.0).round() / 64.0;
    let [x, weight] = inputs(&Device::flex(), case).map(coarse);
    let want = values(conv_max(x, weight, case.2).into_data());
    let half = |t: Tensor<4>| coarse(t).cast(FloatDType::F16);
    let [x, weight] = inputs(&software(), case).map(half);
    let got = conv_max(x, weight, case.2).cast(FloatDType::F32);
    close("halves", &values(got.into_data()), &want, 1e-3);
}
