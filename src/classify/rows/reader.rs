//! Opening a result table, whatever its format.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use super::row::TableRow;
use super::source::{Fault, Rows};
use super::{csv, jsonl, parquet};

/// Why a table, or a row of it, cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableReadError {
    /// The system failed.
    #[error("cannot read {path}: {source}")]
    Io {
        /// Path of the table.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is no table of files.
    #[error("{path} is not a result table of files: {why}")]
    NotATable {
        /// Path of the table.
        path: PathBuf,
        /// What is missing, or what else it is.
        why: String,
    },
    /// A row is damaged. Those behind it can be read, if the iterator goes on.
    #[error("row {row} of {path}: {why}")]
    Row {
        /// Path of the table.
        path: PathBuf,
        /// Number of the row, from 1, without the header.
        row: u64,
        /// What is wrong with it.
        why: String,
    },
}

/// Reads a result table of files, in any format, as `classify --out` writes it: row by row, never
/// the whole.
///
/// The format is told from the content. A table needs a column `path` and one of `genre` and
/// `tags`; the others may be missing, and unknown ones are ignored, so that tables may be made or
/// changed by other programs.
///
/// ```
/// use sonoprint::classify::{RowLabels, TableReader};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("genres.csv");
/// std::fs::write(&path, "path,genre,confidence\na.mp3,rock,0.9\n")?;
/// for row in TableReader::open(&path)? {
///     let row = row?;
///     assert_eq!(row.labels, RowLabels::Genres(vec![("rock".into(), Some(0.9))]));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TableReader {
    path: PathBuf,
    rows: Rows,
    row: u64,
    ended: bool,
}

impl TableReader {
    /// Opens the table at `path` and reads its header.
    ///
    /// # Errors
    /// [`TableReadError::Io`] and [`TableReadError::NotATable`].
    pub fn open(path: &Path) -> Result<Self, TableReadError> {
        let rows = open(path).map_err(|fault| named(path, 0, fault))?;
        Ok(Self {
            path: path.to_owned(),
            rows,
            row: 0,
            ended: false,
        })
    }

    /// Returns whether the file at `path` looks like a result table, of files or of something else,
    /// by its first bytes.
    pub fn recognizes(path: &Path) -> bool {
        let head = File::open(path).and_then(head);
        head.is_ok_and(|head| {
            let first = head.split(|&b| matches!(b, b'\n' | b'\r')).next();
            let mut columns = first.unwrap_or_default().split(|&b| b == b',');
            head.starts_with(b"PAR1")
                || head.starts_with(b"{\"path\":")
                || columns.any(|column| matches!(column, b"path" | b"\"path\""))
        })
    }
}

impl Iterator for TableReader {
    type Item = Result<TableRow, TableReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let next = self.rows.next()?;
        self.row += 1;
        Some(next.map_err(|fault| {
            self.ended = !matches!(fault, Fault::Row(_));
            named(&self.path, self.row, fault)
        }))
    }
}

fn named(path: &Path, row: u64, fault: Fault) -> TableReadError {
    let path = path.to_owned();
    match fault {
        Fault::Io(source) => TableReadError::Io { path, source },
        Fault::NotATable(why) => TableReadError::NotATable { path, why },
        Fault::Row(why) | Fault::End(why) => TableReadError::Row { path, row, why },
    }
}

fn open(path: &Path) -> Result<Rows, Fault> {
    let mut file = File::open(path).map_err(Fault::Io)?;
    let head = head(&file).map_err(Fault::Io)?;
    file.rewind().map_err(Fault::Io)?;
    match head.as_slice() {
        [b'P', b'A', b'R', b'1', ..] => parquet::open(file),
        [b'{', ..] => Ok(jsonl::open(file)),
        _ => csv::open(file),
    }
}

/// Reads the first bytes.
fn head(file: impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(4096).read_to_end(&mut head)?;
    Ok(head)
}
