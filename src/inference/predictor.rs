//! A checkpoint ready to predict, one batch of clips at a time.

use std::path::Path;
use std::time::{Duration, Instant};

use burn::tensor::Tensor;

use super::forward::read_rows;
use super::{BatchLimit, InferenceError};
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::{Checkpoint, Header, ModelName, Pass};

/// A checkpoint's front end and network on one device.
///
/// ```
/// use sonoprint::gpu::Compute;
/// use sonoprint::inference::Predictor;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let predictor = Predictor::builtin(&Compute::Cpu)?;
/// let config = &predictor.header().front_end;
/// let hum: Vec<f32> = (0..config.clip_samples).map(|i| (i as f32 * 0.05).sin()).collect();
/// let probabilities = predictor.predict(&[&hum])?;
/// let sum: f32 = probabilities[0].iter().sum();
/// assert!((sum - 1.0).abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
pub struct Predictor {
    checkpoint: Checkpoint,
    front_end: FrontEnd,
    compute: Compute,
    half: bool,
}

/// A batch that the device works on, with the time that it took to submit.
pub struct PendingBatch {
    probabilities: Tensor<2>,
    features: Option<Tensor<2>>,
    /// Copying samples to the GPU.
    pub upload: Duration,
    /// From samples to features. On a GPU, the time to submit that work.
    pub front_end: Duration,
    /// From features to probabilities. On a GPU, the time to submit that work.
    pub network: Duration,
}

/// Predictions of a batch, one row per clip.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchPredictions {
    /// Probabilities, `[clip][class]`.
    pub probabilities: Vec<Vec<f32>>,
    /// Embeddings, `[clip][feature]`, if they were wanted.
    pub embeddings: Option<Vec<Vec<f32>>>,
}

impl Predictor {
    /// Loads the default model, which is built in, on `compute`.
    ///
    /// # Errors
    /// [`InferenceError::FrontEnd`] if the front end does not fit the device.
    pub fn builtin(compute: &Compute) -> Result<Self, InferenceError> {
        Self::open(ModelName::default(), compute)
    }

    /// Loads the model that `model` names, a built-in one or a checkpoint file, on `compute`.
    ///
    /// # Errors
    /// [`InferenceError::Checkpoint`] if there is no such model, or the file is no usable
    /// checkpoint; as [`Predictor::builtin`].
    pub fn open(model: impl Into<ModelName>, compute: &Compute) -> Result<Self, InferenceError> {
        Self::new(compute, Checkpoint::open(model, &compute.burn())?)
    }

    /// Loads the checkpoint `path` on `compute`.
    ///
    /// # Errors
    /// [`InferenceError::Checkpoint`] if the file is no usable checkpoint; as
    /// [`Predictor::builtin`].
    pub fn load(path: impl AsRef<Path>, compute: &Compute) -> Result<Self, InferenceError> {
        Self::new(compute, Checkpoint::load(path.as_ref(), &compute.burn())?)
    }

    /// Plans the front end of `checkpoint`, whose network is on `compute` already.
    ///
    /// # Errors
    /// [`InferenceError::FrontEnd`] if the front end does not fit the device.
    pub fn new(compute: &Compute, checkpoint: Checkpoint) -> Result<Self, InferenceError> {
        let front_end = FrontEnd::new(compute, &checkpoint.header.front_end)?;
        Ok(Self {
            checkpoint,
            front_end,
            compute: compute.clone(),
            half: false,
        })
    }

    /// Returns the same predictor with f16 features, weights and activations. Probabilities are
    /// computed in f32.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`](crate::frontend::FrontEndError::NoHalf) on the CPU and on adapters
    /// without f16.
    pub fn into_half(mut self) -> Result<Self, InferenceError> {
        self.front_end = self.front_end.into_half()?;
        self.checkpoint.network = self.checkpoint.network.into_half();
        self.half = true;
        Ok(self)
    }

    /// Returns the checkpoint's settings, task and class names.
    pub fn header(&self) -> &Header {
        &self.checkpoint.header
    }

    /// Returns what limits the number of clips in a batch.
    pub fn batch_limit(&self) -> BatchLimit {
        let network = &self.header().network;
        BatchLimit::new(&self.compute, network, Pass::Inference, self.half)
    }

    /// Returns the front end, which makes the features that the network reads.
    pub fn front_end(&self) -> &FrontEnd {
        &self.front_end
    }

    /// Returns the device.
    pub fn compute(&self) -> &Compute {
        &self.compute
    }

    /// Returns the probabilities `[clip][class]` of `clips`, each of the front end's
    /// `clip_samples`: one upload, one read-back.
    ///
    /// # Errors
    /// As [`Predictor::submit`], but no clips give no rows.
    pub fn predict(&self, clips: &[&[f32]]) -> Result<Vec<Vec<f32>>, InferenceError> {
        if clips.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.wait(self.submit(clips, false)?)?.probabilities)
    }

    /// Submits `clips`, each of the front end's `clip_samples`, to the device. A GPU computes while
    /// the host goes on. With `embeddings`, keeps what the network's last dense layer reads, too.
    ///
    /// # Errors
    /// [`InferenceError::EmptyBatch`], [`InferenceError::ClipLength`] or
    /// [`InferenceError::BatchTooLarge`] for a wrong batch, and [`InferenceError::FrontEnd`] if the
    /// device fails.
    pub fn submit(
        &self,
        clips: &[&[f32]],
        embeddings: bool,
    ) -> Result<PendingBatch, InferenceError> {
        let expected = self.header().front_end.clip_samples;
        let wrong = clips.iter().map(|c| c.len()).find(|&len| len != expected);
        if let Some(found) = wrong {
            return Err(InferenceError::ClipLength { found, expected });
        }
        if clips.is_empty() {
            return Err(InferenceError::EmptyBatch);
        }
        self.batch_limit().check(clips.len())?;
        let (start, uploaded) = (Instant::now(), self.front_end.upload_time());
        let span = tracing::info_span!("front end").entered();
        let input = self.front_end.features(clips)?;
        drop(span);
        let (made, upload) = (Instant::now(), self.front_end.upload_time() - uploaded);
        let _span = tracing::info_span!("forward").entered();
        let network = &self.checkpoint.network;
        let features = network.features(input);
        let logits = network.head(features.clone());
        Ok(PendingBatch {
            probabilities: self.header().calibrated_task().probabilities(logits),
            features: embeddings.then(|| network.embedding(features)),
            upload,
            front_end: (made - start).saturating_sub(upload),
            network: made.elapsed(),
        })
    }

    /// Waits for a batch and returns its predictions.
    ///
    /// # Errors
    /// [`InferenceError::Device`] if the device fails.
    pub fn wait(&self, batch: PendingBatch) -> Result<BatchPredictions, InferenceError> {
        let _span = tracing::info_span!("read-back").entered();
        Ok(BatchPredictions {
            probabilities: read_rows(batch.probabilities)?,
            embeddings: batch.features.map(read_rows).transpose()?,
        })
    }
}
