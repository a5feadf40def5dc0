//! The journal beside an output: which files are done, and with what result. Killed at any moment, a run is taken up from
//! it; outputs are made of it.
//!
//! One JSON object a line. The first says what the rows were made with; each of the others is a file that is done, or says
//! that a run came to its end. A line that was cut off by a kill is dropped when the journal is opened.

use std::collections::HashMap;
use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::path_text::{unwritten, written};
use super::{FileResult, Outcome, Shard, Stamp};

/// What all rows of a journal were made with. Rows of different settings do not mix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JournalSettings {
    /// Version of the journal.
    pub journal: u32,
    /// Fingerprint of the checkpoint: weights, front end, classes.
    pub model: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Share of a clip that the next one has in common with it.
    pub overlap: f64,
    /// Whether every clip was kept.
    pub timeline: bool,
    /// Whether embeddings were kept.
    #[serde(default)]
    pub embeddings: bool,
    /// Whether the network computed in f16.
    #[serde(default)]
    pub half: bool,
    /// Which part of the files.
    pub shard: Shard,
}

/// Names one field of [`JournalSettings`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalSetting {
    /// [`JournalSettings::journal`].
    Version,
    /// [`JournalSettings::model`].
    Checkpoint,
    /// [`JournalSettings::classes`].
    Classes,
    /// [`JournalSettings::overlap`].
    ClipOverlap,
    /// [`JournalSettings::timeline`].
    Timeline,
    /// [`JournalSettings::embeddings`].
    Embeddings,
    /// [`JournalSettings::half`].
    Half,
    /// [`JournalSettings::shard`].
    Shard,
}

impl fmt::Display for JournalSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Version => "version of the journal",
            Self::Checkpoint => "checkpoint",
            Self::Classes => "list of classes",
            Self::ClipOverlap => "clip overlap",
            Self::Timeline => "timeline setting",
            Self::Embeddings => "embeddings setting",
            Self::Half => "precision",
            Self::Shard => "shard",
        })
    }
}

/// A setting in which a journal and a run differ, with both values as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which setting.
    pub setting: JournalSetting,
    /// The journal's value.
    pub journal: String,
    /// The run's value.
    pub run: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            setting,
            journal,
            run,
        } = self;
        write!(f, "{setting}: {journal}, not {run}")
    }
}

impl JournalSettings {
    /// Returns the first setting in which `self`, a journal's, and `run` differ.
    pub fn difference(&self, run: &Self) -> Option<Difference> {
        // Both are taken apart completely: a new field does not compile until it is compared.
        let Self {
            journal,
            model,
            classes,
            overlap,
            timeline,
            embeddings,
            half,
            shard,
        } = self;
        let Self {
            journal: run_journal,
            model: run_model,
            classes: run_classes,
            overlap: run_overlap,
            timeline: run_timeline,
            embeddings: run_embeddings,
            half: run_half,
            shard: run_shard,
        } = run;
        let on_off = |on: &bool| if *on { "on" } else { "off" }.to_owned();
        let precision = |half: &bool| if *half { "f16" } else { "f32" }.to_owned();
        let list = |names: &Vec<String>| names.join(", ");
        use JournalSetting as S;
        compare(S::Version, journal, run_journal, u32::to_string)
            .or_else(|| compare(S::Checkpoint, model, run_model, String::clone))
            .or_else(|| compare(S::Classes, classes, run_classes, list))
            .or_else(|| compare(S::ClipOverlap, overlap, run_overlap, f64::to_string))
            .or_else(|| compare(S::Timeline, timeline, run_timeline, on_off))
            .or_else(|| compare(S::Embeddings, embeddings, run_embeddings, on_off))
            .or_else(|| compare(S::Half, half, run_half, precision))
            .or_else(|| compare(S::Shard, shard, run_shard, Shard::to_string))
    }
}

fn compare<T: PartialEq>(
    setting: JournalSetting,
    journal: &T,
    run: &T,
    show: impl Fn(&T) -> String,
) -> Option<Difference> {
    (journal != run).then(|| Difference {
        setting,
        journal: show(journal),
        run: show(run),
    })
}

/// The version that this program writes.
pub const VERSION: u32 = 1;

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its rows were made with other settings.
    #[error("{path} belongs to rows made with another {difference}")]
    Settings {
        /// Which file.
        path: PathBuf,
        /// The first setting that differs.
        difference: Difference,
    },
    /// Another process writes to it.
    #[error("{path} is being written by another sonoprint: wait for it, or choose another --out")]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// It was there, and is no more.
    #[error(
        "{path} was removed while rows were added to it: run the command again, it starts over"
    )]
    Removed {
        /// Which file.
        path: PathBuf,
    },
    /// It is not a journal, or not any more.
    #[error(
        "{path} is not a journal of sonoprint (line {line}): remove it, or --fresh to start over"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Settings(JournalSettings),
    File {
        path: String,
        /// The path's bytes in hexadecimal, where it is not UTF-8.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bytes: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stamp: Option<Stamp>,
        outcome: Outcome,
    },
    /// A run that looked at this many files came to its end.
    End {
        files: u64,
    },
}

/// A journal that rows are added to.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// When it was last seen in its folder.
    seen: Instant,
}

/// A journal that was read.
pub struct Done {
    /// What its rows were made with.
    pub settings: JournalSettings,
    /// Files that are done, and what they were then. The last word on a file counts.
    pub files: HashMap<PathBuf, Option<Stamp>>,
    /// Files of the last run that came to its end, if nothing was added since.
    pub ended: Option<u64>,
    /// Bytes that are whole lines.
    len: u64,
}

/// Where the journal of an output lies.
pub fn journal_of(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".journal");
    name.into()
}

impl Journal {
    /// Opens the journal at `path`, or makes an empty one, and keeps every other process from writing to it.
    ///
    /// # Errors
    /// [`JournalError::Busy`] if another does; [`JournalError::Io`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|e| io(path, e))?;
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(JournalError::Busy {
                path: path.to_owned(),
            });
        }
        // A file system without locks: as good as it gets.
        Ok(Self {
            path: path.to_owned(),
            file,
            seen: Instant::now(),
        })
    }

    /// Begins anew: what is in it is dropped.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn begin(&mut self, settings: &JournalSettings) -> Result<(), JournalError> {
        self.file.set_len(0).map_err(|e| io(&self.path, e))?;
        self.add(&Line::Settings(settings.clone()))
    }

    /// Goes on after what [`read`] found: what a kill cut off is dropped.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn go_on(&mut self, done: &Done) -> Result<(), JournalError> {
        let cut = self.file.set_len(done.len);
        cut.map_err(|e| io(&self.path, e))
    }

    /// Adds a row. It is with the system when this returns: a kill does not lose it.
    ///
    /// # Errors
    /// [`JournalError::Io`]; [`JournalError::Removed`], looked for once a second.
    pub fn row(&mut self, row: &FileResult) -> Result<(), JournalError> {
        if self.seen.elapsed() > Duration::from_secs(1) {
            self.look()?;
        }
        let (path, bytes) = written(&row.path);
        self.add(&Line::File {
            path,
            bytes,
            stamp: row.stamp,
            outcome: row.outcome.clone(),
        })
    }

    /// Says that a run which looked at `files` files came to its end.
    ///
    /// # Errors
    /// [`JournalError::Io`].
    pub fn end(&mut self, files: u64) -> Result<(), JournalError> {
        self.add(&Line::End { files })?;
        self.file.sync_data().map_err(|e| io(&self.path, e))
    }

    /// Looks whether it is still there: a file that is in no folder any more takes rows without a word, and they are lost.
    ///
    /// # Errors
    /// [`JournalError::Removed`].
    pub fn look(&mut self) -> Result<(), JournalError> {
        self.seen = Instant::now();
        match self.path.try_exists() {
            Ok(false) => Err(JournalError::Removed {
                path: self.path.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn add(&mut self, line: &Line) -> Result<(), JournalError> {
        let mut text = serde_json::to_string(line).map_err(|e| io(&self.path, e.into()))?;
        text.push('\n');
        // One write: a kill leaves a line whole, cut off, or not there.
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|e| io(&self.path, e))
    }
}

/// Reads a journal, and checks that its rows may stand beside rows of `settings`. `None` if there is none.
///
/// # Errors
/// [`JournalError`].
pub fn read(path: &Path, settings: Option<&JournalSettings>) -> Result<Option<Done>, JournalError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io(path, e)),
    };
    let mut lines = Lines::new(path, BufReader::new(file));
    let found = match lines.next_line()? {
        // Killed before the first line was out: nothing is lost.
        None => return Ok(None),
        Some(Line::Settings(found)) if found.journal == VERSION => found,
        Some(_) => return Err(lines.damaged()),
    };
    if let Some(difference) = settings.and_then(|run| found.difference(run)) {
        return Err(JournalError::Settings {
            path: path.to_owned(),
            difference,
        });
    }
    let mut done = Done {
        settings: found,
        files: HashMap::new(),
        ended: None,
        len: 0,
    };
    while let Some(line) = lines.next_line()? {
        match line {
            Line::Settings(_) => return Err(lines.damaged()),
            Line::End { files } => done.ended = Some(files),
            Line::File {
                path, bytes, stamp, ..
            } => {
                let path = unwritten(path, bytes).ok_or_else(|| lines.damaged())?;
                done.files.insert(path, stamp);
                done.ended = None;
            }
        }
    }
    done.len = lines.len;
    Ok(Some(done))
}

/// Calls `each` with the rows of a journal: of several about one file with the last. In the order of their paths if
/// `sorted`, else as they were added.
///
/// # Errors
/// [`JournalError`], or what `each` says.
pub fn rows<E: From<JournalError>>(
    path: &Path,
    sorted: bool,
    mut each: impl FnMut(FileResult) -> Result<(), E>,
) -> Result<(), E> {
    let open = || File::open(path).map_err(|e| io(path, e));
    let mut lines = Lines::new(path, BufReader::new(open()?));
    let mut places: HashMap<PathBuf, u64> = HashMap::new();
    loop {
        let at = lines.len;
        match lines.next_line()? {
            None => break,
            Some(Line::File { path, bytes, .. }) => {
                let path = unwritten(path, bytes).ok_or_else(|| lines.damaged())?;
                places.insert(path, at);
            }
            Some(_) => {}
        }
    }
    let mut places: Vec<(PathBuf, u64)> = places.into_iter().collect();
    if sorted {
        places.sort();
    } else {
        places.sort_by_key(|(_, at)| *at);
    }
    let mut reader = BufReader::new(open()?);
    let mut at = 0u64;
    for (_, place) in places {
        let by = place as i64 - at as i64;
        reader.seek_relative(by).map_err(|e| io(path, e))?;
        let mut text = Vec::new();
        let read = reader
            .read_until(b'\n', &mut text)
            .map_err(|e| io(path, e))?;
        at = place + read as u64;
        match serde_json::from_slice(&text) {
            Ok(Line::File {
                path: name,
                bytes,
                stamp,
                outcome,
            }) => each(FileResult {
                path: unwritten(name, bytes).ok_or_else(|| lines.damaged())?,
                stamp,
                outcome,
            })?,
            _ => return Err(lines.damaged().into()),
        }
    }
    Ok(())
}

/// Lines of a journal as far as they are whole.
struct Lines<'a, R> {
    path: &'a Path,
    reader: R,
    text: Vec<u8>,
    number: usize,
    /// Bytes of whole lines so far.
    len: u64,
}

impl<'a, R: Read + BufRead> Lines<'a, R> {
    fn new(path: &'a Path, reader: R) -> Self {
        Self {
            path,
            reader,
            text: Vec::new(),
            number: 0,
            len: 0,
        }
    }

    fn next_line(&mut self) -> Result<Option<Line>, JournalError> {
        self.text.clear();
        let read = self.reader.read_until(b'\n', &mut self.text);
        let read = read.map_err(|e| io(self.path, e))?;
        if self.text.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.number += 1;
        let line = serde_json::from_slice(&self.text).map_err(|_| self.damaged())?;
        self.len += read as u64;
        Ok(Some(line))
    }

    fn damaged(&self) -> JournalError {
        JournalError::Damaged {
            path: self.path.to_owned(),
            line: self.number,
        }
    }
}

fn io(path: &Path, source: std::io::Error) -> JournalError {
    JournalError::Io {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn settings() -> JournalSettings {
        JournalSettings {
            journal: VERSION,
            model: "0123456789ab".into(),
            classes: vec!["blues".into(), "jazz".into()],
            overlap: 0.0,
            timeline: false,
            embeddings: false,
            half: false,
            shard: Shard::default(),
        }
    }

    /// Changes every field in turn, by its name in the file, so that a field added later is checked too.
    #[test]
    fn every_setting_is_compared() {
        let same = settings();
        assert_eq!(same.difference(&same), None);
        let Value::Object(fields) = serde_json::to_value(&same).unwrap() else {
            panic!("settings are an object");
        };
        let mut found = Vec::new();
        for name in fields.keys() {
            let mut changed = fields.clone();
            let value = &mut changed[name];
            *value = match &*value {
                Value::Bool(on) => json!(!on),
                Value::Number(n) if n.is_f64() => json!(n.as_f64().unwrap() + 0.5),
                Value::Number(n) => json!(n.as_u64().unwrap() + 1),
                Value::String(text) => json!(format!("{text}-changed")),
                Value::Array(_) => json!(["rock"]),
                Value::Object(_) => json!({"number": 2, "of": 3}),
                Value::Null => panic!("{name} has no value"),
            };
            let changed = serde_json::from_value(Value::Object(changed)).unwrap();
            let difference = same.difference(&changed);
            let difference = difference.unwrap_or_else(|| panic!("{name} is not compared"));
            assert_ne!(difference.journal, difference.run, "{name}");
            found.push(difference.setting);
        }
        for (i, setting) in found.iter().enumerate() {
            assert!(!found[..i].contains(setting), "{setting:?} twice");
        }
    }

    #[test]
    fn a_difference_says_both_values() {
        let half = JournalSettings {
            half: true,
            ..settings()
        };
        let error = JournalError::Settings {
            path: "out.csv.journal".into(),
            difference: settings().difference(&half).unwrap(),
        };
        assert_eq!(
            error.to_string(),
            "out.csv.journal belongs to rows made with another precision: f32, not f16"
        );
    }
}
