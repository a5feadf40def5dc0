//! realfft and rayon on all cores: the front end's CPU twin.

use std::time::{Duration, Instant};

use super::Baseline;
use crate::bench::catalog::Shape;
use crate::bench::check::values;
use crate::bench::measure::BenchError;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;

pub(super) struct Host {
    engine: FrontEnd,
    clips: Vec<Vec<f32>>,
    first: Vec<f32>,
}

impl Host {
    pub(super) fn new(shape: &Shape, clips: &[Vec<f32>]) -> Result<Self, BenchError> {
        Ok(Self {
            engine: FrontEnd::new(&Compute::Cpu, &shape.front_end)?,
            clips: clips.to_vec(),
            first: Vec::new(),
        })
    }
}

impl Baseline for Host {
    fn name(&self) -> &'static str {
        "realfft, all cores"
    }

    fn decibels(&mut self) -> Result<Duration, BenchError> {
        let clips: Vec<&[f32]> = self.clips.iter().map(Vec::as_slice).collect();
        let start = Instant::now();
        let mut all = self.engine.spectrograms(&clips, &[])?;
        let time = start.elapsed();
        self.first = std::mem::take(&mut all[0].values);
        Ok(time)
    }

    fn first(&mut self) -> Result<Vec<f32>, BenchError> {
        Ok(self.first.clone())
    }

    fn features(&mut self) -> Option<Result<Duration, BenchError>> {
        let clips: Vec<&[f32]> = self.clips.iter().map(Vec::as_slice).collect();
        let start = Instant::now();
        let made = self.engine.features(&clips);
        Some(made.map(|_| start.elapsed()).map_err(Into::into))
    }

    fn first_picture(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        let made = self.engine.features(&[&self.clips[0]]);
        Some(made.map_err(Into::into).and_then(values))
    }
}
