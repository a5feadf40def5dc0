//! JSON Lines: one object per row. Its keys are the columns, in their order; a cell without a value
//! is null, a vector is an array.

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::row_writer::{Header, RowWriter, Sink};
use super::schema::{Cell, Column};
use crate::files::Ours;

/// Recognized by the first row: `path` without spaces around it, and a key of files, of clips, of
/// embeddings or of neighbors.
pub(super) const OURS: Ours = Ours {
    what: "a table in JSON Lines",
    is: |head| {
        let mut lines = head.start.split(|&b| b == b'\n');
        let first = String::from_utf8_lossy(lines.next().unwrap_or_default());
        // The row is longer than what was read, or a kill cut it off.
        let cut = lines.next().is_none();
        let keys = ["\"status\":", "\"start\":", "\"embedding\":", "\"rank\":"];
        let mut keys = keys.iter();
        head.starts_with("{\"path\":\"") && (cut || keys.any(|key| first.contains(key)))
    },
};

/// Starts a table.
pub(super) fn open(sink: Sink<'_>, header: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let columns = header.columns;
    Ok(Box::new(Jsonl { columns, sink }))
}

struct Jsonl<'w> {
    columns: Vec<Column>,
    sink: Sink<'w>,
}

impl RowWriter for Jsonl<'_> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        let object = Object {
            columns: &self.columns,
            cells: &cells,
        };
        let mut line = serde_json::to_vec(&object)?;
        line.push(b'\n');
        self.sink.write_all(&line)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.sink.flush()
    }
}

struct Object<'a> {
    columns: &'a [Column],
    cells: &'a [Cell],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for ((name, _), cell) in self.columns.iter().zip(self.cells) {
            match cell {
                Cell::Null => map.serialize_entry(name, &())?,
                Cell::Text(text) => map.serialize_entry(name, text)?,
                Cell::Float(p) => map.serialize_entry(name, p)?,
                Cell::Double(seconds) => map.serialize_entry(name, seconds)?,
                Cell::Int(n) => map.serialize_entry(name, n)?,
                Cell::Bool(yes) => map.serialize_entry(name, yes)?,
                Cell::Floats(values) => map.serialize_entry(name, values)?,
                Cell::Texts(texts) => map.serialize_entry(name, texts)?,
            }
        }
        map.end()
    }
}
