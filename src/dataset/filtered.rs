//! GTZAN's published, fault-filtered split, which makes results comparable.

use std::collections::HashMap;
use std::path::Path;

use super::error::{DatasetError, Result};
use super::folder::Dataset;
use super::gtzan;
use super::split::{Split, Subset};

/// The split's file names. `data/gtzan/README.md` names their source.
const FILTERED: &str = include_str!("../../data/gtzan/filtered.csv");

/// Path of [`FILTERED`] in the repository, for messages.
const FILTERED_PATH: &str = "data/gtzan/filtered.csv";

impl Split {
    /// Returns GTZAN's fault-filtered split: 443 files train, 197 validate and 290 test.
    ///
    /// By C. Kereliuk, B. L. Sturm and J. Larsen, "Deep Learning and Music Adversaries", IEEE
    /// Transactions on Multimedia 17(11), 2015. `data/gtzan/filtered.csv` lists the names. The
    /// other 70 files are in no subset.
    ///
    /// Matches files by class folder and name without extension (`blues/blues.00029`), which fits
    /// copies in `.wav`, `.au` and any other format. Of two files with one name it takes the one
    /// that sorts first. Only [`gtzan::DAMAGED`], a training file, may be missing.
    ///
    /// # Errors
    /// [`DatasetError::CsvFile`] if the classes are not GTZAN's ten genres;
    /// [`DatasetError::Missing`].
    pub fn filtered(data: &Dataset) -> Result<Self> {
        if !gtzan::is_gtzan(&data.classes) {
            return Err(not_gtzan(data));
        }
        let mut index = HashMap::new();
        for (i, entry) in data.entries.iter().enumerate() {
            let stem = entry.path.file_stem().unwrap_or_default();
            for &label in &entry.labels {
                let name = (data.classes[label].as_str(), stem.to_string_lossy());
                index.entry(name).or_insert(i);
            }
        }
        let mut split = Self::default();
        let mut missing = Vec::new();
        for (genre, name, subset) in filtered_rows() {
            match index.get(&(genre, name.into())) {
                Some(&i) => split.subset_mut(subset).push(i),
                None if name == gtzan::DAMAGED => {}
                None => missing.push(format!("{genre}/{name}")),
            }
        }
        match missing.as_slice() {
            [] => split.finish(data),
            files => Err(DatasetError::missing(files)),
        }
    }
}

/// Returns genre, name without extension and subset of every file of the filtered split.
fn filtered_rows() -> impl Iterator<Item = (&'static str, &'static str, Subset)> {
    FILTERED.lines().skip(1).filter_map(|row| {
        let (file, subset) = row.split_once(',')?;
        let (genre, name) = file.strip_suffix(".wav")?.split_once('/')?;
        Some((genre, name, Subset::from_name(subset)?))
    })
}

/// Returns an error with the first line of the split file whose genre is not a class, or else with
/// the first class that is not a genre.
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
    DatasetError::CsvFile {
        path: Path::new(FILTERED_PATH).to_owned(),
        line,
        why: format!("{why}: this split is for GTZAN with its ten genres"),
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
            "every row is parsed"
        );
        let count = |subset| rows.iter().filter(|row| row.2 == subset).count();
        assert_eq!(Subset::ALL.map(count), [443, 197, 290]);
        let names: HashSet<_> = rows.iter().map(|row| row.1).collect();
        assert_eq!(names.len(), 930, "no file is in two subsets");
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
