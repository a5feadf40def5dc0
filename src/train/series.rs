//! The plan of several runs that belong together: one per seed, or one per fold.
//!
//! It is written before the first run's folder is made, so that runs that a kill left unmade can be
//! made later. The folder `plan` holds `runs.toml`, the splits, and `labels.csv` if the labels come
//! from no folders.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::folder::{FILES, LABELS, Origin, RunRecord};
use super::{TrainError, TrainSettings};
use crate::dataset::{Dataset, Split};
use crate::files::{self, Claims, Ours};

/// Names of the plan's folder and of its list of runs.
const FOLDER: &str = "plan";
const RUNS: &str = "runs.toml";
/// The list is recognized by its first key.
const RUNS_OURS: Ours = Ours {
    what: "a list of runs",
    is: |head| head.starts_with("[[run]]\n"),
};
/// Splits and labels are recognized by their headers.
const SPLIT_OURS: Ours = Ours {
    what: "a split",
    is: |head| head.starts_with("file,class,split\n"),
};
const LABELS_OURS: Ours = Ours {
    what: "a list of labels",
    is: |head| head.starts_with("file,label"),
};

/// Several runs that belong together, in the folders of their names below `root`.
#[derive(Clone, Debug)]
pub struct Series {
    root: PathBuf,
    text: SeriesText,
}

/// The content of `runs.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SeriesText {
    run: Vec<SeriesRun>,
    /// What all runs have in common. The seed is that of the first.
    record: RunRecord,
}

/// One of the runs of a [`Series`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesRun {
    /// Name of its folder: `seed-4`, `fold-1`.
    pub name: String,
    /// Its seed.
    pub seed: u64,
    /// Name of the file with its split.
    split: String,
}

impl Series {
    /// Writes the plan of `runs`, each with its name, seed and split, into `root`. `settings` are
    /// those of the first run, and all others differ from it in the seed only.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] if `root` holds a plan, [`TrainError::Claim`] if a file of another
    /// program is in the way, [`TrainError::Write`] and [`TrainError::Dataset`] if a file cannot be
    /// written.
    pub fn create(
        root: &Path,
        data: &Dataset,
        settings: &TrainSettings,
        origin: impl Into<Origin>,
        runs: &[(String, u64, &Split)],
    ) -> Result<Self, TrainError> {
        let folder = root.join(FOLDER);
        if folder.join(RUNS).exists() {
            return Err(TrainError::RunExists(root.to_owned()));
        }
        files::create_dir_all(&folder).map_err(|source| TrainError::Write {
            path: folder.clone(),
            source,
        })?;
        // Runs with equal splits share a file.
        let mut splits: Vec<(String, &Split)> = Vec::new();
        let mut listed = Vec::new();
        for (name, seed, split) in runs {
            let known = splits.iter().find(|(_, other)| other == split);
            let file = match known {
                Some((file, _)) => file.clone(),
                None => {
                    splits.push((format!("{name}.csv"), split));
                    format!("{name}.csv")
                }
            };
            listed.push(SeriesRun {
                name: name.clone(),
                seed: *seed,
                split: file,
            });
        }
        let record = RunRecord::new(data, settings, origin.into());
        let mut claims = Claims::default();
        for (file, split) in splits {
            let path = folder.join(file);
            claims.output(&path, SPLIT_OURS)?;
            split.write_csv(data, &path)?;
        }
        if record.labels.is_some() {
            claims.output(&folder.join(LABELS), LABELS_OURS)?;
            data.write_labels(&folder.join(LABELS))?;
        }
        claims.output(&folder.join(RUNS), RUNS_OURS)?;
        let series = Self {
            root: root.to_owned(),
            text: SeriesText {
                run: listed,
                record,
            },
        };
        // The list comes last and makes the plan complete.
        series.save()?;
        Ok(series)
    }

    /// Reads the plan in `root`; `None` if there is none.
    ///
    /// # Errors
    /// [`TrainError::State`] if it cannot be read or parsed, and those of
    /// [`TrainSettings::validate`].
    pub fn open(root: &Path) -> Result<Option<Self>, TrainError> {
        let path = root.join(FOLDER).join(RUNS);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(wrong(&path, e.to_string())),
        };
        let text: SeriesText =
            toml::from_str(&text).map_err(|e| wrong(&path, e.message().to_owned()))?;
        text.record.settings.validate()?;
        // A name with a separator would lead out of the folder.
        let plain = |name: &str| Path::new(name).file_name() == Some(name.as_ref());
        for name in text.run.iter().flat_map(|run| [&run.name, &run.split]) {
            if !plain(name) {
                return Err(wrong(&path, format!("{name:?} is no name of a file")));
            }
        }
        let root = root.to_owned();
        Ok(Some(Self { root, text }))
    }

    /// Returns the runs, whether their folders are there or not.
    pub fn runs(&self) -> &[SeriesRun] {
        &self.text.run
    }

    /// Returns the settings of a run.
    pub fn settings(&self, run: &SeriesRun) -> TrainSettings {
        TrainSettings {
            seed: run.seed,
            ..self.text.record.settings.clone()
        }
    }

    /// Lists the dataset of the runs.
    ///
    /// # Errors
    /// [`TrainError::Dataset`].
    pub fn dataset(&self) -> Result<Dataset, TrainError> {
        self.text.record.dataset(&self.path(RUNS))
    }

    /// Reads the split of a run.
    ///
    /// # Errors
    /// [`TrainError::Dataset`].
    pub fn split(&self, run: &SeriesRun, data: &Dataset) -> Result<Split, TrainError> {
        Ok(Split::from_csv(data, &self.path(&run.split))?)
    }

    /// Lets the runs that are not made yet train to `epochs` epochs.
    ///
    /// # Errors
    /// [`TrainError::Setting`] and [`TrainError::Write`].
    pub fn extend(&mut self, epochs: usize) -> Result<(), TrainError> {
        if self.text.record.settings.epochs == epochs {
            return Ok(());
        }
        self.text.record.settings.epochs = epochs;
        self.text.record.settings.validate()?;
        self.save()
    }

    /// Removes what a kill left of a run's folder before it was a run: copies of the plan's files,
    /// and metrics without epochs. A folder with any other file of a run stays as it is, and
    /// [`RunFolder::create`] then refuses it.
    ///
    /// [`RunFolder::create`]: super::RunFolder::create
    pub fn clear(&self, run: &SeriesRun) {
        let folder = self.root.join(&run.name);
        let planned = |name: &str| match name {
            "split.csv" => fs::read(self.path(&run.split)).ok(),
            LABELS => fs::read(self.path(LABELS)).ok(),
            _ => None,
        };
        let is_ours = |name: &&str| match fs::read(folder.join(name)) {
            Ok(found) if *name == "metrics.csv" => {
                found.starts_with(b"epoch,lr,train_loss,")
                    && found.iter().filter(|&&b| b == b'\n').count() == 1
            }
            Ok(found) => planned(name) == Some(found),
            Err(_) => false,
        };
        let all = FILES.iter().copied().chain([LABELS, "run.toml"]);
        let there: Vec<&str> = all
            .clone()
            .filter(|name| folder.join(name).symlink_metadata().is_ok())
            .collect();
        if there.iter().all(is_ours) {
            for name in there {
                let _ = fs::remove_file(folder.join(name));
            }
            all.for_each(|name| files::remove_leftovers(&folder.join(name)));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(FOLDER).join(name)
    }

    fn save(&self) -> Result<(), TrainError> {
        let path = self.path(RUNS);
        let text = toml::to_string(&self.text).expect("valid settings are plain data");
        files::replace(&path, text.as_bytes()).map_err(|source| TrainError::Write { path, source })
    }
}

fn wrong(path: &Path, why: String) -> TrainError {
    TrainError::State {
        path: path.to_owned(),
        why,
    }
}
