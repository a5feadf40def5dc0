//! Reads stretches of a file, one behind the other.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Result;
use super::levels::Levels;
use super::reader::MonoReader;

/// Gives stretches of a file at a requested sample rate.
///
/// Where the container says exactly where each frame is, the reader seeks. Everything else is
/// decoded from its beginning, once for its length and once for the stretches. The samples are the
/// same either way.
pub(super) struct StretchReader {
    path: PathBuf,
    rate: u32,
    reader: MonoReader,
    /// Whether `reader` can seek.
    seeks: bool,
    /// Samples in the file.
    samples: usize,
    /// Samples of the file from `base` on.
    buffer: Vec<f32>,
    base: usize,
    ended: bool,
    /// Resampling by readers that are closed.
    resampling: Duration,
}

impl StretchReader {
    /// Opens `path` at `rate` Hz.
    pub(super) fn open(path: &Path, rate: u32) -> Result<Self> {
        if let Some(reader) = Self::open_seeking(path, rate)? {
            return Ok(reader);
        }
        let mut reader = MonoReader::open(path, rate)?;
        let (mut samples, mut block) = (0, Vec::new());
        while reader.read(&mut block)? > 0 {
            samples += block.len();
            block.clear();
        }
        let mut found = Self::new(path, rate, MonoReader::open(path, rate)?, samples);
        found.resampling = reader.resampling();
        found.seeks = false;
        Ok(found)
    }

    /// Opens `path` if the reader can seek in it.
    pub(super) fn open_seeking(path: &Path, rate: u32) -> Result<Option<Self>> {
        let mut reader = MonoReader::open(path, rate)?;
        let samples = reader.samples()?;
        Ok(samples.map(|samples| Self::new(path, rate, reader, samples as usize)))
    }

    fn new(path: &Path, rate: u32, reader: MonoReader, samples: usize) -> Self {
        Self {
            path: path.to_owned(),
            rate,
            reader,
            seeks: true,
            samples,
            buffer: Vec::new(),
            base: 0,
            ended: false,
            resampling: Duration::ZERO,
        }
    }

    /// Returns the number of samples in the file.
    pub(super) fn samples(&self) -> usize {
        self.samples
    }

    /// Returns the samples of `range`, or fewer if the file ends in it. A range must not begin
    /// before the one that was asked for last.
    ///
    /// # Errors
    /// As [`MonoReader::open`] and [`MonoReader::read`].
    pub(super) fn stretch(&mut self, range: Range<usize>) -> Result<&[f32]> {
        self.move_to(range.start)?;
        self.fill(range.end)?;
        if self.reader.is_astray() {
            self.begin_anew()?;
            self.move_to(range.start)?;
            self.fill(range.end)?;
        }
        let len = range.len().min(self.buffer.len());
        Ok(&self.buffer[..len])
    }

    /// Drops what lies before sample `start`, so that the buffer begins there.
    fn move_to(&mut self, start: usize) -> Result<()> {
        let end = self.base + self.buffer.len();
        if start <= end {
            self.buffer.drain(..start.saturating_sub(self.base));
            self.base = self.base.max(start);
            return Ok(());
        }
        self.buffer.clear();
        if self.seeks {
            self.base = start;
            self.ended = false;
            if self.reader.seek(start as u64)? {
                return Ok(());
            }
            self.begin_anew()?;
        } else {
            self.base = end;
        }
        while self.base < start && !self.ended {
            self.fill(self.base + 1)?;
            let passed = self.buffer.len().min(start - self.base);
            self.buffer.drain(..passed);
            self.base += passed;
        }
        Ok(())
    }

    /// Reads on, until the buffer reaches sample `end` or the file ends.
    fn fill(&mut self, end: usize) -> Result<()> {
        while self.base + self.buffer.len() < end && !self.ended {
            self.ended = self.reader.read(&mut self.buffer)? == 0;
        }
        Ok(())
    }

    /// Opens the file again and seeks no more.
    fn begin_anew(&mut self) -> Result<()> {
        self.resampling += self.reader.resampling();
        self.reader = MonoReader::open(&self.path, self.rate)?;
        self.seeks = false;
        self.buffer.clear();
        (self.base, self.ended) = (0, false);
        Ok(())
    }

    /// Checks what was read as a whole, if no more is read.
    ///
    /// # Errors
    /// `NotFinite` and `Cancelled`, as [`MonoReader::read`] at the end of a file.
    pub(super) fn leave(&mut self) -> Result<()> {
        self.reader.leave();
        self.reader.check()
    }

    /// Reads on to the end of the file.
    pub(super) fn read_to_end(&mut self) -> Result<()> {
        while !self.ended {
            self.base += self.buffer.len();
            self.buffer.clear();
            self.ended = self.reader.read(&mut self.buffer)? == 0;
        }
        Ok(())
    }

    /// Returns whether the reader seeks, and the codec gives the same bits wherever it begins.
    pub(super) fn is_exact(&self) -> bool {
        self.seeks && self.reader.is_exact()
    }

    /// Returns what the samples that were read show.
    pub(super) fn levels(&self) -> Levels {
        self.reader.levels()
    }

    /// Returns the file's own sample rate in Hz.
    pub(super) fn source_rate(&self) -> u32 {
        self.reader.source_rate()
    }

    /// Returns the time spent on resampling.
    pub(super) fn resampling(&self) -> Duration {
        self.resampling + self.reader.resampling()
    }

    /// Returns the damage of what was read.
    pub(super) fn damaged(&self) -> Option<String> {
        self.reader.damaged()
    }
}
