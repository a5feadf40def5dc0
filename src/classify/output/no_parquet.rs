//! Stands in for Parquet in a build without it.

use std::io;

use super::row_writer::{Header, RowWriter, Sink};

/// Returns an error of kind `Unsupported`.
pub(super) fn open(_: Sink<'_>, _: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let why = "this build of sonoprint has no Parquet";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}
