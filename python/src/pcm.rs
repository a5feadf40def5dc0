//! Samples from Python, as mono f32.

use numpy::ndarray::{ArrayViewD, Axis};
use numpy::{Element, PyArrayDyn, PyArrayMethods};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;

use crate::errors;

/// The most channels of a file, and of an array.
const MAX_CHANNELS: usize = 64;
/// The largest magnitude of a usable sample, full scale 1, as in files.
const LOUDEST: f32 = 1e9;

/// Returns the mean over the channels of `pcm`: an array `[samples]` or `[channels, samples]` of f32
/// or f64 with full scale 1, or of i16. This is the only copy.
///
/// # Errors
/// `TypeError` or `ValueError` for another array, and `AudioError` for one without samples, or with
/// samples that are not usable numbers.
pub(crate) fn mono(pcm: &Bound<'_, PyAny>) -> PyResult<Vec<f32>> {
    let py = pcm.py();
    let array = py.import("numpy")?.call_method1("asarray", (pcm,))?;
    let samples = if let Ok(array) = array.cast::<PyArrayDyn<f32>>() {
        mix(array, |x| x)
    } else if let Ok(array) = array.cast::<PyArrayDyn<f64>>() {
        mix(array, |x| x as f32)
    } else if let Ok(array) = array.cast::<PyArrayDyn<i16>>() {
        mix(array, |x| f32::from(x) / 32_768.0)
    } else {
        let dtype = array.getattr("dtype")?;
        return Err(PyTypeError::new_err(format!(
            "pcm has {dtype} samples: float32, float64 and int16 are understood"
        )));
    }?;
    if samples.is_empty() {
        return Err(errors::audio(py, "pcm holds no samples", "empty", None));
    }
    let bad = samples
        .iter()
        .filter(|x| x.is_nan() || x.abs() > LOUDEST)
        .count();
    if bad > 0 {
        let message = format!(
            "{bad} of {} samples are not usable numbers (NaN, infinite or over 1e9)",
            samples.len()
        );
        return Err(errors::audio(py, &message, "not_finite", None));
    }
    Ok(samples)
}

fn mix<T: Element + Copy>(
    array: &Bound<'_, PyArrayDyn<T>>,
    f32_of: impl Fn(T) -> f32,
) -> PyResult<Vec<f32>> {
    let array = array.try_readonly()?;
    let array: ArrayViewD<'_, T> = array.as_array();
    match *array.shape() {
        [_] => Ok(array.iter().map(|&x| f32_of(x)).collect()),
        [channels, _] if (1..=MAX_CHANNELS).contains(&channels) => {
            let share = 1.0 / channels as f32;
            let mean =
                |frame: ArrayViewD<'_, T>| frame.iter().map(|&x| f32_of(x)).sum::<f32>() * share;
            Ok(array.axis_iter(Axis(1)).map(mean).collect())
        }
        [channels, _] => Err(PyValueError::new_err(format!(
            "pcm has {channels} channels: its shape must be (channels, samples), so pass pcm.T for \
             (samples, channels)"
        ))),
        ref shape => Err(PyValueError::new_err(format!(
            "pcm has {} dimensions: its shape must be (samples,) or (channels, samples)",
            shape.len()
        ))),
    }
}
