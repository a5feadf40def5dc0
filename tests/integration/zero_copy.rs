//! Promise: nothing returns to the host between PCM and logits: the shaders write the very memory
//! that Burn reads.

use crate::support::{noise, software};
use burn::module::Module;
use burn::tensor::{DType, FloatDType, Tensor, TensorData};
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::gpu::GpuFrontEnd;
use sonoprint::frontend::{FrontEnd, Samples, presets};
use sonoprint::gpu::{Compute, tensor};
use sonoprint::model::{Network, NetworkKind, NetworkSpec};

fn settings() -> FrontEndConfig {
    FrontEndConfig {
        clip_samples: 22_050,
        ..presets::mel().with_image_size(Some(Size {
            height: 32,
            width: 40,
        }))
    }
}

/// Returns a front end and a network for images of one size.
fn sized(kind: NetworkKind, height: usize, width: usize) -> (FrontEndConfig, NetworkSpec) {
    let settings = settings().with_image_size(Some(Size { height, width }));
    let spec = NetworkSpec::new(kind, 10, &settings);
    (settings, spec)
}

/// The network's input lies in the buffer and at the offset to which the shader was bound, with
/// fusion on: a copy would lie elsewhere.
#[test]
fn the_network_reads_what_the_shader_wrote() {
    let Compute::Gpu(gpu) = software() else {
        unreachable!()
    };
    let front_end = GpuFrontEnd::new(&gpu, &settings()).unwrap();
    let clips = [noise(22_050, 1), noise(22_050, 2), noise(22_050, 3)];
    let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let samples: Vec<_> = clips.iter().map(|pcm| Samples::Host(pcm)).collect();
    for round in 0..3 {
        let target = front_end.target(&samples, &[]).unwrap();
        let written = target.place().clone();
        let tensor = target.into_tensor();
        assert_eq!(tensor.dims(), [3, 4, 32, 40]);
        let read = tensor::place_of(tensor.clone()).unwrap();
        assert_eq!(read, written, "round {round}");
        // As input of an autodiff model, it is still the same memory.
        let input = tensor.clone().autodiff();
        let read = tensor::place_of(input.inner()).unwrap();
        assert_eq!(read, written, "round {round}, autodiff");
        // It holds the image, and not what the allocator left there.
        let got: Vec<f32> = tensor.into_data().try_to_vec().unwrap();
        let want: Vec<f32> = FrontEnd::new(&Compute::Cpu, &settings())
            .unwrap()
            .features(&clips)
            .unwrap()
            .into_data()
            .try_to_vec()
            .unwrap();
        let far = got
            .iter()
            .zip(&want)
            .filter(|(a, b)| (*a - *b).abs() > 0.03);
        assert_eq!(far.count(), 0, "round {round}");
    }
}

/// Fused kernels right after the pass read the right values, and memory freed right before it is
/// not written again.
#[test]
fn order_holds_with_fusion() {
    let compute = software();
    let device = compute.burn();
    let front_end = FrontEnd::new(&compute, &settings()).unwrap();
    let clip = noise(22_050, 9);
    let plain: Vec<f32> = front_end
        .features(&[&clip])
        .unwrap()
        .into_data()
        .try_to_vec()
        .unwrap();
    let want: f64 = plain.iter().map(|v| (f64::from(*v) + 1.0) * 2.0).sum();
    for _ in 0..4 {
        // Lazy work on a tensor of the same size, dropped unread: the next image may get its
        // memory.
        let junk = Tensor::<4>::ones([1, 4, 32, 40], &device) * 7.0;
        let _lazy = (junk + 3.0).exp();
        let x = front_end.features(&[&clip]).unwrap();
        let sum: f32 = ((x + 1.0) * 2.0).sum().into_scalar();
        assert!(
            (f64::from(sum) - want).abs() < 1e-2 * want.abs() / 100.0,
            "{sum} {want}"
        );
    }
}

/// The same network on the same clips: every device computes the cpu device's logits, within 2e-2.
#[test]
fn devices_agree_on_logits() {
    let _turn = crate::support::turn();
    for (kind, size) in [
        (NetworkKind::Compact, (40, 56)),
        (NetworkKind::DeepPixel, (72, 80)),
    ] {
        let (settings, spec) = sized(kind, size.0, size.1);
        let clips = [noise(22_050, 4), crate::support::tone(22_050, 330.0, 0.5)];
        let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
        let logits: Vec<Vec<f32>> = crate::support::devices()
            .iter()
            .map(|(_, compute)| {
                let network = Network::new(&spec, 5, &compute.burn()).unwrap();
                let front_end = FrontEnd::new(compute, &settings).unwrap();
                let out = network.forward(front_end.features(&clips).unwrap());
                out.into_data().try_to_vec().unwrap()
            })
            .collect();
        let worst = logits[1..]
            .iter()
            .flat_map(|other| logits[0].iter().zip(other))
            .map(|(a, b)| (a - b).abs())
            .fold(0.0, f32::max);
        println!("{kind:?}: logits differ by at most {worst:.1e}");
        assert!(worst < 2e-2, "{kind:?}: {worst}");
    }
}

/// With features, weights and activations of f16, the logits stay within two hundredths of f32's.
#[test]
fn halves_agree_on_logits() {
    let _turn = crate::support::turn();
    let compute = software();
    for (kind, side) in [(NetworkKind::Compact, 40), (NetworkKind::DeepPixel, 73)] {
        let (settings, spec) = sized(kind, side, side + 3);
        // Three, so that images of f16 begin at offsets that are no multiple of an f32 image.
        let clips = [4, 5, 6].map(|seed| noise(22_050, seed));
        let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
        let network = Network::new(&spec, 5, &compute.burn()).unwrap();
        let front_end = FrontEnd::new(&compute, &settings).unwrap();
        let images = front_end.features(&clips).unwrap();
        let whole = network.forward(images.clone());
        let front_end = front_end.into_half().unwrap();
        let halves = front_end.features(&clips).unwrap();
        assert_eq!(halves.dtype(), DType::F16);
        let values = |t: Tensor<4>| -> Vec<f32> {
            let t = t.cast(FloatDType::F32);
            t.into_data().try_to_vec().unwrap()
        };
        for (h, w) in values(halves.clone()).iter().zip(values(images)) {
            assert!((h - w).abs() <= 2.5e-4, "{h} for {w}");
        }
        let out = network.into_half().forward(halves);
        assert_eq!(out.dtype(), DType::F16);
        let out: Vec<f32> = out.cast(FloatDType::F32).into_data().try_to_vec().unwrap();
        let whole: Vec<f32> = whole.into_data().try_to_vec().unwrap();
        let off = |(a, b): (&f32, &f32)| (a - b).abs();
        let worst = out.iter().zip(&whole).map(off).fold(0.0, f32::max);
        println!("{kind:?}: logits of f16 differ by at most {worst:.1e}");
        assert!(worst < 2e-2, "{kind:?}: {worst}");
    }
    let cpu = FrontEnd::new(&Compute::Cpu, &settings()).unwrap();
    assert!(cpu.into_half().is_err());
}

/// Host data works on the shared device, and a tensor of another backend is refused, not misread.
#[test]
fn foreign_tensors_are_refused() {
    let _turn = crate::support::turn();
    let cpu = burn::tensor::Device::flex();
    let x = Tensor::<4>::from_data(TensorData::new(vec![0.0f32; 16], [1, 1, 4, 4]), &cpu);
    assert!(tensor::place_of(x).is_err());
    let network = Network::new(
        &NetworkSpec {
            kind: NetworkKind::Compact,
            classes: 2,
            input: [4, 16, 16],
            filters: None,
        },
        1,
        &cpu,
    );
    assert!(network.unwrap().num_params() > 100_000);
}
