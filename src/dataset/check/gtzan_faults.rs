//! Compares a copy of GTZAN with what is published about its faults.

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;

use super::stats::FileStats;
use crate::dataset::folder::Dataset;
use crate::dataset::gtzan;

/// How a copy of GTZAN differs from the published collection.
///
/// Repeated recordings are not listed here. B. L. Sturm, "An analysis of the GTZAN music genre
/// dataset", 2012, doi:10.1145/2390848.2390851, counts 50 exact replicas (one in two classes), 22
/// excerpts from recordings that are already in the set, 13 versions of the same music, and 43
/// conspicuous and 63 contentious wrong labels, in 1 000 files. Replicas with identical samples are
/// in [`Report::duplicates`](super::Report::duplicates).
/// [`Split::filtered`](crate::dataset::Split::filtered) leaves all of these faults out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GtzanFaults {
    /// Missing ones of the 1 000 files, without extension: `jazz.00054`.
    pub missing: Vec<String>,
    /// The path in the dataset of [`gtzan::DAMAGED`], if the file exists and is unreadable or
    /// damaged. The `.au` file of the published collection may be intact.
    pub damaged: Option<String>,
    /// Number of readable files at another sample rate than [`gtzan::SAMPLE_RATE`].
    pub other_rate: usize,
}

impl GtzanFaults {
    /// Returns the faults of `data` if its classes are GTZAN's. `keys` and `files` are in the order
    /// of the entries.
    pub(super) fn of(data: &Dataset, keys: &[String], files: &[FileStats]) -> Option<Self> {
        if !gtzan::is_gtzan(&data.classes) {
            return None;
        }
        let stem = |key: &str| Some(Path::new(key).file_stem()?.to_str()?.to_owned());
        let have: HashSet<String> = keys.iter().filter_map(|key| stem(key)).collect();
        let all = gtzan::GENRES.iter().flat_map(|genre| {
            let number = 0..gtzan::FILES_PER_GENRE;
            number.map(move |i| format!("{genre}.{i:05}"))
        });
        // An unreadable copy of the file comes before one that is damaged but readable.
        let known = |faulty: fn(&FileStats) -> bool| {
            let mut faulty = keys.iter().zip(files).filter(move |(_, file)| faulty(file));
            faulty.find(|(key, _)| stem(key).as_deref() == Some(gtzan::DAMAGED))
        };
        let damaged = known(|file| file.audio.is_err())
            .or_else(|| known(|file| file.audio.as_ref().is_ok_and(|a| a.damaged.is_some())));
        let readable = files.iter().filter_map(|file| file.audio.as_ref().ok());
        Some(Self {
            missing: all.filter(|name| !have.contains(name)).collect(),
            damaged: damaged.map(|(key, _)| key.clone()),
            other_rate: readable
                .filter(|audio| audio.rate != gtzan::SAMPLE_RATE)
                .count(),
        })
    }
}
