//! The checkpoint file: weights, front-end settings, task, class names and how it was trained.
//!
//! The file is safetensors, so other tools can open it. Everything but the weights is one TOML
//! text, the [`Header`], under the metadata key `sonoprint`. Loading needs nothing but the path.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::Device;
use safetensors::SafeTensors;
use sha2::{Digest, Sha256};

use super::header::{CheckpointError, Header, KEY, first_line};
use crate::files::replace;
use crate::model::Network;
use crate::model::builtin::{BuiltinModel, ModelName, names};

/// Longest file that is read. No network here comes near this, so a longer file is not a
/// checkpoint.
const MAX_BYTES: u64 = 1 << 31;

/// A network with everything needed to use it.
///
/// ```
/// use sonoprint::gpu::Compute;
/// use sonoprint::model::{Checkpoint, Task};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let checkpoint = Checkpoint::builtin("genres10", &Compute::Cpu.burn())?;
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
        let mut store = SafetensorsStore::from_bytes(None)
            .skip_enum_variants(true)
            // One key only, because several would be written in a random order, and a seed should
            // fix the file's bytes.
            .clear_metadata()
            .metadata(KEY, text);
        let saved = network.save_into(&mut store);
        let bytes = saved.and_then(|()| store.get_bytes());
        let bytes = bytes.map_err(|e| failed(e.to_string()))?;
        replace(path, &bytes).map_err(|e| failed(e.to_string()))
    }

    /// Reads a checkpoint and puts its network on `device`.
    ///
    /// # Errors
    /// [`CheckpointError`] says whether the file is missing, not a checkpoint, damaged or newer
    /// than this program.
    pub fn load(path: &Path, device: &Device) -> Result<Self, CheckpointError> {
        Self::from_bytes(path, read(path)?, device)
    }

    /// Reads the model that `model` names: a built-in one or a file.
    ///
    /// # Errors
    /// As [`Checkpoint::load`]; [`CheckpointError::Unknown`] if there is no file, and no built-in
    /// model of that name.
    pub fn open(model: impl Into<ModelName>, device: &Device) -> Result<Self, CheckpointError> {
        let model = model.into();
        Self::from_bytes(&shown(&model), read_model(&model)?.into(), device)
    }

    /// Reads a model that is built into this program.
    ///
    /// # Errors
    /// [`CheckpointError::Unknown`] if no built-in model has this name. As [`Checkpoint::load`], if
    /// the repository's file was damaged when the program was built.
    pub fn builtin(name: &str, device: &Device) -> Result<Self, CheckpointError> {
        let model = BuiltinModel::find(name).ok_or_else(|| unknown(name.as_ref()))?;
        Self::open(ModelName::Builtin(model.name), device)
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

impl BuiltinModel {
    /// Reads the header of the checkpoint, without its weights.
    ///
    /// # Errors
    /// As [`Checkpoint::load`], if the repository's file was damaged when the program was built.
    pub fn header(&self) -> Result<Header, CheckpointError> {
        Header::parse(&shown(&ModelName::Builtin(self.name)), self.bytes())
    }
}

/// The path that errors name.
fn shown(model: &ModelName) -> PathBuf {
    match model {
        ModelName::Builtin(name) => format!("{name} (built in)").into(),
        ModelName::File(path) => path.clone(),
    }
}

fn unknown(path: &Path) -> CheckpointError {
    CheckpointError::Unknown {
        path: path.to_owned(),
        names: names().collect::<Vec<_>>().join(", "),
    }
}

/// Returns the bytes of a model's checkpoint file.
fn read_model(model: &ModelName) -> Result<Cow<'static, [u8]>, CheckpointError> {
    match model {
        ModelName::Builtin(name) => match BuiltinModel::find(name) {
            Some(model) => Ok(Cow::Borrowed(model.bytes())),
            None => Err(unknown(name.as_ref())),
        },
        ModelName::File(path) => match read(path) {
            Err(CheckpointError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
                Err(unknown(path))
            }
            read => read.map(Cow::Owned),
        },
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
