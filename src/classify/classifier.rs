//! PCM to probabilities: a checkpoint's front end and network on one device.

use burn::tensor::activation::softmax;

use crate::frontend::{Engine, FrontEndError};
use crate::gpu::Compute;
use crate::model::{Checkpoint, Header};

/// A checkpoint ready to answer.
pub struct Classifier {
    checkpoint: Checkpoint,
    engine: Engine,
}

/// Why no answer could be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClassifyError {
    /// The front end cannot run or its device failed.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The network's device failed.
    #[error("the device failed: {0}. Try a smaller --batch or --device cpu")]
    Device(String),
}

impl Classifier {
    /// Plans the checkpoint's front end on `compute`, where its network already is.
    ///
    /// # Errors
    /// [`FrontEndError`] if the settings are too much for the device.
    pub fn new(compute: &Compute, checkpoint: Checkpoint) -> Result<Self, ClassifyError> {
        let engine = Engine::new(compute, &checkpoint.header.front_end)?;
        Ok(Self { checkpoint, engine })
    }

    /// Settings and class names.
    pub fn header(&self) -> &Header {
        &self.checkpoint.header
    }

    /// Logits `[clip][class]` of `clips`, each of `clip_samples`: one upload and one read-back.
    ///
    /// # Errors
    /// If the device fails.
    pub fn logits(&self, clips: &[&[f32]]) -> Result<Vec<Vec<f32>>, ClassifyError> {
        self.read(clips, |logits| logits)
    }

    /// Probabilities `[clip][class]` of `clips`: softmax of the logits.
    ///
    /// # Errors
    /// If the device fails.
    pub fn probabilities(&self, clips: &[&[f32]]) -> Result<Vec<Vec<f32>>, ClassifyError> {
        self.read(clips, |logits| softmax(logits, 1))
    }

    fn read(
        &self,
        clips: &[&[f32]],
        last: impl FnOnce(burn::tensor::Tensor<2>) -> burn::tensor::Tensor<2>,
    ) -> Result<Vec<Vec<f32>>, ClassifyError> {
        if clips.is_empty() {
            return Ok(Vec::new());
        }
        let pictures = self.engine.pictures(clips)?;
        let failed = |e: String| ClassifyError::Device(e);
        let flat: Vec<f32> = last(self.checkpoint.network.forward(pictures))
            .try_into_data()
            .map_err(|e| failed(e.to_string()))?
            .try_to_vec()
            .map_err(|e| failed(e.to_string()))?;
        let classes = self.header().classes.len();
        Ok(flat.chunks(classes).map(<[f32]>::to_vec).collect())
    }
}
