//! Promise: the network musicnn gives what the original TensorFlow graph gives, for a patch and for
//! a file, on every device, and can be trained.

use burn::tensor::Tensor;

use crate::support::{data, devices, npy};
use sonoprint::frontend::{FrontEnd, presets};
use sonoprint::inference::Predictor;
use sonoprint::model::Checkpoint;

const WEIGHTS: &str = "musicnn/musicnn-msd.safetensors";

/// The golden patch with half a frame of silence on both sides, as a track of its own has it.
fn patch() -> Vec<f32> {
    let bytes = npy("musicnn/golden/pcm_i16.npy.gz").bytes;
    let samples = bytes.chunks_exact(2);
    let samples = samples.map(|b| f32::from(i16::from_le_bytes([b[0], b[1]])) / 32_768.0);
    presets::musicnn().clip_rule(0.0).prepare(samples.collect())
}

fn golden(name: &str) -> Vec<f32> {
    npy(&format!("musicnn/golden/{name}.npy.gz")).f32()
}

#[track_caller]
fn assert_near(what: &str, got: &[f32], want: &[f32], within: f32) {
    assert_eq!(got.len(), want.len(), "{what}");
    let off = got.iter().zip(want).map(|(g, w)| (g - w).abs());
    let worst = off.fold(0.0, f32::max);
    println!("{what}: {worst:.1e} off, {within:.0e} allowed");
    assert!(worst <= within, "{what}: {worst} off");
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

#[test]
fn the_spectrogram_is_librosas() {
    let want = golden("logmel");
    for (device, compute) in devices() {
        let front_end = FrontEnd::new(&compute, &presets::musicnn()).unwrap();
        let features = front_end.features(&[&patch()]).unwrap();
        assert_eq!(features.dims(), [1, 1, 187, 96]);
        assert_near(device, &values(features), &want, 2e-4);
    }
}

/// The tolerances are those that the network's description states.
#[test]
fn a_patch_has_the_tags_of_the_original() {
    for (device, compute) in devices() {
        let within = if device == "cpu" { 1e-5 } else { 1e-4 };
        let checkpoint = Checkpoint::load(&data(WEIGHTS), &compute.burn()).unwrap();
        let front_end = FrontEnd::new(&compute, &presets::musicnn()).unwrap();
        let features = front_end.features(&[&patch()]).unwrap();
        let network = &checkpoint.network;
        let penultimate = network.features(features);
        let logits = network.head(penultimate.clone());
        let (penultimate, logits) = (values(penultimate), values(logits));
        let want = golden("msd_penultimate");
        assert_near(&format!("{device} penultimate"), &penultimate, &want, 2e-3);
        let tags = values(checkpoint.header.task.probabilities(
            Tensor::<1>::from_floats(&logits[..], &burn::tensor::Device::flex()).reshape([1, -1]),
        ));
        assert_near(
            &format!("{device} tags"),
            &tags,
            &golden("msd_tags"),
            within,
        );
    }
}

/// The original frames the whole track and cuts the frames into patches. A patch that is framed by
/// itself would be off by 0.01.
#[test]
fn a_file_has_the_tags_of_the_original() {
    for name in ["metal.armygeddon", "rock.motorway"] {
        let predictor = Predictor::load(data(WEIGHTS), &sonoprint::gpu::Compute::Cpu).unwrap();
        let file = data(&format!("clips/recorded/{name}.ogg"));
        let file = predictor.predict_file(file).unwrap();
        assert_eq!((file.clips, file.padded), (10, false));
        let tags: Vec<f32> = file.probabilities.iter().map(|(_, p)| *p).collect();
        assert_near(name, &tags, &golden(&format!("file_tags.{name}")), 2e-3);
    }
}
