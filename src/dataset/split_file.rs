//! Split files: CSV in and out.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::error::{DatasetError, Result};
use super::folder::Dataset;
use super::split::{Split, Subset};

impl Split {
    /// Reads a split from a CSV file.
    ///
    /// The header names the columns `file` (path in the dataset, `/` between its parts) and
    /// `split` ([`Subset::from_name`]), in any order and among any others. Files of the dataset
    /// that the CSV file does not list are in no subset.
    ///
    /// # Errors
    /// `Io`, `SplitFile` (malformed), `Missing` (lists files that the dataset does not have) and
    /// `Twice` of [`DatasetError`].
    pub fn from_csv(data: &Dataset, path: &Path) -> Result<Self> {
        read(data, path)?.finish(data)
    }

    /// Writes the columns `file`, `class` and `split`, in the order of the dataset.
    /// [`Split::from_csv`] reads the same split back.
    ///
    /// The write is atomic: a reader sees either the old file or the complete new one.
    ///
    /// # Errors
    /// `Io`, and `Twice` or `OutOfRange` for a split that was not made from this dataset, of
    /// [`DatasetError`].
    pub fn write_csv(&self, data: &Dataset, path: &Path) -> Result<()> {
        self.check(data)?;
        write(self, data, path)
    }
}

/// Reads a split without checking it.
fn read(data: &Dataset, path: &Path) -> Result<Split> {
    let at = |line: u64, why: String| DatasetError::SplitFile {
        path: path.to_owned(),
        line,
        why,
    };
    let malformed = |e: csv::Error| {
        let line = e.position().map_or(1, csv::Position::line);
        match e.into_kind() {
            csv::ErrorKind::Io(source) => io_error(path, source),
            csv::ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => at(
                line,
                format!("{len} fields where the header has {expected_len}"),
            ),
            _ => at(line, "not valid UTF-8 text".into()),
        }
    };
    let mut file = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .map_err(malformed)?;
    let header = file.headers().map_err(malformed)?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|c| c.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                at(
                    1,
                    format!("no column {name:?}: the columns `file` and `split` are required"),
                )
            })
    };
    let (file_column, split_column) = (column("file")?, column("split")?);

    let index: HashMap<_, _> = (data.entries.iter().map(|e| e.key())).zip(0..).collect();
    let mut split = Split::default();
    let mut missing = Vec::new();
    for row in file.records() {
        let row = row.map_err(malformed)?;
        let line = row.position().map_or(0, csv::Position::line);
        let subset = Subset::from_name(&row[split_column]).ok_or_else(|| {
            at(
                line,
                format!("split {:?} is not train, valid or test", &row[split_column]),
            )
        })?;
        let name = row[file_column].replace('\\', "/");
        let name = name.trim_start_matches("./");
        match index.get(name) {
            Some(&i) => split.subset_mut(subset).push(i),
            None => missing.push(name.to_owned()),
        }
    }
    match missing.as_slice() {
        [] => Ok(split),
        files => Err(DatasetError::missing(files)),
    }
}

/// Writes a split that was checked.
fn write(split: &Split, data: &Dataset, path: &Path) -> Result<()> {
    let mut subsets = vec![None; data.entries.len()];
    for subset in Subset::ALL {
        for &i in split.subset(subset) {
            subsets[i] = Some(subset);
        }
    }
    let mut text = csv::Writer::from_writer(Vec::new());
    let rows = data.entries.iter().zip(subsets);
    let rows = rows.filter_map(|(entry, subset)| Some((entry, subset?)));
    text.write_record(["file", "class", "split"])
        .map_err(|e| io_error(path, e.into()))?;
    for (entry, subset) in rows {
        let class = &data.classes[entry.class];
        text.write_record([entry.key().as_str(), class, subset.name()])
            .map_err(|e| io_error(path, e.into()))?;
    }
    let bytes = text
        .into_inner()
        .map_err(|e| io_error(path, e.into_error()))?;
    replace(path, &bytes).map_err(|e| io_error(path, e))
}

/// Replaces the file at `path` in one step: writes a file beside it, flushes that to the disk and
/// renames it.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.part", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = File::create(&beside)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written
}

fn io_error(path: &Path, source: io::Error) -> DatasetError {
    DatasetError::Io {
        path: path.to_owned(),
        source,
    }
}
