//! The results of a run, as they are kept and compared.

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::BenchError;
use crate::files::{Ours, replace};

/// Median and spread of several runs, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    /// Median of the runs.
    pub median: f64,
    /// Median distance of the runs from their median (the median absolute deviation).
    pub spread: f64,
}

impl Stat {
    /// Computes both from `times`, the times of at least one run.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut seconds: Vec<f64> = times.into_iter().map(|t| t.as_secs_f64()).collect();
        let median = median(&mut seconds);
        let mut distances: Vec<f64> = seconds.iter().map(|s| (s - median).abs()).collect();
        Self {
            median,
            spread: self::median(&mut distances),
        }
    }
}

/// Sorts `values` and returns the middle one, or NaN if there are none.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The times of a baseline on one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineTimes {
    /// The name of the baseline.
    pub name: String,
    /// PCM to decibels, all clips.
    pub db: Stat,
    /// PCM to features, all clips. `None` if it makes decibels only, or wrong features.
    #[serde(alias = "picture")]
    pub features: Option<Stat>,
    /// Largest difference of its decibels from the CPU reference, in cells at most 80 dB below the
    /// loudest.
    #[serde(alias = "worst_db")]
    pub max_db_error: f64,
    /// Whether its features are wrong, and therefore were not timed.
    #[serde(default, alias = "wrong_picture")]
    pub wrong_features: bool,
}

/// A baseline that was not timed, because it computes wrong decibels on this device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongBaseline {
    /// The name of the baseline.
    pub name: String,
    /// What differs from the CPU reference, and by how much.
    pub difference: String,
}

/// The times of our passes, and of the baselines, on one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShapeTimes {
    /// The id in the catalog.
    pub id: String,
    /// The shape in words.
    pub label: String,
    /// Clips per run.
    pub clips: usize,
    /// Seconds of audio in all of them.
    pub audio_seconds: f64,
    /// First pass: PCM to decibels.
    pub stft: Stat,
    /// Second pass: decibels to features. `None` if the output is the spectrogram itself, or if the
    /// passes could not be timed one by one; then `stft` is the time of both.
    pub rgba: Option<Stat>,
    /// Both passes, by the host's clock.
    pub wall: Stat,
    /// Bytes that the first pass has to move at least: samples in, decibels out.
    pub stft_bytes: u64,
    /// Bytes that the second pass has to move at least: decibels in, features out.
    pub rgba_bytes: u64,
    /// Baselines that compute the same decibels.
    #[serde(alias = "rivals")]
    pub baselines: Vec<BaselineTimes>,
    /// Baselines that were not timed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong_baselines: Vec<WrongBaseline>,
}

impl ShapeTimes {
    /// Returns the median time of both passes, in seconds.
    pub fn total(&self) -> f64 {
        self.stat().median
    }

    /// Returns the time of both passes, by the clock that timed them.
    pub fn stat(&self) -> Stat {
        let rgba = self.rgba.unwrap_or_default();
        Stat {
            median: self.stft.median + rgba.median,
            spread: self.stft.spread + rgba.spread,
        }
    }

    /// Returns clips per second through both passes.
    pub fn clips_per_second(&self) -> f64 {
        self.clips as f64 / self.total()
    }

    /// Returns seconds of audio per second.
    pub fn times_real_time(&self) -> f64 {
        self.audio_seconds / self.total()
    }

    /// Returns gigabytes per second, counting only the bytes that both passes have to move at
    /// least.
    pub fn gigabytes_per_second(&self) -> f64 {
        (self.stft_bytes + self.rgba_bytes) as f64 / 1e9 / self.total()
    }
}

/// A wgpu adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapter {
    /// The adapter's own name.
    pub name: String,
    /// The driver and its version.
    pub driver: String,
    /// Vulkan, Metal or DX12.
    pub backend: String,
}

/// The results of a run of the benchmark on one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The version of this program.
    pub sonoprint: String,
    /// Name, driver and backend of the device.
    pub device: String,
    /// The adapter. `None` for the `cpu` device.
    pub adapter: Option<Adapter>,
    /// Whether these are the figures of a software rasterizer or of the CPU, not of a GPU.
    pub software: bool,
    /// `timestamps`, or `wall` (the host's clock) where the device has no timestamps.
    pub clock: String,
    /// Limits of the device that decide how many clips fit into a dispatch.
    pub limits: Vec<(String, u64)>,
    /// Gigabytes per second, read and written, of a copy kernel: the roofline.
    pub copy_gigabytes_per_second: f64,
    /// Runs behind each median.
    pub runs: usize,
    /// One entry per shape, in the order of the catalog.
    pub shapes: Vec<ShapeTimes>,
}

impl Record {
    /// Returns the name and the time of each entry that can be compared with another record. The
    /// name includes the number of clips, because times of different work must not be compared.
    pub fn timed(&self) -> Vec<(String, Stat)> {
        let entry = |s: &ShapeTimes| (format!("{} x{}", s.id, s.clips), s.stat());
        self.shapes.iter().map(entry).collect()
    }

    /// Reads a record that [`Record::write_json`] wrote, with this version or an older one.
    ///
    /// # Errors
    /// [`BenchError::Read`] or [`BenchError::NotARecord`].
    pub fn read(path: &Path) -> Result<Self, BenchError> {
        let text = std::fs::read_to_string(path).map_err(|source| BenchError::Read {
            path: path.into(),
            source,
        })?;
        serde_json::from_str(&text).map_err(|source| BenchError::NotARecord {
            path: path.into(),
            source,
        })
    }

    /// Returns the record as JSON.
    pub fn json(&self) -> String {
        json(self)
    }

    /// Writes the record as JSON.
    ///
    /// # Errors
    /// [`BenchError::Write`] if the file cannot be written.
    pub fn write_json(&self, path: &Path) -> Result<(), BenchError> {
        write(path, self.json().as_bytes())
    }
}

/// Recognizes a record of the front end or of convolutions by its first keys.
pub const JSON_OURS: Ours = Ours {
    what: "a record",
    is: |head| {
        let mut keys = ["sonoprint", "device"].iter();
        keys.any(|key| head.starts_with(&format!("{{\n  \"{key}\": ")))
            && head.end_contains("\n}\n")
    },
};

/// Returns `record` as indented JSON.
pub(super) fn json(record: &impl Serialize) -> String {
    serde_json::to_string_pretty(record).expect("a record is plain data") + "\n"
}

/// Writes a file of results.
///
/// # Errors
/// [`BenchError::Write`].
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), BenchError> {
    replace(path, bytes).map_err(|source| BenchError::Write {
        path: path.into(),
        source,
    })
}
