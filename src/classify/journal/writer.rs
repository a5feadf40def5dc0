//! Writing a journal.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::JournalError;
use super::line::{FileLine, Line};
use super::reader::JournalState;
use super::settings::JournalSettings;
use crate::classify::result::FileResult;

/// How often to check that the journal's file still exists.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A journal that rows are added to.
pub struct Journal {
    path: PathBuf,
    file: File,
    /// When the file was last known to exist.
    checked: Instant,
}

impl Journal {
    /// Opens the journal at `path`, or creates an empty one, and locks it against other processes.
    ///
    /// # Errors
    /// [`JournalError::Busy`] if another process has it locked; [`JournalError::Write`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = OpenOptions::new().create(true).append(true).open(path);
        let file = file.map_err(|e| JournalError::write(path, e))?;
        // A file system without locks gives another error: the journal is then used without a lock.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(JournalError::Busy {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            checked: Instant::now(),
        })
    }

    /// Starts over: drops what is in the journal.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn start(&mut self, settings: &JournalSettings) -> Result<(), JournalError> {
        let emptied = self.file.set_len(0);
        emptied.map_err(|e| JournalError::write(&self.path, e))?;
        self.add(&Line::Settings(settings.clone()))
    }

    /// Resumes after what [`super::read`] returned: drops a line that a kill cut off.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn resume(&mut self, state: &JournalState) -> Result<(), JournalError> {
        let cut = self.file.set_len(state.len);
        cut.map_err(|e| JournalError::write(&self.path, e))
    }

    /// Adds a row. The system has the row when this returns, so that a kill of the process does not lose it.
    ///
    /// # Errors
    /// [`JournalError::Write`]; [`JournalError::Removed`], which is checked once per second.
    pub fn row(&mut self, row: &FileResult) -> Result<(), JournalError> {
        if self.checked.elapsed() > CHECK_INTERVAL {
            self.check_exists()?;
        }
        self.add(&Line::File(FileLine::new(row)))
    }

    /// Records that a run which saw `files` files reached its end.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn end(&mut self, files: u64) -> Result<(), JournalError> {
        self.add(&Line::End { files })?;
        let synced = self.file.sync_data();
        synced.map_err(|e| JournalError::write(&self.path, e))
    }

    /// Checks that the journal's file still exists. If the file was deleted while open, writes still succeed but
    /// are lost.
    ///
    /// # Errors
    /// [`JournalError::Removed`].
    pub fn check_exists(&mut self) -> Result<(), JournalError> {
        self.checked = Instant::now();
        match self.path.try_exists() {
            Ok(false) => Err(JournalError::Removed {
                path: self.path.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn add(&mut self, line: &Line) -> Result<(), JournalError> {
        let failed = |e| JournalError::write(&self.path, e);
        let mut text = serde_json::to_string(line).map_err(|e| failed(e.into()))?;
        text.push('\n');
        // One write: a kill leaves a line whole, cut off, or not there.
        self.file.write_all(text.as_bytes()).map_err(failed)
    }
}
