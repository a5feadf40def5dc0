//! Stands in for Parquet in a build without it.

use std::io;

use super::row_writer::{Header, RowWriter, Sink};
use crate::files::Ours;

/// Nothing is recognized, because nothing can be written.
pub(super) const OURS: Ours = Ours {
    what: "a Parquet table",
    is: |_| false,
};

/// Returns an error of kind `Unsupported`.
pub(super) fn open(_: Sink<'_>, _: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let why = "this build of sonoprint has no Parquet";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}
