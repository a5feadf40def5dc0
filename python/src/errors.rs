//! Errors of the library as Python's exceptions, which are written in `sonoprint/_types.py`.

use std::error::Error;
use std::path::Path;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use sonoprint::audio::AudioError;
use sonoprint::gpu::GpuError;
use sonoprint::inference::InferenceError;

/// Returns a class of `sonoprint/_types.py`.
pub(crate) fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("sonoprint._types")?.getattr(name)
}

/// Returns an `AudioError` with a reason of the result tables.
pub(crate) fn audio(py: Python<'_>, message: &str, reason: &str, path: Option<&Path>) -> PyErr {
    let made = class(py, "AudioError")
        .and_then(|class| class.call1((message, reason, path.map(Path::as_os_str))));
    made.map_or_else(|e| e, PyErr::from_value)
}

/// Returns the error of reading `path`, or of samples without a file.
pub(crate) fn of_audio(py: Python<'_>, error: &AudioError, path: Option<&Path>) -> PyErr {
    match error {
        // The exception has the path already, so the system's message is enough.
        AudioError::Io { source, .. } => audio(py, &source.to_string(), error.reason(), path),
        AudioError::BadRate { .. } => PyValueError::new_err(error.to_string()),
        error => audio(py, &error.to_string(), error.reason(), path),
    }
}

pub(crate) fn of_device(py: Python<'_>, error: &GpuError) -> PyErr {
    other(py, "DeviceError", error)
}

pub(crate) fn of_inference(py: Python<'_>, error: &InferenceError) -> PyErr {
    match error {
        InferenceError::Audio(error) => of_audio(py, error, None),
        InferenceError::Silent(path) => audio(py, &error.to_string(), "silent", Some(path)),
        InferenceError::NotFinite(path) => audio(py, &error.to_string(), "not_finite", Some(path)),
        InferenceError::Checkpoint(error) => other(py, "ModelError", error),
        error => other(py, "DeviceError", error),
    }
}

/// Returns an exception with the error and its causes on one line.
fn other(py: Python<'_>, name: &str, error: &dyn Error) -> PyErr {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    let made = class(py, name).and_then(|class| class.call1((line,)));
    made.map_or_else(|e| e, PyErr::from_value)
}
