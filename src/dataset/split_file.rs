//! Split files: CSV in and out.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::Dataset;
use super::error::{DatasetError, Result};
use super::split::{Split, Subset};

/// Files named in the error about files that the dataset does not have.
const NAMED: usize = 3;

/// Reads a split without checking it; see [`Split::from_csv`].
pub(super) fn read(data: &Dataset, path: &Path) -> Result<Split> {
    let at = |line: u64, why: String| DatasetError::SplitFile {
        path: path.to_owned(),
        line,
        why,
    };
    let broken = |e: csv::Error| {
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
        .map_err(broken)?;
    let header = file.headers().map_err(broken)?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|c| c.trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                at(
                    1,
                    format!("no column {name:?}; it needs `file` and `split`"),
                )
            })
    };
    let (file_column, split_column) = (column("file")?, column("split")?);

    let index: HashMap<_, _> = (data.entries.iter().map(|e| e.key())).zip(0..).collect();
    let mut split = Split::default();
    let mut missing = Vec::new();
    for row in file.records() {
        let row = row.map_err(broken)?;
        let line = row.position().map_or(0, csv::Position::line);
        let side = Subset::from_name(&row[split_column]).ok_or_else(|| {
            at(
                line,
                format!("split {:?} is not train, valid or test", &row[split_column]),
            )
        })?;
        let name = row[file_column].replace('\\', "/");
        let name = name.trim_start_matches("./");
        match index.get(name) {
            Some(&i) => split.side_mut(side).push(i),
            None => missing.push(name.to_owned()),
        }
    }
    if missing.is_empty() {
        return Ok(split);
    }
    let mut first = missing[..missing.len().min(NAMED)].join(", ");
    if missing.len() > NAMED {
        first.push_str(", ...");
    }
    Err(DatasetError::Missing {
        count: missing.len(),
        first,
    })
}

/// Writes a split that was checked; see [`Split::write_csv`].
pub(super) fn write(split: &Split, data: &Dataset, path: &Path) -> Result<()> {
    let sides = split.sides(data.entries.len());
    let mut text = csv::Writer::from_writer(Vec::new());
    let rows = data.entries.iter().zip(sides);
    let rows = rows.filter_map(|(entry, side)| Some((entry, side?)));
    text.write_record(["file", "class", "split"])
        .map_err(|e| io_error(path, e.into()))?;
    for (entry, side) in rows {
        let class = &data.classes[entry.class];
        text.write_record([entry.key().as_str(), class, side.name()])
            .map_err(|e| io_error(path, e.into()))?;
    }
    let bytes = text
        .into_inner()
        .map_err(|e| io_error(path, e.into_error()))?;
    replace(path, &bytes).map_err(|e| io_error(path, e))
}

/// Puts `bytes` at `path` in one step: written beside it, flushed to the disk, renamed.
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
