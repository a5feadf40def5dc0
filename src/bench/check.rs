//! Comparing all implementations with the CPU reference, without timing them.

use super::baselines;
use super::catalog::{Shape, signals};
use super::error::BenchError;
use super::reference::{Accuracy, Reference};
use crate::frontend::FrontEnd;
use crate::gpu::Compute;

/// Runs our passes and each baseline that can run `shape`, and compares them with the CPU
/// reference. Nothing is timed. Our passes come first.
///
/// # Errors
/// [`BenchError::Wrong`] for numbers that differ from the reference. Others if the device fails.
pub fn check(compute: &Compute, shape: &Shape) -> Result<Vec<Accuracy>, BenchError> {
    let clips = signals(shape.clips, shape.front_end.clip_samples);
    let views: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
    let reference = Reference::new(shape, views[0])?;
    let front_end = FrontEnd::new(compute, &shape.front_end)?;
    let mut all = vec![reference.compare_ours(&front_end, &views)?];
    if baselines::comparable(shape) {
        for mut baseline in baselines::all(compute, shape, &clips)? {
            baseline.decibels()?;
            let db = baseline.first_decibels()?;
            let features = baseline.first_features().transpose()?;
            all.push(reference.compare(baseline.name(), &db, features.as_deref())?);
        }
    }
    Ok(all)
}
