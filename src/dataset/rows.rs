//! CSV files of a dataset, in and out: a header that names the columns, then a row per file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::error::{DatasetError, Result};
use crate::files::{path_of_text, replace};

/// A CSV file that is being read. Spaces around the names of its columns are removed.
pub(super) struct Rows {
    path: PathBuf,
    reader: csv::Reader<File>,
    header: StringRecord,
}

impl Rows {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    /// `Io` and `CsvFile` of [`DatasetError`], as of every function here.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::Headers)
            .from_path(path)
            .map_err(|e| malformed(path, e))?;
        let header = reader.headers().map_err(|e| malformed(path, e))?.clone();
        Ok(Self {
            path: path.to_owned(),
            reader,
            header,
        })
    }

    /// Returns the index of the column that has one of `names`, in any case.
    pub(super) fn column(&self, names: &[&str]) -> Result<usize> {
        let named = |field: &str| {
            let field = field.trim_start_matches('\u{feff}');
            names.iter().any(|name| field.eq_ignore_ascii_case(name))
        };
        self.header.iter().position(named).ok_or_else(|| {
            let needed = names.join("` or `");
            self.wrong(1, format!("the header names no column `{needed}`"))
        })
    }

    /// Returns the next row and its line.
    pub(super) fn next_row(&mut self) -> Result<Option<(u64, StringRecord)>> {
        let mut row = StringRecord::new();
        let more = self.reader.read_record(&mut row);
        let more = more.map_err(|e| malformed(&self.path, e))?;
        let line = row.position().map_or(0, csv::Position::line);
        Ok(more.then_some((line, row)))
    }

    /// Returns the error of a line.
    pub(super) fn wrong(&self, line: u64, why: String) -> DatasetError {
        DatasetError::CsvFile {
            path: self.path.clone(),
            line,
            why,
        }
    }
}

/// Returns the name of a file as it was probably meant: without spaces around it or `./` before it,
/// and with `/` for `\`. An escaped name ([`crate::files::text_of_path`]) stays as it is.
pub(super) fn tidy_path(field: &str) -> String {
    let field = field.trim();
    match path_of_text(field) {
        Some(path) if path.to_str() == Some(field) => {
            let name = field.replace('\\', "/");
            name.trim_start_matches("./").to_owned()
        }
        _ => field.to_owned(),
    }
}

fn malformed(path: &Path, error: csv::Error) -> DatasetError {
    let line = error.position().map_or(1, csv::Position::line);
    let why = match error.into_kind() {
        csv::ErrorKind::Io(source) => return io_error(path, source),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("{len} fields where the header has {expected_len}"),
        _ => "not valid UTF-8 text".into(),
    };
    DatasetError::CsvFile {
        path: path.to_owned(),
        line,
        why,
    }
}

/// Writes a header and rows. The write is atomic: a reader sees either the old file or the complete
/// new one.
pub(super) fn write_rows<const N: usize>(
    path: &Path,
    header: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<()> {
    let failed = |e: csv::Error| io_error(path, e.into());
    let mut text = csv::Writer::from_writer(Vec::new());
    text.write_record(header).map_err(failed)?;
    for row in rows {
        text.write_record(row).map_err(failed)?;
    }
    let bytes = text.into_inner();
    let bytes = bytes.map_err(|e| io_error(path, e.into_error()))?;
    replace(path, &bytes).map_err(|e| io_error(path, e))
}

fn io_error(path: &Path, source: io::Error) -> DatasetError {
    DatasetError::Io {
        path: path.to_owned(),
        source,
    }
}
