//! The iterator that `Predictor.predict` returns.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use sonoprint::audio::LeftOut;
use sonoprint::classify::{FileResult, Outcome, Prediction, ResultStream, ranked};
use sonoprint::inference::InferenceError;
use sonoprint::model::DecisionRule;

use crate::errors;
use crate::owner::Owned;

/// How often Python's signals are looked at while there is no result.
const SIGNALS: Duration = Duration::from_millis(50);

/// Waits for the next result of `stream` without Python's lock.
///
/// # Errors
/// If the device failed, or what a signal handler raises: `KeyboardInterrupt` for Ctrl-C.
pub(crate) fn next_result(
    py: Python<'_>,
    stream: &Mutex<Option<ResultStream>>,
) -> PyResult<Option<FileResult>> {
    loop {
        let next = py.detach(|| {
            let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
            let Some(running) = &mut *stream else {
                return Poll::Ready(None);
            };
            let next = running.next_within(SIGNALS);
            if matches!(next, Poll::Ready(None | Some(Err(_)))) {
                *stream = None;
            }
            next
        });
        py.check_signals()?;
        if let Poll::Ready(next) = next {
            let raise = |e: InferenceError| errors::of_inference(py, &e);
            return next.transpose().map_err(raise);
        }
    }
}

/// What a `Prediction` is made of beside the result.
pub(crate) struct Labels {
    pub(crate) classes: Vec<String>,
    pub(crate) rule: DecisionRule,
}

/// The results of ``Predictor.predict``. Dropping or closing it stops the threads behind it.
#[pyclass(frozen, module = "sonoprint")]
pub(crate) struct Predictions {
    pub(crate) stream: Owned<Mutex<Option<ResultStream>>>,
    pub(crate) labels: Labels,
    /// Whether a failed file ends the results with an exception.
    pub(crate) raise: bool,
    pub(crate) left_out: Arc<LeftOut>,
}

#[pymethods]
impl Predictions {
    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(result) = next_result(py, self.stream.get()?)? else {
            return Ok(None);
        };
        if self.raise
            && let Outcome::Failed { reason, message } = &result.outcome
        {
            self.close(py)?;
            return Err(errors::audio(py, message, reason, Some(&result.path)));
        }
        self.labels.prediction(py, &result).map(Some)
    }

    /// Stops the threads behind the results. There are no more results.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let stream = self.stream.get()?;
        py.detach(|| *stream.lock().unwrap_or_else(PoisonError::into_inner) = None);
        Ok(())
    }

    /// What the search of folders has left out so far, a line per kind.
    #[getter]
    fn left_out(&self) -> Vec<String> {
        self.left_out.lines()
    }
}

impl Drop for Predictions {
    fn drop(&mut self) {
        // Threads end first, which takes as long as a clip.
        let mut stream = self.stream.take();
        Python::try_attach(|py| py.detach(|| drop(stream.take())));
    }
}

impl Labels {
    /// Returns a result as Python's `Prediction`.
    fn prediction<'py>(&self, py: Python<'py>, result: &FileResult) -> PyResult<Bound<'py, PyAny>> {
        let fields = PyDict::new(py);
        fields.set_item("path", result.path.as_os_str())?;
        match &result.outcome {
            Outcome::Failed { reason, message } => {
                fields.set_item("status", "failed")?;
                fields.set_item("reason", reason)?;
                fields.set_item("message", message)?;
            }
            Outcome::Ok(prediction) => self.add(&fields, prediction)?,
        }
        errors::class(py, "Prediction")?.call((), Some(&fields))
    }

    fn add(&self, fields: &Bound<'_, PyDict>, prediction: &Prediction) -> PyResult<()> {
        let py = fields.py();
        let probabilities = &prediction.probabilities;
        let unsure = self.rule.is_unsure(probabilities);
        fields.set_item("status", if unsure { "unsure" } else { "ok" })?;
        let best = ranked(probabilities).first().copied();
        if let Some((class, confidence)) = best {
            fields.set_item("confidence", confidence)?;
            if !unsure {
                fields.set_item("label", &self.classes[class])?;
            }
        }
        let labels = self.rule.labels(probabilities);
        let labels = labels.iter().map(|&class| &self.classes[class]);
        fields.set_item("labels", PyTuple::new(py, labels.collect::<Vec<_>>())?)?;
        fields.set_item("probabilities", self.named(py, probabilities)?)?;
        fields.set_item("seconds", prediction.seconds)?;
        fields.set_item("clips", prediction.clips)?;
        fields.set_item("silent", prediction.silent)?;
        fields.set_item("padded", prediction.padded)?;
        if let Some(damage) = &prediction.damaged {
            fields.set_item("damaged", true)?;
            fields.set_item("reason", "damaged")?;
            fields.set_item("message", damage)?;
        }
        let class = errors::class(py, "Clip")?;
        let clips = prediction
            .timeline
            .iter()
            .map(|clip| class.call1((clip.start, clip.end, self.named(py, &clip.probabilities)?)));
        let clips = clips.collect::<PyResult<Vec<_>>>()?;
        fields.set_item("timeline", PyTuple::new(py, clips)?)
    }

    fn named<'py>(&self, py: Python<'py>, probabilities: &[f32]) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (class, p) in self.classes.iter().zip(probabilities) {
            dict.set_item(class, p)?;
        }
        Ok(dict)
    }
}
