//! The display of a run: two progress bars on a terminal, and one line per epoch everywhere.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::cli::progress;
use crate::cli::words::print_line_lossy;
use crate::evaluate::{Auc, Epoch, Validation};
use crate::model::Task;
use crate::train::{Job, Observer, Progress, RunFolder, StepTimes};

/// Epochs that the sparkline shows.
const SPARKS: usize = 20;

/// Shows progress bars on a terminal, and prints one line per epoch, which also goes to `log.txt`.
///
/// Only the bars depend on the terminal: indicatif draws nothing if stderr is none. Text that may
/// be long comes last in a bar's line, where indicatif cuts it to the width of the terminal.
pub struct Console<'a> {
    bars: MultiProgress,
    /// Steps of all epochs, with the time that is left of the whole run.
    run: ProgressBar,
    run_left: TimeLeft,
    /// Steps of the current epoch.
    epoch: ProgressBar,
    epoch_left: TimeLeft,
    /// Step of the current epoch at which this process started, if it resumed within one.
    first_step: usize,
    epochs: usize,
    /// Whether each epoch ends with an evaluation on validation files.
    validates: bool,
    /// What is said of the training clips: accuracy, or precision at 1.
    clips_figure: &'static str,
    /// Accuracy of each finished epoch: on the validation files if there are any, else on the
    /// training clips. Of tags, the mean PR-AUC.
    accuracies: Vec<f64>,
    folder: &'a RunFolder,
}

impl<'a> Console<'a> {
    /// Starts the display of a run that it calls `name`: "run", or "run 2 of 5".
    pub fn new(name: &str, job: &Job<'a>) -> Self {
        let bars = MultiProgress::with_draw_target(progress::target());
        let (run_left, epoch_left) = (TimeLeft::new(), TimeLeft::new());
        // Patience may end a run earlier.
        let at_most = job.settings.patience.map_or("", |_| "at most ");
        let indent = name.len().max("epoch".len());
        let bar = |name: &str, time: &str, left: &TimeLeft| {
            let template = format!("{name:indent$} {{bar:14}} {time}  {{wide_msg}}");
            let style = ProgressStyle::with_template(&template).expect("templates are constants");
            let style = style.progress_chars("█▉▊▋▌▍▎▏ ");
            let left = left.clone();
            let left = move |bar: &ProgressState, out: &mut dyn Write| left.write(bar, out);
            let bar = ProgressBar::new(0).with_style(style.with_key("left", left));
            bars.add(bar)
        };
        let run_time = format!("{{elapsed}} gone, {at_most}{{left}} left");
        let run = bar(name, &run_time, &run_left);
        let epoch = bar("epoch", "{pos}/{len} steps, {left} left", &epoch_left);
        run.set_message("starting");
        for bar in [&run, &epoch] {
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self {
            bars,
            run,
            run_left,
            epoch,
            epoch_left,
            first_step: 0,
            epochs: job.settings.epochs,
            validates: !job.valid.files.is_empty(),
            clips_figure: match job.settings.task {
                Task::SingleLabel => "accuracy",
                Task::MultiLabel => "precision at 1",
            },
            accuracies: Vec::new(),
            folder: job.folder,
        }
    }

    /// Removes the bars.
    pub fn finish(self) {
        self.epoch.finish_and_clear();
        self.run.finish_and_clear();
    }

    fn line(&self, line: &str) {
        // The log is a copy of what was printed, so a failure to write it does not stop the run.
        let _ = self.folder.append("log.txt", line);
        self.bars.suspend(|| print_line_lossy(line));
    }

    fn add(&mut self, epoch: &Epoch) {
        let of_valid = |v: Validation| v.auc.map_or_else(|| v.accuracy(), |auc| auc.pr_auc);
        let accuracy = epoch.valid.map_or(epoch.accuracy, of_valid);
        self.accuracies.push(accuracy);
    }

    /// Shows the current epoch and the accuracies so far.
    fn show_epoch(&self, epoch: usize) {
        let accuracies = sparkline(&self.accuracies);
        let of = self.epochs;
        self.run
            .set_message(format!("epoch {} of {of}  {accuracies}", epoch.min(of)));
    }
}

impl Observer for Console<'_> {
    fn resumed(&mut self, epochs: &[Epoch], progress: &Progress) {
        for epoch in epochs {
            self.add(epoch);
        }
        let epoch = epochs.len() + 1;
        if epoch > self.epochs {
            return;
        }
        self.first_step = progress.step;
        self.epoch_left.start(progress.step);
        let done = match progress.step {
            0 => String::new(),
            n => format!(", after step {n} of {}", progress.steps),
        };
        self.line(&format!("resumed in epoch {epoch}{done}"));
        self.show_epoch(epoch);
    }

    fn step(&mut self, p: &Progress) {
        let done = (p.epoch - 1) * p.steps + p.step;
        if self.run.length() == Some(0) {
            self.run.set_length((p.steps * self.epochs) as u64);
            // A resumed run starts in the middle, and only the steps of this process took its time.
            self.run_left
                .set_first((p.epoch - 1) * p.steps + self.first_step);
        }
        self.show_epoch(p.epoch);
        self.run.set_position(done as u64);
        self.epoch.set_length(p.steps as u64);
        self.epoch.set_position(p.step as u64);
        let (name, loss, accuracy) = (self.clips_figure, p.loss(), p.accuracy());
        let mut text = format!("loss {loss:.3}, {name} {accuracy:.3}");
        if p.step == p.steps && self.validates {
            text += ", validating";
        } else {
            let rate = p.clips as f64 / p.seconds.max(1e-3);
            let _ = write!(text, ", {rate:.1} clips/s");
        }
        self.epoch.set_message(text);
    }

    fn epoch(&mut self, e: &Epoch, times: &StepTimes) {
        let valid = e.valid.as_ref().map_or(String::new(), |v| {
            let loss = v.loss;
            match v.auc {
                None => format!(
                    "; valid loss {loss:.3}, {} {:.3} by file, {:.3} by clip",
                    self.clips_figure,
                    v.accuracy(),
                    v.clip_accuracy
                ),
                Some(Auc { roc_auc, pr_auc }) => format!(
                    "; valid loss {loss:.3}, PR-AUC {pr_auc:.3}, ROC-AUC {roc_auc:.3} by file"
                ),
            }
        });
        self.line(&format!(
            "epoch {:>3}: loss {:.3}, {} {:.3}{valid}; {:.1} clips/s{}",
            e.epoch,
            e.loss,
            self.clips_figure,
            e.accuracy,
            e.clips_per_second,
            if e.best { "  *" } else { "" }
        ));
        if e.epoch == 1 && e.epoch < self.epochs && times.steps > 0 {
            self.line(&format!("           {times}"));
        }
        self.add(e);
        self.show_epoch(e.epoch + 1);
        self.epoch.set_position(0);
        self.epoch.set_message("");
        self.epoch_left.start(0);
    }
}

/// Estimates the time that is left from the mean speed since a start, validation included.
/// indicatif's own estimate follows the last seconds and would jump with every validation.
#[derive(Clone)]
struct TimeLeft(Arc<Mutex<(u64, Instant)>>);

impl TimeLeft {
    fn new() -> Self {
        Self(Arc::new(Mutex::new((0, Instant::now()))))
    }

    /// Starts to measure the speed, at this step.
    fn start(&self, step: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (step as u64, Instant::now());
    }

    /// Sets the step at which the measurement started.
    fn set_first(&self, step: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0 = step as u64;
    }

    /// Writes the time that is left of a bar.
    fn write(&self, bar: &ProgressState, out: &mut dyn fmt::Write) {
        let (first, start) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let done = bar.pos().saturating_sub(first);
        let rest = bar.len().unwrap_or(0).saturating_sub(bar.pos());
        // A display that fails has nobody to tell.
        let _ = if done == 0 {
            out.write_str("?")
        } else {
            let left = start.elapsed().mul_f64(rest as f64 / done as f64);
            write!(out, "{:#}", HumanDuration(left))
        };
    }
}

/// Draws accuracies from 0 to 1 as a row of block characters: the last [`SPARKS`] of them.
fn sparkline(values: &[f64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let recent = &values[values.len().saturating_sub(SPARKS)..];
    let level = |v: &f64| LEVELS[(v.clamp(0.0, 1.0) * 7.0).round() as usize];
    recent.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn accuracies_become_blocks() {
        assert_eq!(sparkline(&[0.0, 0.5, 1.0, f64::NAN]).chars().count(), 4);
        assert_eq!(sparkline(&[0.0, 0.5, 1.0]), "▁▅█");
        assert_eq!(sparkline(&[0.3; 90]).chars().count(), 20);
    }
}
