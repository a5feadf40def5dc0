//! From PCM to probabilities: a checkpoint's front end and network on one device.
//!
//! [`Predictor::predict_file`] is the whole way from a file to its prediction. Programs with many
//! files decode on their own threads and use [`Predictor::submit`] and [`Predictor::wait`], which
//! let the device work while the host decodes.

mod average;
mod batch;
mod error;
mod file;
mod forward;
mod predictor;

pub(crate) use average::FileAverage;
pub use batch::{BatchLimit, BatchTooLarge};
pub use error::InferenceError;
pub use file::FilePrediction;
pub(crate) use forward::{embeddings, probabilities};
pub use predictor::{BatchPredictions, PendingBatch, Predictor};
