//! The report of a dataset check, as data.

use std::path::PathBuf;

use serde::Serialize;

use super::gtzan_faults::GtzanFaults;

/// The share of quiet samples above which a file is silent.
/// [`QUIET_SAMPLE`](super::QUIET_SAMPLE) defines quiet.
pub const SILENT_SHARE: f64 = 0.95;

/// The share of samples at full scale above which a file is clipped.
/// [`CLIPPED_SAMPLE`](super::CLIPPED_SAMPLE) defines full scale.
pub const CLIPPED_SHARE: f64 = 0.001;

/// What [`check`](super::check()) found. Files are named by
/// [`Entry::key`](crate::dataset::Entry::key), in the order of the dataset.
///
/// Peaks and shares are those of the mono mix: a stereo file with only one silent or clipped
/// channel counts as neither.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The dataset's folder.
    pub root: PathBuf,
    /// One item per class, in the order of [`Dataset::classes`](crate::dataset::Dataset::classes).
    pub classes: Vec<ClassFacts>,
    /// Lengths of the readable files. `None` if no file is readable.
    pub durations: Option<Durations>,
    /// Sample rates in Hz, ascending, with the number of readable files at each.
    pub rates: Vec<Count>,
    /// Numbers of channels, ascending, with the number of readable files that have each.
    pub channels: Vec<Count>,
    /// Files that give no audio.
    pub unreadable: Vec<Unreadable>,
    /// Files that give audio but have damage.
    pub damaged: Vec<Damaged>,
    /// Files without audible sound; see [`SILENT_LEVEL`](crate::audio::SILENT_LEVEL) and
    /// [`SILENT_SHARE`].
    pub silent: Vec<Silent>,
    /// Files cut off at full scale; see [`CLIPPED_SHARE`].
    pub clipped: Vec<Clipped>,
    /// Sets of files with the same content.
    pub duplicates: Vec<Duplicate>,
    /// Pairs of files that hold the same sound, at any level, cut, codec and rate, by their acoustic
    /// fingerprints. Without those in `duplicates`.
    pub near_duplicates: Vec<NearDuplicate>,
    /// GTZAN's known faults, if the classes are GTZAN's ten genres.
    pub gtzan: Option<GtzanFaults>,
    /// How many findings there are of each kind.
    pub findings: Findings,
}

/// The number of findings of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Findings {
    /// Files that give no audio.
    pub unreadable: usize,
    /// Files that give audio but have damage.
    pub damaged: usize,
    /// Files without audible sound.
    pub silent: usize,
    /// Files cut off at full scale.
    pub clipped: usize,
    /// Sets of files with the same content.
    pub duplicates: usize,
    /// Pairs of files that hold the same sound.
    pub near_duplicates: usize,
    /// Duplicates and near duplicates in more than one class.
    pub across_classes: usize,
    /// Files that training should leave out.
    pub left_out: usize,
}

impl Findings {
    /// Returns whether nothing was found.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One class of a [`Report`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFacts {
    /// The folder's name.
    pub name: String,
    /// Number of files.
    pub files: usize,
    /// Number of files that give audio.
    pub readable: usize,
    /// Total length of the readable files in seconds.
    pub seconds: f64,
}

/// Lengths of files, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Durations {
    /// The shortest file.
    pub min: f64,
    /// The median. For an even number of files, the mean of the two middle ones.
    pub median: f64,
    /// The longest file.
    pub max: f64,
    /// The sum over all files.
    pub total: f64,
}

/// A value and the number of files that have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The value.
    pub value: u32,
    /// Number of files.
    pub files: usize,
}

/// A file that gives no audio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its path in the dataset.
    pub file: String,
    /// The error's stable name, [`AudioError::reason`](crate::audio::AudioError::reason).
    pub reason: &'static str,
    /// The error in one line.
    pub message: String,
}

/// A file that gives audio but has damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// Its path in the dataset.
    pub file: String,
    /// The damage in one line, [`MonoReader::damaged`](crate::audio::MonoReader::damaged).
    pub what: String,
}

/// A file without audible sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silent {
    /// Its path in the dataset.
    pub file: String,
    /// Half of the distance between the lowest and the highest sample, full scale 1.
    pub level: f32,
    /// The share of samples within [`QUIET_SAMPLE`](super::QUIET_SAMPLE) of zero, 0 to 1.
    pub quiet: f64,
}

impl Silent {
    /// Explains why the file is silent: `level -72.2 dB, 96.0 % of samples near zero`.
    pub(super) fn why(&self) -> String {
        let quiet = self.quiet * 100.0;
        match self.level {
            0.0 => "every sample is the same".into(),
            level => format!(
                "level {:.1} dB, {quiet:.1} % of samples near zero",
                20.0 * level.log10()
            ),
        }
    }
}

/// A file cut off at full scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clipped {
    /// Its path in the dataset.
    pub file: String,
    /// The share of samples at [`CLIPPED_SAMPLE`](super::CLIPPED_SAMPLE) or beyond, 0 to 1.
    pub share: f64,
}

/// What the files of a [`Duplicate`] have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicateKind {
    /// Every byte.
    Bytes,
    /// Every sample of the mono mix and the sample rate, as in a WAV file and its FLAC copy.
    Audio,
}

/// A set of files with the same content.
///
/// If they are in two subsets of a split, a model is tested on its training data. If they are in
/// two classes, at most one label is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// What they have in common; `same` in JSON.
    #[serde(rename = "same")]
    pub kind: DuplicateKind,
    /// At least two paths in the dataset. A set of [`DuplicateKind::Audio`] lists only the first
    /// of files with the same bytes.
    pub files: Vec<String>,
    /// Whether they are in more than one class.
    pub across_classes: bool,
}

/// Two files that hold the same sound.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NearDuplicate {
    /// The first file's path in the dataset.
    pub file: String,
    /// The other one's.
    pub like: String,
    /// Where `like` begins in `file`, in seconds. Negative if `file` begins in `like`.
    pub offset: f64,
    /// The share of bits in which their fingerprints differ there: 0 to 0.15.
    pub difference: f64,
    /// Whether they are in different classes.
    pub across_classes: bool,
}

/// A file that training should leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path in the dataset.
    pub file: String,
    /// The reason in one line.
    pub why: String,
}

impl Report {
    /// Returns the files that training should leave out, each once with its reason: unreadable
    /// files, silent files, and [`DAMAGED`](crate::dataset::gtzan::DAMAGED) if this copy of GTZAN
    /// has it damaged. Sorted by reason, then in the order of the dataset.
    pub fn left_out(&self) -> Vec<LeftOut> {
        let mut out: Vec<LeftOut> = Vec::new();
        let mut add = |file: &str, why: String| {
            if !out.iter().any(|have| have.file == file) {
                let file = file.to_owned();
                out.push(LeftOut { file, why });
            }
        };
        let known = self.gtzan.as_ref().and_then(|g| g.damaged.as_deref());
        for bad in &self.unreadable {
            let why = match known == Some(&bad.file) {
                true => "damaged in the common copy of GTZAN",
                false => "unreadable",
            };
            add(&bad.file, format!("{why}: {}", bad.message));
        }
        for bad in &self.damaged {
            if known == Some(&bad.file) {
                add(
                    &bad.file,
                    format!("damaged in the common copy of GTZAN: {}", bad.what),
                );
            }
        }
        for silent in &self.silent {
            add(&silent.file, format!("silent: {}", silent.why()));
        }
        out
    }

    /// Counts the findings of each kind.
    pub(super) fn count(&self) -> Findings {
        let near = self.near_duplicates.iter().map(|near| near.across_classes);
        let across = self.duplicates.iter().map(|set| set.across_classes);
        Findings {
            unreadable: self.unreadable.len(),
            damaged: self.damaged.len(),
            silent: self.silent.len(),
            clipped: self.clipped.len(),
            duplicates: self.duplicates.len(),
            near_duplicates: self.near_duplicates.len(),
            across_classes: across.chain(near).filter(|across| *across).count(),
            left_out: self.left_out().len(),
        }
    }
}
