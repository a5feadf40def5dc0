//! The header of a checkpoint, and how it is read from untrusted bytes. Nothing here knows Burn, so
//! a fuzzer can have it alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use crate::frontend::config::{ConfigError, FrontEndConfig};
use crate::model::{CalibratedTask, DecisionRule, ModelError, NetworkSpec, Task};

/// The metadata key of the header.
pub(super) const KEY: &str = "sonoprint";

/// The version of the header that this program writes.
///
/// | format | difference |
/// |---|---|
/// | 1 | no `task` (`single_label`); `network.picture`, a size, instead of `network.input` |
/// | 2 | this one |
const FORMAT: u32 = 2;

/// Everything in a checkpoint but the weights. A checkpoint holds it as TOML.
///
/// ```
/// # use std::collections::BTreeMap;
/// use sonoprint::frontend::presets;
/// use sonoprint::model::{Header, NetworkKind, NetworkSpec, Task};
///
/// let front_end = presets::mel().with_clip_seconds(10.0);
/// let network = NetworkSpec::new(NetworkKind::Compact, 2, &front_end);
/// let classes = vec!["jazz".to_owned(), "rock".to_owned()];
/// let header = Header::new(Task::SingleLabel, network, front_end, classes, BTreeMap::new());
/// let text = toml::to_string(&header).unwrap();
/// assert_eq!(toml::from_str::<Header>(&text).unwrap(), header);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this header. A header that was read has the present version: older ones are
    /// translated.
    pub format: u32,
    /// What the outputs mean.
    #[serde(default)]
    pub task: Task,
    /// Names of the outputs, in order.
    pub classes: Vec<String>,
    /// License of the weights, if it is known: an SPDX identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// What logits are divided by before they become probabilities. Finite and above 0; 1 changes
    /// nothing.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub temperature: f32,
    /// The probability from which a class of a multi-label task is given; if absent, that of
    /// [`Task::default_threshold`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// How it was trained, for people.
    pub training: BTreeMap<String, String>,
    /// The network.
    pub network: NetworkSpec,
    /// The settings that turn PCM into features.
    pub front_end: FrontEndConfig,
}

fn one() -> f32 {
    1.0
}

fn is_one(temperature: &f32) -> bool {
    *temperature == 1.0
}

impl Header {
    /// Returns a header of the present format, without a license or a threshold, and with a
    /// temperature of 1.
    pub fn new(
        task: Task,
        network: NetworkSpec,
        front_end: FrontEndConfig,
        classes: Vec<String>,
        training: BTreeMap<String, String>,
    ) -> Self {
        Self {
            format: FORMAT,
            task,
            classes,
            license: None,
            temperature: one(),
            threshold: None,
            training,
            network,
            front_end,
        }
    }

    /// Returns how probabilities become labels, if nothing else is asked for.
    pub fn decision_rule(&self) -> DecisionRule {
        let rule = DecisionRule::from(self.task);
        DecisionRule {
            threshold: rule.threshold.map(|usual| self.threshold.unwrap_or(usual)),
            ..rule
        }
    }

    /// Returns how logits become probabilities: the task with the temperature.
    pub fn calibrated_task(&self) -> CalibratedTask {
        CalibratedTask {
            task: self.task,
            temperature: self.temperature,
        }
    }
}

/// Why a checkpoint cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The file cannot be read.
    #[error("cannot read checkpoint {path}: {source}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no file of this path, and no built-in model of this name.
    #[error("there is no file {path}, and no built-in model of that name: there are {names}")]
    Unknown {
        /// The path or name.
        path: PathBuf,
        /// The names of the built-in models.
        names: String,
    },
    /// The file is not a checkpoint.
    #[error("{path} is not a sonoprint checkpoint: {why}")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was found instead.
        why: String,
    },
    /// The file was a checkpoint, and its parts no longer fit together.
    #[error("checkpoint {path} is damaged: {why}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// A later version wrote the file.
    #[error("checkpoint {path} has format {found}, this sonoprint reads up to {FORMAT}")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Its front-end settings are wrong.
    #[error("checkpoint {path}: {source}")]
    Settings {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: ConfigError,
    },
    /// Its network cannot be built.
    #[error("checkpoint {path}: {source}")]
    Model {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: ModelError,
    },
    /// The file cannot be written.
    #[error("cannot write checkpoint {path}: {why}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Header {
    /// Reads the header of a checkpoint's `bytes`. Errors name `path`. Reserves no memory by sizes
    /// that the header claims.
    ///
    /// # Errors
    /// [`CheckpointError::Foreign`], [`Damaged`](CheckpointError::Damaged),
    /// [`Newer`](CheckpointError::Newer) or [`Settings`](CheckpointError::Settings).
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, CheckpointError> {
        let foreign = |why: &str| CheckpointError::Foreign {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        let damaged = |why: String| CheckpointError::Damaged {
            path: path.to_owned(),
            why,
        };
        let (_, metadata) = SafeTensors::read_metadata(bytes)
            .map_err(|_| foreign("it has no readable safetensors header"))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get(KEY))
            .ok_or_else(|| foreign("it is a safetensors file of another program"))?;
        let table: toml::Table = text.parse().map_err(|e| damaged(format!("header: {e}")))?;
        let format = table.get("format").and_then(toml::Value::as_integer);
        if let Some(found) = format.filter(|&f| f > i64::from(FORMAT)) {
            return Err(CheckpointError::Newer {
                path: path.to_owned(),
                found: found.try_into().unwrap_or(u32::MAX),
            });
        }
        let mut header: Self = table.try_into().map_err(|e: toml::de::Error| {
            damaged(format!("header: {}", first_line(e.message())))
        })?;
        header
            .front_end
            .validate()
            .map_err(|source| CheckpointError::Settings {
                path: path.to_owned(),
                source,
            })?;
        if header.classes.len() != header.network.classes {
            return Err(damaged(format!(
                "it names {} classes and has {} outputs",
                header.classes.len(),
                header.network.classes
            )));
        }
        if !(header.temperature.is_finite() && header.temperature > 0.0) {
            return Err(damaged(format!(
                "its temperature is {}, and must be a number above 0",
                header.temperature
            )));
        }
        if let Some(threshold) = header.threshold.filter(|p| !(0.0..=1.0).contains(p)) {
            return Err(damaged(format!(
                "its threshold is {threshold}, and must be from 0 to 1"
            )));
        }
        if header.network.input != header.front_end.output_shape() {
            return Err(damaged(
                "its network reads features of another shape than its front end makes".into(),
            ));
        }
        header.format = FORMAT;
        Ok(header)
    }
}

/// Returns the first line of an error's text, without the excerpt that follows.
pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
