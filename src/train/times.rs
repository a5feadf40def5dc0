//! Where the time of the training steps went.

use std::fmt;
use std::time::{Duration, Instant};

use burn::tensor::Device;

use super::TrainError;

/// Time of each part of the measured steps, by the host's clock.
///
/// On the `cpu` device, every step is measured. On a GPU, the host only submits the work and cannot
/// see where the time goes, so every 16th step is measured, with a wait for the device after each
/// part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepTimes {
    /// Number of measured steps.
    pub steps: usize,
    /// Waiting for the samples of the batch. Zero if they are decoded faster than they are used.
    pub decode: Duration,
    /// Upload of samples to the GPU. Samples that are resident there take none.
    pub upload: Duration,
    /// Samples to features.
    pub front_end: Duration,
    /// Features to loss.
    pub forward: Duration,
    /// Loss to gradients.
    pub backward: Duration,
    /// Gradients to weights.
    pub optimizer: Duration,
}

impl fmt::Display for StepTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("decode", self.decode),
            ("upload", self.upload),
            ("front end", self.front_end),
            ("forward", self.forward),
            ("backward", self.backward),
            ("optimizer", self.optimizer),
        ];
        let all: f64 = parts.iter().map(|p| p.1.as_secs_f64()).sum();
        let step = 1e3 * all / self.steps.max(1) as f64;
        write!(f, "a step takes {step:.0} ms")?;
        for (i, (name, time)) in parts.iter().enumerate() {
            let share = 100.0 * time.as_secs_f64() / all.max(1e-9);
            write!(f, "{} {name} {share:.0} %", if i == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

/// Measures the parts of a step one after the other.
pub(super) struct Stopwatch {
    /// The GPU to wait for at the end of each part.
    device: Option<Device>,
    lap: Instant,
}

impl Stopwatch {
    /// Starts to measure, when `device` has done what was submitted before.
    pub(super) fn start(device: Option<Device>) -> Result<Self, TrainError> {
        let mut stopwatch = Self {
            device,
            lap: Instant::now(),
        };
        stopwatch.lap()?;
        Ok(stopwatch)
    }

    /// Returns the time since the last call.
    pub(super) fn lap(&mut self) -> Result<Duration, TrainError> {
        if let Some(device) = &self.device {
            let failed = |e| TrainError::Device(format!("{e:?}"));
            device.sync().map_err(failed)?;
        }
        let last = std::mem::replace(&mut self.lap, Instant::now());
        Ok(self.lap - last)
    }
}
