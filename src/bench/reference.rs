//! The CPU reference of a shape, and how far an implementation is from it.
//!
//! A time of wrong numbers would mean nothing, so every implementation is compared before it is
//! timed.

use burn::tensor::Tensor;

use super::catalog::Shape;
use super::error::BenchError;
use crate::frontend::FrontEnd;
use crate::frontend::config::FrontEndConfig;
use crate::frontend::cpu::rgba;
use crate::frontend::tables::Tables;
use crate::gpu::Compute;

/// The largest difference that rounding may make. 80 dB below the loudest cell, f32 has an error of
/// about a hundredth of this.
const TOLERANCE_DB: f64 = 0.1;
/// Only cells at most so far below the loudest cell are compared, in dB.
const COMPARED_RANGE_DB: f32 = 80.0;
/// The largest mean difference of features (0..=1) that rounding may make.
const TOLERANCE_FEATURES: f64 = 1.0 / 255.0;
/// The name of our own passes among the implementations.
const OURS: &str = "sonoprint";

/// The distance of an implementation from the CPU reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Accuracy {
    /// `sonoprint` for our own passes, else the name of a baseline.
    pub implementation: String,
    /// Largest difference of its decibels, in cells at most 80 dB below the loudest.
    pub max_db_error: f64,
    /// Mean difference of its features (0..=1). `None` if it makes decibels only.
    pub mean_features_error: Option<f64>,
    /// Whether `mean_features_error` is more than rounding can make.
    ///
    /// Only a baseline can have it, because for our own passes this is an error. The features of
    /// such a baseline are not timed. An example is Burn 0.22.1: its operations draw features that
    /// are 5 to 22/255 off on llvmpipe, and right ones on the CPU.
    pub wrong_features: bool,
}

/// What the CPU reference computes for the first clip of a shape.
pub(super) struct Reference {
    shape: &'static str,
    front_end: FrontEndConfig,
    /// `[frame][row]`
    db: Vec<f32>,
    /// `[channel][y][x]`
    features: Vec<f32>,
}

impl Reference {
    pub(super) fn new(shape: &Shape, clip: &[f32]) -> Result<Self, BenchError> {
        let front_end = FrontEnd::new(&Compute::Cpu, &shape.front_end)?;
        Ok(Self {
            shape: shape.id,
            front_end: shape.front_end.clone(),
            db: front_end.spectrograms(&[clip], &[])?.remove(0).values,
            features: to_vec(front_end.features(&[clip])?)?,
        })
    }

    /// Compares `db` (`[frame][row]`) and `features` (`[channel][y][x]`) of the first clip.
    ///
    /// # Errors
    /// [`BenchError::Wrong`] if the decibels differ, or the features of our own passes.
    pub(super) fn compare(
        &self,
        implementation: &str,
        db: &[f32],
        features: Option<&[f32]>,
    ) -> Result<Accuracy, BenchError> {
        let wrong = |difference: String| {
            Err(BenchError::Wrong {
                implementation: implementation.into(),
                shape: self.shape.into(),
                difference,
            })
        };
        if db.len() != self.db.len() || features.is_some_and(|f| f.len() != self.features.len()) {
            return wrong("another number of values".into());
        }
        let max_db_error = max_error(db, &self.db);
        if max_db_error > TOLERANCE_DB {
            return wrong(format!("decibels differ by {max_db_error:.3} dB"));
        }
        // The colors of a clip begin at its single quietest cell. That cell is rounding error, and
        // differs between transforms. The features of a baseline are therefore compared with those
        // that the CPU reference makes of the baseline's own decibels, which are right.
        let mean_features_error = features.map(|f| match implementation {
            OURS => mean_error(f, &self.features),
            _ => mean_error(f, &rgba_of(&self.front_end, db)),
        });
        let too_large = mean_features_error.filter(|&mean| mean > TOLERANCE_FEATURES);
        if let Some(mean) = too_large.filter(|_| implementation == OURS) {
            return wrong(format!("features differ by {:.2}/255", 255.0 * mean));
        }
        Ok(Accuracy {
            implementation: implementation.into(),
            max_db_error,
            mean_features_error,
            wrong_features: too_large.is_some(),
        })
    }

    /// Runs our own passes on all `clips` at once and compares the first.
    pub(super) fn compare_ours(
        &self,
        front_end: &FrontEnd,
        clips: &[&[f32]],
    ) -> Result<Accuracy, BenchError> {
        let db = front_end.spectrograms(clips, &[])?.remove(0).values;
        let features = to_vec(front_end.features(clips)?.narrow(0, 0, 1))?;
        self.compare(OURS, &db, Some(&features))
    }
}

/// Makes features, `[channel][y][x]`, of decibels that all have a value, on the CPU.
fn rgba_of(config: &FrontEndConfig, db: &[f32]) -> Vec<f32> {
    let ends = (f32::INFINITY, f32::NEG_INFINITY);
    let range = db
        .iter()
        .fold(ends, |(low, high), &v| (low.min(v), high.max(v)));
    let mut features = vec![0.0; config.output_shape().iter().product()];
    let tables = Tables::new(config);
    rgba::run(config, &tables, db, Some(range), &mut features);
    features
}

/// Reads all values of a tensor back.
pub(super) fn to_vec<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, BenchError> {
    let burn = |e: &dyn std::fmt::Display| BenchError::Burn(e.to_string());
    let data = tensor.try_into_data().map_err(|e| burn(&e))?;
    data.try_to_vec().map_err(|e| burn(&e))
}

/// Returns the largest difference in cells that are not far below the loudest. NaN counts as
/// infinite.
fn max_error(values: &[f32], reference: &[f32]) -> f64 {
    let loudest = reference.iter().copied().fold(f32::MIN, f32::max);
    let error = |(v, r): (&f32, &f32)| match f64::from((v - r).abs()) {
        error if error.is_nan() => f64::INFINITY,
        error => error,
    };
    values
        .iter()
        .zip(reference)
        .filter(|(_, r)| **r > loudest - COMPARED_RANGE_DB)
        .map(error)
        .fold(0.0, f64::max)
}

/// Returns the mean difference. NaN counts as infinite.
fn mean_error(values: &[f32], reference: &[f32]) -> f64 {
    let errors = values
        .iter()
        .zip(reference)
        .map(|(v, r)| f64::from((v - r).abs()));
    match errors.sum::<f64>() / reference.len() as f64 {
        mean if mean.is_nan() => f64::INFINITY,
        mean => mean,
    }
}

#[cfg(test)]
mod tests {
    use super::{BenchError, OURS, Reference};
    use crate::frontend::presets;

    #[test]
    fn wrong_numbers_are_found() {
        let reference = Reference {
            shape: "toy",
            front_end: presets::deeppixel(),
            db: vec![0.0, -50.0, -120.0],
            features: vec![0.5; 4],
        };
        let compare = |db: &[f32], features: &[f32]| reference.compare(OURS, db, Some(features));
        let right = compare(&[0.0, -50.05, -99.0], &[0.5, 0.501, 0.5, 0.5]).unwrap();
        assert!((right.max_db_error - 0.05).abs() < 1e-5, "{right:?}");
        for (db, features) in [
            ([0.0, -50.2, -120.0], [0.5; 4]),
            ([f32::NAN, -50.0, -120.0], [0.5; 4]),
            ([0.0, -50.0, -120.0], [0.5, 0.52, 0.5, 0.5]),
            ([0.0, -50.0, -120.0], [0.5, f32::NAN, 0.5, 0.5]),
        ] {
            let wrong = compare(&db, &features);
            assert!(matches!(wrong, Err(BenchError::Wrong { .. })), "{wrong:?}");
        }
        assert!(compare(&[0.0, -50.0], &[0.5; 4]).is_err());
    }
}
