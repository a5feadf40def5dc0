//! The checkpoint: weights, front-end settings, class names and how it was trained, in one file.
//!
//! The file is safetensors, so other tools can open it; everything but the weights is one TOML text under the metadata
//! key `sonoprint`. Loading needs no flag beside the path.

use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Device;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::header::{CheckpointError, Header, KEY, first_line};
use crate::model::Network;

/// What messages call the built-in checkpoint.
pub const SHIPPED: &str = "(built in)";
/// No network here comes near this; a file that does is something else.
const MAX_BYTES: u64 = 1 << 31;

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
        let bytes = include_bytes!("../../../data/checkpoint/grooves10.safetensors");
        Self::from_bytes(Path::new(SHIPPED), bytes.to_vec(), device)
    }

    fn from_bytes(path: &Path, bytes: Vec<u8>, device: &Device) -> Result<Self, CheckpointError> {
        let header = Header::parse(path, &bytes)?;
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
