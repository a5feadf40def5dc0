//! What is wrong with a dataset, found before hours of training are spent on it.
//!
//! Every file is read to its end, at its own sample rate and in blocks, so memory does not grow
//! with the length of a file. A fault of a file never ends the check.

mod file;
mod known;
mod show;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rayon::prelude::*;
use serde::Serialize;

use super::Dataset;
use crate::audio::SILENT_PEAK;
use file::{DeviceTraits, Heard};

pub use known::GtzanFaults;

/// Samples this near to zero are quiet: about three steps of 16 bits.
pub const QUIET_SAMPLE: f32 = 1e-4;

/// A file in which more than this share of the samples is quiet is silent.
pub const SILENT_SHARE: f64 = 0.95;

/// Samples at least this far from zero are at full scale.
pub const CLIPPED_SAMPLE: f32 = 0.999;

/// A file in which more than this share of the samples is at full scale is clipped.
pub const CLIPPED_SHARE: f64 = 0.001;

/// What [`check`] found. Files are named by [`super::Entry::key`], in the order of the dataset.
///
/// Peaks and shares are those of the mono mix: a stereo file of which one channel is silent or
/// clipped is neither.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The dataset's folder.
    pub root: PathBuf,
    /// One line a class, in the order of [`Dataset::classes`].
    pub classes: Vec<ClassFacts>,
    /// How long the readable files are; none where no file is readable.
    pub durations: Option<Durations>,
    /// Sample rates in Hz, ascending, and how many readable files have each.
    pub rates: Vec<Count>,
    /// Numbers of channels, ascending, and how many readable files have each.
    pub channels: Vec<Count>,
    /// Files that give no audio.
    pub unreadable: Vec<Unreadable>,
    /// Files that give audio although something is wrong with them.
    pub damaged: Vec<Damaged>,
    /// Files in which nothing is heard; see [`SILENT_PEAK`] and [`SILENT_SHARE`].
    pub silent: Vec<Silent>,
    /// Files cut off at full scale; see [`CLIPPED_SHARE`].
    pub clipped: Vec<Clipped>,
    /// Sets of files with the same content.
    pub duplicates: Vec<Duplicate>,
    /// GTZAN's own faults, where the classes are GTZAN's ten genres.
    pub gtzan: Option<GtzanFaults>,
}

/// One class of a [`Report`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ClassFacts {
    /// The folder's name.
    pub name: String,
    /// Files in it.
    pub files: usize,
    /// Files of it that give audio.
    pub readable: usize,
    /// What they last together, in seconds.
    pub seconds: f64,
}

/// How long files are, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Durations {
    /// The shortest file.
    pub min: f64,
    /// The one in the middle; of an even number, the mean of both in the middle.
    pub median: f64,
    /// The longest file.
    pub max: f64,
    /// All together.
    pub total: f64,
}

/// How many files have a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Count {
    /// The value.
    pub value: u32,
    /// Files that have it.
    pub files: usize,
}

/// A file that gives no audio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its path in the dataset.
    pub file: String,
    /// The stable name of the error, [`crate::audio::AudioError::reason`].
    pub reason: &'static str,
    /// The error in one line.
    pub message: String,
}

/// A file that gives audio although something is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Damaged {
    /// Its path in the dataset.
    pub file: String,
    /// What is wrong, in one line, [`crate::audio::MonoReader::damaged`].
    pub what: String,
}

/// A file in which nothing is heard.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Silent {
    /// Its path in the dataset.
    pub file: String,
    /// The loudest sample, full scale 1.
    pub peak: f32,
    /// The share of the samples within [`QUIET_SAMPLE`] of zero, 0 to 1.
    pub quiet: f64,
}

/// A file cut off at full scale.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Clipped {
    /// Its path in the dataset.
    pub file: String,
    /// The share of the samples at [`CLIPPED_SAMPLE`] or beyond, 0 to 1.
    pub share: f64,
}

/// What files of a [`Duplicate`] have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Same {
    /// Every byte.
    Bytes,
    /// Every sample of the mono mix and the sample rate, as in a WAV and its FLAC.
    Audio,
}

/// Files with the same content: on two sides of a split, a model is tested on what it was trained
/// on; in two classes, at most one label is right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Duplicate {
    /// What they have in common.
    pub same: Same,
    /// Two paths in the dataset or more. For [`Same::Audio`], only the first of files whose bytes
    /// are the same, too.
    pub files: Vec<String>,
    /// Whether they are of more than one class.
    pub across_classes: bool,
}

/// A file that training should leave out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its path in the dataset.
    pub file: String,
    /// Why, in one line.
    pub why: String,
}

/// Reads every file of `data`, on all cores of rayon's pool, and reports what it found.
///
/// `tick` is called once a file, when that file is done, from any thread.
///
/// Contents are compared by their length and the 64 bits of the standard library's hasher: among a
/// million files of one length, chance makes two look alike once in 37 million datasets. Files of
/// no bytes are not compared.
pub fn check(data: &Dataset, tick: &(dyn Fn() + Sync)) -> Report {
    let facts: Vec<DeviceTraits> = (data.entries.par_iter())
        .map(|entry| {
            let facts = DeviceTraits::of(&data.path(entry));
            tick();
            facts
        })
        .collect();
    Report::new(data, &facts)
}

impl Report {
    fn new(data: &Dataset, facts: &[DeviceTraits]) -> Self {
        let keys: Vec<String> = data.entries.iter().map(|e| e.key()).collect();
        let heard: Vec<(usize, &Heard)> = (facts.iter().enumerate())
            .filter_map(|(i, facts)| Some((i, facts.heard.as_ref().ok()?)))
            .collect();
        let mut classes: Vec<_> = (data.classes.iter())
            .map(|name| ClassFacts {
                name: name.clone(),
                files: 0,
                readable: 0,
                seconds: 0.0,
            })
            .collect();
        for entry in &data.entries {
            classes[entry.class].files += 1;
        }
        for &(i, heard) in &heard {
            let class = &mut classes[data.entries[i].class];
            class.readable += 1;
            class.seconds += heard.seconds();
        }
        let mut report = Self {
            root: data.root.clone(),
            classes,
            durations: durations(heard.iter().map(|(_, heard)| heard.seconds()).collect()),
            rates: counts(heard.iter().map(|(_, heard)| heard.rate)),
            channels: counts(heard.iter().map(|(_, heard)| u32::from(heard.channels))),
            unreadable: Vec::new(),
            damaged: Vec::new(),
            silent: Vec::new(),
            clipped: Vec::new(),
            duplicates: duplicates(data, facts, &keys),
            gtzan: None,
        };
        for (key, facts) in keys.iter().zip(facts) {
            report.judge(key, facts);
        }
        report.gtzan = known::faults(data, &keys, &report);
        report
    }

    /// Puts one file into every list that it belongs to.
    fn judge(&mut self, key: &str, facts: &DeviceTraits) {
        let file = || key.to_owned();
        let heard = match &facts.heard {
            Ok(heard) => heard,
            Err((reason, message)) => {
                return self.unreadable.push(Unreadable {
                    file: file(),
                    reason,
                    message: message.clone(),
                });
            }
        };
        if let Some(what) = &heard.damaged {
            self.damaged.push(Damaged {
                file: file(),
                what: what.clone(),
            });
        }
        let share = |samples: u64| samples as f64 / heard.samples as f64;
        let (quiet, clipped) = (share(heard.quiet), share(heard.clipped));
        if heard.peak < SILENT_PEAK || quiet > SILENT_SHARE {
            self.silent.push(Silent {
                file: file(),
                peak: heard.peak,
                quiet,
            });
        }
        if clipped > CLIPPED_SHARE {
            self.clipped.push(Clipped {
                file: file(),
                share: clipped,
            });
        }
    }

    /// Files that training should leave out, each once and with the reason: those that give no
    /// audio, those that are silent, and [`super::gtzan::DAMAGED`] where this copy of GTZAN has it
    /// damaged. By reason, then in the order of the dataset.
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
            add(&silent.file, format!("silent: {}", show::silence(silent)));
        }
        out
    }
}

fn durations(mut seconds: Vec<f64>) -> Option<Durations> {
    seconds.sort_by(f64::total_cmp);
    let (min, max) = (*seconds.first()?, *seconds.last()?);
    let (low, high) = ((seconds.len() - 1) / 2, seconds.len() / 2);
    Some(Durations {
        min,
        median: (seconds[low] + seconds[high]) / 2.0,
        max,
        total: seconds.iter().sum(),
    })
}

fn counts(values: impl Iterator<Item = u32>) -> Vec<Count> {
    let mut files = BTreeMap::new();
    for value in values {
        *files.entry(value).or_insert(0) += 1;
    }
    let count = |(value, files)| Count { value, files };
    files.into_iter().map(count).collect()
}

/// Sets of files with the same bytes, then sets with the same audio, each by its first file.
fn duplicates(data: &Dataset, facts: &[DeviceTraits], keys: &[String]) -> Vec<Duplicate> {
    let mut by_bytes = BTreeMap::<_, Vec<usize>>::new();
    let mut by_audio = BTreeMap::<_, Vec<usize>>::new();
    for (i, facts) in facts.iter().enumerate() {
        let mut first = true;
        if let Some(bytes) = facts.bytes {
            let alike = by_bytes.entry(bytes).or_default();
            alike.push(i);
            first = alike.len() == 1;
        }
        if let (true, Ok(heard)) = (first, &facts.heard) {
            let audio = (heard.hash, heard.samples, heard.rate);
            by_audio.entry(audio).or_default().push(i);
        }
    }
    let sets = |same, mut sets: Vec<Vec<usize>>| {
        sets.retain(|set| set.len() > 1);
        sets.sort_unstable();
        sets.into_iter().map(move |set| Duplicate {
            same,
            files: set.iter().map(|&i| keys[i].clone()).collect(),
            across_classes: (set.iter())
                .any(|&i| data.entries[i].class != data.entries[set[0]].class),
        })
    };
    let bytes = sets(Same::Bytes, by_bytes.into_values().collect());
    bytes
        .chain(sets(Same::Audio, by_audio.into_values().collect()))
        .collect()
}
