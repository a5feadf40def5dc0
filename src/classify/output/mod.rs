//! Result tables in three forms: CSV and JSON lines, which grow row by row, and Parquet, which is whole at its end.

#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "no_parquet.rs"]
mod parquet;
mod schema;

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Map, Value, json};

use self::parquet::Parquet;
use self::schema::Cell;
pub use self::schema::Content;
use super::row::ranked;
use super::{FileResult, Outcome};

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Format {
    /// A header and a line a row; probabilities with four places, seconds with two.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// Typed columns for pandas, Polars, DuckDB and Spark; written when the run ends.
    Parquet,
}

impl Format {
    /// The form that a table's name asks for, if it asks for one.
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "csv" => Some(Self::Csv),
            "jsonl" | "ndjson" => Some(Self::Jsonl),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }

    /// Whether a table can be read before its end.
    pub fn grows(self) -> bool {
        self != Self::Parquet
    }
}

/// What a table says of a row beside what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Genres a row, at least one, at most as many as there are classes.
    pub top: usize,
    /// Fingerprint of the checkpoint: weights, front end and classes.
    pub model: String,
}

/// A table that is being written. CSV and JSON lines are flushed with every row, so a reader sees it at once.
pub struct Table<W: Write + Send> {
    content: Content,
    schema: Schema,
    sink: Sink<W>,
}

enum Sink<W: Write + Send> {
    Csv(Box<csv::Writer<W>>),
    Jsonl(W),
    Parquet(Box<Parquet<W>>),
}

impl<W: Write + Send> Table<W> {
    /// Starts a table.
    ///
    /// # Errors
    /// What `out` says; or that this program was built without Parquet.
    pub fn new(out: W, content: Content, format: Format, mut schema: Schema) -> io::Result<Self> {
        schema.top = schema.top.clamp(1, schema.classes.len().max(1));
        let columns = content.columns(&schema);
        let sink = match format {
            Format::Jsonl => Sink::Jsonl(out),
            Format::Parquet => Sink::Parquet(Box::new(Parquet::new(out, columns, &schema.model)?)),
            Format::Csv => {
                let mut writer = csv::Writer::from_writer(out);
                writer.write_record(columns.iter().map(|(name, _)| name))?;
                writer.flush()?;
                Sink::Csv(Box::new(writer))
            }
        };
        Ok(Self {
            content,
            schema,
            sink,
        })
    }

    /// Writes what the table has to say of a file.
    ///
    /// # Errors
    /// What the file says: a full disk, for one.
    pub fn write(&mut self, row: &FileResult) -> io::Result<()> {
        match &mut self.sink {
            Sink::Csv(writer) => {
                for cells in self.content.cells(&self.schema, row) {
                    writer.write_record(cells.iter().map(csv_field))?;
                }
                writer.flush()
            }
            Sink::Jsonl(out) => {
                for object in json_objects(self.content, &self.schema, row) {
                    writeln!(out, "{object}")?;
                }
                out.flush()
            }
            Sink::Parquet(parquet) => {
                for cells in self.content.cells(&self.schema, row) {
                    parquet.push(cells)?;
                }
                Ok(())
            }
        }
    }

    /// Writes what belongs to the end of a table.
    ///
    /// # Errors
    /// As [`Table::write`].
    pub fn finish(self) -> io::Result<()> {
        match self.sink {
            Sink::Csv(mut writer) => writer.flush(),
            Sink::Jsonl(mut out) => out.flush(),
            Sink::Parquet(parquet) => parquet.finish(),
        }
    }
}

fn csv_field(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Float(p) => format!("{p:.4}"),
        Cell::Double(seconds) => format!("{seconds:.2}"),
        Cell::Int(n) => n.to_string(),
        Cell::Bool(yes) => yes.to_string(),
        Cell::Floats(values) => {
            let all: Vec<String> = values.iter().map(f32::to_string).collect();
            all.join(" ")
        }
    }
}

fn json_objects(content: Content, schema: &Schema, row: &FileResult) -> Vec<Value> {
    if content == Content::Files {
        return vec![json_file(schema, row)];
    }
    let columns = content.columns(schema);
    let object = |cells: Vec<Cell>| {
        let named = columns.iter().zip(cells);
        let named = named.map(|((name, _), cell)| (name.clone(), json_value(cell)));
        Value::Object(named.collect())
    };
    let rows = content.cells(schema, row);
    rows.into_iter().map(object).collect()
}

fn json_value(cell: Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Text(text) => text.into(),
        Cell::Float(p) => p.into(),
        Cell::Double(seconds) => seconds.into(),
        Cell::Int(n) => n.into(),
        Cell::Bool(yes) => yes.into(),
        Cell::Floats(values) => values.into(),
    }
}

/// As the table's row, but genres and probabilities are nested.
fn json_file(schema: &Schema, row: &FileResult) -> Value {
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
