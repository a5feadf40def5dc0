//! Burn's full-screen display of a run, for terminals.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::train::Interrupter;
use burn::train::logger::TrainingProgressLogger;
use burn::train::metric::{
    MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use burn::train::renderer::tui::TuiMetricsRendererWrapper;
use burn::train::renderer::{MetricState, MetricsRenderer, MetricsRendererTraining};

use crate::train::{Epoch, Progress};

/// Name, whether more is better.
const METRICS: [(&str, bool); 3] = [("Loss", false), ("Accuracy", true), ("Clips/s", true)];

/// The display, until it is dropped.
pub struct Screen {
    /// `None` once the user has asked it to kill the process: it panics then at every word.
    renderer: Option<TuiMetricsRendererWrapper>,
    interrupter: Interrupter,
    stop: &'static AtomicBool,
    epochs: usize,
    epoch: usize,
}

impl Screen {
    /// Takes the terminal. Its q key, and Ctrl-C where the system lets us keep it, set `stop`.
    pub fn new(epochs: usize, title: &str, stop: &'static AtomicBool) -> Self {
        let interrupter = Interrupter::new();
        let mut screen = Self {
            renderer: Some(TuiMetricsRendererWrapper::new(interrupter.clone(), None)),
            interrupter,
            stop,
            epochs,
            epoch: 0,
        };
        screen.draw(|r| {
            for (name, higher_is_better) in METRICS {
                r.register_metric(MetricDefinition {
                    metric_id: id(name),
                    name: Arc::new(name.to_owned()),
                    description: None,
                    attributes: MetricAttributes::Numeric(NumericAttributes {
                        unit: None,
                        higher_is_better,
                    }),
                });
            }
            r.start(epochs, 0, None, Some(title));
        });
        #[cfg(unix)]
        keep_ctrl_c();
        screen
    }

    /// After some steps of an epoch.
    pub fn step(&mut self, p: &Progress, rate: f64) {
        let (epochs, begins) = (self.epochs, self.epoch != p.epoch);
        self.epoch = p.epoch;
        let values = [p.loss(), p.accuracy(), rate];
        self.draw(|r| {
            if begins {
                r.start(epochs, p.epoch, None, None);
                r.start_split("train", p.steps);
            }
            r.update_split(p.step);
            for ((name, _), value) in METRICS.into_iter().zip(values) {
                r.update_train(state(name, value));
            }
        });
    }

    /// After an epoch's validation.
    pub fn epoch(&mut self, e: &Epoch) {
        self.draw(|r| {
            r.end_split();
            if let Some(v) = &e.valid {
                r.update_valid(state("Loss", v.loss));
                r.update_valid(state("Accuracy", v.accuracy()));
            }
        });
    }

    /// Burn ends the process from within when the user chooses to kill it. The run is finished as on Ctrl-C instead: its
    /// state is saved.
    fn draw(&mut self, what: impl FnOnce(&mut TuiMetricsRendererWrapper)) {
        let Some(renderer) = &mut self.renderer else {
            return;
        };
        if catch_unwind(AssertUnwindSafe(|| what(renderer))).is_err() {
            self.renderer = None;
            self.stop.store(true, Ordering::Relaxed);
        }
        if self.interrupter.should_stop() {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

fn state(name: &str, value: f64) -> MetricState {
    let text = SerializedEntry::new(format!("{value:.3}"), value.to_string());
    MetricState::Numeric(
        MetricEntry::new(id(name), text),
        Some(NumericEntry::Value(value)),
    )
}

/// The display switches the terminal's signals off on a thread of its own; once it has, Ctrl-C is switched on again.
#[cfg(unix)]
fn keep_ctrl_c() {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    use std::time::Duration;

    let terminal = std::io::stdin();
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(20));
        let Ok(mut modes) = tcgetattr(&terminal) else {
            return;
        };
        if !modes.local_modes.contains(LocalModes::ISIG) {
            modes.local_modes.insert(LocalModes::ISIG);
            // Without it there is still the q key.
            let _ = tcsetattr(&terminal, OptionalActions::Now, &modes);
            return;
        }
    }
}
