//! What a table format implements.

use std::io::{self, Write};

use super::schema::{Cell, Column};

/// Where a table is written to.
pub(crate) type Sink<'w> = Box<dyn Write + Send + 'w>;

/// What a format knows of a table before its first row.
pub(crate) struct Header {
    pub(crate) columns: Vec<Column>,
    /// Fingerprint of the checkpoint.
    #[cfg_attr(
        not(feature = "parquet"),
        expect(dead_code, reason = "only Parquet has a place for it")
    )]
    pub(crate) model: String,
    /// How many rows there will be, where that is known.
    pub(crate) rows: Option<u64>,
}

/// Starts a table.
pub(crate) type Open = for<'w> fn(Sink<'w>, Header) -> io::Result<Box<dyn RowWriter + 'w>>;

/// A table that is being written in some format.
///
/// # Errors
/// Every method returns the sink's errors: a full disk, for example.
pub(crate) trait RowWriter: Send {
    /// Adds a row: one cell per column.
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()>;

    /// Passes the rows so far to the system, if the format streams, so that a reader of the file
    /// sees them at once.
    fn flush(&mut self) -> io::Result<()>;

    /// Writes the end of the table.
    fn finish(self: Box<Self>) -> io::Result<()>;
}
