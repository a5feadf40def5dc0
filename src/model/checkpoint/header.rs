//! What a checkpoint says of itself, and how that is read from bytes which may be anything. Nothing here knows Burn, so a
//! fuzzer can have it alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};

use crate::frontend::config::{ConfigError, FrontEndConfig};
use crate::model::{ModelError, NetworkSpec};

/// The metadata key of the header.
pub(super) const KEY: &str = "sonoprint";
/// The version of the header that this program writes.
const FORMAT: u32 = 1;
/// Everything in a checkpoint but the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of this header.
    pub format: u32,
    /// Names of the outputs, in order.
    pub classes: Vec<String>,
    /// How it was trained, for people.
    pub training: BTreeMap<String, String>,
    /// The network.
    pub network: NetworkSpec,
    /// PCM to picture.
    pub front_end: FrontEndConfig,
}

impl Header {
    /// A header of the present format.
    pub fn new(
        network: NetworkSpec,
        front_end: FrontEndConfig,
        classes: Vec<String>,
        training: BTreeMap<String, String>,
    ) -> Self {
        Self {
            format: FORMAT,
            classes,
            training,
            network,
            front_end,
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
    /// It is not a checkpoint at all.
    #[error("{path} is not a sonoprint checkpoint: {why}")]
    Foreign {
        /// Which file.
        path: PathBuf,
        /// What was found instead.
        why: String,
    },
    /// It was one once.
    #[error("checkpoint {path} is damaged: {why}. Fetch or train it again")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// A later version wrote it.
    #[error(
        "checkpoint {path} has format {found}, this sonoprint reads {FORMAT}: use a newer sonoprint"
    )]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// Its settings are wrong.
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
    /// It cannot be written.
    #[error("cannot write checkpoint {path}: {why}")]
    Write {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Header {
    /// Reads the header of a checkpoint's `bytes`. Errors name `path`. Nothing is reserved on the word of what is read.
    ///
    /// # Errors
    /// Every [`CheckpointError`] but those of files and networks.
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
        let header: Header = table.try_into().map_err(|e: toml::de::Error| {
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
        if header.network.picture != header.front_end.image_size() {
            return Err(damaged(
                "its network reads pictures of another size than it makes".into(),
            ));
        }
        Ok(header)
    }
}

/// What an error is about, without the excerpt that follows.
pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
