//! Reads a file as mono samples at a requested sample rate, in blocks or at once.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use super::RATES;
use super::decode::Decoding;
use super::error::{AudioError, Result};
use super::levels::Levels;
use super::names::{NameKind, name_kind};
use super::resample::Resample;
#[cfg(doc)]
use super::silence::SHORTEST_SECONDS;
use super::silence::check_length;
use super::sniff::sniff;

/// The longest file that [`load`] reads, in seconds: four hours, 1.3 GB at 22 050 Hz.
///
/// The limit exists because a few kilobytes of FLAC can hold days of silence.
pub const LOAD_LIMIT_SECONDS: u64 = 4 * 3600;

/// Streams one file as mono `f32` samples, full scale 1, at a chosen sample rate.
///
/// Channels are averaged. The signal is resampled only if the rates differ, with aliases at least
/// 80 dB down, no delay, and `round(samples * rate / source rate)` output samples.
///
/// Samples that are NaN, infinite or over 1e9 become 0 and are reported by
/// [`MonoReader::damaged`]. A file in which they are the majority is [`AudioError::NotFinite`] at
/// its end. A truncated file, or one with undecodable packets, gives all samples that can be
/// decoded, and [`MonoReader::damaged`] reports the damage. A file without a single sample is an
/// error of [`MonoReader::open`].
///
/// Memory is a few blocks for any file length.
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::MonoReader;
///
/// let mut reader = MonoReader::open(Path::new("data/clips/jazz/jazz.00014.flac"), 22_050)?;
/// let mut block = Vec::new();
/// let mut peak = 0.0_f32;
/// while reader.read(&mut block)? > 0 {
///     peak = block.iter().fold(peak, |peak, x| peak.max(x.abs()));
///     block.clear();
/// }
/// assert!(peak > 0.1 && peak <= 1.0);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
pub struct MonoReader {
    source: Decoding,
    resample: Option<Resample>,
    /// Decoded samples at the source's rate that were not returned yet.
    block: Vec<f32>,
    /// Samples at the source's rate so far.
    taken: u64,
    /// Samples returned so far.
    given: u64,
    /// Samples to drop in front of the place that was asked for.
    surplus: usize,
    ended: bool,
    resampling: Duration,
}

impl MonoReader {
    /// Opens `path` and decodes up to the first sample. `sample_rate` is in Hz.
    ///
    /// # Errors
    /// Every [`AudioError`] except `NotFinite`, `Cancelled`, `TooShort` and `TooLong`.
    pub fn open(path: &Path, sample_rate: u32) -> Result<Self> {
        if !RATES.contains(&sample_rate) {
            return Err(AudioError::BadRate { rate: sample_rate });
        }
        let io = |source| AudioError::Io {
            path: path.to_owned(),
            source,
        };
        // Checked before opening, because opening a pipe would wait for its writer.
        let metadata = std::fs::metadata(path).map_err(io)?;
        if !metadata.is_file() {
            return Err(io(std::io::Error::other("not a regular file")));
        }
        let len = metadata.len();
        let mut file = File::open(path).map_err(io)?;
        let (format, start) = match sniff(&mut file, len).map_err(io)? {
            // The bytes show nothing, and the name does.
            Err(AudioError::UnknownFormat) if name_kind(path) == NameKind::UnreadableAudio => {
                let extension = path.extension().unwrap_or_default().to_string_lossy();
                return Err(AudioError::unsupported(format!(".{extension} files")));
            }
            found => found?,
        };
        let mut source = Decoding::open(path, file, format, start, len)?;
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
            surplus: 0,
            ended: false,
            resampling: Duration::ZERO,
        })
    }

    /// Appends the next samples to `out` and returns their number. Returns 0 at the end and for
    /// every later call.
    ///
    /// # Errors
    /// `Io` if the system fails; at the file's end `NotFinite`, `Cancelled`, and `TooShort` if not
    /// one sample is left at the new rate. No samples follow an error.
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
            let surplus = self.surplus.min(out.len() - before);
            out.drain(before..before + surplus);
            self.surplus -= surplus;
        }
        self.given += (out.len() - before) as u64;
        if self.ended { self.check() } else { Ok(()) }
    }

    /// Returns the number of samples in the file, if [`MonoReader::seek`] finds each of them. Nothing
    /// is decoded: the containers' headers are read.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn samples(&mut self) -> Result<Option<u64>> {
        let frames = self.source.frames()?;
        Ok(frames.map(|frames| match &self.resample {
            Some(resample) => resample.len(frames),
            None => frames,
        }))
    }

    /// Goes on with sample `sample`. Only after [`MonoReader::samples`] has returned their number.
    /// The samples are, to the bit, those of the file that is read from its beginning, except after
    /// lossy codecs that never forget (Opus) or that draw noise (AAC). Returns whether the place is
    /// found; if it is not, nothing more can be read.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub(super) fn seek(&mut self, sample: u64) -> Result<bool> {
        self.block.clear();
        let (frame, next) = match &mut self.resample {
            Some(resample) => (resample.seek(sample), resample.position()),
            None => (sample, sample),
        };
        self.surplus = (sample - next) as usize;
        (self.taken, self.given) = (frame, next);
        let found = self.source.seek(frame)?;
        self.ended = !found;
        Ok(found)
    }

    /// Returns whether the codec gives the same bits wherever decoding begins.
    pub(super) fn is_exact(&self) -> bool {
        self.source.is_exact()
    }

    /// Returns what the samples so far show.
    pub(super) fn levels(&self) -> Levels {
        *self.source.levels()
    }

    /// Returns whether sound was missing at the place that was asked for, so that the file must be
    /// read from its beginning.
    pub(super) fn is_astray(&self) -> bool {
        self.source.is_astray()
    }

    /// Says what is odd about the file, if no more of it is read.
    pub(super) fn leave(&mut self) {
        self.source.leave();
    }

    /// Checks what only the whole file shows.
    ///
    /// # Errors
    /// `NotFinite`, `Cancelled`, `TooShort`.
    pub(super) fn check(&self) -> Result<()> {
        let levels = self.source.levels();
        let (bad, total) = levels.unusable();
        if bad * 2 > total {
            return Err(AudioError::NotFinite { bad, total });
        }
        if levels.is_cancelled(self.source_rate()) {
            return Err(AudioError::Cancelled);
        }
        if self.given == 0 {
            return Err(AudioError::TooShort {
                samples: self.taken,
                rate: self.source_rate(),
            });
        }
        Ok(())
    }

    /// Returns whether the file has less than [`SHORTEST_SECONDS`] of sound so far, judged at its own
    /// rate: resampling makes some at the ends of a constant. Final at the end.
    pub fn is_silent(&self) -> bool {
        self.source.levels().is_silent(self.source_rate())
    }

    /// Checks that the file has at least [`SHORTEST_SECONDS`] of samples so far.
    ///
    /// # Errors
    /// `TooShort`.
    pub(super) fn check_length(&self) -> Result<()> {
        check_length(self.taken, self.source_rate())
    }

    /// Returns the file's own sample rate in Hz.
    pub fn source_rate(&self) -> u32 {
        self.source.spec().0
    }

    /// Returns the number of channels in the file.
    pub fn channels(&self) -> u16 {
        self.source.spec().1
    }

    /// Returns the time spent on resampling so far.
    pub fn resampling(&self) -> Duration {
        self.resampling
    }

    /// Returns the damage of a file that gave audio, in one line. Complete at the end of the file.
    pub fn damaged(&self) -> Option<String> {
        let bad = match self.source.levels().unusable() {
            (0, _) => None,
            (n, _) => Some(format!("{n} unusable samples became 0")),
        };
        match (self.source.note(), bad) {
            (Some(a), Some(b)) => Some(format!("{a}; {b}")),
            (a, b) => a.or(b),
        }
    }
}

/// A whole file, decoded by [`load`].
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// Mono samples at the requested rate, full scale 1. Never empty, always finite.
    pub samples: Vec<f32>,
    /// The file's own sample rate in Hz.
    pub source_rate: u32,
    /// Channels in the file.
    pub channels: u16,
    /// The damage of the file, in one line.
    pub damaged: Option<String>,
    /// Whether it has too little sound to be of use ([`MonoReader::is_silent`]).
    pub silent: bool,
}

/// Reads all of `path` as mono samples at `sample_rate` Hz, as [`MonoReader`] describes.
///
/// # Errors
/// Every [`AudioError`]; `TooLong` beyond [`LOAD_LIMIT_SECONDS`].
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::{cut, load};
///
/// let audio = load(Path::new("data/clips/jazz/jazz.00014.flac"), 22_050)?;
/// assert_eq!((audio.source_rate, audio.channels), (22_050, 1));
/// assert_eq!(audio.damaged, None);
/// // Thirty seconds hold three clips of ten.
/// assert_eq!(cut(audio.samples.len(), 220_500).len(), 3);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
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
        silent: reader.is_silent(),
    })
}
