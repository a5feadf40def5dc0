//! The state of a run between two steps, in one file that is complete or absent.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use super::{Progress, TrainError, TrainSettings};
use crate::evaluate::Epoch;
use crate::files::replace;

/// Metadata key of the state's TOML.
const KEY: &str = "sonoprint-state";
/// Names of the two byte tensors beside it.
const BLOBS: [&str; 2] = ["weights", "moments"];

/// Weights and the optimizer's moments, each in Burn's own format.
pub type Blobs = [Vec<u8>; 2];

/// How far a run has come, without its weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Progress of the current epoch; all zero between epochs.
    pub progress: Progress,
    /// The epoch from which on patience counts: the last one before a finished run was told to train
    /// on.
    #[serde(default)]
    pub patience_from: usize,
    /// The finished epochs, in order.
    #[serde(default)]
    pub epochs: Vec<Epoch>,
}

impl State {
    /// Returns the epoch whose weights are in the checkpoint.
    pub fn best(&self) -> Option<&Epoch> {
        self.epochs.iter().rfind(|e| e.best)
    }

    /// Whether the run ends because too many epochs passed since the best one.
    pub fn out_of_patience(&self, settings: &TrainSettings) -> bool {
        let since = self
            .epochs
            .len()
            .saturating_sub(self.best().map_or(0, |e| e.epoch).max(self.patience_from));
        settings.patience.is_some_and(|p| since >= p)
    }

    /// Writes the state and the learner's two blobs to `path`. A kill leaves the old file or the
    /// new one.
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
            (*name, view.expect("one byte per element"))
        });
        let metadata = HashMap::from([(KEY.to_owned(), text)]);
        let bytes = serialize(views, Some(metadata)).expect("two byte tensors");
        replace(path, &bytes).map_err(failed)
    }

    /// Reads what [`State::save`] wrote, or returns `None` if there is no file.
    ///
    /// # Errors
    /// [`TrainError::State`] if the file is not a state.
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
            .ok_or_else(|| wrong("another program wrote it".into()))?;
        let state = toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?;
        let [weights, moments] = BLOBS.map(|name| -> Result<Vec<u8>, TrainError> {
            let tensor = tensors.tensor(name).map_err(|e| wrong(e.to_string()))?;
            Ok(tensor.data().to_vec())
        });
        Ok(Some((state, [weights?, moments?])))
    }
}

#[cfg(test)]
mod tests {
    use super::State;

    /// What the first version wrote within the second epoch, with `hits` for `correct`.
    #[test]
    fn a_state_of_the_first_version_is_read() {
        let text = r"
[progress]
epoch = 2
step = 1
steps = 4
clips = 16
loss_sum = 20.5
hits = 9.0
seconds = 1.5

[[epochs]]
epoch = 1
lr = 0.001
loss = 2.0
accuracy = 0.25
clips_per_second = 10.0
seconds = 6.0
best = true

[epochs.valid]
loss = 1.5
clip_accuracy = 0.5
hits = 3
files = 5
";
        let state: State = toml::from_str(text).unwrap();
        assert_eq!(state.progress.correct, 9.0);
        assert_eq!(state.epochs[0].valid.unwrap().correct, 3);
    }
}
