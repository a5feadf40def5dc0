//! Lets a run go on behind its planned end.

use super::state::State;
use super::{RunFolder, RunRecord, TrainError};

/// Lets the run of `record` in `folder` train on to `epochs` epochs, also if it has reached its end:
/// writes `run.toml` and the state. The learning rate follows the schedule of a run of that length
/// from where the run is, and patience counts anew. A run that has them already, because it was told
/// so before, stays as it is. Returns the new record.
///
/// # Errors
/// [`TrainError::TooFewEpochs`] if it has more already, [`TrainError::NoEpochs`] if its layers are
/// frozen, [`TrainError::State`] and [`TrainError::Write`].
pub fn extend(
    folder: &RunFolder,
    record: &RunRecord,
    epochs: usize,
) -> Result<RunRecord, TrainError> {
    if record.settings.transfer.freeze {
        return Err(TrainError::NoEpochs);
    }
    if record.settings.epochs == epochs {
        return Ok(record.clone());
    }
    let mut record = record.clone();
    record.settings.epochs = epochs;
    record.settings.validate()?;
    if let Some((mut state, blobs)) = State::load(&folder.state())? {
        let done = state.epochs.len();
        if epochs <= done {
            return Err(TrainError::TooFewEpochs { done, epochs });
        }
        state.patience_from = done;
        state.save(&folder.state(), &blobs)?;
    }
    let text = toml::to_string(&record).expect("valid settings are plain data");
    folder.write("run.toml", &text)?;
    Ok(record)
}
