//! Splits for k-fold cross-validation.

use super::deal::parts;
use super::error::{DatasetError, Result};
use super::folder::Dataset;
use super::split::{Split, Subset, shuffled};

impl Split {
    /// Makes `k` splits for cross-validation, stratified by class and by whole files.
    ///
    /// Shuffles every class and deals it into `k` parts whose sizes differ by at most one, as do
    /// the sizes of all classes' parts together. Split `i` tests on part `i`, validates on part
    /// `i + 1` (the last split on part 0) and trains on the other `k - 2`, which tests every file
    /// once.
    ///
    /// If any file has several labels, the parts are dealt by iterative stratification
    /// (`deal.rs`), and what follows does not hold.
    ///
    /// Small classes: a class with fewer than `k` files is missing from some tests. A class of two
    /// files does not validate where that would leave none to train on. A class of one file is
    /// always trained on. The result depends on `seed`, `k` and the names of all classes and files.
    ///
    /// # Errors
    /// [`DatasetError::Fractions`] if `k` is below 3: two parts would leave nothing to train on.
    pub fn folds(data: &Dataset, k: usize, seed: u64) -> Result<Vec<Self>> {
        if k < 3 {
            let part = 1.0 / k as f64;
            return Err(DatasetError::Fractions {
                valid: part,
                test: part,
            });
        }
        if data.has_several_labels() {
            return dealt_folds(data, k, seed);
        }
        let mut folds = vec![Self::default(); k];
        let mut dealt = 0;
        for (class, name) in data.classes.iter().enumerate() {
            let files = shuffled(data, class, name, seed);
            // Each class starts at the part where the last class ended, because the remainders of
            // all classes would otherwise go to the first parts.
            let part = |place: usize| (dealt + place) % k;
            for (at, fold) in folds.iter_mut().enumerate() {
                for (place, &file) in files.iter().enumerate() {
                    let subset = match part(place) {
                        _ if files.len() == 1 => Subset::Train,
                        p if p == at => Subset::Test,
                        p if p == (at + 1) % k && files.len() > 2 => Subset::Valid,
                        _ => Subset::Train,
                    };
                    fold.subset_mut(subset).push(file);
                }
            }
            dealt += files.len();
        }
        folds.into_iter().map(|fold| fold.finish(data)).collect()
    }
}

/// Makes the folds of a dataset whose files have several labels.
fn dealt_folds(data: &Dataset, k: usize, seed: u64) -> Result<Vec<Split>> {
    let parts = parts(data, seed, &vec![1.0 / k as f64; k]);
    let fold = |at: usize| {
        let train = (0..k).filter(|&i| i != at && i != (at + 1) % k);
        Split {
            train: train.flat_map(|i| parts[i].iter().copied()).collect(),
            valid: parts[(at + 1) % k].clone(),
            test: parts[at].clone(),
        }
    };
    (0..k).map(|at| fold(at).finish(data)).collect()
}
