//! Features on disk, for a run that is resumed.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};

use crate::dataset::pcm::PcmSet;
use crate::files;
use crate::train::{TrainError, TrainSettings};

/// Metadata key of [`Key`].
const KEY: &str = "sonoprint-features";
/// Name of the tensor.
const ROWS: &str = "features";

/// The features of one subset's clips at one level.
#[derive(Default)]
pub(super) struct Features {
    /// One row per clip.
    pub(super) rows: Vec<f32>,
    /// Length of a row.
    pub(super) width: usize,
}

/// What features depend on.
#[derive(PartialEq, Eq)]
pub(super) struct Key(String);

impl Key {
    /// Returns the key of the features of `set` at `level` dB.
    pub(super) fn new(settings: &TrainSettings, set: &PcmSet, level: f64) -> Self {
        let files: Vec<(usize, usize)> = set.files.iter().map(|f| (f.entry, f.len)).collect();
        let front_end = toml::to_string(&settings.front_end).expect("settings are plain data");
        let model = &settings.transfer.init_fingerprint;
        Self(format!("{model:?} {level} {files:?}\n{front_end}"))
    }
}

/// Writes features. A kill leaves the whole file or none.
///
/// # Errors
/// [`TrainError::Write`].
pub(super) fn save(path: &Path, key: &Key, features: &Features) -> Result<(), TrainError> {
    let failed = |source| TrainError::Write {
        path: path.to_owned(),
        source,
    };
    let Features { rows, width } = features;
    let shape = vec![rows.len() / (*width).max(1), *width];
    let bytes = bytemuck::cast_slice(rows);
    let view = TensorView::new(Dtype::F32, shape, bytes).expect("four bytes per number");
    let metadata = HashMap::from([(KEY.to_owned(), key.0.clone())]);
    let bytes = serialize([(ROWS, view)], Some(metadata)).expect("one tensor");
    if let Some(folder) = path.parent() {
        files::create_dir_all(folder).map_err(failed)?;
    }
    files::replace(path, &bytes).map_err(failed)
}

/// Reads the features of `key`. `None` if there are none, or if they are of another key.
pub(super) fn load(path: &Path, key: &Key) -> Option<Features> {
    let bytes = fs::read(path).ok()?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).ok()?;
    if metadata.metadata().as_ref()?.get(KEY)? != &key.0 {
        return None;
    }
    let tensors = SafeTensors::deserialize(&bytes).ok()?;
    let tensor = tensors.tensor(ROWS).ok()?;
    let [_, width] = *tensor.shape() else {
        return None;
    };
    (tensor.dtype() == Dtype::F32).then(|| Features {
        rows: bytemuck::pod_collect_to_vec(tensor.data()),
        width,
    })
}
