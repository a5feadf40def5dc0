//! The run folder: settings, split, labels, metrics, log, checkpoint.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{TrainError, TrainSettings};
use crate::dataset::{Dataset, LabelRules, LabelSource, Split};
use crate::evaluate::Epoch;
use crate::evaluate::report::now;
use crate::files;
use crate::model::Task;

/// Name of the labels in a run folder.
pub(super) const LABELS: &str = "labels.csv";
/// Names of the other files that a run writes, `run.toml` aside.
pub(super) const FILES: [&str; 7] = [
    "split.csv",
    "metrics.csv",
    "log.txt",
    "best.safetensors",
    "last.state",
    "report.html",
    "metrics.json",
];

/// A folder that holds one run.
pub struct RunFolder {
    root: PathBuf,
    task: Task,
}

/// The content of `run.toml`: with `split.csv` beside it, enough to repeat the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the program that wrote it.
    pub sonoprint: String,
    /// The dataset's folder.
    #[serde(with = "path_as_text")]
    pub dataset: PathBuf,
    /// Where the labels come from, for people, if not from folders: `tags` or a CSV file. The run
    /// has them in its own `labels.csv`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// Whether hidden files of the dataset were taken.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// Name of the device, for people.
    pub device: String,
    /// When the run was made, for people: `2026-05-01 12:30 UTC`. Earlier versions did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made: Option<String>,
    /// The command line that made it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Everything else that decides the run.
    pub settings: TrainSettings,
}

/// Where a run comes from, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Name of the device.
    pub device: String,
    /// The command line, if there is one.
    pub command: Option<String>,
}

/// The name of a device, without a command line.
impl<T: AsRef<str> + ?Sized> From<&T> for Origin {
    fn from(device: &T) -> Self {
        Self {
            device: device.as_ref().to_owned(),
            command: None,
        }
    }
}

/// A path in TOML, which is UTF-8, as [`files::text_of_path`] writes it.
mod path_as_text {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::files::{path_of_text, text_of_path};

    pub(super) fn serialize<S: Serializer>(path: &Path, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&text_of_path(path))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(from)?;
        path_of_text(&text).ok_or_else(|| de::Error::custom("a path with a wrong escape"))
    }
}

impl RunRecord {
    /// Describes a run on `data`, made now.
    pub(super) fn new(data: &Dataset, settings: &TrainSettings, origin: Origin) -> Self {
        Self {
            sonoprint: env!("CARGO_PKG_VERSION").into(),
            dataset: fs::canonicalize(&data.root).unwrap_or_else(|_| data.root.clone()),
            labels: match &data.source {
                LabelSource::Folders => None,
                LabelSource::Tags => Some("tags".into()),
                LabelSource::Csv(path) => Some(path.display().to_string()),
            },
            hidden: data.hidden,
            device: origin.device,
            made: Some(now()),
            command: origin.command,
            settings: settings.clone(),
        }
    }

    /// Reads a `run.toml`.
    ///
    /// # Errors
    /// [`TrainError::State`] if the file is missing or cannot be parsed, and those of
    /// [`TrainSettings::validate`].
    pub fn load(path: &Path) -> Result<Self, TrainError> {
        let wrong = |why: String| TrainError::State {
            path: path.to_owned(),
            why,
        };
        let text = fs::read_to_string(path).map_err(|e| wrong(e.to_string()))?;
        let record: Self = toml::from_str(&text).map_err(|e| wrong(e.message().to_owned()))?;
        record.settings.validate()?;
        Ok(record)
    }

    /// Lists the run's dataset again, with the labels that it was made with. `path` is that of the
    /// record.
    ///
    /// # Errors
    /// [`TrainError::Dataset`].
    pub fn dataset(&self, path: &Path) -> Result<Dataset, TrainError> {
        let rules = LabelRules {
            min_files: 1,
            single: false,
            hidden: self.hidden,
        };
        let Some(labels) = &self.labels else {
            return Ok(Dataset::labeled(&self.dataset, &LabelSource::Folders, rules)?.data);
        };
        let copy = LabelSource::Csv(path.with_file_name(LABELS));
        let mut data = Dataset::labeled(&self.dataset, &copy, rules)?.data;
        data.source = match labels.as_str() {
            "tags" => LabelSource::Tags,
            path => LabelSource::Csv(path.into()),
        };
        Ok(data)
    }
}

impl RunFolder {
    /// Makes the folder and writes `run.toml`, `split.csv`, `labels.csv` (unless the labels come
    /// from folders) and an empty `metrics.csv`. `origin` may be the name of the device.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] if the folder holds a run, [`TrainError::NotARun`] if it holds no
    /// run but a file that a run would write, [`TrainError::Write`] if a file cannot be written, and
    /// those of [`TrainSettings::validate`]. A folder that could not be made complete is left as it
    /// was.
    pub fn create(
        root: &Path,
        data: &Dataset,
        split: &Split,
        settings: &TrainSettings,
        origin: impl Into<Origin>,
    ) -> Result<Self, TrainError> {
        // Checked here as well, because TOML cannot hold every seed.
        settings.validate()?;
        let folder = Self {
            root: root.to_owned(),
            task: settings.task,
        };
        if folder.path("run.toml").exists() {
            return Err(TrainError::RunExists(root.to_owned()));
        }
        let mut all = FILES.iter().chain([&LABELS]).map(|name| folder.path(name));
        if let Some(path) = all.find(|path| path.symlink_metadata().is_ok()) {
            return Err(TrainError::NotARun(path));
        }
        files::create_dir_all(root).map_err(|source| TrainError::Write {
            path: root.to_owned(),
            source,
        })?;
        let filled = folder.fill(data, split, RunRecord::new(data, settings, origin.into()));
        if filled.is_err() {
            // The same command can then start again.
            for name in ["split.csv", LABELS, "metrics.csv", "run.toml"] {
                let _ = fs::remove_file(folder.path(name));
            }
        }
        filled.map(|()| folder)
    }

    /// Writes the first files. `run.toml`, which makes the folder a run, comes last.
    fn fill(&self, data: &Dataset, split: &Split, record: RunRecord) -> Result<(), TrainError> {
        split.write_csv(data, &self.path("split.csv"))?;
        if record.labels.is_some() {
            data.write_labels(&self.path(LABELS))?;
        }
        let text = toml::to_string(&record).expect("valid settings are plain data");
        self.write_metrics(&[])?;
        self.write("run.toml", &text)
    }

    /// Opens the folder of an existing run.
    ///
    /// # Errors
    /// [`TrainError::State`] if `root` holds no run.
    pub fn open(root: &Path) -> Result<(Self, RunRecord), TrainError> {
        let record = RunRecord::load(&root.join("run.toml"))?;
        let folder = Self {
            root: root.to_owned(),
            task: record.settings.task,
        };
        for name in FILES {
            files::remove_leftovers(&folder.path(name));
        }
        Ok((folder, record))
    }

    /// Returns the path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Returns the path of the best checkpoint.
    pub fn best(&self) -> PathBuf {
        self.path("best.safetensors")
    }

    /// Returns the path of the state, from which the run can be resumed.
    pub fn state(&self) -> PathBuf {
        self.path("last.state")
    }

    /// Writes `metrics.csv`, one line per epoch. `docs/TRAINING.md` lists the columns.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn write_metrics(&self, epochs: &[Epoch]) -> Result<(), TrainError> {
        let header = match self.task {
            Task::SingleLabel => {
                "train_accuracy,valid_loss,valid_clip_accuracy,valid_file_accuracy"
            }
            Task::MultiLabel => {
                "train_precision_at_1,valid_loss,valid_precision_at_1,valid_roc_auc,valid_pr_auc"
            }
        };
        let mut text = format!("epoch,lr,train_loss,{header},seconds\n");
        for e in epochs {
            let valid = match (e.valid, self.task) {
                (None, Task::SingleLabel) => ",,".to_owned(),
                (None, Task::MultiLabel) => ",,,".to_owned(),
                (Some(v), Task::SingleLabel) => {
                    format!("{:.5},{:.4},{:.4}", v.loss, v.clip_accuracy, v.accuracy())
                }
                (Some(v), Task::MultiLabel) => {
                    let auc = v.auc.map_or(",".to_owned(), |auc| {
                        format!("{:.4},{:.4}", auc.roc_auc, auc.pr_auc)
                    });
                    format!("{:.5},{:.4},{auc}", v.loss, v.accuracy())
                }
            };
            let (epoch, lr, loss, accuracy, seconds) =
                (e.epoch, e.lr, e.loss, e.accuracy, e.seconds);
            text += &format!("{epoch},{lr:.3e},{loss:.5},{accuracy:.4},{valid},{seconds:.2}\n");
        }
        self.write("metrics.csv", &text)
    }

    /// Writes a file of the folder, and replaces an old one.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.path(name);
        let written = files::replace(&path, text.as_bytes());
        written.map_err(|source| TrainError::Write { path, source })
    }

    /// Appends a line to a file of the folder.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn append(&self, name: &str, line: &str) -> Result<(), TrainError> {
        let path = self.path(name);
        files::append_line(&path, line).map_err(|source| TrainError::Write { path, source })
    }
}
