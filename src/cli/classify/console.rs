//! What `classify` prints: results on stdout, failures and progress on stderr.

use std::io;
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;

use super::super::{progress, words};
use super::startup_times::StartupTimes;
use crate::classify::{
    Content, FileResult, Format, Options, Outcome, Prediction, Schema, Summary, Table, ranked,
};

/// Width of the column of paths.
const PATH_WIDTH: usize = 44;

/// Prints results as they come, and a progress bar below them.
pub struct Console {
    /// The table on stdout; `None` for lines that people read.
    table: Option<Table<'static>>,
    /// Whether the results are also in a table on disk.
    has_file: bool,
    classes: Vec<String>,
    bar: ProgressBar,
    audio_seconds: f64,
    files: u64,
}

impl Console {
    /// Starts the output: a table in `format`, or else lines for people. `has_file` says whether
    /// the results are also in a table on disk. `done` files are done already.
    pub fn new(
        format: Option<Format>,
        has_file: bool,
        schema: &Schema,
        done: usize,
    ) -> anyhow::Result<Self> {
        let start = |format| Table::new(io::stdout(), Content::Files, format, schema.clone());
        let console = Self {
            table: format.map(start).transpose()?,
            has_file,
            classes: schema.classes.clone(),
            bar: progress::bar(0, "{spinner} {msg}"),
            audio_seconds: 0.0,
            files: 0,
        };
        if done > 0 {
            words::note(format_args!(
                "{done} files are done already: only new and changed files are classified \
                 (--fresh starts over)"
            ));
        }
        if console.table.is_none() {
            console.print(&format!(
                "{:PATH_WIDTH$}  {:<10} {:>10}  runner-up",
                "file", "genre", "confidence"
            ))?;
        }
        Ok(console)
    }

    /// Prints a result.
    pub fn result(&mut self, result: &FileResult) -> anyhow::Result<()> {
        match &result.outcome {
            Outcome::Failed { reason, message } => {
                let line = format!("{}: {message} ({reason})", result.path.display());
                self.bar.suspend(|| words::note(line));
            }
            Outcome::Ok(prediction) => {
                self.audio_seconds += prediction.seconds;
                if self.table.is_none()
                    && let Some(line) = self.line(&result.path, prediction)
                {
                    self.print(&line)?;
                }
            }
        }
        if let Some(table) = &mut self.table {
            self.bar.suspend(|| table.write(result))?;
        }
        self.files += 1;
        let elapsed = self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!(
            "{} files, {:.1} files/s, {:.0} times real time",
            self.files,
            self.files as f64 / elapsed,
            self.audio_seconds / elapsed
        ));
        Ok(())
    }

    /// Removes the bar and ends the output.
    pub fn finish(self) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        if let Some(table) = self.table {
            table.finish()?;
        }
        Ok(())
    }

    /// Returns a prediction as a line for people; `None` if there are no classes.
    fn line(&self, path: &Path, prediction: &Prediction) -> Option<String> {
        let ranked = ranked(&prediction.probabilities);
        let &(best, p) = ranked.first()?;
        let mut line = format!(
            "{:PATH_WIDTH$}  {:<10} {:>9.1}%",
            path.display().to_string(),
            self.classes[best],
            p * 100.0,
        );
        if let Some(&(next, p)) = ranked.get(1) {
            line += &format!("  {} {:.1}%", self.classes[next], p * 100.0);
        }
        if let Some(damage) = &prediction.damaged {
            line += &format!("  ({damage})");
        }
        Some(line)
    }

    fn print(&self, line: &str) -> io::Result<()> {
        self.bar.suspend(|| match self.has_file {
            // A closed stdout must not end a run whose results go to a file.
            true => {
                words::print_line_lossy(line);
                Ok(())
            }
            false => words::print_line(line),
        })
    }
}

/// Prints the counts and times of a run, and whether the decoders or the device limited its speed.
pub fn print_summary(s: &Summary, times: &StartupTimes, options: &Options, out: Option<&Path>) {
    let elapsed = s.elapsed.as_secs_f64().max(1e-9);
    let failed = match s.failed {
        0 => String::new(),
        n => format!(", {n} could not be read"),
    };
    words::note(format_args!(
        "{} files{failed}, {} clips, {} of audio in {}: {:.1} files/s, {:.0} times real time",
        s.ok,
        s.clips,
        progress::clock(s.audio_seconds),
        progress::clock(elapsed),
        (s.ok + s.failed) as f64 / elapsed,
        s.audio_seconds / elapsed,
    ));
    let steps = [
        ("waiting for decoders", s.waited),
        ("upload", s.upload),
        ("front end", s.front_end),
        ("network", s.network),
        ("writing", s.writing),
    ];
    let percent = |d: Duration| 100.0 * d.as_secs_f64() / elapsed;
    let steps: Vec<String> = steps
        .iter()
        .map(|(name, time)| format!("{name} {:.0} %", percent(*time)))
        .collect();
    let workers = options.workers as f64;
    let limit = match percent(s.waited) > 50.0 {
        true => "decoding was the limit",
        false => "the device was the limit",
    };
    words::note(format_args!(
        "{}; {} decoders: decoding {:.0} %, resampling {:.0} %, waiting for room {:.0} %: {limit}",
        steps.join(", "),
        options.workers,
        percent(s.decoding) / workers,
        percent(s.resampling) / workers,
        percent(s.decoders_waited) / workers,
    ));
    if let Some(line) = times.line() {
        words::note(line);
    }
    if let Some(path) = out {
        words::note(format_args!("wrote {}", path.display()));
    }
}
