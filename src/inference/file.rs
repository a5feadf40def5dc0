//! From an audio file to its prediction.

use std::path::Path;

use super::{FileAverage, InferenceError, Predictor};
use crate::audio::Clips;

/// Clips per batch: enough to keep a device busy, and no more than 64 MiB of 720x720x4 features.
const BATCH: usize = 8;

/// What a [`Predictor`] says of one file.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FilePrediction {
    /// The most probable class.
    pub label: String,
    /// Probability of that class.
    pub confidence: f32,
    /// Every class that is predicted: `label` alone for a single-label checkpoint; for a
    /// multi-label one, all classes of at least the checkpoint's threshold, in the checkpoint's order.
    pub labels: Vec<String>,
    /// Every class with its probability, the mean over the clips with sound, in the checkpoint's
    /// order.
    pub probabilities: Vec<(String, f32)>,
    /// Length of the file, seconds.
    pub seconds: f64,
    /// Clips that were predicted.
    pub clips: usize,
    /// Clips that were left out, because they are silent.
    pub silent: usize,
    /// Whether the file is shorter than a clip and was filled up, with silence or by
    /// repetition.
    pub padded: bool,
    /// What is wrong with the file although it could be read, if anything.
    pub damaged: Option<String>,
}

impl FilePrediction {
    /// Returns the most probable class if its probability is at least `min_confidence`; `None` if
    /// the prediction is less sure than that.
    pub fn sure_label(&self, min_confidence: f32) -> Option<&str> {
        (self.confidence >= min_confidence).then_some(self.label.as_str())
    }
}

/// A file that was read to its end.
struct FileRead {
    average: FileAverage,
    seconds: f64,
    damaged: Option<String>,
}

impl Predictor {
    /// Classifies an audio file: decodes it, cuts it into clips, and returns the mean prediction of
    /// the clips with sound.
    ///
    /// ```
    /// use sonoprint::gpu::Compute;
    /// use sonoprint::inference::Predictor;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let path = std::path::Path::new(concat!(
    /// #     env!("CARGO_MANIFEST_DIR"),
    /// #     "/data/clips/classical/classical.00024.flac"
    /// # ));
    /// let predictor = Predictor::builtin(&Compute::Cpu)?;
    /// let file = predictor.predict_file(path)?;
    /// println!("{}: {:.2}", file.label, file.confidence);
    /// assert_eq!(file.probabilities.len(), 10);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InferenceError::Audio`] if the file cannot be read, [`InferenceError::Silent`] if there is
    /// no sound in it, [`InferenceError::NotFinite`] if the outputs are not finite, and
    /// [`InferenceError::FrontEnd`] or [`InferenceError::Device`] if the device fails.
    pub fn predict_file(&self, path: impl AsRef<Path>) -> Result<FilePrediction, InferenceError> {
        let path = path.as_ref();
        let file = self.read(path, false)?;
        let mean = file.average.probabilities();
        let mean = finite(
            path,
            mean.ok_or_else(|| InferenceError::Silent(path.to_owned()))?,
        )?;
        let header = self.header();
        let named = header.classes.iter().cloned().zip(mean.iter().copied());
        let best = crate::model::most_probable(&mean).unwrap_or_default();
        let threshold = header.decision_rule().threshold;
        let predicted = header.task.predicted_classes(&mean, threshold);
        Ok(FilePrediction {
            label: header.classes[best].clone(),
            confidence: mean[best],
            labels: (predicted.into_iter())
                .map(|class| header.classes[class].clone())
                .collect(),
            probabilities: named.collect(),
            seconds: file.seconds,
            clips: file.average.clips,
            silent: file.average.silent,
            padded: file.average.padded,
            damaged: file.damaged,
        })
    }

    /// Returns the embedding of an audio file: what the network's last dense layer reads, the mean
    /// over the clips with sound.
    ///
    /// # Errors
    /// As [`Predictor::predict_file`].
    pub fn embed_file(&self, path: impl AsRef<Path>) -> Result<Vec<f32>, InferenceError> {
        let path = path.as_ref();
        let average = self.read(path, true)?.average;
        match average.clips {
            0 => Err(InferenceError::Silent(path.to_owned())),
            _ => finite(path, average.embedding()),
        }
    }

    fn read(&self, path: &Path, embeddings: bool) -> Result<FileRead, InferenceError> {
        let config = &self.header().front_end;
        let rate = config.sample_rate;
        let mut clips = Clips::open(path, rate, config.clip_rule(0.0))?;
        let mut average = FileAverage::default();
        let full = self.batch_limit().automatic(BATCH);
        let mut batch = Vec::new();
        while let Some(clip) = clips.next_clip()? {
            average.padded |= clip.padded;
            if clip.is_silent() {
                average.silent += 1;
                continue;
            }
            batch.push(clip.samples);
            if batch.len() == full {
                self.add(&mut average, &batch, embeddings)?;
                batch.clear();
            }
        }
        if clips.is_silent() {
            return Err(InferenceError::Silent(path.to_owned()));
        }
        if !batch.is_empty() {
            self.add(&mut average, &batch, embeddings)?;
        }
        Ok(FileRead {
            average,
            seconds: clips.samples() as f64 / f64::from(rate),
            damaged: clips.damaged(),
        })
    }

    /// Predicts `batch` and adds it to `average`.
    fn add(
        &self,
        average: &mut FileAverage,
        batch: &[Vec<f32>],
        embeddings: bool,
    ) -> Result<(), InferenceError> {
        let clips: Vec<&[f32]> = batch.iter().map(Vec::as_slice).collect();
        let predicted = self.wait(self.submit(&clips, embeddings)?)?;
        for (clip, probabilities) in predicted.probabilities.iter().enumerate() {
            let embedding = predicted.embeddings.as_ref().map(|e| e[clip].as_slice());
            average.add(probabilities, embedding);
        }
        Ok(())
    }
}

/// Returns `values`, unless one of them is infinite or not a number.
fn finite(path: &Path, values: Vec<f32>) -> Result<Vec<f32>, InferenceError> {
    match values.iter().all(|v| v.is_finite()) {
        true => Ok(values),
        false => Err(InferenceError::NotFinite(path.to_owned())),
    }
}
