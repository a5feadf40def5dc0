//! Promise: `deeppixel` is the original project's network, and a checkpoint gives back what was
//! saved.

use std::collections::BTreeMap;

use crate::support::{devices, noise};
use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use safetensors::SafeTensors;
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::{FrontEnd, presets};
use sonoprint::model::{
    Architecture, Checkpoint, CheckpointError, DeepPixel, Header, ModelError, Network, NetworkKind,
    NetworkSpec, Task,
};

fn square(side: usize) -> Size {
    Size {
        height: side,
        width: side,
    }
}

#[test]
fn deeppixel_is_pinned() {
    let _turn = crate::support::turn();
    let device = Device::flex();
    let spec = NetworkSpec {
        kind: NetworkKind::DeepPixel,
        classes: 10,
        input: [4, 720, 720],
        filters: None,
    };
    let network = DeepPixel::new(&spec, &device);
    assert_eq!(network.num_params(), 719_946);
    assert_eq!(DeepPixel::side_out(720), 21);
    let (shapes, logits) = network.stages(Tensor::zeros([1, 4, 720, 720], &device));
    assert_eq!(
        shapes,
        [
            [1, 32, 359, 359],
            [1, 64, 178, 178],
            [1, 64, 88, 88],
            [1, 128, 43, 43],
            [1, 128, 21, 21]
        ]
    );
    assert_eq!(shapes[4].iter().product::<usize>(), 56_448);
    assert_eq!(logits.dims(), [1, 10]);
}

#[test]
fn networks_say_what_they_cannot_read() {
    let _turn = crate::support::turn();
    let spec = |kind, side, classes| NetworkSpec {
        kind,
        classes,
        input: [4, side, side],
        filters: None,
    };
    let refused = Network::new(&spec(NetworkKind::DeepPixel, 69, 10), 1, &Device::flex());
    assert!(matches!(
        refused,
        Err(ModelError::InputTooSmall {
            min: [1, 70, 70],
            ..
        })
    ));
    // The smallest side is the smallest of which something is left.
    assert_eq!((DeepPixel::side_out(69), DeepPixel::side_out(70)), (0, 1));
    let huge = spec(NetworkKind::DeepPixel, 8192, 10_000).check();
    assert!(matches!(huge, Err(ModelError::TooLarge { .. })));
    let one_class = spec(NetworkKind::Compact, 64, 1).check();
    assert_eq!(one_class, Err(ModelError::Classes(1)));
}

#[test]
fn a_seed_means_the_same_weights() {
    let _turn = crate::support::turn();
    let spec = NetworkSpec {
        kind: NetworkKind::Compact,
        classes: 3,
        input: [4, 32, 32],
        filters: None,
    };
    let x = Tensor::<4>::random(
        [2, 4, 32, 32],
        Distribution::Uniform(0.0, 1.0),
        &Device::flex(),
    );
    let logits = |seed| -> Vec<f32> {
        let network = Network::new(&spec, seed, &Device::flex()).unwrap();
        network.forward(x.clone()).into_data().try_to_vec().unwrap()
    };
    assert!(logits(1) == logits(1) && logits(1) != logits(2));
}

fn header(kind: NetworkKind, side: usize) -> Header {
    let front_end = FrontEndConfig {
        clip_samples: 22_050,
        ..presets::mel().with_image_size(Some(square(side)))
    };
    let spec = NetworkSpec::new(kind, 3, &front_end);
    let classes = ["a", "b \"quoted\"", "ü"].map(str::to_owned).to_vec();
    Header::new(
        Task::SingleLabel,
        spec,
        front_end,
        classes,
        BTreeMap::from([("seed".into(), "1".into())]),
    )
}

/// The rendered-music checkpoint has format 1, which names the size of an image and no task.
#[test]
fn headers_of_format_1_are_read() {
    let file = std::fs::read(crate::support::rendered()).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&file).unwrap();
    let text = &metadata.metadata().as_ref().unwrap()["sonoprint"];
    assert!(text.contains("format = 1") && text.contains("picture") && !text.contains("task"));

    let header = Header::parse("grooves10".as_ref(), &file).unwrap();
    assert_eq!(header.format, 2);
    assert_eq!(header.task, Task::SingleLabel);
    assert_eq!(header.network.input, [4, 128, 216]);
    // Written again, it is the same header in the present format.
    let text = toml::to_string(&header).unwrap();
    assert!(text.contains("input = [4, 128, 216]") && text.contains("task = \"single_label\""));
    assert_eq!(toml::from_str::<Header>(&text).unwrap(), header);
    // A network without any input is refused.
    let none = text.replace("input = [4, 128, 216]", "");
    assert!(toml::from_str::<Header>(&none).is_err());
}

/// Both networks read any number of channels.
#[test]
fn networks_read_any_number_of_channels() {
    let _turn = crate::support::turn();
    let device = Device::flex();
    for (kind, side) in [(NetworkKind::Compact, 32), (NetworkKind::DeepPixel, 72)] {
        let parameters = [1, 2, 4].map(|channels| {
            let spec = NetworkSpec {
                kind,
                classes: 3,
                input: [channels, side, side + 8],
                filters: None,
            };
            let network = Network::new(&spec, 1, &device).unwrap();
            let input = Tensor::zeros([2, channels, side, side + 8], &device);
            assert_eq!(network.forward(input).dims(), [2, 3], "{kind:?}");
            network.num_params()
        });
        // Only the first convolution depends on them.
        let [one, two, four] = parameters;
        assert!(two > one && four - two == 2 * (two - one), "{parameters:?}");
        let spec = |channels| NetworkSpec {
            kind,
            classes: 3,
            input: [channels, side, side],
            filters: None,
        };
        assert!(matches!(
            spec(0).check(),
            Err(ModelError::InputTooSmall { .. })
        ));
        assert!(matches!(
            spec(usize::MAX).check(),
            Err(ModelError::TooLarge { .. })
        ));
        assert!(spec(usize::MAX).flops() > 0);
    }
}

/// A spectrogram of one channel has time in its height, and an image in its width: pooling follows.
#[test]
fn compact_pools_over_time_where_time_is() {
    let _turn = crate::support::turn();
    let device = Device::flex();
    let spec = NetworkSpec {
        kind: NetworkKind::Compact,
        classes: 3,
        input: [1, 256, 32],
        filters: None,
    };
    let network = Network::new(&spec, 1, &device).unwrap();
    let features = |loud: std::ops::Range<usize>| -> Vec<f32> {
        let frames = (0..256).flat_map(|t| [if loud.contains(&t) { 1.0f32 } else { 0.0 }; 32]);
        let data = TensorData::new(frames.collect::<Vec<_>>(), [1, 1, 256, 32]);
        let input = Tensor::from_data(data, &device);
        network.features(input).into_data().try_to_vec().unwrap()
    };
    // A sound of 8 frames at two times: 16 frames, a multiple of all strides, apart and far from
    // the edges.
    let (early, late) = (features(112..120), features(128..136));
    for (e, l) in early.iter().zip(&late) {
        assert!((e - l).abs() <= 1e-4 * e.abs().max(1.0), "{e} and {l}");
    }
}

/// Logits of saved and loaded networks are the same bits, on each device, for both networks.
#[test]
fn checkpoints_come_back_bit_for_bit() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    for (name, compute) in devices() {
        for (kind, side) in [(NetworkKind::Compact, 32), (NetworkKind::DeepPixel, 72)] {
            let header = header(kind, side);
            let device = compute.burn();
            let network = Network::new(&header.network, 3, &device).unwrap();
            let path = folder.path().join(format!("{name}-{side}.safetensors"));
            Checkpoint::save(&header, &network, &path).unwrap();
            let loaded = Checkpoint::load(&path, &device).unwrap();
            assert_eq!(loaded.header, header);
            let engine = FrontEnd::new(&compute, &header.front_end).unwrap();
            let clip = noise(22_050, 1);
            let logits = |n: &Network| -> Vec<u32> {
                let out = n.forward(engine.features(&[&clip]).unwrap());
                let v: Vec<f32> = out.into_data().try_to_vec().unwrap();
                v.iter().map(|x| x.to_bits()).collect()
            };
            assert_eq!(logits(&network), logits(&loaded.network), "{name} {kind:?}");
        }
    }
}

#[test]
fn bad_checkpoints_are_told_apart() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let device = Device::flex();
    let header = header(NetworkKind::Compact, 32);
    let network = Network::new(&header.network, 3, &device).unwrap();
    let load = || Checkpoint::load(&path, &device).map(|c| c.header);

    assert!(matches!(load(), Err(CheckpointError::Read { .. })));
    for foreign in [&b""[..], b"RIFF....WAVE", &[0xff; 4096]] {
        std::fs::write(&path, foreign).unwrap();
        assert!(
            matches!(load(), Err(CheckpointError::Foreign { .. })),
            "{foreign:?}"
        );
    }
    Checkpoint::save(&header, &network, &path).unwrap();
    let good = std::fs::read(&path).unwrap();
    assert!(load().is_ok());

    // Cut off, or with settings that another version or hand has changed.
    std::fs::write(&path, &good[..good.len() - 1000]).unwrap();
    assert!(matches!(
        load(),
        Err(CheckpointError::Foreign { .. } | CheckpointError::Damaged { .. })
    ));
    let change = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = good
            .windows(from.len())
            .position(|w| w == from.as_bytes())
            .expect(from);
        let mut bad = good.clone();
        bad[at..at + to.len()].copy_from_slice(to.as_bytes());
        std::fs::write(&path, bad).unwrap();
        load().unwrap_err()
    };
    assert!(matches!(
        change("format = 2", "format = 9"),
        CheckpointError::Newer { found: 9, .. }
    ));
    assert!(matches!(
        change("n_fft = 2048", "n_fft = 2047"),
        CheckpointError::Settings { .. }
    ));
    assert!(matches!(
        change("classes = 3", "classes = 4"),
        CheckpointError::Damaged { .. }
    ));
    assert!(matches!(
        change("front_end]", "frunt_end]"),
        CheckpointError::Damaged { .. }
    ));
    assert!(matches!(
        change("\"sonoprint\":", "\"sunoprint\":"),
        CheckpointError::Foreign { .. }
    ));
    // A tensor with another name belongs to no layer.
    assert!(matches!(
        change("head.weight", "heat.weight"),
        CheckpointError::Damaged { .. }
    ));
    // Every message is one line and names the file.
    for message in [
        change("format = 2", "format = 9"),
        change("n_fft = 2048", "n_fft = 2047"),
    ] {
        let text = message.to_string();
        assert!(
            text.contains("x.safetensors") && !text.contains('\n'),
            "{text}"
        );
    }
}

/// A header without a license and a threshold and with a temperature of 1 has none of them in its
/// file, as before they existed. A temperature that nothing can be divided by is refused, and so is
/// a threshold that is no probability.
#[test]
fn license_temperature_and_threshold_are_optional_and_checked() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let device = Device::flex();
    let plain = header(NetworkKind::Compact, 32);
    let text = toml::to_string(&plain).unwrap();
    for word in ["license", "temperature", "threshold"] {
        assert!(!text.contains(word), "{text}");
    }
    let network = Network::new(&plain.network, 3, &device).unwrap();
    let with = |temperature, threshold| {
        let header = Header {
            license: Some("ISC".into()),
            temperature,
            threshold: Some(threshold),
            task: Task::MultiLabel,
            ..plain.clone()
        };
        Checkpoint::save(&header, &network, &path).unwrap();
        Checkpoint::load(&path, &device).map(|loaded| loaded.header == header)
    };
    assert!(matches!(with(1.75, 0.2), Ok(true)));
    assert!(
        with(1.0, 1.5)
            .unwrap_err()
            .to_string()
            .contains("threshold")
    );
    for wrong in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = with(wrong, 0.5).unwrap_err();
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("temperature"), "{error}");
    }
}

/// Changes bytes, bits and digits of a checkpoint at random, mostly in its header, and cuts off its
/// end: loading gives an error or a checkpoint each time, and reserves memory only for what the
/// file holds.
#[test]
fn damage_never_panics() {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.safetensors");
    let device = Device::flex();
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut below = |n: usize| random.next_u32() as usize % n;
    let mut outcomes = BTreeMap::<&str, usize>::new();
    for (kind, side) in [(NetworkKind::Compact, 32), (NetworkKind::DeepPixel, 72)] {
        let header = header(kind, side);
        let network = Network::new(&header.network, 3, &device).unwrap();
        Checkpoint::save(&header, &network, &path).unwrap();
        let good = std::fs::read(&path).unwrap();
        let json = 8 + u64::from_le_bytes(good[..8].try_into().unwrap()) as usize;
        for i in 0..600 {
            let mut bad = good.clone();
            for _ in 0..=below(3) {
                match i % 4 {
                    0 => bad[below(json)] = below(256) as u8,
                    1 => bad.truncate(below(good.len())),
                    2 => bad[below(good.len())] ^= 1 << below(8),
                    _ => {
                        // A digit for a digit: the header stays readable and claims something else.
                        let at = below(json);
                        if let Some(digit) = bad[at..json].iter().position(u8::is_ascii_digit) {
                            bad[at + digit] = b'0' + below(10) as u8;
                        }
                    }
                }
                if bad.len() < good.len() {
                    break;
                }
            }
            std::fs::write(&path, bad).unwrap();
            let outcome = match Checkpoint::load(&path, &device) {
                Ok(_) => "fine",
                Err(CheckpointError::Foreign { .. }) => "foreign",
                Err(CheckpointError::Damaged { .. }) => "damaged",
                Err(CheckpointError::Settings { .. }) => "settings",
                Err(CheckpointError::Model { .. }) => "model",
                Err(CheckpointError::Newer { .. }) => "newer",
                Err(other) => panic!("{other}"),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    }
    // Nearly every outcome occurred.
    assert!(outcomes.len() >= 5, "{outcomes:?}");
}

/// FLOPs against a count layer by layer: `deeppixel` at its own size, and how much less `compact`
/// needs.
#[test]
fn flops_are_counted() {
    let spec = |kind, width, height| NetworkSpec {
        kind,
        classes: 10,
        input: [4, height, width],
        filters: None,
    };
    let original = spec(NetworkKind::DeepPixel, 720, 720).flops();
    let layers = [
        718 * 718 * 9 * 4 * 32,
        357 * 357 * 9 * 32 * 64,
        176 * 176 * 9 * 64 * 64,
        87 * 87 * 4 * 64 * 128,
        42 * 42 * 4 * 128 * 128,
        56_448 * 10u64,
    ];
    assert_eq!(original, 2 * layers.iter().sum::<u64>());
    let compact = spec(NetworkKind::Compact, 216, 128).flops();
    assert!(original >= 20 * compact, "{original} against {compact}");
    // Half the input is half the work, apart from edges and the dense layer.
    let half = spec(NetworkKind::Compact, 108, 128).flops();
    assert!((compact as f64 / half as f64 - 2.0).abs() < 0.1);
}

/// An export has PyTorch's names and layouts, and its header as JSON. `torch_reference.py` loads it
/// in PyTorch.
#[test]
fn an_export_has_the_names_and_layouts_of_pytorch() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex();
    for (kind, side, names) in [
        (
            NetworkKind::Compact,
            32,
            [
                "stem.norm.weight",
                "stages.2.shortcut.norm.running_var",
                "head.bias",
            ],
        ),
        (
            NetworkKind::DeepPixel,
            72,
            ["conv5.bias", "prelu3.weight", "dense.bias"],
        ),
    ] {
        let header = header(kind, side);
        let network = Network::new(&header.network, 3, &device).unwrap();
        let (own, out) = (folder.path().join("own"), folder.path().join("out"));
        Checkpoint::save(&header, &network, &own).unwrap();
        let checkpoint = Checkpoint::load(&own, &device).unwrap();
        checkpoint.export(&out).unwrap();
        let (own, out) = (std::fs::read(own).unwrap(), std::fs::read(out).unwrap());
        let (_, metadata) = SafeTensors::read_metadata(&out).unwrap();
        let text = &metadata.metadata().as_ref().unwrap()["sonoprint"];
        assert_eq!(
            serde_json::from_str::<Header>(text).unwrap(),
            checkpoint.header
        );
        let own = SafeTensors::deserialize(&own).unwrap();
        let out = SafeTensors::deserialize(&out).unwrap();
        assert_eq!(own.len(), out.len());
        for name in names {
            assert!(out.tensor(name).is_ok(), "{name} of {:?}", out.names());
        }
        for name in out.names() {
            let burns = ["gamma", "beta", "alpha"].iter().any(|b| name.ends_with(b));
            assert!(!burns, "{name} is Burn's name");
        }
        let dense = if kind == NetworkKind::Compact {
            "head.weight"
        } else {
            "dense.weight"
        };
        let (own, out) = (own.tensor(dense).unwrap(), out.tensor(dense).unwrap());
        let (rows, columns) = (own.shape()[0], own.shape()[1]);
        assert_eq!(out.shape(), [columns, rows]);
        for (r, c) in [(0, 1), (rows - 1, 2), (5, 0)] {
            let own = &own.data()[4 * (r * columns + c)..][..4];
            assert_eq!(
                own,
                &out.data()[4 * (c * rows + r)..][..4],
                "{dense} {r} {c}"
            );
        }
    }
}

/// Every device gives PyTorch's logits of an image, for the rendered-music checkpoint
/// (`torch_reference.py --write-golden`).
#[test]
fn logits_are_those_of_pytorch() {
    let _turn = crate::support::turn();
    let [pictures, want] =
        ["pictures", "logits"].map(|n| crate::support::npy(&format!("golden/torch/{n}.npy.gz")));
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect()
    };
    let shape: [usize; 4] = pictures.shape.clone().try_into().unwrap();
    for (name, compute) in devices() {
        let device = compute.burn();
        let checkpoint = Checkpoint::load(crate::support::rendered().as_ref(), &device).unwrap();
        let data = TensorData::new(floats(&pictures.bytes), shape);
        let logits = checkpoint.network.forward(Tensor::from_data(data, &device));
        let got: Vec<f32> = logits.into_data().try_to_vec().unwrap();
        let want = floats(&want.bytes);
        assert_eq!((got.len(), want.len()), (10, 10));
        for (g, w) in got.iter().zip(want) {
            assert!((g - w).abs() <= 1e-4, "{name}: {g} for {w}");
        }
    }
}
