//! PCM to probabilities.

mod predictor;

pub use predictor::{InferenceError, PendingBatch, Predictor};
