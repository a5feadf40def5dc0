//! The checkpoint file: weights, front-end settings, task, class names and how it was trained.
//!
//! The file is safetensors, so other tools can open it. Everything but the weights is one TOML
//! text, the [`Header`], under the metadata key `sonoprint`. Loading needs nothing but the path.

use std::path::Path;

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Device;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::header::{CheckpointError, Header, KEY, first_line};
use crate::model::Network;

/// The path that messages give for the built-in checkpoint.
const BUILTIN: &str = "(built in)";

/// Longest file that is read. No network here comes near this, so a longer file is not a
/// checkpoint.
const MAX_BYTES: u64 = 1 << 31;

/// A network with everything needed to use it.
///
/// ```
/// use sonoprint::gpu::Compute;
/// use sonoprint::model::{Checkpoint, NetworkKind, Task};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkpoint = Checkpoint::builtin(&Compute::Cpu.burn())?;
/// assert_eq!(checkpoint.header.network.kind, NetworkKind::Compact);
/// assert_eq!(checkpoint.header.task, Task::SingleLabel);
/// assert_eq!(checkpoint.header.classes[0], "blues");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Checkpoint {
    /// Settings, task and class names.
    pub header: Header,
    /// The network, on the device that it was loaded to.
    pub network: Network,
    /// First twelve hexadecimal digits of the SHA-256 of the file's bytes. Identifies weights,
    /// front end and classes together.
    pub fingerprint: String,
}

impl Checkpoint {
    /// Writes a checkpoint. A file that exists is replaced whole or not at all.
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
            // One key only, because several would be written in a random order, and a seed should
            // fix the file's bytes.
            .clear_metadata()
            .metadata(KEY, text);
        network
            .save_into(&mut store)
            .map_err(|e| failed(e.to_string()))
    }

    /// Reads a checkpoint and puts its network on `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] says whether the file is missing, not a checkpoint, damaged or newer
    /// than this program.
    pub fn load(path: &Path, device: &Device) -> Result<Self, CheckpointError> {
        Self::from_bytes(path, read(path)?, device)
    }

    /// Reads the checkpoint `path`, or the built-in one without a path.
    ///
    /// # Errors
    /// As [`Checkpoint::load`].
    pub fn open(path: Option<&Path>, device: &Device) -> Result<Self, CheckpointError> {
        path.map_or_else(|| Self::builtin(device), |path| Self::load(path, device))
    }

    /// Reads the checkpoint that is built into this program: see `data/checkpoint/README.md`.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], if the repository's file was damaged when the program was built.
    pub fn builtin(device: &Device) -> Result<Self, CheckpointError> {
        let bytes = include_bytes!("../../../data/checkpoint/grooves10.safetensors");
        Self::from_bytes(Path::new(BUILTIN), bytes.to_vec(), device)
    }

    fn from_bytes(path: &Path, bytes: Vec<u8>, device: &Device) -> Result<Self, CheckpointError> {
        let header = Header::parse(path, &bytes)?;
        let fingerprint = format!("{:x}", Sha256::digest(&bytes))[..12].to_owned();
        let damaged = |why: String| CheckpointError::Damaged {
            path: path.to_owned(),
            why,
        };
        SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
        // A header must not make us reserve memory for weights that the file does not hold.
        if header.network.scaling_weights() > bytes.len() / size_of::<f32>() {
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
