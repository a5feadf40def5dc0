//! What `tag` prints: what changes on stdout, failures and counts on stderr.

use std::fmt::Display;
use std::io;
use std::path::Path;

use indicatif::ProgressBar;

use super::super::{progress, words};
use crate::classify::{RowStatus, TableRow};
use crate::tag::{Changes, TagError, Tagged, UndoRow, UndoRowError, Undone};

/// Letters of a value that are printed.
const VALUE: usize = 60;

/// Counts files, and prints a line for each that changes.
pub struct Report {
    dry_run: bool,
    written: u64,
    /// Files that have everything.
    pub unchanged: u64,
    no_label: u64,
    /// Files of which a row of the table says that they could not be read.
    unread: u64,
    younger: u64,
    /// Files that could not be tagged, and rows that could not be read.
    pub failed: u64,
    bar: ProgressBar,
}

impl Report {
    /// Starts at 0.
    pub fn new(dry_run: bool) -> Self {
        Self {
            dry_run,
            written: 0,
            unchanged: 0,
            no_label: 0,
            unread: 0,
            younger: 0,
            failed: 0,
            bar: progress::bar(0, "{spinner} {msg}"),
        }
    }

    /// Counts a row of a table, and prints what it changed.
    pub fn row(&mut self, row: &TableRow, tagged: Tagged) -> anyhow::Result<()> {
        match tagged {
            Tagged::Written { changes, younger } => {
                self.written += 1;
                self.younger += u64::from(younger);
                let late = match younger {
                    true => "  (changed after the table was written)",
                    false => "",
                };
                self.changes(&row.path, &changes, late)?;
            }
            Tagged::Unchanged => self.unchanged += 1,
            Tagged::NoLabel if row.status == RowStatus::Failed => self.unread += 1,
            Tagged::NoLabel => self.no_label += 1,
            Tagged::Failed(e @ TagError::HardLinks { .. }) => {
                self.failure(
                    &row.path,
                    format_args!("{e} (--break-hard-links allows it)"),
                );
            }
            Tagged::Failed(e) => self.failure(&row.path, e),
        }
        let all = self.written + self.unchanged + self.no_label + self.unread + self.failed;
        self.bar
            .set_message(format!("{all} files, {} written", self.written));
        Ok(())
    }

    /// Counts a file that was classified just now.
    pub fn answer(&mut self, row: &TableRow, tagged: Tagged) -> anyhow::Result<()> {
        match (row.status, &row.message, &row.reason) {
            (RowStatus::Failed, Some(message), Some(reason)) => {
                self.failure(&row.path, format_args!("{message} ({reason})"));
                Ok(())
            }
            _ => self.row(row, tagged),
        }
    }

    /// Counts a row that cannot be read.
    pub fn bad_row(&mut self, error: &dyn Display) {
        self.failed += 1;
        self.bar.suspend(|| words::note(error));
    }

    /// Counts a row of an undo table.
    pub fn undone(
        &mut self,
        row: &UndoRow,
        undone: Result<Undone, UndoRowError>,
    ) -> anyhow::Result<()> {
        match undone {
            Ok(Undone::AsBefore) => self.unchanged += 1,
            Ok(Undone::Restored) => {
                self.written += 1;
                let changes = row.changes.iter().map(|(key, change)| {
                    let mut change = change.clone();
                    std::mem::swap(&mut change.before, &mut change.after);
                    (*key, change)
                });
                self.changes(&row.path, &changes.collect(), "")?;
            }
            Err(e) => self.failure(&row.path, e),
        }
        Ok(())
    }

    fn failure(&mut self, path: &Path, error: impl Display) {
        self.failed += 1;
        let line = format!("{}: {error}", path.display());
        self.bar.suspend(|| words::note(line));
    }

    /// Prints the fields of a file that change: a line each.
    fn changes(&self, path: &Path, changes: &Changes, late: &str) -> io::Result<()> {
        let mut lines = vec![format!("{}{late}", path.display())];
        for (key, change) in changes {
            let (before, after) = (short(&change.before), short(&change.after));
            lines.push(format!("  {:<14} {before} -> {after}", key.to_string()));
        }
        self.bar.suspend(|| match self.dry_run {
            true => words::print_line(lines.join("\n")),
            // A closed stdout must not end what is done to the files.
            false => {
                words::print_line_lossy(lines.join("\n"));
                Ok(())
            }
        })
    }

    /// Prints the counts of a run, and how to undo it.
    pub fn finish(&self, undo_table: &Path) {
        self.bar.finish_and_clear();
        let verb = if self.dry_run {
            "would be tagged"
        } else {
            "tagged"
        };
        let mut parts = vec![format!("{} files {verb}", self.written)];
        let counts = [
            (self.unchanged, "left as they are"),
            (self.no_label, "without a label that is sure enough"),
            (self.unread, "could not be read when they were classified"),
            (self.failed, "failed"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        parts.extend(counts.map(|(count, what)| format!("{count} {what}")));
        words::note(parts.join(", "));
        if self.younger > 0 {
            words::note(format_args!(
                "{} of them changed after the table was written: if their sound is another one, \
                 classify them again",
                self.younger
            ));
        }
        if self.written > 0 && !self.dry_run {
            let table = undo_table.display();
            words::note(format_args!("to undo: sonoprint tag --undo {table}"));
        }
    }

    /// Prints the counts of an undo.
    pub fn finish_undo(&self) {
        self.bar.finish_and_clear();
        let verb = if self.dry_run {
            "would be restored"
        } else {
            "restored"
        };
        words::note(format_args!(
            "{} files {verb}, {} as before already, {} failed",
            self.written, self.unchanged, self.failed
        ));
    }
}

/// Returns values for people, without line breaks.
fn short(values: &[String]) -> String {
    if values.is_empty() {
        return "(none)".into();
    }
    let text = values.join(" | ").replace(char::is_control, " ");
    match text.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None if text.trim().is_empty() => format!("\"{text}\""),
        None => text,
    }
}
