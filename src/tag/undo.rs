//! The undo table: what every file had and got, written before the file is.
//!
//! It is CSV with a row per file: its path, and its changed fields before and after, as JSON. A
//! table that exists goes on, so that it has every change since it was begun. Rows are undone from
//! the last to the first, because a file may have several.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::change::{Change, Changes};
use super::error::TagError;
use super::field::FieldKey;
use super::file::{TagFile, WriteOptions};
use crate::files::{ClaimError, Claims, Ours, OutFile, path_of_text, text_of_path};

/// The columns.
const COLUMNS: [&str; 3] = ["path", "before", "after"];
const HEADER: &str = "path,before,after\n";

/// Recognized by its header.
const OURS: Ours = Ours {
    what: "an undo table",
    is: |head| head.starts_with(HEADER),
};

/// Why the undo table cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UndoError {
    /// There is another file, or one that must not be written.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// Another process writes to it.
    #[error("another process is writing {0}")]
    Locked(PathBuf),
    /// The system failed.
    #[error("cannot {what} {path}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Path of the table.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is no undo table.
    #[error("{0} is not an undo table")]
    NotATable(PathBuf),
}

/// An undo table that rows are added to.
pub struct UndoTable {
    path: PathBuf,
    file: OutFile,
}

impl UndoTable {
    /// Opens the table at `path`, and goes on with the one that is there. A row that a kill cut off
    /// is removed: its file was not written. `inputs` are files that must not be overwritten.
    ///
    /// # Errors
    /// [`UndoError`].
    pub fn open<'a>(
        path: &Path,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, UndoError> {
        let mut claims = Claims::default();
        inputs.into_iter().for_each(|input| claims.input(input));
        claims.output(path, OURS)?;
        let io = |source| UndoError::Io {
            what: "write",
            path: path.to_owned(),
            source,
        };
        let mut file = OutFile::append(path).map_err(io)?;
        if let Err(std::fs::TryLockError::WouldBlock) = file.try_lock() {
            return Err(UndoError::Locked(path.to_owned()));
        }
        let mut rows = Rows::index(path)?;
        file.set_len(rows.end).map_err(io)?;
        if rows.end == 0 {
            file.write_all(HEADER.as_bytes()).map_err(io)?;
        } else if last_byte(&mut rows.file, rows.end).map_err(io)? != b'\n' {
            file.write_all(b"\n").map_err(io)?;
        }
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Adds a row, and waits until it is on the disk. Then the file may be written.
    ///
    /// # Errors
    /// [`UndoError::Io`]. A part of the row may be in the table; the next [`UndoTable::open`]
    /// removes it.
    pub fn add(&mut self, path: &Path, changes: &Changes) -> Result<(), UndoError> {
        let io = |source| UndoError::Io {
            what: "write",
            path: self.path.clone(),
            source,
        };
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let cell = |values: fn(&Change) -> &Vec<String>| {
            let cells = changes.iter().map(|(key, c)| (key.to_string(), values(c)));
            serde_json::to_string(&cells.collect::<BTreeMap<_, _>>()).map_err(io::Error::from)
        };
        let (before, after) = cell(|c| &c.before)
            .and_then(|before| Ok((before, cell(|c| &c.after)?)))
            .map_err(io)?;
        let mut row = csv::Writer::from_writer(Vec::new());
        let written = row.write_record([text_of_path(&path), before, after]);
        written.map_err(io::Error::from).map_err(io)?;
        let row = row.into_inner().map_err(|e| io(e.into_error()))?;
        // One write: a kill leaves a row whole, cut off, or not there.
        self.file.write_all(&row).map_err(io)?;
        self.file.sync().map_err(io)
    }
}

/// A row of an undo table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRow {
    /// The file.
    pub path: PathBuf,
    /// What was changed in it.
    pub changes: Changes,
}

/// What undoing a row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The file has its old fields again.
    Restored,
    /// It had them already.
    AsBefore,
}

/// Why a row was not undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UndoRowError {
    /// The file cannot be read or written.
    #[error(transparent)]
    File(#[from] TagError),
    /// The fields have other values than those that were written.
    #[error("its field {field} was changed since: it is {found}, and was set to {written}")]
    ChangedSince {
        /// The first such field.
        field: FieldKey,
        /// The values now.
        found: String,
        /// The values that were written.
        written: String,
    },
}

impl UndoRow {
    /// Gives the file its old fields, if it still has the new ones. With `dry_run`, only says what
    /// would be done.
    ///
    /// # Errors
    /// [`UndoRowError`]. The file is as it was.
    pub fn undo(&self, options: WriteOptions, dry_run: bool) -> Result<Undone, UndoRowError> {
        let file = TagFile::open(&self.path)?;
        let fields = file.fields();
        let now = |key: &FieldKey| fields.get(key).cloned().unwrap_or_default();
        if self.changes.iter().all(|(key, c)| now(key) == c.before) {
            return Ok(Undone::AsBefore);
        }
        if let Some((key, change)) = self.changes.iter().find(|(key, c)| now(key) != c.after) {
            let text = |values: Vec<String>| match values.is_empty() {
                true => "absent".to_owned(),
                false => format!("`{}`", values.join("; ")),
            };
            return Err(UndoRowError::ChangedSince {
                field: *key,
                found: text(now(key)),
                written: text(change.after.clone()),
            });
        }
        if !dry_run {
            let back = self.changes.iter().map(|(key, change)| {
                let change = Change {
                    before: change.after.clone(),
                    after: change.before.clone(),
                };
                (*key, change)
            });
            file.prepare(&back.collect(), options)?.commit()?;
        }
        Ok(Undone::Restored)
    }
}

/// Reads the undo table at `path` from its last row to the first. Only the places of the rows are
/// in memory.
///
/// # Errors
/// [`UndoError`], also as an item.
pub fn undo_rows(
    path: &Path,
) -> Result<impl Iterator<Item = Result<UndoRow, UndoError>> + use<>, UndoError> {
    let Rows { starts, file, .. } = Rows::index(path)?;
    let path = path.to_owned();
    let mut starts = starts.into_iter().rev();
    let mut file = file;
    Ok(std::iter::from_fn(move || {
        let start = starts.next()?;
        let row = row_at(&mut file, start).map_err(|source| UndoError::Io {
            what: "read",
            path: path.clone(),
            source,
        });
        Some(row.and_then(|row| row.ok_or_else(|| UndoError::NotATable(path.clone()))))
    }))
}

/// Where the rows of a table begin, and where the last whole one ends.
struct Rows {
    file: File,
    starts: Vec<u64>,
    end: u64,
}

impl Rows {
    fn index(path: &Path) -> Result<Self, UndoError> {
        let io = |source| UndoError::Io {
            what: "read",
            path: path.to_owned(),
            source,
        };
        let mut file = File::open(path).map_err(io)?;
        let len = file.metadata().map_err(io)?.len();
        let last = last_byte(&mut file, len).map_err(io)?;
        let mut reader = reader(&file);
        let mut record = csv::ByteRecord::new();
        let mut rows = Self {
            file: file.try_clone().map_err(io)?,
            starts: Vec::new(),
            end: 0,
        };
        let mut header = true;
        loop {
            let start = reader.position().byte();
            let read = reader
                .read_byte_record(&mut record)
                .map_err(io::Error::from);
            if !read.map_err(io)? {
                return Ok(rows);
            }
            let end = reader.position().byte();
            if std::mem::take(&mut header) {
                // A kill may have cut the header off.
                let found = record.iter().collect::<Vec<_>>().join(&b","[..]);
                if len < HEADER.len() as u64 && HEADER.as_bytes().starts_with(&found) {
                    return Ok(rows);
                }
                if !record.iter().eq(COLUMNS.map(str::as_bytes)) {
                    return Err(UndoError::NotATable(path.to_owned()));
                }
                rows.end = end;
                continue;
            }
            match row(&record) {
                // Its last cell has quotes around it. A kill cut off the second one.
                Some(_) if end == len && !matches!(last, b'\n' | b'"') => return Ok(rows),
                Some(_) => {
                    rows.starts.push(start);
                    rows.end = end;
                }
                // A kill cut the last row off.
                None if end == len => return Ok(rows),
                None => return Err(UndoError::NotATable(path.to_owned())),
            }
        }
    }
}

/// Returns the last of the first `len` bytes of a file, or 0, and goes back to its beginning.
fn last_byte(file: &mut File, len: u64) -> io::Result<u8> {
    let mut last = [0];
    if let Some(at) = len.checked_sub(1) {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut last)?;
        file.rewind()?;
    }
    Ok(last[0])
}

fn reader(file: &File) -> csv::Reader<&File> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).from_reader(file)
}

fn row_at(file: &mut File, start: u64) -> io::Result<Option<UndoRow>> {
    file.seek(SeekFrom::Start(start))?;
    let mut record = csv::ByteRecord::new();
    reader(file).read_byte_record(&mut record)?;
    Ok(row(&record))
}

/// Reads a row; `None` if it is cut off or none.
fn row(record: &csv::ByteRecord) -> Option<UndoRow> {
    if record.len() != COLUMNS.len() {
        return None;
    }
    let text = |i: usize| std::str::from_utf8(record.get(i)?).ok();
    let values = |i: usize| -> Option<BTreeMap<FieldKey, Vec<String>>> {
        let cells: BTreeMap<String, Vec<String>> = serde_json::from_str(text(i)?).ok()?;
        let cells = cells.into_iter();
        cells
            .map(|(key, values)| Some((key.parse().ok()?, values)))
            .collect()
    };
    let (before, mut after) = (values(1)?, values(2)?);
    let changes = before.into_iter().map(|(key, before)| {
        let after = after.remove(&key)?;
        Some((key, Change { before, after }))
    });
    Some(UndoRow {
        path: path_of_text(text(0)?)?,
        changes: changes.collect::<Option<_>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tag::field::{Field, TagKind};

    fn changes(after: &str) -> Changes {
        let key = FieldKey {
            kind: TagKind::Id3v2,
            field: Field::Genre,
        };
        let change = Change {
            before: vec![],
            after: vec![after.into(), "a \"b\", c".into()],
        };
        [(key, change)].into()
    }

    fn paths(table: &Path) -> Vec<String> {
        let rows = undo_rows(table).unwrap().map(|row| row.unwrap());
        rows.map(|row| row.path.to_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn rows_come_back_from_the_last_and_torn_ones_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("undo.csv");
        let add = |names: &[&str]| {
            let mut table = UndoTable::open(&path, []).unwrap();
            for name in names {
                table.add(name.as_ref(), &changes(name)).unwrap();
            }
        };
        add(&["/a", "/b\nc"]);
        let whole = std::fs::read(&path).unwrap();
        add(&["/d"]);
        let more = std::fs::read(&path).unwrap();
        assert_eq!(paths(&path), ["/d", "/b\nc", "/a"]);
        let row = undo_rows(&path).unwrap().last().unwrap().unwrap();
        assert_eq!(row.changes, changes("/a"));
        for cut in 0..more.len() {
            std::fs::write(&path, &more[..cut]).unwrap();
            add(&["/e"]);
            assert_eq!(paths(&path)[0], "/e", "{cut}");
        }
        std::fs::write(&path, &more[..whole.len() + 5]).unwrap();
        assert_eq!(paths(&path), ["/b\nc", "/a"]);
        std::fs::write(&path, "path,genre\n").unwrap();
        assert!(UndoTable::open(&path, []).is_err() && undo_rows(&path).is_err());
    }
}
