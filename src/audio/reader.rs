//! A file as mono samples at the rate one asks for: in blocks, or whole.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use super::au::Au;
use super::error::{AudioError, Result};
use super::packets::Packets;
use super::resample::Resample;
use super::sniff::{Kind, sniff};
use super::{RATES, Source};

/// What [`load`] reads at most, in seconds: four hours, 1.3 GB at 22 050 Hz.
///
/// A limit because a few kilobytes of FLAC can stand for days of silence.
pub const LOAD_LIMIT_SECONDS: u64 = 4 * 3600;

/// Streams one file as mono `f32` samples, full scale 1, at a chosen sample rate.
///
/// Channels are averaged; the rate is changed only where it differs, with everything that would
/// fold back at least 80 dB down, no delay, and `round(samples * rate / source rate)` samples out.
///
/// Samples that are NaN, infinite or over 1e9 become 0 and are mentioned in
/// [`MonoReader::damaged`]; a file in which they are the majority is [`AudioError::NotFinite`], at
/// its end. A file that breaks off, or has packets that cannot be decoded, gives what can be
/// decoded and says so in [`MonoReader::damaged`]; a file that gives no sample at all is an error
/// of [`MonoReader::open`].
///
/// Memory is a few blocks, however long the file.
pub struct MonoReader {
    source: Box<dyn Source>,
    resample: Option<Resample>,
    /// Decoded samples at the source's rate, not handed on yet.
    block: Vec<f32>,
    taken: u64,
    given: u64,
    ended: bool,
    resampling: Duration,
}

impl MonoReader {
    /// Opens `path` and decodes as far as the first sample. `sample_rate` is in Hz.
    ///
    /// # Errors
    /// Every [`AudioError`] but `NotFinite`, `TooShort` and `TooLong`.
    pub fn open(path: &Path, sample_rate: u32) -> Result<Self> {
        if !RATES.contains(&sample_rate) {
            return Err(AudioError::BadRate { rate: sample_rate });
        }
        let io = |source| AudioError::Io {
            path: path.to_owned(),
            source,
        };
        // PendingBatch before opening: opening a pipe would wait for its writer.
        let about = std::fs::metadata(path).map_err(io)?;
        if !about.is_file() {
            return Err(io(std::io::Error::other("not a regular file")));
        }
        let len = about.len();
        let mut file = File::open(path).map_err(io)?;
        let (kind, start) = sniff(&mut file, len).map_err(io)??;
        let mut source: Box<dyn Source> = match kind {
            Kind::Au => Box::new(Au::open(path, file, start, len)?),
            _ => Box::new(Packets::open(path, file, kind, start, len)?),
        };
        let mut block = Vec::new();
        while block.is_empty() {
            if !source.next(&mut block)? {
                return Err(source.note().map_or(AudioError::Empty, AudioError::damaged));
            }
        }
        let (rate, _) = source.spec();
        let resample = match rate == sample_rate {
            true => None,
            false => Some(Resample::new(rate, sample_rate)?),
        };
        Ok(Self {
            source,
            resample,
            block,
            taken: 0,
            given: 0,
            ended: false,
            resampling: Duration::ZERO,
        })
    }

    /// Appends the next samples to `out` and returns how many; 0 is the end, then and afterwards.
    ///
    /// # Errors
    /// `Io` where the system fails; at the file's end `NotFinite`, and `TooShort` where not one
    /// sample is left at the new rate. No more samples come after an error.
    pub fn read(&mut self, out: &mut Vec<f32>) -> Result<usize> {
        let before = out.len();
        let done = self.fill(out, before);
        if done.is_err() {
            self.ended = true;
        }
        done.map(|()| out.len() - before)
    }

    fn fill(&mut self, out: &mut Vec<f32>, before: usize) -> Result<()> {
        while !self.ended && out.len() == before {
            if self.block.is_empty() && !self.source.next(&mut self.block)? {
                self.ended = true;
                if let Some(resample) = &mut self.resample {
                    resample.finish(out)?;
                }
            }
            self.taken += self.block.len() as u64;
            match &mut self.resample {
                Some(resample) => {
                    let start = Instant::now();
                    resample.push(&self.block, out)?;
                    self.resampling += start.elapsed();
                }
                None => out.extend_from_slice(&self.block),
            }
            self.block.clear();
        }
        self.given += (out.len() - before) as u64;
        if self.ended { self.check() } else { Ok(()) }
    }

    /// What can only be judged when the whole file was seen.
    fn check(&self) -> Result<()> {
        let (bad, total) = self.source.unusable();
        if bad * 2 > total {
            return Err(AudioError::NotFinite { bad, total });
        }
        if self.given == 0 {
            return Err(AudioError::TooShort {
                samples: self.taken,
                rate: self.source_rate(),
            });
        }
        Ok(())
    }

    /// The file's own sample rate in Hz.
    pub fn source_rate(&self) -> u32 {
        self.source.spec().0
    }

    /// Channels in the file.
    pub fn channels(&self) -> u16 {
        self.source.spec().1
    }

    /// Time that went into changing the sample rate so far.
    pub fn resampling(&self) -> Duration {
        self.resampling
    }

    /// What is wrong with the file although it gave audio, in one line. Complete at the end.
    pub fn damaged(&self) -> Option<String> {
        let bad = match self.source.unusable() {
            (0, _) => None,
            (n, _) => Some(format!("{n} unusable samples became 0")),
        };
        match (self.source.note(), bad) {
            (Some(a), Some(b)) => Some(format!("{a}; {b}")),
            (a, b) => a.or(b),
        }
    }
}

/// A whole file, read by [`load`].
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Mono, at the rate that was asked for, full scale 1. Never empty, always finite.
    pub samples: Vec<f32>,
    /// The file's own sample rate in Hz.
    pub source_rate: u32,
    /// Channels in the file.
    pub channels: u16,
    /// What is wrong with the file although it gave audio, in one line.
    pub damaged: Option<String>,
}

/// Reads all of `path` as mono at `sample_rate` Hz. See [`MonoReader`] for what is done to it.
///
/// # Errors
/// Every [`AudioError`]; `TooLong` beyond [`LOAD_LIMIT_SECONDS`].
pub fn load(path: &Path, sample_rate: u32) -> Result<Loaded> {
    let mut reader = MonoReader::open(path, sample_rate)?;
    let limit = LOAD_LIMIT_SECONDS * u64::from(sample_rate);
    let mut samples = Vec::new();
    while reader.read(&mut samples)? > 0 {
        if samples.len() as u64 > limit {
            return Err(AudioError::TooLong {
                seconds: LOAD_LIMIT_SECONDS,
            });
        }
    }
    Ok(Loaded {
        samples,
        source_rate: reader.source_rate(),
        channels: reader.channels(),
        damaged: reader.damaged(),
    })
}
