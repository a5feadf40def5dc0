//! How a run tells people how it goes.

use std::io::IsTerminal;
use std::sync::atomic::AtomicBool;

use indicatif::ProgressBar;

use super::super::args;
use super::screen::Screen;
use super::tell;
use crate::train::{Epoch, Observer, Progress, RunFolder, StepTimes};

/// Tells people on a terminal by a full screen or a bar, and everybody by a line an epoch.
pub struct Watcher<'a> {
    view: View,
    epochs: usize,
    folder: &'a RunFolder,
}

enum View {
    /// Lines are held back until it goes.
    Screen(Box<Screen>, Vec<String>),
    Bar(ProgressBar),
}

impl<'a> Watcher<'a> {
    /// A watcher of a run of `epochs`; the log goes to `folder`. `plain`: no full screen even on a terminal.
    pub fn new(
        epochs: usize,
        title: &str,
        folder: &'a RunFolder,
        plain: bool,
        stop: &'static AtomicBool,
    ) -> Self {
        let terminal = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
        let template = "epoch {prefix} {bar:30} {pos}/{len} steps, {msg}, {eta} left";
        Self {
            view: if terminal && !plain && std::io::stdin().is_terminal() {
                View::Screen(Box::new(Screen::new(epochs, title, stop)), Vec::new())
            } else {
                View::Bar(args::bar(0, template))
            },
            epochs,
            folder,
        }
    }

    /// Gives the terminal back, and says what was held back.
    pub fn finish(self) {
        match self.view {
            View::Bar(bar) => bar.finish_and_clear(),
            View::Screen(screen, lines) => {
                drop(screen);
                lines.into_iter().for_each(tell);
            }
        }
    }

    fn line(&mut self, line: String) {
        // The log is a copy of what was printed: not worth stopping a run for.
        let _ = self.folder.append("log.txt", &line);
        match &mut self.view {
            View::Bar(bar) => bar.suspend(|| tell(&line)),
            View::Screen(_, lines) => lines.push(line),
        }
    }
}

impl Observer for Watcher<'_> {
    fn step(&mut self, p: &Progress) {
        let rate = p.clips as f64 / p.seconds.max(1e-3);
        match &mut self.view {
            View::Screen(screen, _) => screen.step(p, rate),
            View::Bar(bar) => {
                bar.set_length(p.steps as u64);
                bar.set_prefix(format!("{}/{}", p.epoch, self.epochs));
                bar.set_position(p.step as u64);
                bar.set_message(format!(
                    "loss {:.3}, accuracy {:.3}, {rate:.1} clips/s",
                    p.loss(),
                    p.accuracy()
                ));
            }
        }
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
        self.line(format!(
            "epoch {:>3}: loss {:.3}, accuracy {:.3}{valid}; {:.1} clips/s{}",
            e.epoch,
            e.loss,
            e.accuracy,
            e.clips_per_second,
            if e.best { "  *" } else { "" }
        ));
        if e.epoch == 1 && e.epoch < self.epochs {
            self.line(format!("           {times}"));
        }
        match &mut self.view {
            View::Screen(screen, _) => screen.epoch(e),
            View::Bar(bar) => bar.reset(),
        }
    }
}
