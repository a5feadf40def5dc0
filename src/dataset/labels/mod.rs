//! Labels that do not come from folders: several per file, from a CSV file or from the files' tags.

mod csv;
mod matching;
mod names;
mod sets;
mod tags;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use self::names::{leave_out_empty, merge_spellings, split_compounds};
use self::sets::{LabelSets, count, listed, note, take};
use super::error::{DatasetError, Result};
use super::folder::{Dataset, Entry, LabelSource, Walk, check_folder, key, path_of_key};

pub use self::matching::MatchedClasses;

/// Which files and labels of a source are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LabelRules {
    /// Labels of fewer files are left out.
    pub min_files: usize,
    /// Whether files with several labels are left out.
    pub single: bool,
    /// Whether hidden files and folders are taken ([`crate::audio::is_hidden`]).
    pub hidden: bool,
}

/// A dataset with labels from a source, and what was left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Labeled {
    /// The dataset, its files sorted by [`Entry::key`].
    pub data: Dataset,
    /// A line per kind of file or label that was left out or changed, with their number.
    pub notes: Vec<String>,
}

impl Dataset {
    /// Lists the audio files in `root` that have labels in `source`. Of [`LabelSource::Folders`],
    /// this is [`Dataset::scan`], and of `rules` only `hidden` applies.
    ///
    /// Names that differ only in case or spaces are one label, spelled as most files spell it.
    /// Files without a label are left out: what is not labeled is not known.
    ///
    /// - [`LabelSource::Csv`]: a file with the columns `file` (a path in `root`, `/` between its
    ///   parts) and `label`, `labels`, `tags` or `genres` (labels with `|` or `;` between them). A
    ///   file may have several rows.
    /// - [`LabelSource::Tags`]: the genres in the files' tags (ID3, Vorbis comments, MP4, RIFF,
    ///   APE), split at `;`, `|` and ` / `. A genre with `/` or `,` is split if each part is also a
    ///   genre by itself in another file: `Rock/Pop`, but not `Singer/Songwriter`. Names that say
    ///   nothing, as `Other` and `Unknown`, are no labels.
    ///
    /// # Errors
    /// `NoFolder`, `NoLabels`, `OneClass`, `CsvFile` and `Io` of [`DatasetError`], and
    /// those of [`Dataset::scan`].
    pub fn labeled(root: &Path, source: &LabelSource, rules: LabelRules) -> Result<Labeled> {
        check_folder(root)?;
        let mut notes = Vec::new();
        let walk = Walk {
            hidden: rules.hidden,
            ..Walk::default()
        };
        let left_out = |notes: &mut Vec<String>| {
            let lines = walk.left_out.lines().into_iter();
            notes.extend(lines.map(|line| format!("left out: {line}")));
        };
        let mut sets = match source {
            LabelSource::Folders => {
                let (data, loose) = Self::scan_with(root, &walk)?;
                note(&mut notes, loose, "in no class folder");
                left_out(&mut notes);
                return Ok(Labeled { data, notes });
            }
            LabelSource::Csv(path) => {
                let mut sets = csv::read(root, path)?;
                let missing = |file: &String| !root.join(path_of_key(file)).is_file();
                let absent = take(&mut sets, |file, _| missing(file));
                note(&mut notes, absent, "listed but not in the folder");
                let files = walk
                    .audio_files(root, root)?
                    .into_iter()
                    .map(|path| key(&path));
                let unlisted = files.filter(|file| !sets.contains_key(file));
                let unlisted: BTreeSet<String> = unlisted.collect();
                note(&mut notes, unlisted.into_iter().collect(), "not listed");
                sets
            }
            LabelSource::Tags => {
                let mut sets = tags::read(root, &walk, &mut notes)?;
                leave_out_empty(&mut sets, &mut notes);
                split_compounds(&mut sets);
                sets
            }
        };
        merge_spellings(&mut sets, &mut notes);
        let none = take(&mut sets, |_, labels| labels.is_empty());
        note(&mut notes, none, "without a label");
        if rules.single {
            let several = take(&mut sets, |_, labels| labels.len() > 1);
            note(&mut notes, several, "with several labels");
        }
        leave_out_rare(&mut sets, rules.min_files, &mut notes);
        left_out(&mut notes);
        let data = dataset(root, source, sets, &notes)?;
        let data = Self {
            hidden: rules.hidden,
            ..data
        };
        Ok(Labeled { data, notes })
    }

    /// Writes the columns `file` and `labels`. [`LabelSource::Csv`] reads the same labels back.
    ///
    /// # Errors
    /// [`DatasetError::Io`].
    pub fn write_labels(&self, path: &Path) -> Result<()> {
        let rows = self.entries.iter();
        let rows = rows.map(|entry| [entry.key(), self.label_text(entry)]);
        super::rows::write_rows(path, ["file", "labels"], rows)
    }
}

/// Makes the dataset of label sets, each of which has at least one label.
fn dataset(
    root: &Path,
    source: &LabelSource,
    sets: LabelSets,
    notes: &[String],
) -> Result<Dataset> {
    let classes: BTreeSet<String> = sets.values().flatten().cloned().collect();
    let classes: Vec<String> = classes.into_iter().collect();
    match classes.as_slice() {
        [] => {
            return Err(DatasetError::NoLabels {
                path: root.to_owned(),
                notes: notes.iter().map(|note| format!("; {note}")).collect(),
            });
        }
        [only] => {
            return Err(DatasetError::OneClass {
                class: only.clone(),
            });
        }
        _ => {}
    }
    let index = |label: &String| {
        classes
            .binary_search(label)
            .expect("every label is a class")
    };
    let entries = sets.iter().map(|(file, labels)| Entry {
        path: path_of_key(file),
        labels: labels.iter().map(index).collect(),
    });
    Ok(Dataset {
        root: root.to_owned(),
        entries: entries.collect(),
        classes: classes.clone(),
        source: source.clone(),
        hidden: false,
    })
}

/// Removes the labels of fewer than `least` files, and then the files without a label.
fn leave_out_rare(sets: &mut LabelSets, least: usize, notes: &mut Vec<String>) {
    let mut files = BTreeMap::<&str, usize>::new();
    for label in sets.values().flatten() {
        *files.entry(label).or_default() += 1;
    }
    let rare = files.into_iter().filter(|&(_, n)| n < least);
    let rare: BTreeMap<String, usize> = rare.map(|(label, n)| (label.to_owned(), n)).collect();
    if rare.is_empty() {
        return;
    }
    let names = rare.iter().map(|(label, n)| format!("{label} ({n})"));
    notes.push(format!(
        "{} of fewer than {least} files left out: {}",
        count(rare.len(), "label"),
        listed(names)
    ));
    for labels in sets.values_mut() {
        labels.retain(|label| !rare.contains_key(label));
    }
    let none = take(sets, |_, labels| labels.is_empty());
    note(notes, none, "without another label");
}
