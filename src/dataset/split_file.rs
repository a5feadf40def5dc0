//! Split files: CSV in and out.

use std::collections::HashMap;
use std::path::Path;

use super::error::{DatasetError, Result};
use super::folder::Dataset;
use super::rows::{Rows, tidy_path, write_rows};
use super::split::{Split, Subset};

impl Split {
    /// Reads a split from a CSV file.
    ///
    /// The header names the columns `file` (path in the dataset, `/` between its parts) and
    /// `split` ([`Subset::from_name`]), in any order and among any others. Files of the dataset
    /// that the CSV file does not list are in no subset.
    ///
    /// # Errors
    /// `Io`, `CsvFile` (malformed), `Missing` (lists files that the dataset does not have) and
    /// `Twice` of [`DatasetError`].
    pub fn from_csv(data: &Dataset, path: &Path) -> Result<Self> {
        read(data, path)?.finish(data)
    }

    /// Writes the columns `file`, `class` (several labels with `|` between them) and `split`, in the
    /// order of the dataset. [`Split::from_csv`] reads the same split back.
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
    let mut rows = Rows::open(path)?;
    let (file_column, split_column) = (rows.column(&["file"])?, rows.column(&["split"])?);
    let index: HashMap<_, _> = (data.entries.iter().map(|e| e.key())).zip(0..).collect();
    let mut split = Split::default();
    let mut missing = Vec::new();
    while let Some((line, row)) = rows.next_row()? {
        let subset = Subset::from_name(row[split_column].trim()).ok_or_else(|| {
            let why = format!("split {:?} is not train, valid or test", &row[split_column]);
            rows.wrong(line, why)
        })?;
        let (exact, tidy) = (&row[file_column], tidy_path(&row[file_column]));
        match index.get(exact).or_else(|| index.get(&tidy)) {
            Some(&i) => split.subset_mut(subset).push(i),
            None => missing.push(tidy),
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
    let rows = data.entries.iter().zip(subsets);
    let rows = rows.filter_map(|(entry, subset)| Some((entry, subset?)));
    let rows = rows.map(|(entry, subset)| {
        let subset = subset.name().to_owned();
        [entry.key(), data.label_text(entry), subset]
    });
    write_rows(path, ["file", "class", "split"], rows)
}
