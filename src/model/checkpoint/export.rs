//! The export of a checkpoint to other programs.

use std::path::Path;

use burn::store::{BurnToPyTorchAdapter, ModuleSnapshot, SafetensorsStore};
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};

use super::file::Checkpoint;
use super::header::{CheckpointError, KEY};
use crate::files::replace;
use crate::rng::{below, stream};

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
        let failed = |why: String| CheckpointError::Write {
            path: path.to_owned(),
            why,
        };
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
        let bytes = bytes.map_err(|e| failed(e.to_string()))?;
        replace(path, &bytes).map_err(|e| failed(e.to_string()))
    }

    /// Writes an example to compare another program's network with, as safetensors: features of
    /// noise, the tensor `pictures`, `[4, channels, height, width]`, and this network's `logits`
    /// for them, `[4, classes]`. The network must be on `device`.
    ///
    /// # Errors
    /// [`CheckpointError::Write`], also if the device fails.
    pub fn export_example(&self, device: &Device, path: &Path) -> Result<(), CheckpointError> {
        let failed = |why: String| CheckpointError::Write {
            path: path.to_owned(),
            why,
        };
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
            ("pictures", shape.to_vec(), &features),
            ("logits", vec![EXAMPLES, logits.len() / EXAMPLES], &logits),
        ];
        let views = tensors.iter().map(|(name, shape, values)| {
            let view = TensorView::new(Dtype::F32, shape.clone(), bytemuck::cast_slice(values));
            (*name, view.expect("four bytes per element"))
        });
        let bytes = serialize(views, None).map_err(|e| failed(e.to_string()))?;
        replace(path, &bytes).map_err(|e| failed(e.to_string()))
    }
}
