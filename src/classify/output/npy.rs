//! NumPy's `.npy`: a matrix of f32 in C order, `[rows][values]`.

use std::io::{self, Write};

pub(crate) use super::npy_header::NpyHeader;
use super::npy_header::PREAMBLE;
use super::row_writer::{Header, RowWriter, Sink};
use super::schema::Cell;
use crate::files::Ours;

/// Length of everything before the values, bytes. They start on a page of memory, where
/// `numpy.load(mmap_mode="r")` maps them. NumPy itself pads to 64 bytes only, and the length
/// therefore also says whose file it is.
const DATA: usize = 4096;

/// Recognized by the length of its header.
pub(crate) const OURS: Ours = Ours {
    what: "a .npy matrix",
    is: |head| {
        let start = header(0, 0);
        let len = head.start.len().min(PREAMBLE);
        head.start[..len] == start[..len]
    },
};

/// Returns what stands before the values of a matrix of `rows` times `columns`.
pub(crate) fn header(rows: u64, columns: u64) -> Vec<u8> {
    NpyHeader::bytes(rows, columns, DATA).expect("two numbers fit into a page")
}

/// Writes values as they stand in a file: little endian.
///
/// # Errors
/// Those of `out`.
pub(crate) fn write_values(out: &mut impl Write, values: &[f32]) -> io::Result<()> {
    match cfg!(target_endian = "little") {
        true => out.write_all(bytemuck::cast_slice(values)),
        false => values
            .iter()
            .try_for_each(|value| out.write_all(&value.to_le_bytes())),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Starts a table of one vector per row. The number of rows stands before them and must be known.
pub(super) fn open(sink: Sink<'_>, header: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let unknown = || io::Error::new(io::ErrorKind::Unsupported, "the number of rows is unknown");
    Ok(Box::new(Npy {
        rows: header.rows.ok_or_else(unknown)?,
        written: 0,
        columns: None,
        sink,
    }))
}

struct Npy<'w> {
    rows: u64,
    written: u64,
    /// Values per row; `None` before the first one.
    columns: Option<usize>,
    sink: Sink<'w>,
}

impl RowWriter for Npy<'_> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        let vectors = cells.iter().find_map(|cell| match cell {
            Cell::Floats(values) => Some(values),
            _ => None,
        });
        let values = vectors.ok_or_else(|| invalid("a row has no vector"))?;
        match self.columns {
            Some(columns) if columns == values.len() => {}
            Some(_) => return Err(invalid("vectors of several lengths are no matrix")),
            None => {
                self.columns = Some(values.len());
                let header = header(self.rows, values.len() as u64);
                self.sink.write_all(&header)?;
            }
        }
        self.written += 1;
        write_values(&mut self.sink, values)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.columns.is_none() {
            self.sink.write_all(&header(0, 0))?;
        }
        if self.written != self.rows {
            return Err(invalid(
                "the number of rows changed while they were written",
            ));
        }
        self.sink.flush()
    }
}
