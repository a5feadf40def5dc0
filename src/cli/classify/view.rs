//! What people see while `classify` runs.

use std::io::{self, Write};

use indicatif::ProgressBar;

use super::super::args;
use super::{Args, Start};
use crate::classify::{Content, FileResult, Options, Outcome, Schema, Summary, Table, ranked};

/// Columns that a path gets.
const PATH: usize = 44;

/// Rows on stdout, failures on stderr, a bar over both.
pub struct View {
    stdout: Option<Table<io::Stdout>>,
    classes: Vec<String>,
    bar: ProgressBar,
    audio_seconds: f64,
    read: u64,
}

impl View {
    /// Says how it begins; `earlier` files are done already.
    pub fn new(args: &Args, schema: &Schema, earlier: usize) -> anyhow::Result<Self> {
        let stdout = match (&args.out, args.format) {
            (None, Some(format)) => {
                let table = Table::new(io::stdout(), Content::Files, format, schema.clone())?;
                Some(table)
            }
            _ => None,
        };
        let view = Self {
            stdout,
            classes: schema.classes.clone(),
            bar: args::bar(0, "{spinner} {msg}"),
            audio_seconds: 0.0,
            read: 0,
        };
        if earlier > 0 {
            eprintln!(
                "{earlier} files are done already: new and changed ones follow (--fresh starts over)"
            );
        }
        if view.stdout.is_none() {
            view.print(&format!(
                "{:PATH$}  {:<10} {:>10}  runner-up",
                "file", "genre", "confidence"
            ))?;
        }
        Ok(view)
    }

    /// Tells of one row.
    pub fn row(&mut self, row: &FileResult) -> anyhow::Result<()> {
        match &row.outcome {
            Outcome::Failed { reason, message } => {
                let line = format!("{}: {message} ({reason})", row.path.display());
                self.bar.suspend(|| eprintln!("{line}"));
            }
            Outcome::Ok(answer) => self.audio_seconds += answer.seconds,
        }
        match &mut self.stdout {
            Some(rows) => self.bar.suspend(|| rows.write(row))?,
            None => {
                if let Some(line) = self.readable(row) {
                    self.print(&line)?;
                }
            }
        }
        self.read += 1;
        let elapsed = self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!(
            "{} files, {:.1} a second, {:.0} times real time",
            self.read,
            self.read as f64 / elapsed,
            self.audio_seconds / elapsed
        ));
        Ok(())
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn readable(&self, row: &FileResult) -> Option<String> {
        let Outcome::Ok(answer) = &row.outcome else {
            return None;
        };
        let ranked = ranked(&answer.probabilities);
        let &(best, p) = ranked.first()?;
        let mut line = format!(
            "{:PATH$}  {:<10} {:>9.1}%",
            row.path.display().to_string(),
            self.classes[best],
            p * 100.0,
        );
        if let Some(&(next, p)) = ranked.get(1) {
            line += &format!("  {} {:.1}%", self.classes[next], p * 100.0);
        }
        if let Some(damage) = &answer.damaged {
            line += &format!("  ({damage})");
        }
        Some(line)
    }

    fn print(&self, line: &str) -> io::Result<()> {
        self.bar.suspend(|| writeln!(io::stdout(), "{line}"))
    }
}

/// The numbers at the end, and which part was the limit.
pub fn summarize(s: &Summary, start: &Start, options: &Options, args: &Args) {
    let elapsed = s.elapsed.as_secs_f64().max(1e-9);
    let failed = match s.failed {
        0 => String::new(),
        n => format!(", {n} could not be read"),
    };
    eprintln!(
        "{} files{failed}, {} clips, {} of audio in {}: {:.1} files/s, {:.0} times real time",
        s.ok,
        s.clips,
        args::clock(s.audio_seconds),
        args::clock(elapsed),
        (s.ok + s.failed) as f64 / elapsed,
        s.audio_seconds / elapsed,
    );
    let parts = [
        ("waiting for decoders", s.waited),
        ("upload", s.upload),
        ("front end", s.front_end),
        ("network", s.network),
        ("writing", s.writing),
    ];
    let share = |d: std::time::Duration| 100.0 * d.as_secs_f64() / elapsed;
    let line: Vec<String> = parts
        .iter()
        .map(|(name, time)| format!("{name} {:.0} %", share(*time)))
        .collect();
    let workers = options.workers as f64;
    let limit = match share(s.waited) > 50.0 {
        true => "decoding was the limit",
        false => "the device was the limit",
    };
    eprintln!(
        "{}; {} decoders: decoding {:.0} %, resampling {:.0} %, waiting for room {:.0} %: {limit}",
        line.join(", "),
        options.workers,
        share(s.decoding) / workers,
        share(s.resampling) / workers,
        share(s.decoders_waited) / workers,
    );
    if let Some(line) = start.line() {
        eprintln!("{line}");
    }
    if let Some(path) = &args.out {
        eprintln!("wrote {}", path.display());
    }
}
