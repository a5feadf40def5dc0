//! What is published about GTZAN's faults, held against the copy at hand.

use std::collections::HashSet;
use std::path::Path;

use serde::Serialize;

use super::super::{Dataset, gtzan};
use super::Report;

/// How a copy of GTZAN differs from the published collection.
///
/// Nothing here lists the repeated recordings: B. L. Sturm, "An analysis of the GTZAN music genre
/// dataset", 2012, doi:10.1145/2390848.2390851, counts 50 exact replicas (one in two classes), 22
/// excerpts of recordings that are there already, 13 versions of the same music, and 43
/// conspicuous and 63 contentious wrong labels, in 1 000 files. Those replicas whose samples are
/// equal to the bit stand in [`Report::duplicates`]; [`super::super::Split::filtered`] keeps all
/// of these faults out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct GtzanFaults {
    /// Files of the 1 000 that are not there, without ending: `jazz.00054`.
    pub missing: Vec<String>,
    /// The path in the dataset of [`gtzan::DAMAGED`], where it is there and cannot be read, or not
    /// without damage. In the `.au` files of the published collection it may be sound.
    pub damaged: Option<String>,
    /// Readable files at another sample rate than [`gtzan::SAMPLE_RATE`].
    pub other_rate: usize,
}

/// The faults of `data`, if its classes are GTZAN's. `report` has all but these.
pub(super) fn faults(data: &Dataset, keys: &[String], report: &Report) -> Option<GtzanFaults> {
    if !gtzan::is_gtzan(&data.classes) {
        return None;
    }
    let stem = |key: &str| Some(Path::new(key).file_stem()?.to_str()?.to_owned());
    let have: HashSet<String> = keys.iter().filter_map(|key| stem(key)).collect();
    let all = gtzan::GENRES.iter().flat_map(|genre| {
        let number = 0..gtzan::FILES_PER_GENRE;
        number.map(move |i| format!("{genre}.{i:05}"))
    });
    let unreadable = report.unreadable.iter().map(|bad| &bad.file);
    let mut faulty = unreadable.chain(report.damaged.iter().map(|bad| &bad.file));
    let rates = report.rates.iter();
    Some(GtzanFaults {
        missing: all.filter(|name| !have.contains(name)).collect(),
        damaged: faulty
            .find(|key| stem(key).as_deref() == Some(gtzan::DAMAGED))
            .cloned(),
        other_rate: rates
            .filter(|count| count.value != gtzan::SAMPLE_RATE)
            .map(|count| count.files)
            .sum(),
    })
}
