//! What a bench found, as it is kept and compared.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Median and spread of several runs, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stat {
    /// Of the runs.
    pub median: f64,
    /// Median distance from the median.
    pub spread: f64,
}

impl Stat {
    /// Of at least one run.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut seconds: Vec<f64> = times.into_iter().map(|t| t.as_secs_f64()).collect();
        let median = middle(&mut seconds);
        let mut off: Vec<f64> = seconds.iter().map(|s| (s - median).abs()).collect();
        Self {
            median,
            spread: middle(&mut off),
        }
    }
}

fn middle(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A rival on one shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineTime {
    /// Which.
    pub name: String,
    /// Its decibels of all clips.
    pub db: Stat,
    /// Its pictures of all clips, where it makes them.
    pub picture: Option<Stat>,
    /// Largest difference of its decibels from the CPU twin's, within 80 dB of the loudest.
    pub worst_db: f64,
    /// It draws pictures, and they are wrong: they were not timed.
    #[serde(default)]
    pub wrong_picture: bool,
}

/// One shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Of the catalog.
    pub id: String,
    /// For people.
    pub label: String,
    /// At once.
    pub clips: usize,
    /// Seconds of audio in them.
    pub audio_seconds: f64,
    /// PCM to decibels.
    pub stft: Stat,
    /// Decibels to pictures; where the device has no clock for passes, `stft` has the time of both.
    pub rgba: Option<Stat>,
    /// Both passes by the host's clock.
    pub wall: Stat,
    /// Bytes that the first pass cannot do without: samples in, decibels out.
    pub stft_bytes: u64,
    /// Bytes that the second pass cannot do without: decibels in, pictures out.
    pub rgba_bytes: u64,
    /// Rivals that give the same decibels.
    pub rivals: Vec<BaselineTime>,
}

impl Measured {
    /// Both passes by the clock that timed them, in seconds.
    pub fn total(&self) -> f64 {
        self.stat().median
    }

    /// Both passes together.
    pub fn stat(&self) -> Stat {
        let rgba = self.rgba.unwrap_or_default();
        Stat {
            median: self.stft.median + rgba.median,
            spread: self.stft.spread + rgba.spread,
        }
    }

    /// Clips a second through both passes.
    pub fn clips_per_second(&self) -> f64 {
        self.clips as f64 / self.total()
    }

    /// Seconds of audio a second.
    pub fn times_real_time(&self) -> f64 {
        self.audio_seconds / self.total()
    }

    /// Gigabytes a second, of the bytes that both passes cannot do without.
    pub fn gigabytes_per_second(&self) -> f64 {
        (self.stft_bytes + self.rgba_bytes) as f64 / 1e9 / self.total()
    }
}

/// A wgpu adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adapter {
    /// Its own.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// Vulkan, Metal, DX12.
    pub backend: String,
}

/// A run of the bench.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// This program's version.
    pub sonoprint: String,
    /// Name, driver and backend of the device in a few words.
    pub device: String,
    /// None for the CPU.
    pub adapter: Option<Adapter>,
    /// Not a card's figures: a software rasterizer's, or the CPU's.
    pub software: bool,
    /// `timestamps`, or `wall` where the device has none.
    pub clock: String,
    /// Limits of the device that decide what fits.
    pub limits: Vec<(String, u64)>,
    /// Gigabytes a second (read and written) of a copy kernel: the roofline.
    pub copy_gigabytes_per_second: f64,
    /// Runs behind each median.
    pub runs: usize,
    /// In the order of the catalog.
    pub shapes: Vec<Measured>,
}

impl Record {
    /// All that was timed and can be compared with another record: what (it names the amount of work, too), and how long
    /// it took. Another kind of entry joins here.
    pub fn timed(&self) -> Vec<(String, Stat)> {
        let shape = |m: &Measured| (format!("{} x{}", m.id, m.clips), m.stat());
        self.shapes.iter().map(shape).collect()
    }
}
