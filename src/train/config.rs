//! The settings of a training run, saved with it as `run.toml`.

use serde::{Deserialize, Serialize};

use super::augment::AugmentConfig;
use super::error::{TrainError, check};
use super::transfer::TransferConfig;
use crate::frontend::FrontEndError;
use crate::frontend::config::FrontEndConfig;
use crate::frontend::presets;
use crate::model::{NetworkKind, Task};

/// The largest integer that TOML can hold, which limits the seed in `run.toml`.
const MAX_SEED: u64 = i64::MAX as u64;

/// Everything that decides a run, except the dataset and its split.
///
/// This is the only list of the settings: the flags of `sonoprint train`, `run.toml` and the notes
/// in a checkpoint's header are derived from it.
// Serde does not promise that `deny_unknown_fields` works with `flatten`. It does in this
// direction, and `run_toml` in this file's tests would notice a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
// `sonoprint train --resume` and `--config` read the settings from a file. Each field names the
// group `settings`, because clap derives no members for a group beside flattened fields.
#[cfg_attr(
    feature = "cli",
    derive(clap::Args),
    group(id = "settings", conflicts_with_all = ["resume", "config"])
)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Network.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", value_enum, conflicts_with = "init",
        default_value_t = Self::default().network
    ))]
    pub network: NetworkKind,
    /// One label per file, or any number.
    // On the command line, `cli` finds it out from the dataset. A file from before it existed has
    // one label.
    #[cfg_attr(feature = "cli", arg(skip))]
    #[serde(default)]
    pub task: Task,
    /// Passes over the training files. With --resume, the run trains on to this many.
    #[cfg_attr(feature = "cli", arg(
        long, conflicts_with = "config", default_value_t = Self::default().epochs
    ))]
    pub epochs: usize,
    /// Stop after this many epochs in a row without an improvement on the validation files.
    #[cfg_attr(feature = "cli", arg(long, group = "settings", value_name = "EPOCHS"))]
    #[serde(default)]
    pub patience: Option<usize>,
    /// Clips per step.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", default_value_t = Self::default().batch
    ))]
    pub batch: usize,
    /// Batches whose gradients are summed for one update of the weights. Uses the memory of one
    /// batch; batch normalization still sees one batch at a time.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", value_name = "BATCHES",
        default_value_t = Self::default().accumulate
    ))]
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Highest learning rate. The rate rises to it over the first epoch, then falls along a cosine
    /// to 1 % of it.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", default_value_t = Self::default().lr
    ))]
    pub lr: f64,
    /// Decoupled weight decay of AdamW.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", default_value_t = Self::default().weight_decay
    ))]
    pub weight_decay: f64,
    /// Random changes to the clips.
    #[cfg_attr(feature = "cli", command(flatten, next_help_heading = "Augmentation"))]
    #[serde(flatten)]
    pub augment: AugmentConfig,
    /// The model that the run starts from.
    #[cfg_attr(
        feature = "cli",
        command(flatten, next_help_heading = "Starting from a trained model")
    )]
    #[serde(flatten)]
    pub transfer: TransferConfig,
    /// Label smoothing: share of each target that is spread evenly over all classes. With several
    /// labels per file, the share that is replaced by how frequent the label is in the training
    /// clips.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", value_name = "SHARE", help_heading = "Training",
        default_value_t = Self::default().label_smoothing
    ))]
    pub label_smoothing: f64,
    /// Seed of the split, the weights, the order of the clips, the augmentation and the dropout. On
    /// the cpu device, equal seeds give equal results, bit for bit.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", help_heading = "Training",
        default_value_t = Self::default().seed
    ))]
    pub seed: u64,
    /// PCM to features.
    // On the command line, `cli` makes it from the flags of the front end.
    #[cfg_attr(feature = "cli", arg(skip = presets::mel()))]
    pub front_end: FrontEndConfig,
}

/// Reads a missing `accumulate`: files from before it existed used one batch per update.
fn one() -> usize {
    1
}

impl Default for TrainSettings {
    fn default() -> Self {
        Self {
            network: NetworkKind::Compact,
            task: Task::SingleLabel,
            epochs: 30,
            patience: None,
            batch: 16,
            accumulate: 1,
            lr: 1e-3,
            weight_decay: 1e-2,
            augment: AugmentConfig::default(),
            transfer: TransferConfig::default(),
            label_smoothing: 0.1,
            seed: 1,
            front_end: presets::mel(),
        }
    }
}

impl TrainSettings {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the first setting out of its range, or what is wrong with the
    /// front end.
    pub fn validate(&self) -> Result<(), TrainError> {
        // Destructured, so that a new setting cannot be forgotten.
        let Self {
            network: _,
            task: _,
            epochs,
            patience,
            batch,
            accumulate,
            lr,
            weight_decay,
            augment,
            transfer,
            label_smoothing,
            seed,
            front_end,
        } = self;
        check("epochs", *epochs, 1..=100_000, "from 1 to 100000")?;
        if let Some(patience) = *patience {
            check("patience", patience, 1..=100_000, "from 1 to 100000")?;
        }
        check("batch", *batch, 1..=4096, "from 1 to 4096")?;
        check("accumulate", *accumulate, 1..=4096, "from 1 to 4096")?;
        check("lr", *lr, f64::MIN_POSITIVE..=1.0, "over 0 and at most 1")?;
        check("weight_decay", *weight_decay, 0.0..=1.0, "from 0 to 1")?;
        augment.validate()?;
        transfer.validate()?;
        check(
            "label_smoothing",
            *label_smoothing,
            0.0..=0.5,
            "from 0 to 0.5",
        )?;
        check("seed", *seed, 0..=MAX_SEED, "from 0 to 2^63 - 1")?;
        front_end.validate().map_err(FrontEndError::from)?;
        Ok(())
    }
}

#[cfg(test)]
impl TrainSettings {
    /// Returns settings for unit tests: two epochs, images of 24x32, no augmentation, no decay.
    pub(super) fn plain() -> Self {
        Self {
            epochs: 2,
            batch: 2,
            weight_decay: 0.0,
            augment: AugmentConfig::NONE,
            label_smoothing: 0.0,
            front_end: FrontEndConfig {
                clip_samples: 4_000,
                ..presets::mel().with_image_size(Some(crate::frontend::config::Size {
                    height: 32,
                    width: 24,
                }))
            },
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AugmentConfig, TrainSettings};
    use crate::train::TrainError;

    /// What the first version of the program wrote, up to the front end.
    const OLD: &str = r#"
network = "compact"
epochs = 40
batch = 32
lr = 0.003
weight_decay = 0.05
mask = 0.2
gain = 6
polarity = true
mixup = 0.3
equalise = 4.0
label_smoothing = 0.1
seed = 9
"#;

    fn with_front_end(text: &str) -> String {
        let front_end = toml::to_string(&TrainSettings::default().front_end).unwrap();
        let nested = front_end.replace("\n[", "\n[front_end.");
        format!("{text}\n[front_end]\n{nested}")
    }

    #[test]
    fn run_toml_of_the_first_version_is_read() {
        let read: TrainSettings = toml::from_str(&with_front_end(OLD)).unwrap();
        let want = TrainSettings {
            epochs: 40,
            batch: 32,
            lr: 3e-3,
            weight_decay: 0.05,
            augment: AugmentConfig {
                mask: 0.2,
                gain: 6.0,
                polarity: true,
                mixup: 0.3,
                equalize: 4.0,
                ..AugmentConfig::NONE
            },
            seed: 9,
            ..TrainSettings::default()
        };
        assert_eq!(read, want);
    }

    #[test]
    fn run_toml_reads_back_equal() {
        let some = TrainSettings {
            patience: Some(3),
            accumulate: 2,
            augment: AugmentConfig {
                noise_snr: Some(20.0),
                tempo: 0.1,
                ..AugmentConfig::default()
            },
            ..TrainSettings::default()
        };
        for settings in [TrainSettings::default(), some] {
            let text = toml::to_string(&settings).unwrap();
            assert_eq!(toml::from_str::<TrainSettings>(&text).unwrap(), settings);
            assert!(text.contains("\nmask = "), "the keys stay flat:\n{text}");
        }
    }

    #[test]
    fn run_toml_with_an_unknown_key_or_without_a_needed_one_is_refused() {
        for text in [
            format!("{OLD}polarty = true\n"),
            OLD.replace("epochs = 40", ""),
        ] {
            toml::from_str::<TrainSettings>(&with_front_end(&text)).unwrap_err();
        }
    }

    #[test]
    fn settings_out_of_their_range_are_named() {
        let default = TrainSettings::default;
        default().validate().unwrap();
        let augment = |augment| TrainSettings {
            augment,
            ..default()
        };
        let none = AugmentConfig::NONE;
        for (settings, want) in [
            (
                TrainSettings {
                    epochs: 0,
                    ..default()
                },
                "epochs",
            ),
            (
                TrainSettings {
                    patience: Some(0),
                    ..default()
                },
                "patience",
            ),
            (
                TrainSettings {
                    lr: f64::NAN,
                    ..default()
                },
                "lr",
            ),
            (
                TrainSettings {
                    lr: 0.0,
                    ..default()
                },
                "lr",
            ),
            (
                TrainSettings {
                    seed: u64::MAX,
                    ..default()
                },
                "seed",
            ),
            (
                augment(AugmentConfig {
                    noise_snr: Some(-1.0),
                    ..none
                }),
                "noise_snr",
            ),
            (
                augment(AugmentConfig {
                    pitch: 13.0,
                    ..none
                }),
                "pitch",
            ),
        ] {
            let error = settings.validate().unwrap_err();
            assert!(
                matches!(error, TrainError::Setting { name, .. } if name == want),
                "{want}: {error}"
            );
        }
    }
}
