//! CSV: a header and one line per row.

use std::io;

use super::row_writer::{Header, RowWriter, Sink};
use super::schema::Cell;
use crate::files::Ours;

/// Recognized by the first columns, of files, of clips or of neighbors. An edited header is not.
pub(super) const OURS: Ours = Ours {
    what: "a CSV table",
    is: |head| {
        let mut all = ["path,status,", "path,start,end,", "path,rank,neighbor,"].iter();
        all.any(|columns| head.starts_with(columns))
    },
};

/// Starts a table and writes its header.
pub(super) fn open(sink: Sink<'_>, header: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let mut writer = csv::Writer::from_writer(sink);
    writer.write_record(header.columns.iter().map(|(name, _)| name))?;
    writer.flush()?;
    Ok(Box::new(Csv(writer)))
}

struct Csv<'w>(csv::Writer<Sink<'w>>);

impl RowWriter for Csv<'_> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        Ok(self.0.write_record(cells.iter().map(field))?)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}

fn field(cell: &Cell) -> String {
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
        Cell::Texts(texts) => texts.join("; "),
    }
}
