//! The checkpoint: weights, front-end settings, class names and how it was trained, in one file.
//!
//! The file is safetensors, so other tools can open it; everything but the weights is one TOML text under the metadata
//! key `sonoprint`. Loading needs no flag beside the path.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Device;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::network::{ModelError, Network, NetworkSpec};
use crate::frontend::settings::{FrontEnd, SettingsError};

/// The metadata key of the header.
pub(super) const KEY: &str = "sonoprint";
/// The version of the header that this program writes.
const FORMAT: u32 = 1;
/// What messages call the built-in checkpoint.
pub const SHIPPED: &str = "(built in)";
/// No network here comes near this; a file that does is something else.
const MAX_BYTES: u64 = 1 << 31;

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
    pub front_end: FrontEnd,
}

impl Header {
    /// A header of the present format.
    pub fn new(
        network: NetworkSpec,
        front_end: FrontEnd,
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

/// A network with everything needed to use it.
#[derive(Debug)]
pub struct Checkpoint {
    /// Settings and names.
    pub header: Header,
    /// The network, on the device that it was loaded to.
    pub network: Network,
    /// Of the file's bytes: the first twelve digits of their SHA-256. Names weights, front end and classes at once.
    pub fingerprint: String,
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
        source: SettingsError,
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

impl Checkpoint {
    /// Writes the checkpoint; a file already there is replaced at once or not at all.
    ///
    /// # Errors
    /// [`CheckpointError::Write`] if the disk is full, the folder is missing, ...
    pub fn save(header: &Header, network: &Network, path: &Path) -> Result<(), CheckpointError> {
        let failed = |why: String| CheckpointError::Write {
            path: path.to_owned(),
            why,
        };
        let text = toml::to_string(header).map_err(|e| failed(e.to_string()))?;
        let mut store = SafetensorsStore::from_file(path)
            .overwrite(true)
            .skip_enum_variants(true)
            // One key only: several would come in another order each time, and a seed should fix the file's bytes.
            .clear_metadata()
            .metadata(KEY, text);
        network
            .save_into(&mut store)
            .map_err(|e| failed(e.to_string()))
    }

    /// Reads a checkpoint and puts its network on `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] says whether the file is missing, foreign, damaged or newer.
    pub fn load(path: &Path, device: &Device) -> Result<Self, CheckpointError> {
        Self::from_bytes(path, read(path)?, device)
    }

    /// The checkpoint in the file `path`, or without one the built-in one.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn open(path: Option<&Path>, device: &Device) -> Result<Self, CheckpointError> {
        path.map_or_else(|| Self::shipped(device), |path| Self::load(path, device))
    }

    /// The checkpoint that this program was built with: see `data/checkpoint/README.md`.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], if the repository's file was damaged when the program was built.
    pub fn shipped(device: &Device) -> Result<Self, CheckpointError> {
        let bytes = include_bytes!("../../data/checkpoint/grooves10.safetensors");
        Self::from_bytes(Path::new(SHIPPED), bytes.to_vec(), device)
    }

    fn from_bytes(path: &Path, bytes: Vec<u8>, device: &Device) -> Result<Self, CheckpointError> {
        let header = header(path, &bytes)?;
        let fingerprint = format!("{:x}", Sha256::digest(&bytes))[..12].to_owned();
        let damaged = |why: String| CheckpointError::Damaged {
            path: path.to_owned(),
            why,
        };
        SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        // A header must not make us reserve what it only claims to have.
        if header.network.dense_weights() > bytes.len() / size_of::<f32>() {
            return Err(damaged("its network has more weights than it holds".into()));
        }
        let cpu = Device::flex();
        let mut network =
            Network::new(&header.network, 0, &cpu).map_err(|source| CheckpointError::Model {
                path: path.to_owned(),
                source,
            })?;
        let mut store = SafetensorsStore::from_bytes(Some(bytes)).skip_enum_variants(true);
        let result = network
            .load_from(&mut store)
            .map_err(|e| damaged(first_line(&e.to_string())))?;
        if let Some(extra) = result.unused.first() {
            return Err(damaged(format!("it holds a tensor '{extra}' of no layer")));
        }
        Ok(Self {
            header,
            network: network.to_device(device),
            fingerprint,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CheckpointError> {
    let failed = |source| CheckpointError::Read {
        path: path.to_owned(),
        source,
    };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > MAX_BYTES {
        return Err(CheckpointError::Foreign {
            path: path.to_owned(),
            why: format!("it is {size} bytes long"),
        });
    }
    std::fs::read(path).map_err(failed)
}

fn header(path: &Path, bytes: &[u8]) -> Result<Header, CheckpointError> {
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
    let header: Header = table
        .try_into()
        .map_err(|e: toml::de::Error| damaged(format!("header: {}", first_line(e.message()))))?;
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
    if header.network.picture != header.front_end.picture_size() {
        return Err(damaged(
            "its network reads pictures of another size than it makes".into(),
        ));
    }
    Ok(header)
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
