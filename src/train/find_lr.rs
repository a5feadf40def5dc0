//! The learning-rate range test (Smith 2017, arXiv:1506.01186): rates that rise from step to step, and the loss that each
//! gives.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::learner::{Learner, Step};
use super::{TrainError, TrainSettings, batches};
use crate::dataset::pcm::PcmSet;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;

/// Rates that are tried: from, to, and how many, evenly on a logarithmic scale.
const RATES: (f64, f64, usize) = (1e-6, 1.0, 120);
/// Weight of the losses so far in the smoothed one, as fastai has it.
const SMOOTHING: f64 = 0.95;
/// The sweep ends when the smoothed loss is this many times the smallest: what follows only gets worse.
const HOPELESS: f64 = 3.0;

/// One rate and what it gave.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// Learning rate.
    pub lr: f64,
    /// Mean loss of the step's clips before the weights moved, nats.
    pub loss: f64,
    /// The losses up to here, the old ones fading out, corrected for their start.
    pub smoothed: f64,
}

/// All rates that were tried, rising.
#[derive(Clone, Debug, PartialEq)]
pub struct LrSweep(pub Vec<Tried>);

impl LrSweep {
    fn push(&mut self, lr: f64, loss: f64) {
        let n = self.0.len() as i32;
        let before = self.0.last().map_or(0.0, |t| t.smoothed) * (1.0 - SMOOTHING.powi(n));
        let smoothed =
            (before * SMOOTHING + loss * (1.0 - SMOOTHING)) / (1.0 - SMOOTHING.powi(n + 1));
        self.0.push(Tried { lr, loss, smoothed });
    }

    /// The rate at which the smoothed loss was smallest.
    pub fn lowest(&self) -> Option<Tried> {
        let smaller = |a: &&Tried, b: &&Tried| a.smoothed.total_cmp(&b.smoothed);
        self.0.iter().min_by(smaller).copied()
    }

    /// A tenth of the rate at which the loss was smallest: there it still falls fast. `None` if the loss never fell.
    pub fn suggestion(&self) -> Option<f64> {
        let (first, lowest) = (self.0.first()?, self.lowest()?);
        (lowest.smoothed < first.smoothed).then_some(lowest.lr / 10.0)
    }

    fn hopeless(&self) -> bool {
        let (Some(last), Some(lowest)) = (self.0.last(), self.lowest()) else {
            return false;
        };
        last.smoothed > HOPELESS * lowest.smoothed
    }

    /// Writes the rates and losses as CSV.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn write_csv(&self, path: &Path) -> Result<(), TrainError> {
        let failed = |source| TrainError::Write {
            path: path.to_owned(),
            source,
        };
        let mut writer = csv::Writer::from_path(path).map_err(|e| failed(e.into()))?;
        for tried in &self.0 {
            writer.serialize(tried).map_err(|e| failed(e.into()))?;
        }
        writer.flush().map_err(failed)
    }
}

/// Sweeps the learning rate over a fresh network of `settings`, calling `tick` with every rate tried.
///
/// # Errors
/// As [`super::train`], but that a loss which is no number ends the sweep rather than failing.
pub fn find_lr(
    compute: &Compute,
    settings: &TrainSettings,
    classes: usize,
    train: &PcmSet,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(&Tried),
) -> Result<LrSweep, TrainError> {
    settings.validate()?;
    let engine = FrontEnd::new(compute, &settings.front_end)?;
    let mut learner = Learner::new(compute, settings, classes, 1)?;
    let (from, to, count) = RATES;
    let ratio = (to / from).powf(1.0 / (count - 1) as f64);
    let mut sweep = LrSweep(Vec::new());
    let plans = (1..).flat_map(|epoch| {
        let plan = batches::epoch(train, settings, epoch);
        plan.into_iter().map(move |p| (epoch, p))
    });
    for (i, (epoch, planned)) in plans.take(count).enumerate() {
        let lr = from * ratio.powi(i as i32);
        let batch = planned.fetch(train, settings.front_end.clip_samples)?;
        let clips = batch.classes.len();
        let step = Step {
            batch: &batch,
            place: (epoch, i),
            clips,
            update: Some(lr.into()),
            waited: Duration::ZERO,
        };
        let told = learner.step(&engine, step)?;
        let loss = f64::from(learner.read(vec![told])?[0]) / clips as f64;
        if !loss.is_finite() {
            break;
        }
        sweep.push(lr, loss);
        if let Some(last) = sweep.0.last() {
            tick(last);
        }
        if sweep.hopeless() || stop.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(sweep)
}

#[cfg(test)]
mod tests {
    use super::LrSweep;

    #[test]
    fn a_tenth_of_the_best_rate_is_suggested() {
        let mut sweep = LrSweep(Vec::new());
        for i in 0..60 {
            // Falls from 2.3 to 0.8 at the 41st rate, then rises.
            let loss = if i <= 40 {
                2.3 - 0.0375 * f64::from(i)
            } else {
                0.8 + 0.2 * f64::from(i - 40)
            };
            sweep.push(1e-6 * 1.3f64.powi(i), loss);
        }
        assert_eq!(sweep.0[0].smoothed, 2.3, "corrected for its start");
        let best = sweep.lowest().unwrap();
        assert!(
            best.lr >= 1e-6 * 1.3f64.powi(40),
            "smoothing lags, it does not lead"
        );
        assert_eq!(sweep.suggestion(), Some(best.lr / 10.0));
        let mut rising = LrSweep(Vec::new());
        for i in 0..5 {
            rising.push(f64::from(i + 1), 2.0 + f64::from(i));
        }
        assert_eq!(rising.suggestion(), None);
        assert!(!rising.hopeless());
    }
}
