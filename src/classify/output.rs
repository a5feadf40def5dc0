//! Result tables: CSV and JSON lines, a row a file; the timeline, a row a clip; embeddings.
//!
//! CSV columns: `path, status, genre, confidence`, then `genre_2, confidence_2, ..` up to the asked number, then
//! `seconds, clips, silent, padded, reason, message`, then the probability of every class (`p_blues, ..`), then `model`,
//! the fingerprint of the checkpoint. JSON lines have the same by name. Times are seconds, probabilities 0 to 1.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::row::ranked;
use super::{Outcome, Row};

/// The two forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A header and a line a file.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

/// What a table says of a row beside what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Genres a row, at least one.
    pub top: usize,
    /// Fingerprint of the checkpoint.
    pub model: String,
}

/// Writes rows as they come; each is flushed, so a reader sees it at once.
pub struct Rows<W: Write> {
    schema: Schema,
    sink: Sink<W>,
}

enum Sink<W: Write> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
}

impl<W: Write> Rows<W> {
    /// Starts a table.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(out: W, format: Format, mut schema: Schema) -> io::Result<Self> {
        schema.top = schema.top.clamp(1, schema.classes.len().max(1));
        let sink = match format {
            Format::Jsonl => Sink::Jsonl(out),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(columns(&schema))?;
                writer.flush()?;
                Sink::Csv(Box::new(writer))
            }
        };
        Ok(Self { schema, sink })
    }

    /// Writes one row.
    ///
    /// # Errors
    /// What the file says: a full disk, for one.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        match &mut self.sink {
            Sink::Csv(writer) => {
                writer.write_record(csv_record(&self.schema, row))?;
                writer.flush()
            }
            Sink::Jsonl(out) => {
                writeln!(out, "{}", json_object(&self.schema, row))?;
                out.flush()
            }
        }
    }
}

fn columns(schema: &Schema) -> Vec<String> {
    let mut all = ["path", "status", "genre", "confidence"]
        .map(str::to_owned)
        .to_vec();
    for n in 2..=schema.top {
        all.extend([format!("genre_{n}"), format!("confidence_{n}")]);
    }
    all.extend(["seconds", "clips", "silent", "padded", "reason", "message"].map(str::to_owned));
    all.extend(schema.classes.iter().map(|c| format!("p_{c}")));
    all.push("model".into());
    all
}

fn csv_record(schema: &Schema, row: &Row) -> Vec<String> {
    let mut record = vec![row.path.display().to_string()];
    match &row.outcome {
        Outcome::Ok(answer) => {
            record.push("ok".into());
            for (class, p) in ranked(&answer.probabilities).into_iter().take(schema.top) {
                record.extend([schema.classes[class].clone(), format!("{p:.4}")]);
            }
            let damaged = answer.damaged.clone();
            record.extend([
                format!("{:.2}", answer.seconds),
                answer.clips.to_string(),
                answer.silent.to_string(),
                answer.padded.to_string(),
                damaged.as_ref().map_or("", |_| "damaged").into(),
                damaged.unwrap_or_default(),
            ]);
            record.extend(answer.probabilities.iter().map(|p| format!("{p:.4}")));
        }
        Outcome::Failed { reason, message } => {
            record.push("failed".into());
            record.extend(vec![String::new(); 2 * schema.top + 4]);
            record.extend([reason.clone(), message.clone()]);
            record.extend(vec![String::new(); schema.classes.len()]);
        }
    }
    record.push(schema.model.clone());
    record
}

fn json_object(schema: &Schema, row: &Row) -> Value {
    let path = row.path.display().to_string();
    match &row.outcome {
        Outcome::Ok(answer) => {
            let ranked = ranked(&answer.probabilities);
            let top: Vec<&str> = ranked
                .iter()
                .take(schema.top)
                .map(|&(c, _)| schema.classes[c].as_str())
                .collect();
            let all: Map<String, Value> = schema
                .classes
                .iter()
                .cloned()
                .zip(answer.probabilities.iter().map(|&p| json!(p)))
                .collect();
            json!({
                "path": path, "status": "ok", "genre": top.first(),
                "confidence": ranked.first().map(|r| r.1), "top": top, "probabilities": all,
                "seconds": answer.seconds, "clips": answer.clips, "silent": answer.silent,
                "padded": answer.padded, "damaged": answer.damaged, "model": schema.model,
            })
        }
        Outcome::Failed { reason, message } => json!({
            "path": path, "status": "failed", "reason": reason, "message": message,
            "model": schema.model,
        }),
    }
}

/// Writes a row a clip: `path, start, end, genre, confidence` and the probability of every class.
pub struct Timeline<W: Write> {
    schema: Schema,
    writer: csv::Writer<W>,
}

impl<W: Write> Timeline<W> {
    /// Starts a table.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(out: W, schema: Schema) -> io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        let mut head = ["path", "start", "end", "genre", "confidence"]
            .map(str::to_owned)
            .to_vec();
        head.extend(schema.classes.iter().map(|c| format!("p_{c}")));
        writer.write_record(head)?;
        writer.flush()?;
        Ok(Self { schema, writer })
    }

    /// Writes the clips of one file.
    ///
    /// # Errors
    /// What the file says.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        let Outcome::Ok(answer) = &row.outcome else {
            return Ok(());
        };
        for clip in &answer.timeline {
            let mut record = vec![row.path.display().to_string()];
            record.extend([clip.start, clip.end].map(|s| format!("{s:.2}")));
            if let Some(&(best, p)) = ranked(&clip.probabilities).first() {
                record.extend([self.schema.classes[best].clone(), format!("{p:.4}")]);
            }
            record.extend(clip.probabilities.iter().map(|p| format!("{p:.4}")));
            self.writer.write_record(record)?;
        }
        self.writer.flush()
    }
}

/// Writes a JSON object a file that could be read: `path` and `embedding`.
pub struct Embeddings<W: Write>(pub W);

impl<W: Write> Embeddings<W> {
    /// Writes one file's.
    ///
    /// # Errors
    /// What the file says.
    pub fn write(&mut self, row: &Row) -> io::Result<()> {
        let Outcome::Ok(answer) = &row.outcome else {
            return Ok(());
        };
        let path = row.path.display().to_string();
        let line = json!({ "path": path, "embedding": answer.embedding });
        writeln!(self.0, "{line}")?;
        self.0.flush()
    }
}
