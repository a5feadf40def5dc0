//! A dataset of twenty files of half a second, and settings that learn it in seconds.

use std::path::Path;

use sonoprint::dataset::pcm::{PCM_MEMORY, PcmMemory, PcmSet};
use sonoprint::dataset::{Dataset, Split, Subset};
use sonoprint::evaluate::Epoch;
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::presets;
use sonoprint::gpu::Compute;
use sonoprint::model::NetworkKind;
use sonoprint::train::{AugmentConfig, Observer, Progress, StepTimes, TrainSettings};

use super::{noise, tone};

pub const SAMPLES: usize = 11_025;

/// Ten files each of tones under noise and of noise under tones, half a second, as WAV.
pub fn toy(root: &Path) -> Dataset {
    for (class, amplitude) in [("hiss", 0.05), ("hum", 0.6)] {
        std::fs::create_dir_all(root.join(class)).unwrap();
        for i in 0..10u32 {
            let spec = hound::WavSpec {
                channels: 1,
                sample_rate: 22_050,
                bits_per_sample: 16,
                sample_format: hound::SampleFormat::Int,
            };
            let path = root.join(class).join(format!("{class}.{i:05}.wav"));
            let mut wav = hound::WavWriter::create(path, spec).unwrap();
            let hum = tone(SAMPLES, 150.0 + 37.0 * f64::from(i), amplitude);
            for (h, n) in hum.iter().zip(noise(SAMPLES, i)) {
                wav.write_sample(((h + 0.2 * n) * 32_767.0) as i16).unwrap();
            }
            wav.finalize().unwrap();
        }
    }
    Dataset::scan(root).unwrap()
}

/// Settings that learn the toy within a few epochs of images of `size`, (height, width), with every
/// augmentation on.
pub fn settings(network: NetworkKind, size: (usize, usize), epochs: usize) -> TrainSettings {
    let (height, width) = size;
    TrainSettings {
        network,
        epochs,
        batch: 10,
        lr: 3e-3,
        weight_decay: 0.0,
        augment: AugmentConfig {
            mask: 0.1,
            gain: 6.0,
            polarity: true,
            noise_snr: Some(20.0),
            mixup: 0.2,
            tempo: 0.1,
            pitch: 0.5,
            equalize: 2.0,
        },
        label_smoothing: 0.0,
        seed: 7,
        front_end: FrontEndConfig {
            clip_samples: SAMPLES,
            ..presets::mel().with_image_size(Some(Size { height, width }))
        },
        ..TrainSettings::default()
    }
}

/// Counts what an observer is told, and prints the epochs.
#[derive(Default)]
pub struct Watch {
    /// Epochs that were finished when the run was resumed.
    pub resumed: Option<usize>,
    pub steps: usize,
    pub epochs: usize,
}

impl Observer for Watch {
    fn resumed(&mut self, epochs: &[Epoch], _: &Progress) {
        self.resumed = Some(epochs.len());
    }
    fn step(&mut self, progress: &Progress) {
        assert!(progress.step <= progress.steps && progress.loss().is_finite());
        self.steps += 1;
    }
    fn epoch(&mut self, epoch: &Epoch, _: &StepTimes) {
        println!(
            "epoch {}: loss {:.3}, accuracy {:.2}",
            epoch.epoch, epoch.loss, epoch.accuracy
        );
        self.epochs += 1;
    }
}

/// Loads the samples of a subset into memory.
pub fn load(
    compute: &Compute,
    data: &Dataset,
    split: &Split,
    subset: Subset,
    front_end: &FrontEndConfig,
) -> PcmSet {
    let memory = PcmMemory::new(compute, PCM_MEMORY);
    PcmSet::load(data, split, subset, front_end, &memory, &|| {}).unwrap()
}
