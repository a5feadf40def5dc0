//! Result tables: CSV and JSON lines.
//!
//! CSV columns: `path, status, genre, confidence`, then `genre_2, confidence_2, ..` up to the asked number, then
//! `seconds, clips, reason, message`. JSON lines have the same, with all class probabilities instead of the first few.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::{Outcome, Row};

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A header and a line a file.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// Writes rows as they come; each is flushed, so a run that is cut off loses none that was finished.
pub struct Rows<W: Write> {
    classes: Vec<String>,
    top: usize,
    sink: Sink<W>,
}

enum Sink<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
}

impl<W: Write> Rows<W> {
    /// Starts a table of `top` genres a file (at least one).
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(out: W, format: Format, classes: &[String], top: usize) -> io::Result<Self> {
        let top = top.clamp(1, classes.len());
        let sink = match format {
            Format::Jsonl => Sink::Jsonl(out),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(columns(top))?;
                writer.flush()?;
                Sink::Csv(Box::new(writer))
            }
        };
        Ok(Self {
            classes: classes.to_vec(),
            top,
            sink,
        })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// What the file says: a full disk, for one.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        let (record, line) = match self.sink {
            Sink::Csv(_) => (self.csv(row), String::new()),
            Sink::Jsonl(_) => (Vec::new(), self.json(row).to_string()),
        };
        match &mut self.sink {
            Sink::Csv(writer) => {
                writer.write_record(record)?;
                writer.flush()
            }
            Sink::Jsonl(out) => {
                writeln!(out, "{line}")?;
                out.flush()
            }
        }
    }

    fn csv(&self, row: &Row) -> Vec<String> {
        let path = row.path.display().to_string();
        match &row.outcome {
            Outcome::Ok(answer) => {
                let mut record = vec![path, "ok".into()];
                for (class, p) in answer.ranked().into_iter().take(self.top) {
                    record.push(self.classes[class].clone());
                    record.push(format!("{p:.4}"));
                }
                record.push(format!("{:.2}", answer.seconds));
                record.push(answer.clips.to_string());
                let damaged = answer.damaged.clone();
                record.push(damaged.as_ref().map_or("", |_| "damaged").into());
                record.push(damaged.unwrap_or_default());
                record
            }
            Outcome::Failed { reason, message } => {
                let mut record = vec![path, "failed".into()];
                record.extend(vec![String::new(); 2 * self.top + 2]);
                record.push((*reason).into());
                record.push(message.clone());
                record
            }
        }
    }

    fn json(&self, row: &Row) -> Value {
        let path = row.path.display().to_string();
        match &row.outcome {
            Outcome::Ok(answer) => {
                let ranked = answer.ranked();
                let (best, p) = ranked[0];
                let top: Vec<&str> = ranked
                    .iter()
                    .take(self.top)
                    .map(|&(c, _)| self.classes[c].as_str())
                    .collect();
                let all: Map<String, Value> = self
                    .classes
                    .iter()
                    .cloned()
                    .zip(answer.probabilities.iter().map(|&p| json!(p)))
                    .collect();
                json!({
                    "path": path, "status": "ok", "genre": self.classes[best], "confidence": p, "top": top,
                    "probabilities": all, "seconds": answer.seconds, "clips": answer.clips,
                    "damaged": answer.damaged,
                })
            }
            Outcome::Failed { reason, message } => {
                json!({ "path": path, "status": "failed", "reason": reason, "message": message })
            }
        }
    }
}

fn columns(top: usize) -> Vec<String> {
    let mut all = ["path", "status", "genre", "confidence"]
        .map(str::to_owned)
        .to_vec();
    for n in 2..=top {
        all.extend([format!("genre_{n}"), format!("confidence_{n}")]);
    }
    all.extend(["seconds", "clips", "reason", "message"].map(str::to_owned));
    all
}
