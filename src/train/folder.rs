//! The run folder: settings, split, metrics, log, checkpoint.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{TrainError, TrainSettings};
use crate::dataset::{Dataset, Split};

/// A folder that holds one run.
pub struct RunFolder {
    root: PathBuf,
}

/// What stands in `run.toml`.
#[derive(serde::Serialize)]
struct RunRecord<'a> {
    sonoprint: &'static str,
    dataset: String,
    device: &'a str,
    settings: &'a TrainSettings,
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
            sonoprint: env!("CARGO_PKG_VERSION"),
            dataset: data.root.display().to_string(),
            device,
            settings,
        };
        let text = toml::to_string(&record).expect("settings are plain data");
        folder.write("run.toml", &text)?;
        folder.write(
            "metrics.csv",
            "epoch,lr,train_loss,train_accuracy,valid_loss,valid_clip_accuracy,valid_file_accuracy,seconds\n",
        )?;
        Ok(folder)
    }

    /// A file of the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The best checkpoint by validation.
    pub fn best(&self) -> PathBuf {
        self.path("best.safetensors")
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
