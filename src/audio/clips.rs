//! Cutting a stream into clips, as [`super::cut`] cuts a file whose length is known.

use std::path::Path;
use std::time::Duration;

use super::error::Result;
use super::reader::MonoReader;

/// One clip of a file that is read as a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// First sample in the file.
    pub start: usize,
    /// Samples of the file in it; the rest of `samples` is silence.
    pub len: usize,
    /// Exactly as many as a clip has.
    pub samples: Vec<f32>,
}

/// The clips of a file, one after the other. Memory is two clips and a block, however long the file.
///
/// The rule is that of [`super::cut`], with clips that begin every `hop` samples: whole clips first; what is left after
/// the last becomes one more, the file's last `clip` samples, if it is at least half a hop; a file shorter than a clip
/// is one clip, with silence at its end.
pub struct Clips {
    reader: MonoReader,
    clip: usize,
    hop: usize,
    /// Samples from `base` on.
    buffer: Vec<f32>,
    base: usize,
    /// Where the last clip began.
    last: Option<usize>,
    ended: bool,
}

impl Clips {
    /// Opens `path`, at `sample_rate` Hz, for clips of `clip` samples every `hop` (at least 1, at most `clip`).
    ///
    /// # Errors
    /// As [`MonoReader::open`].
    pub fn open(path: &Path, sample_rate: u32, clip: usize, hop: usize) -> Result<Self> {
        Ok(Self {
            reader: MonoReader::open(path, sample_rate)?,
            clip: clip.max(1),
            hop: hop.clamp(1, clip.max(1)),
            buffer: Vec::new(),
            base: 0,
            last: None,
            ended: false,
        })
    }

    /// The next clip; `None` at the end, then and afterwards.
    ///
    /// # Errors
    /// As [`MonoReader::read`]; no clip comes after one.
    pub fn next_clip(&mut self) -> Result<Option<Clip>> {
        let start = self.last.map_or(0, |last| last + self.hop);
        while !self.ended && self.samples() < start + self.clip {
            // The last clip may begin as early as the one before it.
            let keep = self.last.unwrap_or(0).min(self.samples()) - self.base;
            self.buffer.drain(..keep);
            self.base += keep;
            match self.reader.read(&mut self.buffer) {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(e) => {
                    self.ended = true;
                    self.buffer.clear();
                    self.last = Some(self.base);
                    return Err(e);
                }
            }
        }
        let samples = self.samples();
        let start = match self.last {
            _ if start + self.clip <= samples => start,
            None if samples > 0 => 0,
            Some(last) => {
                let rest = samples.saturating_sub(last + self.clip);
                if rest < self.hop.div_ceil(2) {
                    return Ok(None);
                }
                samples - self.clip
            }
            None => return Ok(None),
        };
        self.last = Some(start);
        let from = start - self.base;
        let len = self.clip.min(samples - start);
        let mut out = self.buffer[from..from + len].to_vec();
        out.resize(self.clip, 0.0);
        Ok(Some(Clip {
            start,
            len,
            samples: out,
        }))
    }

    /// Samples of the file that were read so far; all of them at the end.
    pub fn samples(&self) -> usize {
        self.base + self.buffer.len()
    }

    /// As [`MonoReader::resampling`].
    pub fn resampling(&self) -> Duration {
        self.reader.resampling()
    }

    /// As [`MonoReader::damaged`].
    pub fn damaged(&self) -> Option<String> {
        self.reader.damaged()
    }
}
