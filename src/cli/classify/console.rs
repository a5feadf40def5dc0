//! What `classify` prints: results on stdout, failures and progress on stderr, and events.

use std::io;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::super::{progress, words};
use super::events::{Event, Events, RowEvents};
use super::layout::{Layout, failure};
use super::lines::{LabelCounts, heading, line};
use super::pace::{Pace, Total};
use crate::classify::{Content, FileResult, Format, Outcome, Schema, Table};

/// How often the bar's text is made anew, and how often there is an event of progress.
const BAR: Duration = Duration::from_millis(100);
const PROGRESS: Duration = Duration::from_secs(1);

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
    pace: Pace,
    audio_seconds: f64,
    rows: Option<RowEvents>,
    events: Events,
    /// When the bar's text was made, and when the last event of progress was written.
    drawn: Option<Instant>,
    told: Instant,
}

impl Console {
    /// Starts the output: a table of this content and format, or else lines for people. `has_file`
    /// says whether the results are also in a table on disk. `done` files are done already.
    pub fn new(
        table: Option<(Content, Format)>,
        has_file: bool,
        schema: &Schema,
        done: usize,
        events: &Events,
    ) -> anyhow::Result<Self> {
        let start = |(content, format)| Table::new(io::stdout(), content, format, schema.clone());
        let shows_bar = words::says(words::Verbosity::Notes) && words::stderr_is_for_people();
        let console = Self {
            table: table.map(start).transpose()?,
            closed: false,
            has_file,
            schema: schema.clone(),
            counts: LabelCounts::new(schema),
            bar: match shows_bar {
                true => progress::bar(0, "{spinner} {wide_msg}"),
                false => ProgressBar::hidden(),
            },
            pace: Pace::new(Total::default()),
            audio_seconds: 0.0,
            rows: RowEvents::new(events, schema)?,
            events: events.clone(),
            drawn: None,
            told: Instant::now(),
        };
        if done > 0 {
            words::note(format_args!(
                "{done} files are done already: only new and changed files are classified \
                 (--fresh starts over)"
            ));
        }
        if console.table.is_none() {
            console.print(&heading(schema, console.layout()))?;
        }
        Ok(console)
    }

    /// Whether somebody sees how many files there are.
    pub fn shows_totals(&self) -> bool {
        self.events.are_wanted() || !self.bar.is_hidden()
    }

    /// Starts the clock of a run that has `total` files.
    pub fn start(&mut self, total: Total) {
        self.pace = Pace::new(total);
    }

    /// Returns the bar, for lines that others print.
    pub fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Prints a result.
    pub fn result(&mut self, result: &FileResult) -> anyhow::Result<()> {
        match &result.outcome {
            Outcome::Failed { reason, message } => {
                let line = format!("{}: {message} ({reason})", result.path.display());
                self.bar.suspend(|| words::note_failure(failure(line)));
            }
            Outcome::Ok(prediction) => {
                self.audio_seconds += prediction.seconds;
                self.counts.add(&self.schema, &prediction.probabilities);
                if self.table.is_none()
                    && !self.closed
                    && let Some(line) = line(&self.schema, self.layout(), &result.path, prediction)
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
        if let Some(rows) = &mut self.rows {
            rows.result(result)?;
        }
        self.pace.add(result.outcome.is_failed());
        self.show_progress();
        Ok(())
    }

    fn show_progress(&mut self) {
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= BAR) {
            self.drawn = Some(Instant::now());
            let elapsed = self.bar.elapsed().as_secs_f64().max(1e-3);
            let speed = self.audio_seconds / elapsed;
            let line = self.pace.line();
            self.bar
                .set_message(format!("{line}, {speed:.0} times real time"));
        }
        if self.events.are_wanted() && self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            self.events.send(&Event::Progress(self.pace.progress()));
        }
    }

    /// Removes the bar and ends the output. Returns how many files have each label.
    pub fn finish(self) -> anyhow::Result<LabelCounts> {
        self.bar.finish_and_clear();
        if self.events.are_wanted() {
            self.events.send(&Event::Progress(self.pace.progress()));
        }
        if let Some(table) = self.table {
            table.finish()?;
        }
        Ok(self.counts)
    }

    fn layout(&self) -> Layout {
        Layout::of_stdout(self.schema.rule.task)
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
