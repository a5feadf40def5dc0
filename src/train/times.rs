//! Where the time of the training steps went.

use std::fmt;
use std::time::Duration;

/// Seconds of each part of the steps that were measured, by the host's clock.
///
/// On the `cpu` device that is every step. A GPU is only handed its work in most steps, and the host would see nothing of
/// where the time goes: there every 16th step is measured, with a wait for the device after each part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StepTimes {
    /// Steps that were measured.
    pub steps: usize,
    /// Waiting for the samples of the batch: zero when they are made ready faster than they are used.
    pub decode: Duration,
    /// Handing samples to the GPU; those that lie there already take none.
    pub upload: Duration,
    /// Samples to pictures.
    pub front_end: Duration,
    /// Pictures to loss.
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
