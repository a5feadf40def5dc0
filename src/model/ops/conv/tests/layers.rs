//! Whole layers of Burn's, with every kind of padding.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::{close, noise, on, software};
use crate::gpu::device_traits;
use crate::model::ops::conv::source::ConvKernel;
use crate::model::ops::conv::{self, ConvPlan};

/// Layers of every kind: with our kernels on both devices, and with Burn's.
fn layers(device: &Device) -> Vec<(&'static str, Conv2d)> {
    let config = |channels: [usize; 2], kernel: [usize; 2]| Conv2dConfig::new(channels, kernel);
    let explicit = PaddingConfig2d::Explicit;
    let square = || config([3, 8], [3, 3]);
    let even = |pad| explicit(pad, pad, pad, pad);
    let configs = [
        ("plain", square()),
        (
            "strided, without bias",
            square()
                .with_stride([2, 2])
                .with_padding(even(1))
                .with_bias(false),
        ),
        ("strided", square().with_stride([2, 2])),
        ("same", square().with_padding(PaddingConfig2d::Same)),
        (
            "same, of an even kernel",
            config([3, 5], [4, 2]).with_padding(PaddingConfig2d::Same),
        ),
        (
            "same, strided",
            config([3, 4], [2, 3])
                .with_stride([2, 3])
                .with_padding(PaddingConfig2d::Same),
        ),
        ("uneven", square().with_padding(explicit(0, 2, 1, 0))),
        (
            "uneven, without bias",
            square().with_padding(explicit(2, 0, 1, 1)).with_bias(false),
        ),
        (
            "tall and uneven",
            config([3, 6], [8, 1]).with_padding(explicit(3, 0, 4, 0)),
        ),
        (
            "too large a kernel for the software adapter",
            config([3, 4], [9, 4]).with_padding(explicit(4, 1, 3, 2)),
        ),
        (
            "padded by more than the kernel",
            square().with_padding(explicit(3, 0, 4, 5)),
        ),
        ("dilated", square().with_dilation([2, 1])),
        (
            "grouped and uneven",
            config([3, 6], [3, 3])
                .with_groups(3)
                .with_padding(explicit(1, 0, 0, 2)),
        ),
    ];
    configs
        .into_iter()
        .map(|(name, config)| (name, config.init(device)))
        .collect()
}

fn flat<const D: usize>(t: Tensor<D>) -> Vec<f32> {
    t.into_data().try_to_vec().unwrap()
}

/// Through fusion and autodiff, between Burn's own operations, the results and all gradients are
/// those of Burn's `flex` backend, on both devices.
#[test]
fn layers_match_burn_on_flex() {
    use burn::module::Module;
    let cpu = Device::flex().autodiff();
    let values = noise(2 * 3 * 13 * 10, 7);
    let input = |device: &Device| on(device, &values, [2, 3, 13, 10]).require_grad();
    for device in [cpu.clone(), software().autodiff()] {
        for (name, burns) in layers(&cpu) {
            let what = |part: &str| format!("{name}, {part}, {device:?}");
            let ours = burns.clone().fork(&device);
            let (x, y) = (input(&device), input(&cpu));
            // A transposed view, and operations before and after that fusion may join.
            let before = |t: &Tensor<4>| (t.clone() * 2.0 + 0.5).swap_dims(2, 3);
            let out = conv::forward(&ours, before(&x));
            let want = burns.forward(before(&y));
            assert_eq!(out.dims(), want.dims(), "{name}");
            close(
                &what("out"),
                out.clone().inner(),
                &flat(want.clone().inner()),
            );
            let plain = conv::forward_without_bias(&ours, before(&x)).inner();
            let bias = burns.bias.as_ref().map(|bias| bias.val().inner());
            let want_plain = match bias {
                Some(bias) => want.clone().inner() - bias.reshape([1, -1, 1, 1]),
                None => want.clone().inner(),
            };
            close(&what("without bias"), plain, &flat(want_plain));
            let got = (out.powf_scalar(2.0) + 1.0).sum().backward();
            let want = (want.powf_scalar(2.0) + 1.0).sum().backward();
            let for_x = y.grad(&want).unwrap();
            close(&what("x"), x.grad(&got).unwrap(), &flat(for_x));
            let for_weight = burns.weight.grad(&want).unwrap();
            close(
                &what("weight"),
                ours.weight.grad(&got).unwrap(),
                &flat(for_weight),
            );
            if let (Some(a), Some(b)) = (&ours.bias, &burns.bias) {
                let for_bias = b.grad(&want).unwrap();
                close(&what("bias"), a.grad(&got).unwrap(), &flat(for_bias));
            }
        }
    }
}

/// The functions that compute one gradient alone return the same with our kernels and with Burn's.
#[test]
fn single_gradients_match_burn_on_flex() {
    use burn::module::Module;
    let cpu = Device::flex();
    let values = noise(2 * 3 * 13 * 10, 7);
    for device in [cpu.clone(), software()] {
        for (name, layer) in layers(&cpu) {
            let x = on(&cpu, &values, [2, 3, 13, 10]);
            let out = layer.forward(x.clone());
            let count = out.shape().num_elements();
            let gradient = on(&cpu, &noise(count, 9), out.dims());
            let burn = ConvPlan::Burn("the reference");
            let for_x = conv::backward_data(&layer, x.clone(), gradient.clone(), burn);
            let for_weight = conv::backward_weight(&layer, x.clone(), gradient.clone(), burn);
            let layer = layer.fork(&device);
            let (x, gradient) = (x.to_device(&device), gradient.to_device(&device));
            let plan = conv::plan(&layer, &x);
            let got = conv::backward_data(&layer, x.clone(), gradient.clone(), plan);
            close(name, got, &flat(for_x));
            let got = conv::backward_weight(&layer, x, gradient, plan);
            close(name, got, &flat(for_weight));
        }
    }
}

/// Layers that our kernels are made for get them.
#[test]
fn the_plan_knows_the_layer() {
    use burn::module::Module;
    let cpu = Device::flex();
    for (name, layer) in layers(&cpu) {
        let x = on(&cpu, &[0.0; 3 * 13 * 10], [1, 3, 13, 10]);
        let general = name == "dilated" || name.starts_with("grouped");
        assert_eq!(conv::plan(&layer, &x).is_ours(), !general, "{name}");
        let large = name.starts_with("padded");
        let (layer, x) = (layer.fork(&software()), x.to_device(&software()));
        let ours = !general && !large;
        assert_eq!(conv::plan(&layer, &x).is_ours(), ours, "{name}");
    }
}

/// The software adapter gets the kernels without barriers.
#[test]
fn the_plan_knows_the_adapter() {
    let traits = device_traits(&software()).expect("opened by us");
    let plan = ConvPlan::for_device(traits);
    assert_eq!(plan, ConvPlan::Ours(ConvKernel::Direct));
}
