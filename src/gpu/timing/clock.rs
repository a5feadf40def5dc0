//! Times benchmarks: with timestamps if the device has them, else with the host's clock around a
//! wait.

use std::time::{Duration, Instant};

use wgpu::{CommandEncoder, ComputePassDescriptor};

use super::timestamps::Timestamps;
use crate::gpu::{Gpu, GpuError};

/// Times a fixed number of passes, again and again.
pub struct Clock {
    gpu: Gpu,
    passes: u32,
    timestamps: Option<Timestamps>,
}

/// The times of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// The duration of each pass by the GPU's own clock. Empty if the device has none, or if its
    /// clock ran backwards or stood still.
    pub passes: Vec<Duration>,
    /// The time from the submission to the end of the wait, by the host's clock.
    pub wall: Duration,
}

impl Clock {
    /// Makes a clock for `passes` passes.
    pub fn new(gpu: &Gpu, passes: u32) -> Self {
        Self {
            gpu: gpu.clone(),
            passes,
            timestamps: Timestamps::new(&gpu.device, &gpu.queue, passes),
        }
    }

    /// Returns whether the GPU's own clock is read.
    pub fn has_timestamps(&self) -> bool {
        self.timestamps.is_some()
    }

    /// Begins pass number `pass`, timed.
    pub fn pass<'a>(&self, pass: u32, encoder: &'a mut CommandEncoder) -> wgpu::ComputePass<'a> {
        encoder.begin_compute_pass(&ComputePassDescriptor {
            label: None,
            timestamp_writes: self.timestamps.as_ref().map(|t| t.writes(pass)),
        })
    }

    /// Submits the commands that `encode` records, and waits for them. `encode` begins each of the
    /// passes with [`Clock::pass`].
    ///
    /// # Errors
    /// [`GpuError::Failed`] if the device was lost.
    pub fn time(&self, encode: impl FnOnce(&mut CommandEncoder)) -> Result<Times, GpuError> {
        let mut encoder = self.gpu.device.create_command_encoder(&Default::default());
        encode(&mut encoder);
        let commands = encoder.finish();
        // Earlier work must not count.
        self.gpu.wait()?;
        let start = Instant::now();
        self.gpu.queue.submit([commands]);
        self.gpu.wait()?;
        let wall = start.elapsed();
        let passes = match &self.timestamps {
            Some(timestamps) => self.durations(timestamps)?,
            None => Vec::new(),
        };
        Ok(Times { passes, wall })
    }

    fn durations(&self, timestamps: &Timestamps) -> Result<Vec<Duration>, GpuError> {
        let stamps = timestamps.read(self.passes)?;
        let duration = |[begin, end]: [u64; 2]| {
            let ticks = end.checked_sub(begin).filter(|&ticks| ticks > 0)?;
            Some(timestamps.duration(ticks))
        };
        let all: Option<Vec<Duration>> = stamps.into_iter().map(duration).collect();
        Ok(all.unwrap_or_default())
    }
}
