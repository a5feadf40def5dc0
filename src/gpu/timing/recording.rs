//! The state of a recording of passes, which hangs on a device.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::timestamps::Timestamps;

/// The most passes that one recording holds. Later passes are not timed.
pub const MAX_PASSES: u32 = 1024;

/// A pass that ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassTime {
    /// The shader's entry point.
    pub name: &'static str,
    /// When the pass began, converted to the host's clock. The error is at most the time of one
    /// submission and one wait.
    pub begin: Instant,
    /// The duration by the GPU's clock.
    pub time: Duration,
}

/// Times the passes of a device while a recording is on, and does nothing before.
#[derive(Debug, Default)]
pub struct PassRecorder(Mutex<Option<Recording>>);

impl PassRecorder {
    /// Gives access to the recording, if one is on.
    pub fn lock(&self) -> MutexGuard<'_, Option<Recording>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The passes of one recording.
#[derive(Debug)]
pub struct Recording {
    pub timestamps: Timestamps,
    /// The passes that began, in the order of their timestamps.
    pub names: Vec<&'static str>,
    /// One moment by the host's clock.
    pub host: Instant,
    /// The same moment by the GPU's clock.
    pub ticks: u64,
}

impl Recording {
    /// Starts a recording whose clocks are not yet synchronized.
    pub fn new(timestamps: Timestamps) -> Self {
        Self {
            timestamps,
            names: Vec::new(),
            host: Instant::now(),
            ticks: 0,
        }
    }

    /// Returns the number of one more pass and the timestamps for it, if there is room.
    pub fn begin(&mut self, name: &'static str) -> Option<(Timestamps, u32)> {
        let pass = self.len();
        (pass < MAX_PASSES).then(|| {
            self.names.push(name);
            (self.timestamps.clone(), pass)
        })
    }

    /// Returns the number of passes so far.
    pub fn len(&self) -> u32 {
        self.names.len() as u32
    }
}
