//! The state of a run between two steps, in one file that is there whole or not at all.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use super::{Progress, TrainError, TrainSettings};
use crate::evaluate::Epoch;

/// The metadata key of the text.
const KEY: &str = "sonoprint-state";
/// The two blobs beside it.
const BLOBS: [&str; 2] = ["weights", "moments"];

/// Weights and the optimizer's moments, each in Burn's own format.
pub type Blobs = [Vec<u8>; 2];

/// How far a run has come, without weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Of the epoch under way; all zero between epochs.
    pub progress: Progress,
    /// Those that are done.
    #[serde(default)]
    pub epochs: Vec<Epoch>,
}

impl State {
    /// The epoch whose weights are kept.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.iter().rfind(|e| e.best)
    }

    /// Whether the best epoch lies so far back that the run should end.
    pub fn out_of_patience(&self, settings: &TrainSettings) -> bool {
        let since = self.epochs.len() - self.best().map_or(0, |e| e.epoch);
        settings.patience.is_some_and(|p| since >= p)
    }

    /// Writes the state and the learner's two blobs to `path`: a kill leaves the old file or the new one.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn save(&self, path: &Path, blobs: &Blobs) -> Result<(), TrainError> {
        let failed = |source| TrainError::Write {
            path: path.to_owned(),
            source,
        };
        let text = toml::to_string(self).expect("a state is plain data");
        let views = BLOBS.iter().zip(blobs).map(|(name, blob)| {
            let view = TensorView::new(Dtype::U8, vec![blob.len()], blob);
            (*name, view.expect("a byte an element"))
        });
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        let bytes = serialize(views, Some(metadata)).expect("two byte tensors");
        let scratch = path.with_extension("tmp");
        let mut file = fs::File::create(&scratch).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        fs::rename(&scratch, path).map_err(failed)
    }

    /// Reads what [`State::save`] wrote; `None` if there is no file.
    ///
    /// # Errors
    /// [`TrainError::State`] if the file is not such a state.
    pub fn load(path: &Path) -> Result<Option<(Self, Blobs)>, TrainError> {
        let wrong = |why: String| TrainError::State {
            path: path.to_owned(),
            why,
        };
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(wrong(e.to_string())),
        };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|e| wrong(e.to_string()))?;
        let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(|e| wrong(e.to_string()))?;
        let text = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get(KEY))
            .ok_or_else(|| wrong("it is another program's file".into()))?;
        let state = toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?;
        let [weights, moments] = BLOBS.map(|name| -> Result<Vec<u8>, TrainError> {
            let tensor = tensors.tensor(name).map_err(|e| wrong(e.to_string()))?;
            Ok(tensor.data().to_vec())
        });
        Ok(Some((state, [weights?, moments?])))
    }
}
