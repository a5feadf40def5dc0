//! What a run is told. Saved with it as `run.toml`.

use serde::{Deserialize, Serialize};

use super::TrainError;
use crate::frontend::config::FrontEndConfig;
use crate::model::NetworkKind;

/// Everything that decides a run, but for the dataset and its split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Which network.
    pub network: NetworkKind,
    /// Passes over the training side.
    pub epochs: usize,
    /// Ends the run once this many epochs in a row did not better the best on the validation side. `None`: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Clips a step.
    pub batch: usize,
    /// Batches whose gradients are added up before the weights move: a batch this many times as large in the memory of
    /// one (but for normalization, which sees a batch at a time).
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// Highest learning rate; it rises to it over the first epoch and falls to 1 % of it along a cosine.
    pub lr: f64,
    /// AdamW's decoupled weight decay.
    pub weight_decay: f64,
    /// Longest SpecAugment mask, as a share of the picture's side: two stretches of time and two of frequency are
    /// hidden in every clip of every step, each of a random length up to this. 0: none.
    pub mask: f64,
    /// Most gain or attenuation of a clip, dB, drawn uniformly. 0: none.
    pub gain: f64,
    /// Whether half of the clips have their polarity turned.
    pub polarity: bool,
    /// Loudest white noise under half of the clips, dB under the RMS of the clip's file; drawn from this to 30 dB less.
    /// `None`: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_snr: Option<f64>,
    /// Most of the next clip that is mixed into one, with its label: the share is drawn from 0 to this. 0: none.
    pub mixup: f64,
    /// Most change of a clip's tempo, as a share: drawn on a logarithmic scale from `1 / (1 + tempo)` to `1 + tempo`.
    /// 0: none.
    #[serde(default)]
    pub tempo: f64,
    /// Most change of a clip's pitch, semitones up or down. 0: none.
    #[serde(default)]
    pub pitch: f64,
    /// Most that the widest wave of a drawn filter raises or lowers the level over the picture's height, dB; the narrower
    /// ones less. 0: none.
    #[serde(default, alias = "equalise")]
    pub equalize: f64,
    /// Share of the target that is spread over all classes.
    pub label_smoothing: f64,
    /// Of the weights, the order of clips, crops and dropout. On the `cpu` device it fixes the result bit for bit.
    pub seed: u64,
    /// PCM to picture.
    pub front_end: FrontEndConfig,
}

fn one() -> usize {
    1
}

fn is_one(n: &usize) -> bool {
    *n == 1
}

impl TrainSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first that is wrong, and what would be right.
    pub fn validate(&self) -> Result<(), TrainError> {
        let wrong = |name, value: String, must| Err(TrainError::Setting { name, value, must });
        if !(1..=100_000).contains(&self.epochs) {
            return wrong("--epochs", self.epochs.to_string(), "from 1 to 100000");
        }
        if self.patience == Some(0) {
            return wrong("--patience", "0".into(), "at least 1");
        }
        if !(1..=4096).contains(&self.batch) {
            return wrong("--batch", self.batch.to_string(), "from 1 to 4096");
        }
        if !(1..=4096).contains(&self.accumulate) {
            return wrong(
                "--accumulate",
                self.accumulate.to_string(),
                "from 1 to 4096",
            );
        }
        if !(self.lr > 0.0 && self.lr <= 1.0) {
            return wrong("--lr", self.lr.to_string(), "over 0 and at most 1");
        }
        if !(0.0..=1.0).contains(&self.weight_decay) {
            return wrong(
                "--weight-decay",
                self.weight_decay.to_string(),
                "from 0 to 1",
            );
        }
        if !(0.0..=0.5).contains(&self.mask) {
            return wrong("--mask", self.mask.to_string(), "from 0 to 0.5");
        }
        if !(0.0..=60.0).contains(&self.gain) {
            return wrong("--gain", self.gain.to_string(), "from 0 to 60 dB");
        }
        if let Some(snr) = self.noise_snr.filter(|s| !(0.0..=100.0).contains(s)) {
            return wrong("--noise-snr", snr.to_string(), "from 0 to 100 dB");
        }
        if !(0.0..=0.5).contains(&self.mixup) {
            return wrong("--mixup", self.mixup.to_string(), "from 0 to 0.5");
        }
        if !(0.0..=0.5).contains(&self.tempo) {
            return wrong("--tempo", self.tempo.to_string(), "from 0 to 0.5");
        }
        if !(0.0..=12.0).contains(&self.pitch) {
            return wrong("--pitch", self.pitch.to_string(), "from 0 to 12 semitones");
        }
        if !(0.0..=30.0).contains(&self.equalize) {
            return wrong("--equalize", self.equalize.to_string(), "from 0 to 30 dB");
        }
        if !(0.0..=0.5).contains(&self.label_smoothing) {
            return wrong(
                "--label-smoothing",
                self.label_smoothing.to_string(),
                "from 0 to 0.5",
            );
        }
        self.front_end
            .validate()
            .map_err(crate::frontend::FrontEndError::from)?;
        Ok(())
    }
}

#[cfg(test)]
impl TrainSettings {
    /// Two epochs of pictures of 24x32, and nothing done to clips: for unit tests.
    pub(super) fn plain() -> Self {
        Self {
            network: NetworkKind::Compact,
            epochs: 2,
            patience: None,
            batch: 2,
            accumulate: 1,
            lr: 1e-3,
            weight_decay: 0.0,
            mask: 0.0,
            gain: 0.0,
            polarity: false,
            noise_snr: None,
            mixup: 0.0,
            tempo: 0.0,
            pitch: 0.0,
            equalize: 0.0,
            label_smoothing: 0.0,
            seed: 1,
            front_end: FrontEndConfig {
                clip_samples: 4_000,
                ..crate::frontend::presets::mel().with_image_size(Some(
                    crate::frontend::config::Size {
                        height: 32,
                        width: 24,
                    },
                ))
            },
        }
    }
}
