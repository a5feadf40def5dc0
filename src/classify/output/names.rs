//! The names of the rows of a `.npy` matrix, which has no place for them: one path per line.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::row_writer::{Header, RowWriter, Sink};
use super::schema::Cell;
use crate::files::Ours;

/// Nothing is recognized: the matrix beside the list says whose it is.
pub(super) const OURS: Ours = Ours {
    what: "a list of paths",
    is: |_| false,
};

/// How the list beside a matrix of ours is recognized.
pub(super) const BESIDE_OURS: Ours = Ours {
    is: |_| true,
    ..OURS
};

/// Returns the path of the list of a matrix's rows: the matrix's path with `.txt` at its end.
///
/// ```
/// use sonoprint::classify::names_of;
///
/// assert_eq!(names_of("a/b.npy".as_ref()), std::path::Path::new("a/b.npy.txt"));
/// ```
pub fn names_of(matrix: &Path) -> PathBuf {
    let mut name: OsString = matrix.as_os_str().to_owned();
    name.push(".txt");
    name.into()
}

/// Starts a list.
pub(super) fn open(sink: Sink<'_>, _: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    Ok(Box::new(Names(sink)))
}

struct Names<'w>(Sink<'w>);

impl RowWriter for Names<'_> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        let Some(Cell::Text(path)) = cells.first() else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        // A line break in a name would be two lines. A path that is escaped already has none.
        let line = match path.contains(['\n', '\r']) {
            true => format!("bytes:{}\n", path.as_bytes().escape_ascii()),
            false => format!("{path}\n"),
        };
        self.0.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.0.flush()
    }
}
