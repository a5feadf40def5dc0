//! Which files are trained on, chosen by and tested on. Always whole files: two clips of one
//! recording on two sides would be one recording seen twice.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{DatasetError, Result};
use super::{Dataset, split_file};
use crate::rng::shuffle;

/// The three uses of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subset {
    /// Trained on.
    Train,
    /// Looked at during training, to choose the best epoch.
    Valid,
    /// Looked at once, at the end.
    Test,
}

impl Subset {
    /// All sides, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// Understands what split files in the wild say, in any case: also `training`, `validation`,
    /// `val`, `dev` and `testing`.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Self::Train,
            "valid" | "validation" | "val" | "dev" => Self::Valid,
            "test" | "testing" => Self::Test,
            _ => return None,
        })
    }
}

/// A dataset's files on three sides, as indices into [`Dataset::entries`], each list ascending.
///
/// No file is on two sides: every way to make a split here checks it ([`Split::check`]).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Trained on.
    pub train: Vec<usize>,
    /// For choosing the best epoch.
    pub valid: Vec<usize>,
    /// For the one number at the end.
    pub test: Vec<usize>,
}

impl Split {
    /// Splits each class by the same `fractions` (validation, test); the rest is trained on.
    ///
    /// A class of `n` files gives `round(n * fraction)` to a side. With three files or more it
    /// gives at least one to every side whose fraction is not 0, and it always keeps one to train
    /// on. The result depends on `seed`, the fractions and the names of classes and files, on
    /// nothing else: not on the order of the file system, the machine, or other classes.
    ///
    /// # Errors
    /// `Fractions` where one is negative or not a number, or their sum reaches 1.
    pub fn stratified(data: &Dataset, seed: u64, fractions: (f64, f64)) -> Result<Self> {
        let (valid, test) = fractions;
        let in_range = |f: f64| (0.0..1.0).contains(&f);
        if !in_range(valid) || !in_range(test) || valid + test >= 1.0 {
            return Err(DatasetError::Fractions { valid, test });
        }
        let mut split = Self::default();
        for (class, name) in data.classes.iter().enumerate() {
            let files = shuffled(data, class, name, seed);
            let (valid, test) = counts(files.len(), valid, test);
            let (for_valid, rest) = files.split_at(valid);
            let (for_test, for_train) = rest.split_at(test);
            split.valid.extend(for_valid);
            split.test.extend(for_test);
            split.train.extend(for_train);
        }
        split.finish(data)
    }

    /// Reads a split from a CSV file with a header that names the columns `file` (path in the
    /// dataset, `/` between its parts) and `split` ([`Subset::from_name`]), in any order and among
    /// any others. Files of the dataset that it does not list are on no side.
    ///
    /// # Errors
    /// `Io`, `SplitFile` (not such a file), `Missing` (lists files that the dataset does not
    /// have), `Twice`.
    pub fn from_csv(data: &Dataset, path: &Path) -> Result<Self> {
        split_file::read(data, path)?.finish(data)
    }

    /// Writes the columns `file`, `class` and `split`, in the order of the dataset, so that
    /// [`Split::from_csv`] reads the same split again.
    ///
    /// Atomic: a file of that name is either the old one or complete.
    ///
    /// # Errors
    /// `Io`; `Twice` or `OutOfRange` for a split that was not made from this dataset.
    pub fn write_csv(&self, data: &Dataset, path: &Path) -> Result<()> {
        self.check(data)?;
        split_file::write(self, data, path)
    }

    /// The indices on one side.
    pub fn side(&self, side: Subset) -> &[usize] {
        match side {
            Subset::Train => &self.train,
            Subset::Valid => &self.valid,
            Subset::Test => &self.test,
        }
    }

    /// The indices on one side, to add to.
    pub(super) fn side_mut(&mut self, side: Subset) -> &mut Vec<usize> {
        match side {
            Subset::Train => &mut self.train,
            Subset::Valid => &mut self.valid,
            Subset::Test => &mut self.test,
        }
    }

    /// The side of every entry of a dataset with `entries` files.
    pub(super) fn sides(&self, entries: usize) -> Vec<Option<Subset>> {
        let mut sides = vec![None; entries];
        for side in Subset::ALL {
            for &i in self.side(side) {
                sides[i] = Some(side);
            }
        }
        sides
    }

    /// Whether every index is an entry of `data` and none stands twice, on one side or on two.
    ///
    /// # Errors
    /// `OutOfRange`, `Twice`.
    pub fn check(&self, data: &Dataset) -> Result<()> {
        let len = data.entries.len();
        let mut seen = vec![false; len];
        for side in Subset::ALL {
            for &index in self.side(side) {
                if index >= len {
                    return Err(DatasetError::OutOfRange { index, len });
                }
                if std::mem::replace(&mut seen[index], true) {
                    return Err(DatasetError::Twice {
                        file: data.entries[index].key(),
                    });
                }
            }
        }
        Ok(())
    }

    /// A small table for people: a line a class with its files on each side, and the sums.
    ///
    /// Expects a split that passes [`Split::check`]; indices that do not exist are not counted.
    pub fn summary(&self, data: &Dataset) -> String {
        let mut counts = vec![[0; 3]; data.classes.len()];
        for (column, side) in Subset::ALL.into_iter().enumerate() {
            for entry in self.side(side).iter().filter_map(|&i| data.entries.get(i)) {
                counts[entry.class][column] += 1;
            }
        }
        let total = counts
            .iter()
            .fold([0; 3], |a, b| [0, 1, 2].map(|i| a[i] + b[i]));
        let rows = data.classes.iter().map(String::as_str).zip(counts);
        let width = data.classes.iter().map(|c| c.chars().count());
        let width = width.max().unwrap_or(0).max("class".len());
        let [a, b, c] = Subset::ALL.map(Subset::name);
        let mut table = format!("{:width$} {a:>6} {b:>6} {c:>6}\n", "class");
        for (name, [a, b, c]) in rows.chain([("total", total)]) {
            let _ = writeln!(table, "{name:width$} {a:>6} {b:>6} {c:>6}");
        }
        table
    }

    /// Checked, and every side ascending.
    pub(super) fn finish(mut self, data: &Dataset) -> Result<Self> {
        self.check(data)?;
        for side in Subset::ALL {
            self.side_mut(side).sort_unstable();
        }
        Ok(self)
    }
}

/// How many of `n` files go to validation and to test; see [`Split::stratified`].
fn counts(n: usize, valid: f64, test: f64) -> (usize, usize) {
    let share = |fraction: f64| {
        let least = usize::from(n >= 3 && fraction > 0.0);
        ((n as f64 * fraction).round() as usize).max(least)
    };
    let (mut valid, mut test) = (share(valid), share(test));
    while valid + test >= n && valid + test > 0 {
        if test >= valid { test -= 1 } else { valid -= 1 }
    }
    (valid, test)
}

/// The files of a class in an order that hangs on the seed and on names alone.
pub(super) fn shuffled(data: &Dataset, class: usize, name: &str, seed: u64) -> Vec<usize> {
    let mut files: Vec<_> = (0..data.entries.len())
        .filter(|&i| data.entries[i].class == class)
        .collect();
    files.sort_by_cached_key(|&i| data.entries[i].key());
    shuffle(&mut files, seed, name);
    files
}
