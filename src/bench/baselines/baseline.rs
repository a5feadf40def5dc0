//! What a baseline can do.

use std::time::Duration;

use crate::bench::error::BenchError;

/// Another implementation of the front end, with its clips in place and ready to run.
pub(in crate::bench) trait Baseline {
    /// Returns its name in tables and records.
    fn name(&self) -> &'static str;

    /// Computes the decibels of all clips and returns the time.
    fn decibels(&mut self) -> Result<Duration, BenchError>;

    /// Returns the decibels of the first clip, `[frame][bin]`, from the last run.
    fn first_decibels(&mut self) -> Result<Vec<f32>, BenchError>;

    /// Computes the features of all clips and returns the time. `None` if it has only decibels.
    fn features(&mut self) -> Option<Result<Duration, BenchError>> {
        None
    }

    /// Computes the features of the first clip, `[channel][y][x]`. `None` if it has only decibels.
    fn first_features(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        None
    }
}
