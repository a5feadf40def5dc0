//! Label sets while a dataset is put together, and notes on what was left out.

use std::collections::{BTreeMap, BTreeSet};

/// The labels of each file, by [`crate::dataset::Entry::key`].
pub(super) type LabelSets = BTreeMap<String, BTreeSet<String>>;

/// Names that a note lists.
const LISTED: usize = 5;

/// Removes the files for which `out` holds, and returns their names.
pub(super) fn take(
    sets: &mut LabelSets,
    out: impl Fn(&String, &BTreeSet<String>) -> bool,
) -> Vec<String> {
    let mut taken = Vec::new();
    sets.retain(|file, labels| {
        let keep = !out(file, labels);
        if !keep {
            taken.push(file.clone());
        }
        keep
    });
    taken
}

/// Adds a note on files that were left out, if there are any.
pub(super) fn note(notes: &mut Vec<String>, files: Vec<String>, why: &str) {
    if !files.is_empty() {
        let count = count(files.len(), "file");
        let names = listed(files.into_iter());
        notes.push(format!("{count} left out, {why}: {names}"));
    }
}

/// Returns the first few names, separated by commas.
pub(super) fn listed(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len() > LISTED;
    let first: Vec<String> = names.take(LISTED).collect();
    first.join(", ") + if more { ", ..." } else { "" }
}

/// Returns `1 file` or `3 files`.
pub(super) fn count(n: usize, what: &str) -> String {
    match n {
        1 => format!("1 {what}"),
        n => format!("{n} {what}s"),
    }
}
