//! Promise: one call predicts a file as the command line does, whatever the task, and refuses wrong
//! input.

use std::collections::BTreeMap;

use burn::tensor::Device;
use sonoprint::classify::{self, FileResult, Input, Options, Outcome};
use sonoprint::frontend::config::{Compression, FrontEndConfig, Output};
use sonoprint::frontend::{FrontEnd, presets};
use sonoprint::gpu::Compute;
use sonoprint::inference::{InferenceError, Predictor};
use sonoprint::model::{Checkpoint, Header, Network, NetworkKind, NetworkSpec, Task};

use crate::support::{data, devices, noise, rendered};

/// A checkpoint with random weights for half a second of audio.
fn checkpoint(kind: NetworkKind, task: Task, output: Output, device: &Device) -> Checkpoint {
    let front_end = FrontEndConfig {
        clip_samples: 11_025,
        compression: Compression::Floor { amin: 1e-10 },
        output,
        ..presets::mel()
    };
    let network = NetworkSpec::new(kind, 3, &front_end);
    let classes = ["a", "b", "c"].map(str::to_owned).to_vec();
    Checkpoint {
        network: Network::new(&network, 1, device).unwrap(),
        header: Header::new(task, network, front_end, classes, BTreeMap::new()),
        fingerprint: "test".into(),
    }
}

/// The library's one call and `classify`'s pipeline give the same answer for files of one and of
/// several clips.
#[test]
fn predict_file_is_what_classify_writes() {
    let _turn = crate::support::turn();
    let predictor = Predictor::load(rendered(), &Compute::Cpu).unwrap();
    let options = Options {
        workers: 1,
        batch: 4,
        first_batch: 1,
        overlap: 0.0,
        excerpts: None,
        timeline: false,
        embeddings: true,
    };
    for path in [
        "clips/blues/blues.00014.flac",
        "clips/recorded/metal.ezer_ev.ogg",
    ]
    .map(data)
    {
        let mut results: Vec<FileResult> = Vec::new();
        let files = [Input::File(path.clone())].into_iter();
        classify::classify(&predictor, files, &options, |result| {
            results.push(result);
            Ok::<_, InferenceError>(())
        })
        .unwrap();
        let Outcome::Ok(want) = results.remove(0).outcome else {
            panic!("{path:?} was not read");
        };
        let got = predictor.predict_file(&path).unwrap();
        let names: Vec<&String> = got.probabilities.iter().map(|(name, _)| name).collect();
        assert_eq!(names, predictor.header().classes.iter().collect::<Vec<_>>());
        let probabilities: Vec<f32> = got.probabilities.iter().map(|&(_, p)| p).collect();
        assert_close(&probabilities, &want.probabilities);
        assert_close(&predictor.embed_file(&path).unwrap(), &want.embedding);
        assert_eq!(
            (got.seconds, got.clips, got.silent, got.padded, got.damaged),
            (
                want.seconds,
                want.clips,
                want.silent,
                want.padded,
                want.damaged
            )
        );
        let (best, _) = classify::ranked(&want.probabilities)[0];
        assert_eq!(&got.label, names[best]);
        assert_eq!(
            (got.confidence, got.labels),
            (probabilities[best], vec![got.label])
        );
    }
}

#[track_caller]
fn assert_close(got: &[f32], want: &[f32]) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= 1e-5 * w.abs().max(1.0), "{g} for {w}");
    }
}

/// Probabilities are those of the header's task, for images and for spectrograms of one channel, on
/// each device.
#[test]
fn probabilities_follow_the_task() {
    let _turn = crate::support::turn();
    let image = presets::mel().output;
    let clips = [noise(11_025, 1), noise(11_025, 2)];
    let clips = [clips[0].as_slice(), &clips[1]];
    for (name, compute) in devices() {
        for (kind, output) in [
            (NetworkKind::Compact, image),
            (NetworkKind::Compact, Output::Features),
            (
                NetworkKind::DeepPixel,
                presets::mel()
                    .with_image_size(Some(sonoprint::frontend::config::Size {
                        height: 72,
                        width: 70,
                    }))
                    .output,
            ),
        ] {
            for task in [Task::SingleLabel, Task::MultiLabel] {
                let checkpoint = checkpoint(kind, task, output, &compute.burn());
                let front_end = FrontEnd::new(&compute, &checkpoint.header.front_end).unwrap();
                let logits = checkpoint
                    .network
                    .forward(front_end.features(&clips).unwrap());
                let logits: Vec<f32> = logits.into_data().try_to_vec().unwrap();
                let predictor = Predictor::new(&compute, checkpoint).unwrap();
                let rows = predictor.predict(&clips).unwrap();
                assert_eq!(rows.len(), clips.len());
                for (row, logits) in rows.iter().zip(logits.chunks(3)) {
                    let sum: f32 = logits.iter().map(|x| x.exp()).sum();
                    let want: Vec<f32> = logits
                        .iter()
                        .map(|x| match task {
                            Task::SingleLabel => x.exp() / sum,
                            Task::MultiLabel => 1.0 / (1.0 + (-x).exp()),
                        })
                        .collect();
                    assert_close(row, &want);
                    println!("{name} {kind:?} {task:?}: {row:?}");
                }
            }
        }
    }
}

/// Logits are divided by the checkpoint's temperature, for both tasks.
#[test]
fn probabilities_follow_the_temperature() {
    let _turn = crate::support::turn();
    let clip = noise(11_025, 3);
    for task in [Task::SingleLabel, Task::MultiLabel] {
        let at = |temperature| {
            let device = Compute::Cpu.burn();
            let mut one = checkpoint(NetworkKind::Compact, task, presets::mel().output, &device);
            one.header.temperature = temperature;
            let predictor = Predictor::new(&Compute::Cpu, one).unwrap();
            predictor.predict(&[&clip]).unwrap().remove(0)
        };
        let (plain, sharp) = (at(1.0), at(0.25));
        // Logits up to a constant, which does not matter to a softmax.
        let logit = |p: f32| match task {
            Task::SingleLabel => p.ln(),
            Task::MultiLabel => (p / (1.0 - p)).ln(),
        };
        let scaled: Vec<f32> = plain.iter().map(|&p| logit(p) / 0.25).collect();
        let sum: f32 = scaled.iter().map(|x| x.exp()).sum();
        let want = scaled.iter().map(|x| match task {
            Task::SingleLabel => x.exp() / sum,
            Task::MultiLabel => 1.0 / (1.0 + (-x).exp()),
        });
        assert_close(&sharp, &want.collect::<Vec<_>>());
        let apart = plain.iter().zip(&sharp).any(|(p, s)| (p - s).abs() > 1e-3);
        assert!(apart, "{plain:?} and {sharp:?}");
    }
}

#[test]
fn wrong_input_is_an_error() {
    let _turn = crate::support::turn();
    let predictor = Predictor::load(rendered(), &Compute::Cpu).unwrap();
    let expected = predictor.header().front_end.clip_samples;
    let short = predictor.predict(&[&[0.0; 100]]);
    assert!(
        matches!(short, Err(InferenceError::ClipLength { found: 100, expected: e }) if e == expected)
    );
    assert!(predictor.predict(&[]).unwrap().is_empty());
    let empty = predictor.submit(&[], false);
    assert!(matches!(empty, Err(InferenceError::EmptyBatch)));
    let missing = predictor.predict_file("no/such/file.wav");
    assert!(matches!(missing, Err(InferenceError::Audio(_))));
    let missing = Predictor::load("no/such/file.safetensors", &Compute::Cpu);
    assert!(matches!(missing, Err(InferenceError::Checkpoint(_))));

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("silence.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 22_050,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(&path, spec).unwrap();
    (0..22_050).for_each(|_| wav.write_sample(0i16).unwrap());
    wav.finalize().unwrap();
    for silent in [
        predictor.predict_file(&path).err(),
        predictor.embed_file(&path).err(),
    ] {
        assert!(matches!(silent, Some(InferenceError::Silent(_))));
    }
}
