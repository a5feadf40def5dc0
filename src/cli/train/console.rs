//! Shows on the console how a run goes: two bars on a terminal, and one line per epoch everywhere.

use indicatif::{MultiProgress, ProgressBar};

use super::super::args;
use super::tell;
use crate::evaluate::Epoch;
use crate::train::{Observer, Progress, RunFolder, StepTimes};

/// Shows progress bars on a terminal, and prints one line per epoch, which also goes to `log.txt`.
pub struct Console<'a> {
    bars: MultiProgress,
    /// Steps of all epochs, with the time that is left of the whole run.
    run: ProgressBar,
    /// Steps of the current epoch.
    epoch: ProgressBar,
    epochs: usize,
    /// Accuracy of each epoch so far: on the validation files if there are any, else on the training clips.
    accuracies: Vec<f64>,
    folder: &'a RunFolder,
}

impl<'a> Console<'a> {
    /// Starts the display of a run of `epochs` epochs whose log goes to `folder`.
    pub fn new(epochs: usize, folder: &'a RunFolder) -> Self {
        let bars = MultiProgress::new();
        let run = bars.add(args::bar(
            0,
            "run   {bar:30} {prefix}, {elapsed} gone, {eta} left  {msg}",
        ));
        let epoch = bars.add(args::bar(
            0,
            "epoch {bar:30} {pos}/{len} steps, {msg}, {eta} left",
        ));
        Self {
            bars,
            run,
            epoch,
            epochs,
            accuracies: Vec::new(),
            folder,
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
        self.bars.suspend(|| tell(line));
    }
}

impl Observer for Console<'_> {
    fn step(&mut self, p: &Progress) {
        if self.run.length() == Some(0) {
            self.run.set_length((p.steps * self.epochs) as u64);
            // A resumed run starts in the middle: only the steps of this process count for the rate.
            self.run
                .set_position(((p.epoch - 1) * p.steps + p.step) as u64);
            self.run.reset_eta();
        }
        self.run
            .set_prefix(format!("epoch {} of {}", p.epoch, self.epochs));
        self.run
            .set_position(((p.epoch - 1) * p.steps + p.step) as u64);
        self.epoch.set_length(p.steps as u64);
        self.epoch.set_position(p.step as u64);
        let rate = p.clips as f64 / p.seconds.max(1e-3);
        self.epoch.set_message(format!(
            "loss {:.3}, accuracy {:.3}, {rate:.1} clips/s",
            p.loss(),
            p.accuracy()
        ));
    }

    fn epoch(&mut self, e: &Epoch, times: &StepTimes) {
        let valid = e.valid.as_ref().map_or(String::new(), |v| {
            format!(
                "; valid loss {:.3}, accuracy {:.3} by file, {:.3} by clip",
                v.loss,
                v.accuracy(),
                v.clip_accuracy
            )
        });
        self.line(&format!(
            "epoch {:>3}: loss {:.3}, accuracy {:.3}{valid}; {:.1} clips/s{}",
            e.epoch,
            e.loss,
            e.accuracy,
            e.clips_per_second,
            if e.best { "  *" } else { "" }
        ));
        if e.epoch == 1 && e.epoch < self.epochs {
            self.line(&format!("           {times}"));
        }
        self.accuracies
            .push(e.valid.as_ref().map_or(e.accuracy, |v| v.accuracy()));
        self.run.set_message(sparkline(&self.accuracies));
        self.epoch.reset();
    }
}

/// Draws accuracies from 0 to 1 as a row of block characters: the last 20 of them.
fn sparkline(values: &[f64]) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let recent = &values[values.len().saturating_sub(20)..];
    let level = |v: &f64| LEVELS[(v.clamp(0.0, 1.0) * 7.0).round() as usize];
    recent.iter().map(level).collect()
}
