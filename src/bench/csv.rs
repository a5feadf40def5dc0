//! A record as CSV.

use std::path::Path;

use super::error::BenchError;
use super::record::{Record, ShapeTimes, Stat, write};
use crate::files::Ours;

const COLUMNS: [&str; 15] = [
    "device",
    "software",
    "clock",
    "id",
    "baseline",
    "clips",
    "stft_ms",
    "stft_spread_ms",
    "rgba_ms",
    "rgba_spread_ms",
    "total_ms",
    "clips_per_second",
    "times_real_time",
    "gigabytes_per_second",
    "copy_gigabytes_per_second",
];

impl Record {
    /// Returns the record as CSV: a row per shape with an empty `baseline`, and below it a row per
    /// baseline. A baseline's total and rates are those of its features, and empty if it has none.
    pub fn csv(&self) -> Vec<u8> {
        bytes(self).expect("memory takes all rows")
    }

    /// Writes [`Record::csv`].
    ///
    /// # Errors
    /// [`BenchError::Write`] if the file cannot be written.
    pub fn write_csv(&self, path: &Path) -> Result<(), BenchError> {
        write(path, &self.csv())
    }
}

/// Recognizes a table by its first columns.
pub const CSV_OURS: Ours = Ours {
    what: "a table of times",
    is: |head| head.starts_with("device,software,clock,id,"),
};

fn bytes(record: &Record) -> csv::Result<Vec<u8>> {
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(COLUMNS)?;
    for shape in &record.shapes {
        csv.write_record(
            names(record, shape, "")
                .into_iter()
                .chain(milliseconds(Some(&shape.stft)))
                .chain(milliseconds(shape.rgba.as_ref()))
                .chain(rates(record, shape, shape.total())),
        )?;
        for baseline in &shape.baselines {
            let rates = match &baseline.features {
                Some(features) => rates(record, shape, features.median),
                None => Default::default(),
            };
            csv.write_record(
                names(record, shape, &baseline.name)
                    .into_iter()
                    .chain(milliseconds(Some(&baseline.db)))
                    .chain(milliseconds(None))
                    .chain(rates),
            )?;
        }
    }
    let bytes = csv.into_inner();
    Ok(bytes.map_err(|e| e.into_error())?)
}

/// `device` to `clips`.
fn names(record: &Record, shape: &ShapeTimes, baseline: &str) -> [String; 6] {
    [
        record.device.clone(),
        record.software.to_string(),
        record.clock.clone(),
        shape.id.clone(),
        baseline.to_owned(),
        shape.clips.to_string(),
    ]
}

/// A median and its spread.
fn milliseconds(stat: Option<&Stat>) -> [String; 2] {
    match stat {
        Some(s) => [number(1e3 * s.median), number(1e3 * s.spread)],
        None => Default::default(),
    }
}

/// `total_ms` to `copy_gigabytes_per_second`, for work that took `total` seconds.
fn rates(record: &Record, shape: &ShapeTimes, total: f64) -> [String; 5] {
    [
        1e3 * total,
        shape.clips as f64 / total,
        shape.audio_seconds / total,
        (shape.stft_bytes + shape.rgba_bytes) as f64 / 1e9 / total,
        record.copy_gigabytes_per_second,
    ]
    .map(number)
}

fn number(n: f64) -> String {
    format!("{n:.4}")
}
