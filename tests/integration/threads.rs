//! Promise: what other threads draw and load does not change a result.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::tensor::{Device, Tensor};
use sonoprint::dataset::{Split, Subset};
use sonoprint::gpu::Compute;
use sonoprint::model::{Checkpoint, Network, NetworkKind, NetworkSpec};
use sonoprint::train::{Job, RunFolder, train};

use crate::support::rendered;
use crate::support::toy::{Watch, load, settings, toy};

/// Logits of a network with the weights of `seed`.
fn logits(seed: u64) -> Vec<f32> {
    let spec = NetworkSpec {
        kind: NetworkKind::Compact,
        classes: 3,
        input: [4, 32, 32],
        filters: None,
    };
    let network = Network::new(&spec, seed, &Device::flex()).unwrap();
    let input = Tensor::ones([1, 4, 32, 32], &Device::flex());
    network.forward(input).into_data().try_to_vec().unwrap()
}

/// Threads that build networks at the same time get the weights that each gets alone.
#[test]
fn weights_depend_on_the_seed_alone() {
    let _turn = crate::support::turn();
    let alone = [logits(1), logits(2)];
    assert!(alone[0] != alone[1]);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let alone = &alone;
            scope.spawn(move || {
                for i in 0..20 {
                    let which = (thread + i) % 2;
                    assert_eq!(logits(which as u64 + 1), alone[which]);
                }
            });
        }
    });
}

/// A run with dropout ends with the same weights, bit for bit, while another thread builds networks
/// and loads checkpoints.
#[test]
fn training_depends_on_its_settings_alone() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let settings = settings(NetworkKind::Compact, (32, 24), 3);
    let split = Split {
        train: (0..data.entries.len()).collect(),
        valid: Vec::new(),
        test: Vec::new(),
    };
    let compute = Compute::Cpu;
    let [all, none] = [Subset::Train, Subset::Valid]
        .map(|s| load(&compute, &data, &split, s, &settings.front_end));
    let trained = |run: &Path| -> Vec<u8> {
        let folder = RunFolder::create(run, &data, &split, &settings, "cpu").unwrap();
        let job = Job {
            compute: &compute,
            settings: &settings,
            classes: &data.classes,
            train: &all,
            valid: &none,
            folder: &folder,
        };
        train(&job, &mut Watch::default(), &AtomicBool::new(false)).unwrap();
        std::fs::read(run.join("best.safetensors")).unwrap()
    };
    let alone = trained(&folder.path().join("alone"));
    let (done, start) = (AtomicBool::new(false), Instant::now());
    let beside = std::thread::scope(|scope| {
        scope.spawn(|| {
            // A failure below must not make this thread, and with it the test, go on for ever.
            while !done.load(Ordering::Relaxed) && start.elapsed().as_secs() < 60 {
                logits(5);
                Checkpoint::load(rendered().as_ref(), &Device::flex()).unwrap();
            }
        });
        let weights = trained(&folder.path().join("beside"));
        done.store(true, Ordering::Relaxed);
        weights
    });
    assert!(alone == beside, "the weights differ");
}
