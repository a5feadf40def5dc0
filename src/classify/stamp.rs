//! The version of a file, by its size and time.

use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

/// What a file was when it was read. If it differs later, the file has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change, nanoseconds since 1970; 0 where the system does not report it.
    pub modified: u64,
}

impl Stamp {
    /// Returns the stamp of the file as it is now; `None` if the system does not report its metadata.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = std::fs::metadata(path).ok()?;
        let modified = metadata
            .modified()
            .ok()
            .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
            .map_or(0, |t| t.as_nanos() as u64);
        Some(Self {
            size: metadata.len(),
            modified,
        })
    }
}
