//! Writing a journal.

use std::fs::TryLockError;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::JournalError;
use super::line::{FileLine, Line};
use super::reader::JournalState;
use super::settings::JournalSettings;
use crate::classify::result::FileResult;
use crate::files::OutFile;

/// How often a journal that is locked is tried, and the pause between two tries.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// How often to check that the journal's file still exists.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// A journal that rows are added to.
pub struct Journal {
    path: PathBuf,
    file: OutFile,
    /// Damaged lines, which stay in the journal.
    damaged: u64,
    /// When the file was last known to exist.
    checked: Instant,
}

impl Journal {
    /// Opens the journal at `path`, or creates an empty one, and locks it against other processes.
    ///
    /// # Errors
    /// [`JournalError::Busy`] if another process has it locked; [`JournalError::Write`].
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = OutFile::append(path).map_err(|e| JournalError::write(path, e))?;
        // A file system without locks gives another error: the journal is then used without a lock.
        // A process that is being started holds copies of this process's files, and their locks,
        // until its program runs.
        let mut tries = 0;
        while let Err(TryLockError::WouldBlock) = file.try_lock() {
            tries += 1;
            if tries == LOCK_TRIES {
                return Err(JournalError::Busy {
                    path: path.to_owned(),
                });
            }
            std::thread::sleep(LOCK_PAUSE);
        }
        Ok(Self {
            path: path.to_owned(),
            file,
            damaged: 0,
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
        self.damaged = 0;
        self.add(&Line::Settings(settings.clone()))
    }

    /// Resumes after what [`super::read`] returned: drops a line that a kill cut off.
    ///
    /// # Errors
    /// [`JournalError::Write`].
    pub fn resume(&mut self, state: &JournalState) -> Result<(), JournalError> {
        self.damaged = state.damaged;
        let cut = self.file.set_len(state.len);
        cut.map_err(|e| JournalError::write(&self.path, e))
    }

    /// Adds a row. The system has the row when this returns, so that a kill of the process does not
    /// lose it.
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
        let damaged = self.damaged;
        self.add(&Line::End { files, damaged })?;
        let synced = self.file.sync();
        synced.map_err(|e| JournalError::write(&self.path, e))
    }

    /// Checks that the journal's file still exists. If the file was deleted while open, writes
    /// still succeed but are lost.
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
        let text = line.text().map_err(|e| failed(e.into()))?;
        // One write: a kill leaves a line whole, cut off, or not there.
        self.file.write_all(&text).map_err(failed)
    }
}
