//! The export of a checkpoint to other programs.

use std::path::Path;

use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, SafetensorsStore};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};

use super::file::Checkpoint;
use super::header::{CheckpointError, KEY};
use crate::files::{Ours, replace};
use crate::rng::{below, stream};

/// Recognizes a checkpoint, and what [`Checkpoint::export`] writes, by the key of its metadata.
pub const CHECKPOINT_OURS: Ours = Ours {
    what: "a checkpoint",
    is: |head| {
        let key = format!("{{\"__metadata__\":{{\"{KEY}\":");
        head.start
            .get(HEADER_AT..)
            .is_some_and(|header| header.starts_with(key.as_bytes()))
    },
};
/// Recognizes what [`Checkpoint::export_example`] writes by the names of its tensors.
pub const EXAMPLE_OURS: Ours = Ours {
    what: "an example",
    is: |head| {
        let header = String::from_utf8_lossy(head.start.get(HEADER_AT..).unwrap_or_default());
        header.starts_with('{')
            && NAMES
                .iter()
                .all(|name| header.contains(&format!("\"{name}\":{{")))
    },
};
/// Where the header of a safetensors file starts: behind its length.
const HEADER_AT: usize = 8;
/// Names of an example's tensors.
const NAMES: [&str; 2] = ["pictures", "logits"];

/// Clips of an example.
const EXAMPLES: usize = 4;

impl Checkpoint {
    /// Writes the weights as safetensors with the names and layouts of the same network in PyTorch:
    /// dense layers as `[out, in]`, normalizations with `weight` and `bias`, parametric ReLUs with
    /// `weight`. The header stands as JSON under the metadata key `sonoprint`.
    ///
    /// # Errors
    /// [`CheckpointError::Write`].
    pub fn export(&self, path: &Path) -> Result<(), CheckpointError> {
        let failed = write_error(path);
        replace(path, &self.export_bytes(path)?).map_err(|e| failed(e.to_string()))
    }

    /// Returns what [`Checkpoint::export`] writes. Errors name `path`.
    ///
    /// # Errors
    /// [`CheckpointError::Write`].
    pub fn export_bytes(&self, path: &Path) -> Result<Vec<u8>, CheckpointError> {
        let failed = write_error(path);
        let text = serde_json::to_string(&self.header).map_err(|e| failed(e.to_string()))?;
        let mut store = SafetensorsStore::from_bytes(None)
            .skip_enum_variants(true)
            .with_to_adapter(BurnToPyTorchAdapter)
            .clear_metadata()
            .metadata(KEY, text);
        for (burn, pytorch) in self.header.network.kind.pytorch_keys() {
            store = store.with_key_remapping(burn, *pytorch);
        }
        let saved = self.network.save_into(&mut store);
        let bytes = saved.and_then(|()| store.get_bytes());
        bytes.map_err(|e| failed(e.to_string()))
    }

    /// Writes an example to compare another program's network with, as safetensors: features of
    /// noise, the tensor `pictures`, `[4, channels, height, width]`, and this network's `logits`
    /// for them, `[4, classes]`. The network must be on `device`.
    ///
    /// # Errors
    /// [`CheckpointError::Write`], also if the device fails.
    pub fn export_example(&self, device: &Device, path: &Path) -> Result<(), CheckpointError> {
        let failed = write_error(path);
        replace(path, &self.example_bytes(device, path)?).map_err(|e| failed(e.to_string()))
    }

    /// Returns what [`Checkpoint::export_example`] writes. Errors name `path`.
    ///
    /// # Errors
    /// As [`Checkpoint::export_example`].
    pub fn example_bytes(&self, device: &Device, path: &Path) -> Result<Vec<u8>, CheckpointError> {
        let failed = write_error(path);
        let [channels, height, width] = self.header.network.input;
        let shape = [EXAMPLES, channels, height, width];
        let mut rng = stream(0, "example pictures");
        let features: Vec<f32> = (0..shape.iter().product())
            .map(|_| below(&mut rng, 1 << 16) as f32 / 65_535.0)
            .collect();
        let input = Tensor::<4>::from_data(TensorData::new(features.clone(), shape), device);
        let logits: Vec<f32> = self
            .network
            .forward(input)
            .try_into_data()
            .map_err(|e| failed(e.to_string()))?
            .try_to_vec()
            .map_err(|e| failed(e.to_string()))?;
        let tensors = [
            (NAMES[0], shape.to_vec(), &features),
            (NAMES[1], vec![EXAMPLES, logits.len() / EXAMPLES], &logits),
        ];
        let views = tensors.iter().map(|(name, shape, values)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
            (*name, view.expect("four bytes per element"))
        });
        serialize(views, None).map_err(|e| failed(e.to_string()))
    }
}

fn write_error(path: &Path) -> impl Fn(String) -> CheckpointError {
    |why| CheckpointError::Write {
        path: path.to_owned(),
        why,
    }
}
