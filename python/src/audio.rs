//! Decoding alone.

use std::ffi::CString;

use numpy::PyArray1;
use pyo3::prelude::*;
use sonoprint::audio::{self, AudioError, MonoReader};

use crate::{errors, search};

/// Any rate that the library takes, for the first look at a file.
const PROBE_RATE: u32 = 44_100;

/// Reads an audio file as mono samples of float32, and returns them with their sample rate.
///
/// The channels are averaged, and the samples resampled to ``sr`` Hz, or kept at the file's rate if
/// ``sr`` is None. What is missing in the middle of a file becomes silence of its length, so that
/// the rest keeps its time, and raises a DamagedAudioWarning. Works in forked processes.
///
/// Raises AudioError.
#[pyfunction]
#[pyo3(signature = (path, sr = Some(22_050)))]
pub(crate) fn load<'py>(
    path: &Bound<'py, PyAny>,
    sr: Option<u32>,
) -> PyResult<(Bound<'py, PyArray1<f32>>, u32)> {
    let py = path.py();
    let path = search::path_of(path)?;
    let loaded = py.detach(|| {
        let rate = match sr {
            Some(rate) => rate,
            // The file's own rate is known only when it is open.
            None => MonoReader::open(&path, PROBE_RATE)?.source_rate(),
        };
        Ok((audio::load(&path, rate)?, rate))
    });
    let (loaded, rate) = loaded.map_err(|e: AudioError| errors::of_audio(py, &e, Some(&path)))?;
    if let Some(damage) = loaded.damaged {
        let text = CString::new(format!("{}: {damage}", path.display()))?;
        PyErr::warn(py, &errors::class(py, "DamagedAudioWarning")?, &text, 1)?;
    }
    Ok((PyArray1::from_vec(py, loaded.samples), rate))
}
