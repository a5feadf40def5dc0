//! Splits: which files train, which choose the best epoch and which test.
//!
//! A split always assigns whole files. Two clips of one recording in two subsets would let a model
//! be tested on a recording that it was trained on.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::deal::deal;
use super::error::{DatasetError, Result};
use super::folder::Dataset;
use crate::rng::shuffle;

/// The three uses of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subset {
    /// Files to train on.
    Train,
    /// Files that choose the best epoch, evaluated during training.
    Valid,
    /// Files for the final evaluation, used once.
    Test,
}

impl Subset {
    /// All subsets, in the order in which tables list them.
    pub const ALL: [Self; 3] = [Self::Train, Self::Valid, Self::Test];

    /// Returns `train`, `valid` or `test`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Valid => "valid",
            Self::Test => "test",
        }
    }

    /// Parses the names that published split files use, in any case: also `training`,
    /// `validation`, `val`, `dev` and `testing`.
    ///
    /// ```
    /// # use sonoprint::dataset::Subset;
    /// assert_eq!(Subset::from_name("Validation"), Some(Subset::Valid));
    /// assert_eq!(Subset::from_name("maybe"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_ascii_lowercase().as_str() {
            "train" | "training" => Self::Train,
            "valid" | "validation" | "val" | "dev" => Self::Valid,
            "test" | "testing" => Self::Test,
            _ => return None,
        })
    }
}

/// A dataset's files in three subsets, as indices into [`Dataset::entries`], each list ascending.
///
/// No file is in two subsets: every constructor checks this with [`Split::check`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Files to train on.
    pub train: Vec<usize>,
    /// Files that choose the best epoch.
    pub valid: Vec<usize>,
    /// Files for the final evaluation.
    pub test: Vec<usize>,
}

impl Split {
    /// Splits each class by the same `fractions` (validation, test) and trains on the rest.
    ///
    /// If any file has several labels, the files are dealt by iterative stratification, which gives
    /// every label about the same fractions (Sechidis et al. 2011, `deal.rs`). What
    /// follows holds for one label per file.
    ///
    /// A class of `n` files gives `round(n * fraction)` files to a subset. With three files or
    /// more it gives at least one to every subset whose fraction is not 0, and it always keeps one
    /// to train on. The result depends on `seed`, the fractions and the names of classes and files
    /// only: not on the file system's order, the machine or other classes.
    ///
    /// # Errors
    /// [`DatasetError::Fractions`] if a fraction is negative or not a number, or if their sum
    /// reaches 1.
    pub fn stratified(data: &Dataset, seed: u64, fractions: (f64, f64)) -> Result<Self> {
        let (valid, test) = fractions;
        let in_range = |f: f64| (0.0..1.0).contains(&f);
        if !in_range(valid) || !in_range(test) || valid + test >= 1.0 {
            return Err(DatasetError::Fractions { valid, test });
        }
        if data.has_several_labels() {
            let [train, valid, test] = deal(data, seed, [1.0 - valid - test, valid, test]);
            return Self { train, valid, test }.finish(data);
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

    /// Returns the indices in one subset.
    pub fn subset(&self, subset: Subset) -> &[usize] {
        match subset {
            Subset::Train => &self.train,
            Subset::Valid => &self.valid,
            Subset::Test => &self.test,
        }
    }

    /// Returns the list of one subset, to change it.
    pub(crate) fn subset_mut(&mut self, subset: Subset) -> &mut Vec<usize> {
        match subset {
            Subset::Train => &mut self.train,
            Subset::Valid => &mut self.valid,
            Subset::Test => &mut self.test,
        }
    }

    /// Checks that every index is an entry of `data` and that none is listed twice, in one subset
    /// or in two.
    ///
    /// # Errors
    /// [`DatasetError::OutOfRange`], [`DatasetError::Twice`].
    pub fn check(&self, data: &Dataset) -> Result<()> {
        let len = data.entries.len();
        let mut seen = vec![false; len];
        for subset in Subset::ALL {
            for &index in self.subset(subset) {
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

    /// Formats a small table: a line per class with its number of files in each subset, then the
    /// totals, which count a file with several labels once.
    ///
    /// Expects a split that passes [`Split::check`]. Indices that are out of range are not counted.
    pub fn summary(&self, data: &Dataset) -> String {
        let mut counts = vec![[0; 3]; data.classes.len()];
        let mut total = [0; 3];
        for (column, subset) in Subset::ALL.into_iter().enumerate() {
            let files = self.subset(subset).iter();
            for entry in files.filter_map(|&i| data.entries.get(i)) {
                total[column] += 1;
                for &label in &entry.labels {
                    counts[label][column] += 1;
                }
            }
        }
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

    /// Checks the split and sorts every subset.
    pub(super) fn finish(mut self, data: &Dataset) -> Result<Self> {
        self.check(data)?;
        for subset in Subset::ALL {
            self.subset_mut(subset).sort_unstable();
        }
        Ok(self)
    }
}

/// Returns how many of `n` files validate and how many test; see [`Split::stratified`].
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

/// Returns the files of a class in an order that depends on the seed and on names only.
pub(super) fn shuffled(data: &Dataset, class: usize, name: &str, seed: u64) -> Vec<usize> {
    let mut files: Vec<_> = (0..data.entries.len())
        .filter(|&i| data.entries[i].labels == [class])
        .collect();
    files.sort_by_cached_key(|&i| data.entries[i].key());
    shuffle(&mut files, seed, name);
    files
}
