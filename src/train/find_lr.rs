//! The learning-rate range test (Smith 2017, arXiv:1506.01186): the rate rises from step to step,
//! and the loss shows which rates are usable.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::learner::{Learner, Step};
use super::{TrainError, TrainSettings, batches};
use crate::dataset::pcm::PcmSet;
use crate::evaluate::report::plots::{Legend, Line, LinePlot, svg};
use crate::files::replace;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;

/// First and last learning rate of a sweep; those between are evenly spaced on a logarithmic scale.
const RATES: (f64, f64) = (1e-6, 1.0);
/// Number of learning rates that a whole sweep tries.
pub const SWEEP_STEPS: usize = 120;
/// Weight of the losses so far in the smoothed loss. The value is fastai's.
const SMOOTHING: f64 = 0.95;
/// The sweep ends when the smoothed loss exceeds its minimum by this factor: higher rates only make
/// it worse.
const DIVERGED: f64 = 3.0;

/// One learning rate and its loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LrTrial {
    /// Learning rate.
    pub lr: f64,
    /// Mean loss of the step's clips before the update, nats.
    pub loss: f64,
    /// Exponential moving average of the losses so far, with bias correction.
    pub smoothed: f64,
}

/// All learning rates that were tried, in rising order.
#[derive(Clone, Debug, PartialEq)]
pub struct LrSweep(pub Vec<LrTrial>);

impl LrSweep {
    fn push(&mut self, lr: f64, loss: f64) {
        let n = self.0.len() as i32;
        let before = self.0.last().map_or(0.0, |t| t.smoothed) * (1.0 - SMOOTHING.powi(n));
        let smoothed =
            (before * SMOOTHING + loss * (1.0 - SMOOTHING)) / (1.0 - SMOOTHING.powi(n + 1));
        self.0.push(LrTrial { lr, loss, smoothed });
    }

    /// Returns the rate with the smallest smoothed loss.
    pub fn lowest(&self) -> Option<LrTrial> {
        let smaller = |a: &&LrTrial, b: &&LrTrial| a.smoothed.total_cmp(&b.smoothed);
        self.0.iter().min_by(smaller).copied()
    }

    /// Suggests a tenth of the rate with the smallest loss, where the loss still falls fast. `None`
    /// if the loss never fell.
    pub fn suggestion(&self) -> Option<f64> {
        let (first, lowest) = (self.0.first()?, self.lowest()?);
        (lowest.smoothed < first.smoothed).then_some(lowest.lr / 10.0)
    }

    fn diverged(&self) -> bool {
        let (Some(last), Some(lowest)) = (self.0.last(), self.lowest()) else {
            return false;
        };
        last.smoothed > DIVERGED * lowest.smoothed
    }

    /// Draws the losses over the decimal logarithm of the learning rate, as SVG. `None` if there
    /// are none.
    pub fn svg(&self) -> Option<String> {
        let (first, last) = (self.0.first()?, self.0.last()?);
        let top = 1.2 * self.0.iter().map(|t| t.smoothed).fold(0.1, f64::max);
        let points = |loss: fn(&LrTrial) -> f64| -> Vec<(f64, f64)> {
            let point = |t: &LrTrial| (t.lr.log10(), loss(t).min(top));
            self.0.iter().map(point).collect()
        };
        svg(&LinePlot {
            x: (
                "log10 of the learning rate",
                first.lr.log10()..last.lr.log10(),
            ),
            counts: false,
            y: ("loss, nats", top),
            legend: Some(Legend::LowerLeft),
            lines: vec![
                Line::background("per step", points(|t| t.loss)),
                Line::first("smoothed", points(|t| t.smoothed)),
            ],
        })
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
        let mut writer = csv::Writer::from_writer(Vec::new());
        for tried in &self.0 {
            writer.serialize(tried).map_err(|e| failed(e.into()))?;
        }
        let bytes = writer.into_inner().map_err(|e| failed(e.into_error()))?;
        replace(path, &bytes).map_err(failed)
    }
}

/// Sweeps the learning rate over a fresh network of `settings`, and calls `tick` after every rate.
///
/// # Errors
/// As [`super::train`], except that a loss that is not finite ends the sweep without an error.
pub fn find_lr(
    compute: &Compute,
    settings: &TrainSettings,
    classes: &[String],
    train: &PcmSet,
    stop: &AtomicBool,
    tick: &mut dyn FnMut(&LrTrial),
) -> Result<LrSweep, TrainError> {
    settings.validate()?;
    let front_end = FrontEnd::new(compute, &settings.front_end)?;
    let mut learner = Learner::new(compute, settings, classes, 1)?;
    learner.measure_shares(train);
    let (from, to) = RATES;
    let ratio = (to / from).powf(1.0 / (SWEEP_STEPS - 1) as f64);
    let mut sweep = LrSweep(Vec::new());
    let plans = (1..).flat_map(|epoch| {
        let plan = batches::epoch(train, settings, epoch);
        plan.into_iter().map(move |batch| (epoch, batch))
    });
    for (i, (epoch, plan)) in plans.take(SWEEP_STEPS).enumerate() {
        let lr = from * ratio.powi(i as i32);
        let batch = plan.fetch(train)?;
        let clips = batch.labels.len();
        let step = Step {
            batch: &batch,
            place: (epoch, i),
            clips,
            update: Some(lr.into()),
            waited: Duration::ZERO,
        };
        let sums = learner.step(&front_end, step)?;
        let loss = f64::from(learner.read(vec![sums])?[0]) / clips as f64;
        if !loss.is_finite() {
            break;
        }
        sweep.push(lr, loss);
        if let Some(last) = sweep.0.last() {
            tick(last);
        }
        if sweep.diverged() || stop.load(Ordering::Relaxed) {
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
        assert!(!rising.diverged());
    }
}
