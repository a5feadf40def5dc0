//! The run folder: settings, split, metrics, log, checkpoint.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{TrainError, TrainSettings};
use crate::dataset::{Dataset, Split};
use crate::evaluate::Epoch;

/// A folder that holds one run.
pub struct RunFolder {
    root: PathBuf,
}

/// What stands in `run.toml`: enough to do the run again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Version of the program that wrote it.
    pub sonoprint: String,
    /// The dataset's folder.
    pub dataset: PathBuf,
    /// What it ran on, for people.
    pub device: String,
    /// Everything else; the split is in `split.csv` beside it.
    pub settings: TrainSettings,
}

impl RunRecord {
    /// Reads a `run.toml`.
    ///
    /// # Errors
    /// [`TrainError::State`] if it is missing or not one.
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
}

impl RunFolder {
    /// Makes the folder and writes what is known before the first step.
    ///
    /// # Errors
    /// [`TrainError::RunExists`] if a run is already there, [`TrainError::Write`] if it cannot be written.
    pub fn create(
        root: &Path,
        data: &Dataset,
        split: &Split,
        settings: &TrainSettings,
        device: &str,
    ) -> Result<Self, TrainError> {
        let folder = Self {
            root: root.to_owned(),
        };
        if folder.path("run.toml").exists() {
            return Err(TrainError::RunExists(root.to_owned()));
        }
        fs::create_dir_all(root).map_err(|source| TrainError::Write {
            path: root.to_owned(),
            source,
        })?;
        split.write_csv(data, &folder.path("split.csv"))?;
        let record = RunRecord {
            sonoprint: env!("CARGO_PKG_VERSION").into(),
            dataset: fs::canonicalize(&data.root).unwrap_or_else(|_| data.root.clone()),
            device: device.into(),
            settings: settings.clone(),
        };
        let text = toml::to_string(&record).expect("settings are plain data");
        folder.write("run.toml", &text)?;
        folder.write_metrics(&[])?;
        Ok(folder)
    }

    /// The folder of a run that was begun.
    ///
    /// # Errors
    /// [`TrainError::State`] if there is none in `root`.
    pub fn open(root: &Path) -> Result<(Self, RunRecord), TrainError> {
        let folder = Self {
            root: root.to_owned(),
        };
        let record = RunRecord::load(&folder.path("run.toml"))?;
        Ok((folder, record))
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The best checkpoint by validation.
    pub fn best(&self) -> PathBuf {
        self.path("best.safetensors")
    }

    /// Everything needed to go on after a kill.
    pub fn state(&self) -> PathBuf {
        self.path("last.state")
    }

    /// Writes `metrics.csv`, a line an epoch.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn write_metrics(&self, epochs: &[Epoch]) -> Result<(), TrainError> {
        let mut text = String::from(
            "epoch,lr,train_loss,train_accuracy,valid_loss,valid_clip_accuracy,valid_file_accuracy,seconds\n",
        );
        for e in epochs {
            let valid = e.valid.map_or(",,".to_owned(), |v| {
                format!("{:.5},{:.4},{:.4}", v.loss, v.clip_accuracy, v.accuracy())
            });
            let (epoch, lr, loss, accuracy, seconds) =
                (e.epoch, e.lr, e.loss, e.accuracy, e.seconds);
            text += &format!("{epoch},{lr:.3e},{loss:.5},{accuracy:.4},{valid},{seconds:.2}\n");
        }
        self.write("metrics.csv", &text)
    }

    /// Writes a whole file.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn write(&self, name: &str, text: &str) -> Result<(), TrainError> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|source| TrainError::Write { path, source })
    }

    /// Adds a line to a file.
    ///
    /// # Errors
    /// [`TrainError::Write`].
    pub fn append(&self, name: &str, line: &str) -> Result<(), TrainError> {
        let path = self.path(name);
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut f| writeln!(f, "{line}"))
            .map_err(|source| TrainError::Write { path, source })
    }
}
