//! Divides a stream into clips, as [`super::cut`] divides a file of known length.

use std::path::Path;
use std::time::Duration;

use super::error::Result;
use super::reader::MonoReader;

/// One clip of a file that is read as a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Clip {
    /// First sample in the file.
    pub start: usize,
    /// Samples of the file in this clip. The rest of `samples` is silence.
    pub len: usize,
    /// Exactly one clip length of samples.
    pub samples: Vec<f32>,
}

/// The clips of a file, one after the other. Memory is two clips and a block for any file length.
///
/// The rule is that of [`super::cut`], with a clip every `hop` samples: whole clips come first. The
/// remainder after the last one becomes one more clip, the file's last `clip` samples, if it is at
/// least half a hop. A file shorter than a clip is one clip with silence at its end.
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::Clips;
///
/// // Clips of ten seconds, each of which overlaps half of the one before it.
/// let (rate, clip) = (22_050, 220_500);
/// let path = Path::new("data/clips/jazz/jazz.00014.flac");
/// let mut clips = Clips::open(path, rate, clip, clip / 2)?;
/// let mut starts = Vec::new();
/// while let Some(clip) = clips.next_clip()? {
///     starts.push(clip.start / rate as usize);
/// }
/// assert_eq!(starts, [0, 5, 10, 15, 20]);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
pub struct Clips {
    reader: MonoReader,
    clip: usize,
    hop: usize,
    /// Samples of the file from `base` on.
    buffer: Vec<f32>,
    base: usize,
    /// First sample of the last clip.
    last: Option<usize>,
    ended: bool,
}

impl Clips {
    /// Opens `path` at `sample_rate` Hz, for clips of `clip` samples every `hop` samples. `hop` is
    /// at least 1 and at most `clip`.
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

    /// Returns the next clip, or `None` at the end and for every later call.
    ///
    /// # Errors
    /// As [`MonoReader::read`]. No clip follows an error.
    pub fn next_clip(&mut self) -> Result<Option<Clip>> {
        let start = self.last.map_or(0, |last| last + self.hop);
        while !self.ended && self.samples() < start + self.clip {
            // The last clip of the file may start as early as the one before it.
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

    /// Returns the number of samples read from the file so far; the total at the end.
    pub fn samples(&self) -> usize {
        self.base + self.buffer.len()
    }

    /// Returns the time spent on resampling, as [`MonoReader::resampling`].
    pub fn resampling(&self) -> Duration {
        self.reader.resampling()
    }

    /// Returns the damage found so far, as [`MonoReader::damaged`].
    pub fn damaged(&self) -> Option<String> {
        self.reader.damaged()
    }
}
