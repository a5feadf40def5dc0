//! Splits that make results comparable: GTZAN's published one, and cross-validation.

use std::collections::HashMap;
use std::path::Path;

use super::error::{DatasetError, Result};
use super::split::{Split, Subset, shuffled};
use super::{Dataset, gtzan};

/// The split's file names; `data/gtzan/README.md` says where they are from.
const FILTERED: &str = include_str!("../../data/gtzan/filtered.csv");

/// Where [`FILTERED`] lies in the repository, for messages.
const FILTERED_PATH: &str = "data/gtzan/filtered.csv";

/// Files named in the error about files that the dataset does not have.
const NAMED: usize = 3;

impl Split {
    /// GTZAN's fault-filtered split: 443 files to train on, 197 for validation, 290 to test on.
    ///
    /// By C. Kereliuk, B. L. Sturm and J. Larsen, "Deep Learning and Music Adversaries", IEEE
    /// Transactions on Multimedia 17(11), 2015; the names are in `data/gtzan/filtered.csv`. The 70
    /// other files are on no side.
    ///
    /// Files are matched by class folder and name without ending (`blues/blues.00029`), so that
    /// copies in `.wav`, `.au` or anything else all do; of two files of one name the one that
    /// sorts first is taken. Only [`gtzan::DAMAGED`], on the train side, may be missing.
    ///
    /// # Errors
    /// `SplitFile` where a genre has no class folder, so the dataset is not GTZAN; `Missing`.
    pub fn filtered(data: &Dataset) -> Result<Self> {
        if !gtzan::is_gtzan(&data.classes) {
            return Err(not_gtzan(data));
        }
        let mut index = HashMap::new();
        for (i, entry) in data.entries.iter().enumerate() {
            let stem = entry.path.file_stem().unwrap_or_default();
            let name = (data.classes[entry.class].as_str(), stem.to_string_lossy());
            index.entry(name).or_insert(i);
        }
        let mut split = Self::default();
        let mut missing = Vec::new();
        for (genre, name, side) in filtered_rows() {
            match index.get(&(genre, name.into())) {
                Some(&i) => split.side_mut(side).push(i),
                None if name == gtzan::DAMAGED => {}
                None => missing.push(format!("{genre}/{name}")),
            }
        }
        if !missing.is_empty() {
            let more = if missing.len() > NAMED { ", ..." } else { "" };
            return Err(DatasetError::Missing {
                count: missing.len(),
                first: missing[..missing.len().min(NAMED)].join(", ") + more,
            });
        }
        split.finish(data)
    }

    /// `k` splits for cross-validation, stratified by class and by whole files.
    ///
    /// Every class is shuffled and dealt into `k` parts whose sizes differ by at most one, as do
    /// the sizes of all classes' parts together. Split `i` tests on part `i`, validates on part
    /// `i + 1` (the last one on part 0) and trains on the other `k - 2`: every file is tested once.
    /// Small classes: with fewer files than `k` a class is not in every test; of two files none
    /// is for validation where it would leave none to train on; a single file is always trained
    /// on. The result depends on `seed`, `k` and the names of all classes and files.
    ///
    /// # Errors
    /// `Fractions` where `k` is below 3: two parts of that size would leave nothing to train on.
    pub fn folds(data: &Dataset, k: usize, seed: u64) -> Result<Vec<Self>> {
        if k < 3 {
            let part = 1.0 / k as f64;
            return Err(DatasetError::Fractions {
                valid: part,
                test: part,
            });
        }
        let mut folds = vec![Self::default(); k];
        let mut dealt = 0;
        for (class, name) in data.classes.iter().enumerate() {
            let files = shuffled(data, class, name, seed);
            // The first part that gets a file moves on from class to class, so that what is left
            // over when a class is dealt does not always go to the first parts.
            let part = |place: usize| (dealt + place) % k;
            for (at, fold) in folds.iter_mut().enumerate() {
                for (place, &file) in files.iter().enumerate() {
                    let side = match part(place) {
                        _ if files.len() == 1 => Subset::Train,
                        p if p == at => Subset::Test,
                        p if p == (at + 1) % k && files.len() > 2 => Subset::Valid,
                        _ => Subset::Train,
                    };
                    fold.side_mut(side).push(file);
                }
            }
            dealt += files.len();
        }
        folds.into_iter().map(|fold| fold.finish(data)).collect()
    }
}

/// Genre, name without ending and side of every file of the filtered split.
fn filtered_rows() -> impl Iterator<Item = (&'static str, &'static str, Subset)> {
    FILTERED.lines().skip(1).filter_map(|row| {
        let (file, side) = row.split_once(',')?;
        let (genre, name) = file.strip_suffix(".wav")?.split_once('/')?;
        Some((genre, name, Subset::from_name(side)?))
    })
}

/// The first line of the split file whose genre is no class, or else the first class that is no
/// genre.
fn not_gtzan(data: &Dataset) -> DatasetError {
    let lacks = |genre: &str| !data.classes.iter().any(|class| class == genre);
    let row = filtered_rows().zip(2..).find(|((g, ..), _)| lacks(g));
    let (line, why) = match row {
        Some(((genre, ..), line)) => (line, format!("the dataset has no class folder {genre:?}")),
        None => {
            let mut classes = data.classes.iter().map(String::as_str);
            let other = classes.find(|class| !gtzan::GENRES.contains(class));
            let other = other.unwrap_or_default();
            (1, format!("the dataset has another class, {other:?}"))
        }
    };
    DatasetError::SplitFile {
        path: Path::new(FILTERED_PATH).to_owned(),
        line,
        why: format!("{why}: this split is GTZAN's, with its ten genres"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{FILTERED, Subset, filtered_rows, gtzan};

    #[test]
    fn filtered_split_is_the_published_one() {
        let rows: Vec<_> = filtered_rows().collect();
        assert_eq!(
            rows.len(),
            FILTERED.lines().count() - 1,
            "every row is understood"
        );
        let on = |side| rows.iter().filter(|row| row.2 == side).count();
        assert_eq!(Subset::ALL.map(on), [443, 197, 290]);
        let names: HashSet<_> = rows.iter().map(|row| row.1).collect();
        assert_eq!(names.len(), 930, "no file is on two sides");
        for (genre, name, _) in &rows {
            let number = name.strip_prefix(genre).and_then(|n| n.strip_prefix('.'));
            let number = number
                .filter(|n| n.len() == 5)
                .and_then(|n| n.parse::<usize>().ok());
            assert!(number.is_some_and(|n| n < gtzan::FILES_PER_GENRE), "{name}");
        }
        let damaged = rows.iter().find(|row| row.1 == gtzan::DAMAGED);
        assert_eq!(damaged.map(|row| row.2), Some(Subset::Train));
    }
}
