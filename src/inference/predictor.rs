//! PCM to probabilities: a checkpoint's front end and network on one device.

use std::time::{Duration, Instant};

use burn::tensor::activation::softmax;
use burn::tensor::{FloatDType, Tensor};

use crate::frontend::{FrontEnd, FrontEndError};
use crate::gpu::Compute;
use crate::model::{Checkpoint, Header};

/// A checkpoint ready to answer.
pub struct Predictor {
    checkpoint: Checkpoint,
    engine: FrontEnd,
}

/// A batch that the device has, with the time it took to hand over.
pub struct PendingBatch {
    probabilities: Tensor<2>,
    features: Option<Tensor<2>>,
    /// Samples to the GPU.
    pub upload: Duration,
    /// Samples to pictures.
    pub front_end: Duration,
    /// Pictures to probabilities.
    pub network: Duration,
}

/// Why no answer could be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The front end cannot run or its device failed.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The network's device failed.
    #[error("the device failed: {0}. Try a smaller --batch or --device cpu")]
    Device(String),
}

impl Predictor {
    /// Plans the checkpoint's front end on `compute`, where its network already is.
    ///
    /// # Errors
    /// [`FrontEndError`] if the settings are too much for the device.
    pub fn new(compute: &Compute, checkpoint: Checkpoint) -> Result<Self, InferenceError> {
        let engine = FrontEnd::new(compute, &checkpoint.header.front_end)?;
        Ok(Self { checkpoint, engine })
    }

    /// The same classifier with pictures, weights and activations of f16; probabilities are made in f32.
    ///
    /// # Errors
    /// [`FrontEndError::NoHalf`] on the CPU and on adapters without f16.
    pub fn into_half(mut self) -> Result<Self, InferenceError> {
        self.engine = self.engine.into_half()?;
        self.checkpoint.network = self.checkpoint.network.into_half();
        Ok(self)
    }

    /// Settings and class names.
    pub fn header(&self) -> &Header {
        &self.checkpoint.header
    }

    /// Logits `[clip][class]` of `clips`, each of `clip_samples`: one upload and one read-back.
    ///
    /// # Errors
    /// If the device fails.
    pub fn logits(&self, clips: &[&[f32]]) -> Result<Vec<Vec<f32>>, InferenceError> {
        if clips.is_empty() {
            return Ok(Vec::new());
        }
        let pictures = self.engine.features(clips)?;
        self.rows(self.checkpoint.network.forward(pictures))
    }

    /// Hands `clips`, each of `clip_samples`, to the device. A GPU works on them while the host goes on.
    /// `embeddings`: what the network's dense layer reads is wanted too.
    ///
    /// # Errors
    /// If the device fails.
    pub fn submit(
        &self,
        clips: &[&[f32]],
        embeddings: bool,
    ) -> Result<PendingBatch, InferenceError> {
        let (start, uploaded) = (Instant::now(), self.engine.upload_time());
        let span = tracing::info_span!("front end").entered();
        let pictures = self.engine.features(clips)?;
        drop(span);
        let (pictured, upload) = (Instant::now(), self.engine.upload_time() - uploaded);
        let _span = tracing::info_span!("forward").entered();
        let network = &self.checkpoint.network;
        let features = network.features(pictures);
        let probabilities = softmax(network.head(features.clone()).cast(FloatDType::F32), 1);
        Ok(PendingBatch {
            probabilities,
            features: embeddings.then_some(features),
            upload,
            front_end: (pictured - start).saturating_sub(upload),
            network: pictured.elapsed(),
        })
    }

    /// Waits for the probabilities `[clip][class]` of what [`Predictor::submit`] handed over, and the embeddings
    /// `[clip][feature]` if they were asked for.
    ///
    /// # Errors
    /// If the device fails.
    #[allow(clippy::type_complexity, reason = "two tables")]
    pub fn wait(
        &self,
        asked: PendingBatch,
    ) -> Result<(Vec<Vec<f32>>, Option<Vec<Vec<f32>>>), InferenceError> {
        let _span = tracing::info_span!("read-back").entered();
        let probabilities = self.rows(asked.probabilities)?;
        let embeddings = asked.features.map(|f| self.rows(f)).transpose()?;
        Ok((probabilities, embeddings))
    }

    /// The rows of a table on the device.
    fn rows(&self, answers: Tensor<2>) -> Result<Vec<Vec<f32>>, InferenceError> {
        let [_, width] = answers.dims();
        let failed = |e: String| InferenceError::Device(e);
        let flat: Vec<f32> = answers
            .cast(FloatDType::F32)
            .try_into_data()
            .map_err(|e| failed(e.to_string()))?
            .try_to_vec()
            .map_err(|e| failed(e.to_string()))?;
        Ok(flat.chunks(width).map(<[f32]>::to_vec).collect())
    }
}
