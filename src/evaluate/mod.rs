//! How well a network classifies: metrics with their intervals, and the report.

mod bootstrap;
mod calibration;
mod error;
mod evaluation;
mod history;
mod metrics;
mod ranking;
pub mod report;
mod tags;

pub use calibration::{MIN_FILES, cooled, cooled_error, fit_temperature};
pub use error::EvaluateError;
pub use evaluation::{EvaluatedClip, Evaluation, Figures, Levels, WrongClip, evaluate, predict};
pub use history::{Epoch, Validation};
pub use metrics::{
    CalibrationBin, ClassScore, Confusion, LevelMetrics, MeanInterval, calibration,
    calibration_error, wilson,
};
pub use ranking::Auc;
pub use tags::{TagMetrics, TagPrediction, TagScore};
