//! One forward pass: samples on the host or the device in, rows on the host out.

use burn::tensor::{FloatDType, Tensor};

use super::InferenceError;
use crate::frontend::augment::Augment;
use crate::frontend::{FrontEnd, Samples};
use crate::model::{CalibratedTask, Network};

/// Returns the probabilities `[clip][class]` of `clips`, each of the front end's `clip_samples`.
/// `network` must be on the front end's device and without autodiff.
///
/// # Errors
/// [`InferenceError::FrontEnd`] and [`InferenceError::Device`] if the device fails.
pub(crate) fn probabilities(
    front_end: &FrontEnd,
    network: &Network,
    task: CalibratedTask,
    clips: &[Samples<'_>],
) -> Result<Vec<Vec<f32>>, InferenceError> {
    let features = front_end.augmented_features(clips, &[])?;
    read_rows(task.probabilities(network.forward(features)))
}

/// Returns the features `[clip][feature]` that the network's last layer reads, of `clips` as
/// `augments` change them.
///
/// # Errors
/// As [`probabilities`].
pub(crate) fn embeddings(
    front_end: &FrontEnd,
    network: &Network,
    clips: &[Samples<'_>],
    augments: &[Augment],
) -> Result<Vec<Vec<f32>>, InferenceError> {
    let features = front_end.augmented_features(clips, augments)?;
    read_rows(network.features(features))
}

/// Waits for `table` and returns its rows, in f32.
pub(super) fn read_rows(table: Tensor<2>) -> Result<Vec<Vec<f32>>, InferenceError> {
    let [_, width] = table.dims();
    let failed = |e: String| InferenceError::Device(e);
    let flat: Vec<f32> = table
        .cast(FloatDType::F32)
        .try_into_data()
        .map_err(|e| failed(e.to_string()))?
        .try_to_vec()
        .map_err(|e| failed(e.to_string()))?;
    Ok(flat.chunks(width).map(<[f32]>::to_vec).collect())
}
