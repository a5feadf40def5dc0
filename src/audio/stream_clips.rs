//! Divides a stream into clips, as [`ClipRule::spans`] divides a file of known length.

use std::path::Path;
use std::time::Duration;

use super::clip::Clip;
use super::error::Result;
use super::levels::Levels;
use super::reader::MonoReader;
use super::rule::{ClipRule, Ends, looped};

/// The clips of a whole file. Memory is two clips and a block.
pub(super) struct StreamClips {
    reader: MonoReader,
    rule: ClipRule,
    /// Samples of the file and its margins from `base` on.
    buffer: Vec<f32>,
    base: usize,
    /// Samples read from the file.
    read: usize,
    /// First sample of the last clip.
    last: Option<usize>,
    ended: bool,
}

impl StreamClips {
    /// Opens `path` at `sample_rate` Hz, for the clips of `rule`.
    pub(super) fn open(path: &Path, sample_rate: u32, rule: ClipRule) -> Result<Self> {
        Ok(Self {
            reader: MonoReader::open(path, sample_rate)?,
            rule,
            buffer: vec![0.0; rule.margin()],
            base: 0,
            read: 0,
            last: None,
            ended: false,
        })
    }

    /// Returns the next clip, or `None` at the end and for every later call.
    pub(super) fn next_clip(&mut self) -> Result<Option<Clip>> {
        let ClipRule { len, step, .. } = self.rule;
        let start = self.last.map_or(0, |last| last + step);
        while !self.ended && self.end() < start + len {
            // The last clip of the file may start as early as the one before it.
            let keep = self.last.unwrap_or(0).min(self.end()) - self.base;
            self.buffer.drain(..keep);
            self.base += keep;
            match self.reader.read(&mut self.buffer) {
                Ok(0) => {
                    self.ended = true;
                    let margin = self.buffer.len() + self.rule.margin();
                    self.buffer.resize(margin, 0.0);
                }
                Ok(n) => self.read += n,
                Err(e) => {
                    self.ended = true;
                    self.buffer.clear();
                    self.read = 0;
                    self.last = Some(self.base);
                    return Err(e);
                }
            }
        }
        if start + len <= self.end() {
            return Ok(Some(self.whole(start)));
        }
        if self.read == 0 {
            return Ok(None);
        }
        if self.last.is_none() {
            let checked = self.reader.check_length();
            if checked.is_err() {
                self.last = Some(0);
                self.read = 0;
                self.buffer.clear();
            }
            checked?;
        }
        match (self.last, self.rule.ends) {
            (None, Ends::Inside) => {
                let mut samples = self.buffer.clone();
                samples.resize(len, 0.0);
                Ok(Some(self.short(samples)))
            }
            (None, Ends::Track { margin, hop }) => {
                let file = &self.buffer[margin..margin + self.read];
                let samples = looped(file, len, margin, hop);
                Ok(Some(self.short(samples)))
            }
            (Some(_), Ends::Track { .. }) => Ok(None),
            (Some(last), Ends::Inside) => {
                let rest = self.end().saturating_sub(last + len);
                let moved = (rest >= step.div_ceil(2)).then(|| self.end() - len);
                Ok(moved.map(|start| self.whole(start)))
            }
        }
    }

    /// Returns the clip that begins at `start`, which must lie in the buffer.
    fn whole(&mut self, start: usize) -> Clip {
        let (len, margin) = (self.rule.len, self.rule.margin());
        self.last = Some(start);
        Clip {
            start,
            len: self.rule.covered(),
            padded: false,
            samples: self.buffer[start - self.base..][..len].to_vec(),
            own: margin.saturating_sub(start).min(len)..(margin + self.read - start).min(len),
        }
    }

    /// Returns the only clip of a short file.
    fn short(&mut self, samples: Vec<f32>) -> Clip {
        self.last = Some(0);
        let margin = self.rule.margin();
        Clip {
            start: 0,
            len: self.read,
            padded: true,
            own: margin..(margin + self.read).min(samples.len()),
            samples,
        }
    }

    /// Returns the end of the buffer, with the margin before the file.
    fn end(&self) -> usize {
        self.base + self.buffer.len()
    }

    /// Returns whether the file is silent, as [`MonoReader::is_silent`]. Final at the end.
    pub(super) fn is_silent(&self) -> bool {
        self.reader.is_silent()
    }

    /// Returns the levels of what was read, and the file's own sample rate in Hz.
    pub(super) fn levels(&self) -> (Levels, u32) {
        (self.reader.levels(), self.reader.source_rate())
    }

    /// Returns the number of samples read from the file so far; the total at the end.
    pub(super) fn samples(&self) -> usize {
        self.read
    }

    /// Returns the time spent on resampling, as [`MonoReader::resampling`].
    pub(super) fn resampling(&self) -> Duration {
        self.reader.resampling()
    }

    /// Returns the damage found so far, as [`MonoReader::damaged`].
    pub(super) fn damaged(&self) -> Option<String> {
        self.reader.damaged()
    }
}
