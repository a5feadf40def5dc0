//! The class `Predictor`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use numpy::{PyArray1, PyArray2, PyArray4, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use sonoprint::audio::{self, check_length};
use sonoprint::classify::{DiscoverError, Options, Order, Outcome, ResultStream, Search};
use sonoprint::gpu::DeviceChoice;
use sonoprint::inference::{self, InferenceError};
use sonoprint::model::{BuiltinModel, Checkpoint, ModelName, Task};

use crate::owner::{Owned, check_process};
use crate::predictions::{Labels, Predictions, next_result};
use crate::{devices, errors, pcm, search};

/// Clips whose features are computed at once.
const BATCH: usize = 8;

/// Returns the built-in models: their names, and a line about each. The first is the default.
#[pyfunction]
pub(crate) fn models(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for model in BuiltinModel::all() {
        dict.set_item(model.name, model.about)?;
    }
    Ok(dict)
}

/// A model on a device.
///
/// ``model`` is the name of a built-in model (``sonoprint.models()``; the default one if None) or
/// the path of a checkpoint. ``device`` is ``auto`` (a GPU if there is one, else the CPU), ``cpu``,
/// ``gpu``, ``software``, or an adapter's number or part of its name (``sonoprint.devices()``).
///
/// Several threads may use one predictor. Pickling keeps the model's name and the device, and
/// loads the model again. A process that was forked after the first predictor was created cannot
/// use any, and raises RuntimeError.
///
/// Raises ModelError and DeviceError.
#[pyclass(frozen, module = "sonoprint")]
pub(crate) struct Predictor {
    predictor: Owned<Arc<inference::Predictor>>,
    options: Options,
    model: ModelName,
    /// The device as it was asked for.
    wanted: DeviceChoice,
    /// The device as it is.
    device: String,
    labels: Labels,
    sample_rate: u32,
    clip_seconds: f64,
    fingerprint: String,
}

#[pymethods]
impl Predictor {
    #[new]
    #[pyo3(signature = (model = None, device = "auto"))]
    fn new(py: Python<'_>, model: Option<&Bound<'_, PyAny>>, device: &str) -> PyResult<Self> {
        check_process()?;
        let model = model.map(search::path_of).transpose()?;
        let model = match model.map(|path| ModelName::from(path.as_path())) {
            None => ModelName::default(),
            // A pickled predictor finds its file from any folder.
            Some(ModelName::File(path)) => ModelName::File(std::path::absolute(path)?),
            Some(builtin) => builtin,
        };
        let Ok(wanted) = device.parse::<DeviceChoice>();
        let compute = devices::quietly(py, || devices::open(&wanted))?
            .map_err(|e| errors::of_device(py, &e))?;
        let made = py.detach(|| {
            let checkpoint = Checkpoint::open(&model, &compute.burn())?;
            let fingerprint = checkpoint.fingerprint.clone();
            let predictor = inference::Predictor::new(&compute, checkpoint)?;
            Ok((predictor, fingerprint))
        });
        let (predictor, fingerprint) =
            made.map_err(|e: InferenceError| errors::of_inference(py, &e))?;
        let header = predictor.header();
        Ok(Self {
            options: Options::for_predictor(&predictor),
            model,
            wanted,
            device: compute.name(),
            labels: Labels {
                classes: header.classes.clone(),
                rule: header.decision_rule(),
            },
            sample_rate: header.front_end.sample_rate,
            clip_seconds: header.front_end.clip_seconds(),
            fingerprint,
            predictor: Owned::new(Arc::new(predictor)),
        })
    }

    /// Names the genre, or the tags, of audio files.
    ///
    /// ``paths`` is a file, a folder, or any number of both. A folder stands for the audio files in
    /// it and its subfolders, in the order of names; ``hidden`` takes hidden ones, too. A file that
    /// is named may be called anything, and has a result as often as it is named.
    ///
    /// Returns an iterator with one result per file. Threads decode and classify ahead of it, and
    /// wait for a slow reader. Results come in the order of the files, or as soon as each is known
    /// with ``ordered=False``, which is faster where some files are hours long.
    ///
    /// A file that fails is a result with the status ``failed``. With ``errors="raise"`` it raises
    /// AudioError in its turn and ends the iterator.
    ///
    /// ``min_confidence`` gives no label to less sure files. ``threshold`` is the probability from
    /// which a tag is given. ``timeline`` keeps the prediction of each clip, and ``overlap`` is the
    /// fraction of a clip that it shares with the next one. ``workers`` is the number of threads
    /// that decode, one per core if None.
    #[pyo3(signature = (paths, *, ordered = true, errors = "result", min_confidence = None,
                        threshold = None, timeline = false, overlap = 0.0, hidden = false,
                        workers = None))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords in Python")]
    fn predict(
        &self,
        py: Python<'_>,
        paths: &Bound<'_, PyAny>,
        ordered: bool,
        errors: &str,
        min_confidence: Option<f32>,
        threshold: Option<f32>,
        timeline: bool,
        overlap: f64,
        hidden: bool,
        workers: Option<usize>,
    ) -> PyResult<Predictions> {
        let raise = is_second(errors, "errors", ["result", "raise"])?;
        for (name, value) in [("min_confidence", min_confidence), ("threshold", threshold)] {
            if !value.is_none_or(|p| (0.0..=1.0).contains(&p)) {
                return Err(PyValueError::new_err(format!("{name} must be from 0 to 1")));
            }
        }
        if !(0.0..=0.95).contains(&overlap) {
            return Err(PyValueError::new_err("overlap must be from 0 to 0.95"));
        }
        let mut rule = self.labels.rule;
        if threshold.is_some() && rule.task != Task::MultiLabel {
            return Err(PyValueError::new_err(
                "threshold is for models that give any number of tags, and this one gives one genre: \
                 min_confidence leaves doubtful files without it",
            ));
        }
        rule.threshold = threshold.or(rule.threshold);
        rule.min_confidence = min_confidence.or(rule.min_confidence);
        let options = Options {
            workers: workers.unwrap_or(self.options.workers).clamp(1, 1024),
            overlap,
            timeline,
            ..self.options
        };
        let order = match ordered {
            true => Order::Inputs,
            false => Order::Finished,
        };
        let search = Search {
            hidden,
            ..Search::default()
        };
        Ok(Predictions {
            left_out: search.left_out.clone(),
            stream: Owned::new(Mutex::new(Some(self.start(
                py,
                search::paths_of(paths)?,
                search,
                options,
                order,
            )?))),
            labels: Labels {
                classes: self.labels.classes.clone(),
                rule,
            },
            raise,
        })
    }

    /// Returns the embeddings of audio files: ``(files, width)``, in the order of the files.
    ///
    /// An embedding is what the network's last layer reads, the mean over a file's clips with sound.
    /// ``paths`` are those of ``predict``. ``sonoprint.find`` names the files of a folder.
    ///
    /// The first file that fails raises AudioError. With ``errors="nan"`` its row is NaN.
    #[pyo3(signature = (paths, *, errors = "raise", hidden = false))]
    fn embeddings<'py>(
        &self,
        py: Python<'py>,
        paths: &Bound<'py, PyAny>,
        errors: &str,
        hidden: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let fill = is_second(errors, "errors", ["raise", "nan"])?;
        let options = Options {
            embeddings: true,
            ..self.options
        };
        let search = Search {
            hidden,
            ..Search::default()
        };
        let paths = search::paths_of(paths)?;
        let stream = Mutex::new(Some(self.start(
            py,
            paths,
            search,
            options,
            Order::Inputs,
        )?));
        // None for a file that failed.
        let mut rows: Vec<Option<Vec<f32>>> = Vec::new();
        while let Some(result) = next_result(py, &stream)? {
            rows.push(match result.outcome {
                Outcome::Ok(prediction) => Some(prediction.embedding),
                Outcome::Failed { .. } if fill => None,
                Outcome::Failed { reason, message } => {
                    py.detach(|| drop(stream));
                    return Err(errors::audio(py, &message, &reason, Some(&result.path)));
                }
            });
        }
        let width = match rows.iter().flatten().next() {
            Some(row) => row.len(),
            None => self.embedding_len(py)?,
        };
        let shape = [rows.len(), width];
        let nan = vec![f32::NAN; width];
        let rows = rows.iter().map(|row| row.as_deref().unwrap_or(&nan));
        let values: Vec<f32> = rows.flatten().copied().collect();
        PyArray1::from_vec(py, values).reshape(shape)
    }

    /// Returns what the network reads: ``(clips, channels, height, width)``.
    ///
    /// ``pcm`` is ``(samples,)`` or ``(channels, samples)``, of float32 or float64 with full scale 1
    /// or of int16. As with files, the channels are averaged, the samples resampled from ``rate`` Hz
    /// to the model's rate, and cut into clips. Unlike with files, silent clips stay.
    ///
    /// Raises AudioError for samples that a file would fail for, and for any NaN.
    fn features<'py>(
        &self,
        py: Python<'py>,
        pcm: &Bound<'py, PyAny>,
        rate: u32,
    ) -> PyResult<Bound<'py, PyArray4<f32>>> {
        let predictor = self.predictor.get()?;
        let samples = pcm::mono(pcm)?;
        let config = &predictor.header().front_end;
        let rule = config.clip_rule(0.0);
        let prepared = py.detach(|| {
            check_length(samples.len() as u64, rate)?;
            Ok(rule.prepare(audio::resample(&samples, rate, config.sample_rate)?))
        });
        let samples = prepared.map_err(|e| errors::of_audio(py, &e, None))?;
        let spans = rule.spans(samples.len());
        let [channels, height, width] = config.output_shape();
        let mut all: Vec<f32> = Vec::with_capacity(spans.len() * channels * height * width);
        for batch in spans.chunks(BATCH) {
            let values = py.detach(|| {
                let clips = batch
                    .iter()
                    .map(|span| audio::extract(&samples, *span, rule.len));
                let clips: Vec<Vec<f32>> = clips.collect();
                let clips: Vec<&[f32]> = clips.iter().map(Vec::as_slice).collect();
                let features = predictor.front_end().features(&clips)?;
                let failed = |e: String| InferenceError::Device(e);
                let data = features
                    .try_into_data()
                    .map_err(|e| failed(e.to_string()))?;
                data.try_to_vec::<f32>().map_err(|e| failed(e.to_string()))
            });
            all.extend(values.map_err(|e| errors::of_inference(py, &e))?);
            py.check_signals()?;
        }
        PyArray1::from_vec(py, all).reshape([spans.len(), channels, height, width])
    }

    /// The name of the built-in model, or the path of the checkpoint.
    #[getter]
    fn model(&self) -> std::ffi::OsString {
        match &self.model {
            ModelName::Builtin(name) => (*name).into(),
            ModelName::File(path) => path.clone().into(),
        }
    }

    /// The name of the device.
    #[getter]
    fn device(&self) -> &str {
        &self.device
    }

    /// The names of the genres or tags.
    #[getter]
    fn classes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, pyo3::types::PyTuple>> {
        pyo3::types::PyTuple::new(py, &self.labels.classes)
    }

    /// What the outputs mean: "single-label" or "multi-label".
    #[getter]
    fn task(&self) -> &'static str {
        match self.labels.rule.task {
            Task::SingleLabel => "single-label",
            Task::MultiLabel => "multi-label",
        }
    }

    /// The sample rate in Hz that files are resampled to.
    #[getter]
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// The length of a clip.
    #[getter]
    fn clip_seconds(&self) -> f64 {
        self.clip_seconds
    }

    /// First twelve hexadecimal digits of the SHA-256 of the checkpoint.
    #[getter]
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn __repr__(&self) -> String {
        format!("<sonoprint.Predictor {} on {}>", self.model, self.device)
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> (Bound<'py, PyAny>, (std::ffi::OsString, String)) {
        let class = py.get_type::<Self>().into_any();
        (class, (self.model(), self.wanted.to_string()))
    }
}

impl Predictor {
    fn start(
        &self,
        py: Python<'_>,
        paths: Vec<PathBuf>,
        search: Search,
        options: Options,
        order: Order,
    ) -> PyResult<ResultStream> {
        let predictor = self.predictor.get()?.clone();
        let shown = paths.iter().take(4).map(|path| path.display().to_string());
        let shown: Vec<String> = shown.collect();
        let mut inputs = search::walk(paths, search).peekable();
        // Paths that hold nothing are a mistake, and an empty list is none.
        if !shown.is_empty() && py.detach(|| inputs.peek().is_none()) {
            let error = DiscoverError::NoAudio(shown.join(", "));
            return Err(PyValueError::new_err(error.to_string()));
        }
        Ok(ResultStream::start(predictor, inputs, options, order))
    }

    /// Returns the length of an embedding.
    fn embedding_len(&self, py: Python<'_>) -> PyResult<usize> {
        let predictor = self.predictor.get()?;
        let rows = py.detach(|| {
            let silence = vec![0.0; predictor.header().front_end.clip_samples];
            predictor.wait(predictor.submit(&[&silence], true)?)
        });
        let rows = rows.map_err(|e| errors::of_inference(py, &e))?.embeddings;
        Ok(rows.and_then(|rows| Some(rows.first()?.len())).unwrap_or(1))
    }
}

/// Returns whether `value` is the second of the two that there are.
fn is_second(value: &str, name: &str, known: [&str; 2]) -> PyResult<bool> {
    match known.iter().position(|k| *k == value) {
        Some(place) => Ok(place == 1),
        None => Err(PyValueError::new_err(format!(
            "{name} must be '{}' or '{}', and not '{value}'",
            known[0], known[1]
        ))),
    }
}
