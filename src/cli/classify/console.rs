//! What `classify` prints: results on stdout, failures and progress on stderr.

use std::io;
use std::path::Path;
use std::time::Duration;

use indicatif::ProgressBar;

use super::super::{progress, words};
use super::lines::{LabelCounts, heading, line};
use super::startup_times::StartupTimes;
use crate::classify::{Content, FileResult, Format, Options, Outcome, Schema, Summary, Table};

/// Prints results as they come, and a progress bar below them.
pub struct Console {
    /// The table on stdout; `None` for lines that people read.
    table: Option<Table<'static>>,
    /// Whether stdout failed, and nothing more is printed there.
    closed: bool,
    /// Whether the results are also in a table on disk.
    has_file: bool,
    schema: Schema,
    counts: LabelCounts,
    bar: ProgressBar,
    audio_seconds: f64,
    files: u64,
}

impl Console {
    /// Starts the output: a table of this content and format, or else lines for people. `has_file`
    /// says whether the results are also in a table on disk. `done` files are done already.
    pub fn new(
        table: Option<(Content, Format)>,
        has_file: bool,
        schema: &Schema,
        done: usize,
    ) -> anyhow::Result<Self> {
        let start = |(content, format)| Table::new(io::stdout(), content, format, schema.clone());
        let console = Self {
            table: table.map(start).transpose()?,
            closed: false,
            has_file,
            schema: schema.clone(),
            counts: LabelCounts::new(schema),
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
            console.print(&heading(schema))?;
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
                self.counts.add(&self.schema, &prediction.probabilities);
                if self.table.is_none()
                    && !self.closed
                    && let Some(line) = line(&self.schema, &result.path, prediction)
                {
                    self.print(&line)?;
                }
            }
        }
        if let Some(table) = &mut self.table
            && let Err(e) = self.bar.suspend(|| table.write(result))
        {
            // The tables in files are worth more than the one on stdout.
            if !self.has_file {
                return Err(e.into());
            }
            words::note(format_args!("cannot write to stdout: {e}; the files go on"));
            (self.table, self.closed) = (None, true);
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

    /// Removes the bar and ends the output. Returns how many files have each label.
    pub fn finish(self) -> anyhow::Result<LabelCounts> {
        self.bar.finish_and_clear();
        if let Some(table) = self.table {
            table.finish()?;
        }
        Ok(self.counts)
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
pub fn print_summary(
    s: &Summary,
    unsure: usize,
    times: &StartupTimes,
    options: &Options,
    out: Option<&Path>,
) {
    let elapsed = s.elapsed.as_secs_f64().max(1e-9);
    let unsure = match unsure {
        0 => String::new(),
        n => format!(", {n} unsure"),
    };
    let failed = match s.failed {
        0 => String::new(),
        n => format!(", {n} could not be read"),
    };
    words::note(format_args!(
        "{} files{unsure}{failed}, {} clips, {} of audio in {}: {:.1} files/s, {:.0} times real time",
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
