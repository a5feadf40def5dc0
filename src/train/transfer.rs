//! Starting from a trained model: which one, and what becomes of its weights.

use serde::{Deserialize, Serialize};

use super::error::{TrainError, check};
use crate::model::Filters;

/// The model that a run starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args), group(skip))]
pub struct TransferConfig {
    /// Start from a trained model instead of random weights: a built-in one (see `sonoprint model
    /// list`) or a checkpoint file. It brings its network and its front end. Its last layer is kept
    /// if its classes are those of the dataset, and is new otherwise.
    #[cfg_attr(feature = "cli", arg(long, group = "settings", value_name = "MODEL"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
    /// Train the last layer only: the features of all clips are computed once, kept in the run's
    /// folder, and the layer is fitted to them. Needs --init. Takes seconds.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", requires = "init",
        conflicts_with_all = [
            "epochs", "patience", "accumulate", "lr", "weight_decay", "backbone_lr",
            "mask", "gain", "polarity", "noise_snr", "mixup", "tempo", "pitch", "equalize",
        ]
    ))]
    #[serde(default)]
    pub freeze: bool,
    /// Learning rate of all layers of the model but the last, as a fraction of --lr.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", value_name = "FRACTION", requires = "init",
        default_value_t = Self::default().backbone_lr
    ))]
    #[serde(default = "backbone_lr")]
    pub backbone_lr: f64,
    /// With --freeze: the levels, in dB, at which the features of each training clip are computed,
    /// so that the answer does not hang on how loud a recording is.
    #[cfg_attr(feature = "cli", arg(
        long, group = "settings", value_name = "DB,...", requires = "freeze",
        value_delimiter = ',', allow_negative_numbers = true,
        default_values_t = Self::default().levels
    ))]
    #[serde(default = "levels")]
    pub levels: Vec<f64>,
    /// With --freeze: weight of the penalty on the squares of the last layer's weights. If absent,
    /// the best of several on the validation files.
    #[cfg_attr(feature = "cli", arg(long, group = "settings", requires = "freeze"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l2: Option<f64>,
    /// First digits of the SHA-256 of the model's file.
    #[cfg_attr(feature = "cli", arg(skip))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_fingerprint: Option<String>,
    /// The filters of the model's network, if it is pruned.
    #[cfg_attr(feature = "cli", arg(skip))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
}

fn backbone_lr() -> f64 {
    0.1
}

fn levels() -> Vec<f64> {
    vec![0.0, -6.0, -12.0, -18.0]
}

impl Default for TransferConfig {
    /// Random weights.
    fn default() -> Self {
        Self {
            init: None,
            freeze: false,
            backbone_lr: backbone_lr(),
            levels: levels(),
            l2: None,
            init_fingerprint: None,
            filters: None,
        }
    }
}

impl TransferConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`TrainError::Setting`] with the first setting out of its range, and
    /// [`TrainError::NothingToFreeze`].
    pub fn validate(&self) -> Result<(), TrainError> {
        let Self {
            init,
            freeze,
            backbone_lr,
            levels,
            l2,
            init_fingerprint: _,
            filters: _,
        } = self;
        if *freeze && init.is_none() {
            return Err(TrainError::NothingToFreeze);
        }
        check("backbone_lr", *backbone_lr, 0.0..=10.0, "from 0 to 10")?;
        check("levels", levels.len(), 1..=32, "from 1 to 32 levels")?;
        for level in levels {
            check("levels", *level, -60.0..=20.0, "from -60 to 20 dB each")?;
        }
        if let Some(l2) = *l2 {
            check("l2", l2, 0.0..=1e6, "from 0 to 1000000")?;
        }
        Ok(())
    }
}
