//! Promise: where a file's samples are, in the host's memory, on the device or on the disk, affects
//! speed only.

use crate::support::toy::{SAMPLES, load, settings, toy};
use crate::support::{devices, software};
use sonoprint::dataset::DatasetError;
use sonoprint::dataset::pcm::{ClipPcm, PCM_MEMORY, PcmMemory, PcmSet};
use sonoprint::dataset::{Dataset, Split, Subset};
use sonoprint::frontend::FrontEnd;
use sonoprint::gpu::Compute;
use sonoprint::model::NetworkKind;
use sonoprint::train::TrainSettings;

/// Bytes of one file of the toy.
const FILE: u64 = 4 * SAMPLES as u64;

fn all(data: &Dataset) -> Split {
    Split {
        train: (0..data.entries.len()).collect(),
        valid: Vec::new(),
        test: Vec::new(),
    }
}

fn with_memory(compute: &Compute, data: &Dataset, bytes: u64) -> (PcmSet, u64) {
    let memory = PcmMemory::new(compute, bytes);
    let front_end = short().front_end;
    let set = PcmSet::load(data, &all(data), Subset::Train, &front_end, &memory, &|| {}).unwrap();
    (set, memory.used())
}

/// Settings with clips that are shorter than the files, so that some clips start within a file. The
/// last clip of a file is padded.
fn short() -> TrainSettings {
    let mut settings = settings(NetworkKind::Compact, (32, 24), 1);
    settings.front_end.clip_samples = 4_000;
    settings
}

fn features(compute: &Compute, set: &PcmSet, settings: &TrainSettings) -> Vec<f32> {
    let front_end = FrontEnd::new(compute, &settings.front_end).unwrap();
    let spans = set.clips();
    assert_eq!(spans.len(), 20 * 3);
    let fetched = set.fetch(&spans).unwrap();
    let samples: Vec<_> = fetched.iter().map(ClipPcm::samples).collect();
    let features = front_end.augmented_features(&samples, &[]).unwrap();
    features.into_data().try_to_vec().unwrap()
}

#[test]
fn features_are_the_same_wherever_the_samples_are() {
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let settings = short();
    for (name, compute) in devices() {
        let (resident, used) = with_memory(&compute, &data, PCM_MEMORY);
        assert_eq!((resident.streamed(), used), (0, 20 * FILE), "{name}");
        let (disk, used) = with_memory(&compute, &data, 0);
        assert_eq!((disk.streamed(), used), (20, 0), "{name}");
        // Memory for seven and a half files.
        let (some, used) = with_memory(&compute, &data, 7 * FILE + FILE / 2);
        assert_eq!((some.streamed(), used), (13, 7 * FILE), "{name}");
        let want = features(&compute, &resident, &settings);
        assert!(want == features(&compute, &disk, &settings), "{name}, disk");
        assert!(want == features(&compute, &some, &settings), "{name}, some");
    }
}

/// On a GPU, samples that fit are on the device and stay there.
#[test]
fn samples_that_fit_stay_on_the_device() {
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let split = all(&data);
    let settings = short();
    let compute = software();
    let set = load(&compute, &data, &split, Subset::Train, &settings.front_end);
    let spans = set.clips();
    let fetched = set.fetch(&spans).unwrap();
    assert!(fetched.iter().all(|c| matches!(c, ClipPcm::Device { .. })));
    let front_end = FrontEnd::new(&compute, &settings.front_end).unwrap();
    let samples: Vec<_> = fetched.iter().map(ClipPcm::samples).collect();
    front_end.augmented_features(&samples, &[]).unwrap();
    assert!(
        front_end.upload_time().is_zero(),
        "samples on the device are not uploaded"
    );
    let host = load(
        &Compute::Cpu,
        &data,
        &split,
        Subset::Train,
        &settings.front_end,
    );
    let fetched = host.fetch(&spans).unwrap();
    let samples: Vec<_> = fetched.iter().map(ClipPcm::samples).collect();
    front_end.augmented_features(&samples, &[]).unwrap();
    assert!(
        !front_end.upload_time().is_zero(),
        "samples on the host are"
    );
}

/// If a file vanishes during a run that streams it, the error has its name.
#[test]
fn a_file_that_vanishes_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let (set, _) = with_memory(&Compute::Cpu, &data, 0);
    let path = data.path(&data.entries[3]);
    std::fs::remove_file(&path).unwrap();
    let error = set.fetch(&set.clips()).err().unwrap();
    assert!(matches!(error, DatasetError::Audio { .. }));
    assert!(
        error.to_string().contains(&*path.to_string_lossy()),
        "{error}"
    );
}
