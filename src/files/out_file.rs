//! A file that is written from its start, or appended to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;

use super::fault;

/// A file that is open for writing.
#[derive(Debug)]
pub struct OutFile(File);

impl OutFile {
    /// Creates a file, or empties an old one.
    ///
    /// # Errors
    /// The system's error, as of every function here.
    pub fn create(path: &Path) -> io::Result<Self> {
        fault::pass(|| File::create(path)).map(Self)
    }

    /// Creates a file that must not exist yet.
    pub(super) fn create_new(path: &Path) -> io::Result<Self> {
        fault::pass(|| File::create_new(path)).map(Self)
    }

    /// Opens a file, which is created if it is missing. Each write goes to its end.
    pub fn append(path: &Path) -> io::Result<Self> {
        let open = || OpenOptions::new().create(true).append(true).open(path);
        fault::pass(open).map(Self)
    }

    /// Locks the file against other processes, without waiting.
    pub fn try_lock(&self) -> Result<(), TryLockError> {
        self.0.try_lock()
    }

    /// Cuts the file off.
    pub fn set_len(&self, len: u64) -> io::Result<()> {
        fault::pass(|| self.0.set_len(len))
    }

    /// Waits until the content is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        fault::pass(|| self.0.sync_data())
    }

    /// Returns another handle of the file.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }
}

impl Write for OutFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = fault::before(bytes.len())?;
        self.0.write(&bytes[..len])
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
