//! Promise: training on the software adapter, with convolutions in WGSL, has the losses of the CPU.

use crate::support::{noise, software, turn};
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use sonoprint::model::{Network, NetworkKind, NetworkSpec, Task};

/// A network with another head, because dropout draws other numbers on every device.
#[derive(Module, Debug)]
struct Probe {
    network: Network,
    head: Linear,
}

fn losses(kind: NetworkKind, side: usize, lr: f64, device: &Device) -> Vec<f32> {
    const N: usize = 6;
    let cpu = Device::flex();
    let spec = NetworkSpec {
        kind,
        classes: 2,
        input: [4, side, side],
        filters: None,
    };
    let network = Network::new(&spec, 3, &cpu).unwrap();
    let image = 4 * side * side;
    let shape = [N, 4, side, side];
    // The two classes differ in brightness.
    let mut pixels = noise(N * image, 5);
    for (i, p) in pixels.iter_mut().enumerate() {
        *p = 0.5
            + 0.25 * *p
            + if (i / image).is_multiple_of(2) {
                0.2
            } else {
                0.0
            };
    }
    let images = TensorData::new(pixels, shape);
    let features = network.features(Tensor::from_data(images.clone(), &cpu));
    let head = LinearConfig::new(features.dims()[1], 2).init(&cpu);
    // Burn draws parameters at their first use. Use them here, so that they are drawn on the CPU.
    head.weight.val();
    if let Some(bias) = &head.bias {
        bias.val();
    }
    let probe = Probe { network, head };
    let mut probe = probe.fork(device).train();
    let images = Tensor::<4>::from_data(images, device).autodiff();
    let targets: Vec<f32> = (0..2 * N).map(|i| f32::from(i % 2 == i / 2 % 2)).collect();
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [N, 2]), device).autodiff();
    let mut optimizer = AdamWConfig::new().init();
    (0..20)
        .map(|_| {
            let logits = probe.head.forward(probe.network.features(images.clone()));
            let loss = Task::SingleLabel.loss(logits, targets.clone()) / N as f64;
            let gradients = GradientsParams::from_grads(loss.backward(), &probe);
            probe = optimizer.step(lr, probe.clone(), gradients);
            loss.into_scalar()
        })
        .collect()
}

/// In twenty steps of either network, every loss is within 1e-3 of the `cpu` device's.
///
/// `deeppixel` takes smaller steps: at 3e-4, its loss leaves the plateau in the twentieth step,
/// where rounding errors have grown to 3e-3.
#[test]
fn losses_are_those_of_the_cpu() {
    let _turn = turn();
    let software = software().burn();
    for (kind, side, lr) in [
        (NetworkKind::Compact, 33, 3e-4),
        (NetworkKind::DeepPixel, 70, 1e-4),
    ] {
        let start = std::time::Instant::now();
        let ours = losses(kind, side, lr, &software);
        println!("{kind:?}: {:.1} s, {ours:?}", start.elapsed().as_secs_f64());
        let cpu = losses(kind, side, lr, &Device::flex());
        let far = ours.iter().zip(&cpu).map(|(a, b)| (a - b).abs());
        let far = far.fold(0.0, f32::max);
        println!("largest difference {far:e}");
        assert!(far < 1e-3, "{ours:?}\n{cpu:?}");
        assert!(ours[19] < 0.98 * ours[0], "something is learned: {ours:?}");
    }
}
