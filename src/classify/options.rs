//! How files are classified, and the counts of a run.

use std::thread::available_parallelism;
use std::time::Duration;

use crate::audio::Excerpts;
use crate::gpu::{Compute, adapter};
use crate::inference::Predictor;

/// How files are classified.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Number of decoder threads.
    pub workers: usize,
    /// Clips per batch.
    pub batch: usize,
    /// Clips in the first batch. Each batch has twice as many clips as the one before it, up to
    /// `batch`, and is waited for, so that the first results come soon.
    pub first_batch: usize,
    /// Fraction of a clip that it shares with the next one, from 0 to 0.95.
    pub overlap: f64,
    /// Which parts of long tracks are read; `None`: all of each track.
    pub excerpts: Option<Excerpts>,
    /// Whether predictions list every clip.
    pub timeline: bool,
    /// Whether predictions hold embeddings.
    pub embeddings: bool,
}

impl Options {
    /// Returns the options that suit the device of `predictor`: one decoder per core, a batch that
    /// fills the device and fits it and is small enough for the first answers to come soon, and
    /// nothing but one prediction per file.
    ///
    /// Where the network runs on the cores too, the queue holds the decoders back.
    pub fn for_predictor(predictor: &Predictor) -> Self {
        let full = match predictor.compute() {
            Compute::Cpu => 16,
            Compute::Gpu(gpu) if adapter::is_hardware(&gpu.info) => 32,
            Compute::Gpu(_) => 4,
        };
        let batch = predictor.batch_limit().automatic(full);
        Self {
            workers: available_parallelism().map_or(2, usize::from),
            batch,
            first_batch: Self::first_batch(predictor, batch),
            overlap: 0.0,
            excerpts: None,
            timeline: false,
            embeddings: false,
        }
    }

    /// Returns the clips of the first batch. A GPU takes as long for one as for a few, and compiles
    /// kernels for each new shape.
    pub fn first_batch(predictor: &Predictor, batch: usize) -> usize {
        match predictor.compute() {
            Compute::Cpu => 1,
            Compute::Gpu(_) => batch,
        }
    }
}

/// The counts of a run, and where its time went.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Files that were classified.
    pub ok: usize,
    /// Files that failed.
    pub failed: usize,
    /// Clips that were classified.
    pub clips: usize,
    /// Seconds of audio in the classified files.
    pub audio_seconds: f64,
    /// Wall-clock time of the run.
    pub elapsed: Duration,
    /// Decoding: the sum over the decoder threads.
    pub decoding: Duration,
    /// Resampling: the sum over the decoder threads.
    pub resampling: Duration,
    /// Decoder threads that waited for room in the queue: the sum over the threads.
    pub decoders_waited: Duration,
    /// The device's thread that waited for clips.
    pub waited: Duration,
    /// Upload of samples to a GPU.
    pub upload: Duration,
    /// Samples to features. On a GPU, the time to submit the work.
    pub front_end: Duration,
    /// Features to probabilities, and reading them back.
    pub network: Duration,
    /// The callback that takes the results.
    pub writing: Duration,
}
