//! Finds what is wrong with a dataset before hours of training are spent on it.
//!
//! Reads every file to its end, at its own sample rate and in blocks, which keeps memory
//! independent of the length of a file. A fault of one file never ends the check.

mod faults;
mod gtzan_faults;
mod report;
mod show;
mod stats;

use rayon::prelude::*;

use super::folder::Dataset;
use stats::FileStats;

pub use gtzan_faults::GtzanFaults;
pub use report::{
    CLIPPED_SHARE, ClassFacts, Clipped, Count, Damaged, Duplicate, DuplicateKind, Durations,
    Findings, LeftOut, NearDuplicate, Report, SILENT_SHARE, Silent, Unreadable,
};
pub use stats::{CLIPPED_SAMPLE, QUIET_SAMPLE};

/// Reads every file of `data`, on all cores of rayon's pool, and reports the faults.
///
/// Calls `tick` once per file, when that file is done, from any thread.
///
/// Contents are compared by their length and a 64-bit hash from the standard library: among a
/// million files of one length, two different ones collide by chance in one of 37 million
/// datasets. Files without bytes are not compared.
///
/// ```
/// use std::path::Path;
/// use sonoprint::dataset::{Dataset, check};
///
/// # let root = tempfile::tempdir().unwrap();
/// # for class in ["jazz", "rock"] {
/// #     std::fs::create_dir(root.path().join(class)).unwrap();
/// #     std::fs::write(root.path().join(class).join("a.wav"), b"not audio").unwrap();
/// # }
/// # let root = root.path();
/// let report = check(&Dataset::scan(root)?, &|| {});
/// for file in report.left_out() {
///     println!("{}: {}", file.file, file.why);
/// }
/// # assert_eq!(report.left_out().len(), 2);
/// # Ok::<(), sonoprint::dataset::DatasetError>(())
/// ```
pub fn check(data: &Dataset, tick: &(dyn Fn() + Sync)) -> Report {
    let files: Vec<FileStats> = (data.entries.par_iter())
        .map(|entry| {
            let file = FileStats::of(&data.path(entry));
            tick();
            file
        })
        .collect();
    faults::report(data, &files)
}
