//! How a run tells people how it goes.

use indicatif::ProgressBar;

use super::super::args;
use super::tell;
use crate::train::{Epoch, Observer, Progress, RunFolder, StepTimes};

/// Tells people on a terminal by a bar, and everybody by a line an epoch.
pub struct Watcher<'a> {
    bar: ProgressBar,
    epochs: usize,
    folder: &'a RunFolder,
}

impl<'a> Watcher<'a> {
    /// A watcher of a run of `epochs`; the log goes to `folder`.
    pub fn new(epochs: usize, folder: &'a RunFolder) -> Self {
        let template = "epoch {prefix} {bar:30} {pos}/{len} steps, {msg}, {eta} left";
        Self {
            bar: args::bar(0, template),
            epochs,
            folder,
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Watcher<'_> {
    fn step(&mut self, p: &Progress) {
        if p.step <= p.steps && self.bar.position() > p.step as u64 || p.step == 0 {
            self.bar.reset();
        }
        self.bar.set_length(p.steps as u64);
        self.bar.set_prefix(format!("{}/{}", p.epoch, self.epochs));
        self.bar.set_position(p.step as u64);
        let rate = p.clips as f64 / self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!(
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
        let line = format!(
            "epoch {:>3}: loss {:.3}, accuracy {:.3}{valid}; {:.1} clips/s{}",
            e.epoch,
            e.loss,
            e.accuracy,
            e.clips_per_second,
            if e.best { "  *" } else { "" }
        );
        self.bar.suspend(|| tell(&line));
        self.bar.reset();
        // The log is a copy of what was printed: not worth stopping a run for.
        let _ = self.folder.append("log.txt", &line);
    }
}
