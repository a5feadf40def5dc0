//! One comparison: what was held against what, and how far apart they are.

use burn::tensor::Tensor;
use serde::Serialize;

use crate::frontend::FrontEndError;
use crate::frontend::gpu::kernels::StftKernel;
use crate::gpu::GpuError;
use crate::model::ModelError;

/// What a comparison is about: what must be avoided if it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The front end, with this STFT kernel.
    FrontEnd(StftKernel),
    /// A clip alone and in a batch.
    Batches,
    /// Layers and their gradients.
    Layers,
    /// Whole networks.
    Networks,
    /// Computing in f16.
    Half,
    /// The memory of many steps.
    Memory,
}

/// The device failed in a comparison: its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CheckError(pub String);

impl From<FrontEndError> for CheckError {
    fn from(e: FrontEndError) -> Self {
        Self(e.to_string())
    }
}

impl From<GpuError> for CheckError {
    fn from(e: GpuError) -> Self {
        Self(e.to_string())
    }
}

impl From<ModelError> for CheckError {
    fn from(e: ModelError) -> Self {
        Self(e.to_string())
    }
}

/// What was held against what.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// What a failure means.
    pub part: Part,
    /// What was computed on the GPU.
    pub what: String,
    /// What it was held against.
    pub against: &'static str,
    /// The largest difference; `None` if the device failed, or if it is no number.
    pub difference: Option<f64>,
    /// The largest difference that rounding can make.
    pub tolerance: f64,
    /// The unit of both.
    pub unit: &'static str,
    /// Why the device failed, if it did.
    pub failure: Option<String>,
}

impl Comparison {
    /// Describes a comparison that has not run.
    pub(super) fn of(
        part: Part,
        what: impl Into<String>,
        against: &'static str,
        tolerance: f64,
        unit: &'static str,
    ) -> Self {
        Self {
            part,
            what: what.into(),
            against,
            difference: None,
            tolerance,
            unit,
            failure: None,
        }
    }

    /// Adds the way to compute the difference.
    pub(super) fn by<'a>(
        self,
        difference: impl FnOnce() -> Result<f64, CheckError> + 'a,
    ) -> Case<'a> {
        Case {
            of: self,
            difference: Box::new(difference),
        }
    }

    pub(super) fn with(mut self, result: Result<f64, CheckError>) -> Self {
        match result {
            Ok(difference) if difference.is_finite() => self.difference = Some(difference),
            Ok(_) => self.failure = Some("its results are not finite numbers".into()),
            Err(CheckError(why)) => self.failure = Some(why),
        }
        self
    }

    /// Whether the difference is no larger than rounding can make it.
    pub fn passed(&self) -> bool {
        self.difference.is_some_and(|d| d <= self.tolerance)
    }
}

/// A comparison to be run.
pub(super) struct Case<'a> {
    pub(super) of: Comparison,
    pub(super) difference: Box<dyn FnOnce() -> Result<f64, CheckError> + 'a>,
}

/// Reads the values of a tensor back, as f32.
pub(super) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, CheckError> {
    let failed = |e: &dyn std::fmt::Display| CheckError(e.to_string());
    let tensor = tensor.cast(burn::tensor::FloatDType::F32);
    let data = tensor.try_into_data().map_err(|e| failed(&e))?;
    data.try_to_vec().map_err(|e| failed(&e))
}

/// Returns the largest difference, as a share of the largest value of `want`. NaN if one of `got`
/// is, and infinite if there are more or fewer.
pub(super) fn of_largest(got: &[f32], want: &[f32]) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let largest = want.iter().fold(0.0, |m: f32, v| m.max(v.abs()));
    let difference = got.iter().zip(want).fold(0.0, |m: f64, (g, w)| {
        let d = f64::from((g - w).abs());
        if d.is_nan() || m.is_nan() {
            f64::NAN
        } else {
            m.max(d)
        }
    });
    difference / f64::from(largest.max(f32::MIN_POSITIVE))
}

/// Returns the length of the difference, as a share of the length of `want`.
pub(super) fn of_length(got: &[f32], want: &[f32]) -> f64 {
    if got.len() != want.len() {
        return f64::INFINITY;
    }
    let square = |x: f64| x * x;
    let off: f64 = (got.iter().zip(want))
        .map(|(g, w)| square(f64::from(g - w)))
        .sum();
    let length: f64 = want.iter().map(|w| square(f64::from(*w))).sum();
    (off / length.max(f64::MIN_POSITIVE)).sqrt()
}
