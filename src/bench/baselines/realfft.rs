//! The crates realfft and rayon on all cores: the front end's CPU implementation.

use std::time::{Duration, Instant};

use super::baseline::Baseline;
use crate::bench::catalog::Shape;
use crate::bench::error::BenchError;
use crate::bench::reference::to_vec;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;

/// The front end on the `cpu` device.
pub(super) struct RealFftStft {
    front_end: FrontEnd,
    clips: Vec<Vec<f32>>,
    /// Decibels of the first clip, `[frame][bin]`, from the last run.
    first: Vec<f32>,
}

impl RealFftStft {
    pub(super) fn new(shape: &Shape, clips: &[Vec<f32>]) -> Result<Self, BenchError> {
        Ok(Self {
            front_end: FrontEnd::new(&Compute::Cpu, &shape.front_end)?,
            clips: clips.to_vec(),
            first: Vec::new(),
        })
    }

    fn clips(&self) -> Vec<&[f32]> {
        self.clips.iter().map(Vec::as_slice).collect()
    }
}

impl Baseline for RealFftStft {
    fn name(&self) -> &'static str {
        "realfft, all cores"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        let clips = self.clips();
        let start = Instant::now();
        let mut all = self.front_end.spectrograms(&clips, &[])?;
        let time = start.elapsed();
        self.first = std::mem::take(&mut all[0].values);
        Ok(time)
    }

    fn first_decibels(&mut self) -> Result<Vec<f32>, BenchError> {
        Ok(self.first.clone())
    }

    fn features(&mut self) -> Option<Result<Duration, BenchError>> {
        let clips = self.clips();
        let start = Instant::now();
        let features = self.front_end.features(&clips);
        let time = start.elapsed();
        Some(features.map(|_| time).map_err(Into::into))
    }

    fn first_features(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        let features = self.front_end.features(&[&self.clips[0]]);
        Some(features.map_err(Into::into).and_then(to_vec))
    }
}
