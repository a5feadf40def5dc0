//! How well a network classifies: metrics with their intervals, and the report.

mod calibration;
mod error;
mod evaluation;
mod history;
mod metrics;
pub mod report;

pub use calibration::{MIN_FILES, cooled, fit_temperature};
pub use error::EvaluateError;
pub use evaluation::{EvaluatedClip, Evaluation, evaluate};
pub use history::{Epoch, Validation};
pub use metrics::{CalibrationBin, ClassScore, Confusion, LevelMetrics, MeanInterval, wilson};
