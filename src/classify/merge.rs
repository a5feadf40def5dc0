//! Merging the shards that several machines classified.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::journal::{self, Journal, JournalError, JournalSetting, JournalSettings, journal_of};
use super::shard::Shard;

/// How many missing shards an error lists.
const MAX_LISTED: usize = 20;

/// Why parts cannot be merged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// A journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// There are no parts.
    #[error("no parts")]
    NoParts,
    /// A part has no journal.
    #[error("{part} has no journal beside it ({journal})")]
    NoJournal {
        /// Path of the part.
        part: PathBuf,
        /// Path of the journal that is missing.
        journal: PathBuf,
    },
    /// A part's run did not reach its end.
    #[error("{part} is not complete (shard {shard})")]
    Incomplete {
        /// Path of the part.
        part: PathBuf,
        /// Its shard.
        shard: Shard,
    },
    /// A part was made with other settings than the first one.
    #[error("{part} was made with another {setting} than {first}: {found}, not {expected}")]
    Settings {
        /// Path of the part.
        part: PathBuf,
        /// Path of the first part.
        first: PathBuf,
        /// The first setting that differs.
        setting: JournalSetting,
        /// The part's value.
        found: String,
        /// The first part's value.
        expected: String,
    },
    /// A part belongs to another number of shards than the first one.
    #[error("{part} was made with another number of shards than {first}: {found}, not {expected}")]
    ShardCount {
        /// Path of the part.
        part: PathBuf,
        /// Path of the first part.
        first: PathBuf,
        /// The part's number of shards.
        found: u32,
        /// The first part's number of shards.
        expected: u32,
    },
    /// Two parts are the same shard.
    #[error("{part} and {other} are both shard {shard}")]
    SameShard {
        /// Path of a part.
        part: PathBuf,
        /// Path of the earlier part.
        other: PathBuf,
        /// Their shard.
        shard: Shard,
    },
    /// Some shards have no part.
    #[error("missing: shard {}", list(.0))]
    Missing(Vec<Shard>),
    /// A file is in two parts.
    #[error("{file} is in {other} and in {part}")]
    SameFile {
        /// Path of the file.
        file: PathBuf,
        /// Path of a part.
        part: PathBuf,
        /// Path of the earlier part.
        other: PathBuf,
    },
    /// The output is one of the parts.
    #[error("the output {0} is one of the parts")]
    OutputIsPart(PathBuf),
}

fn list(shards: &[Shard]) -> String {
    let names: Vec<String> = shards.iter().map(Shard::to_string).collect();
    match names.get(MAX_LISTED..) {
        Some(rest) if !rest.is_empty() => {
            format!("{} and {} more", names[..MAX_LISTED].join(", "), rest.len())
        }
        _ => names.join(", "),
    }
}

/// Checks that `parts` are the shards of one run: each is there once, complete, and made with the
/// same settings. Returns the settings of the whole.
///
/// # Errors
/// [`MergeError`].
pub fn check_parts(parts: &[PathBuf]) -> Result<JournalSettings, MergeError> {
    let first = parts.first().ok_or(MergeError::NoParts)?;
    let mut whole: Option<(JournalSettings, u32)> = None;
    let mut seen: HashMap<u32, &PathBuf> = HashMap::new();
    for part in parts {
        let path = journal_of(part);
        let state = journal::read(&path, None)?.ok_or_else(|| MergeError::NoJournal {
            part: part.clone(),
            journal: path,
        })?;
        let shard = state.settings.shard;
        if state.ended.is_none() {
            let part = part.clone();
            return Err(MergeError::Incomplete { part, shard });
        }
        let found = JournalSettings {
            shard: Shard::default(),
            ..state.settings
        };
        let (expected, of) = whole.get_or_insert_with(|| (found.clone(), shard.of()));
        if let Some(difference) = found.difference(expected) {
            return Err(MergeError::Settings {
                part: part.clone(),
                first: first.clone(),
                setting: difference.setting,
                found: difference.journal,
                expected: difference.run,
            });
        }
        if shard.of() != *of {
            return Err(MergeError::ShardCount {
                part: part.clone(),
                first: first.clone(),
                found: shard.of(),
                expected: *of,
            });
        }
        if let Some(other) = seen.insert(shard.number(), part) {
            return Err(MergeError::SameShard {
                part: part.clone(),
                other: other.clone(),
                shard,
            });
        }
    }
    let (settings, of) = whole.ok_or(MergeError::NoParts)?;
    let missing: Vec<Shard> = (1..=of)
        .filter(|number| !seen.contains_key(number))
        .filter_map(|number| Shard::new(number, of))
        .collect();
    match missing.is_empty() {
        true => Ok(settings),
        false => Err(MergeError::Missing(missing)),
    }
}

/// Checks that `out` is not one of `parts`, by any name: its journal would be overwritten.
///
/// # Errors
/// [`MergeError::OutputIsPart`].
pub fn check_output(parts: &[PathBuf], out: &Path) -> Result<(), MergeError> {
    let path = journal_of(out);
    match parts.iter().any(|part| same_file(&journal_of(part), &path)) {
        true => Err(MergeError::OutputIsPart(out.to_owned())),
        false => Ok(()),
    }
}

/// Writes the rows of `parts`, which [`check_parts`] found complete with `settings`, to the journal
/// of `out`. Returns the number of files. [`super::write_tables`] makes tables of the journal.
///
/// # Errors
/// [`MergeError`].
pub fn merge(
    parts: &[PathBuf],
    settings: &JournalSettings,
    out: &Path,
) -> Result<usize, MergeError> {
    check_output(parts, out)?;
    let mut merged = Journal::open(&journal_of(out))?;
    merged.start(settings)?;
    let mut part_of: HashMap<PathBuf, &PathBuf> = HashMap::new();
    for part in parts {
        journal::rows(&journal_of(part), false, |result| {
            if let Some(other) = part_of.insert(result.path.clone(), part) {
                return Err(MergeError::SameFile {
                    file: result.path,
                    part: part.clone(),
                    other: other.clone(),
                });
            }
            Ok(merged.row(&result)?)
        })?;
    }
    merged.end(part_of.len() as u64)?;
    Ok(part_of.len())
}

/// Returns whether two paths lead to the same file, whatever way they take.
fn same_file(a: &Path, b: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    a == b || real(a).is_some_and(|a| real(b) == Some(a))
}
