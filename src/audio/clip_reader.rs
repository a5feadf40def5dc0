//! The clips of a file by their numbers.

use std::path::Path;
use std::time::Duration;

use super::clip::Clip;
use super::error::Result;
use super::levels::Levels;
use super::rule::ClipRule;
use super::stretch_reader::StretchReader;

/// Reads clips of a file by their numbers, which ascend. Between them it seeks, as
/// [`super::Clips::open_excerpts`] describes.
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::{ClipReader, ClipRule};
///
/// let path = Path::new("data/clips/jazz/jazz.00014.flac");
/// let mut reader = ClipReader::open(path, 22_050, ClipRule::inside(66_150))?;
/// assert_eq!(reader.clips(), 10, "of three seconds");
/// let seventh = reader.clip(7)?.expect("a clip");
/// assert_eq!(seventh.start, 7 * 66_150);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
pub struct ClipReader {
    reader: StretchReader,
    rule: ClipRule,
}

impl ClipReader {
    /// Opens `path` at `sample_rate` Hz, for the clips of `rule`, as [`super::Clips::open`].
    ///
    /// # Errors
    /// As [`super::Clips::open_excerpts`].
    pub fn open(path: &Path, sample_rate: u32, rule: ClipRule) -> Result<Self> {
        Ok(Self {
            reader: StretchReader::open(path, sample_rate)?,
            rule: rule.valid(),
        })
    }

    /// Opens `path` like [`ClipReader::open`], if the reader is exact ([`ClipReader::is_exact`]).
    /// Nothing but headers is read for that.
    pub(crate) fn open_exact(
        path: &Path,
        sample_rate: u32,
        rule: ClipRule,
    ) -> Result<Option<Self>> {
        let reader = StretchReader::open_seeking(path, sample_rate)?;
        let rule = rule.valid();
        let exact = reader.map(|reader| Self { reader, rule });
        Ok(exact.filter(Self::is_exact))
    }

    /// Returns the number of clips in the file.
    pub fn clips(&self) -> usize {
        self.rule.count(self.reader.samples())
    }

    /// Returns whether clips are found by seeking, and are to the bit those of a file that is read
    /// from its beginning.
    pub fn is_exact(&self) -> bool {
        self.reader.is_exact()
    }

    /// Reads clip `number`, which must not be smaller than that of the call before. `None` if the
    /// file has no such clip, or is shorter than one.
    ///
    /// # Errors
    /// As [`super::MonoReader::open`] and [`super::MonoReader::read`].
    pub fn clip(&mut self, number: usize) -> Result<Option<Clip>> {
        let (len, margin) = (self.rule.len, self.rule.margin());
        let total = self.reader.samples();
        if self.rule.is_short(total) || number >= self.clips() {
            return Ok(None);
        }
        let start = self.rule.start(number, total);
        // What the clip needs of the file. The rest of it is margin.
        let before = margin.saturating_sub(start).min(len);
        let first = (start + before - margin).min(total);
        let behind = (start + len).saturating_sub(margin).clamp(first, total);
        let own = self.reader.stretch(first..behind)?;
        if own.is_empty() {
            // The file became shorter.
            return Ok(None);
        }
        let mut samples = vec![0.0; len];
        samples[before..before + own.len()].copy_from_slice(own);
        Ok(Some(Clip {
            start,
            len: self.rule.covered(),
            padded: false,
            own: before..before + own.len(),
            samples,
        }))
    }

    /// Reads on to the end of the file, behind the last clip that was read.
    ///
    /// # Errors
    /// As [`super::MonoReader::read`].
    pub(crate) fn read_to_end(&mut self) -> Result<()> {
        self.reader.read_to_end()
    }

    /// Checks what was read as a whole, if no more is read.
    ///
    /// # Errors
    /// `NotFinite` and `Cancelled`, as [`super::MonoReader::read`] at the end of a file.
    pub(super) fn leave(&mut self) -> Result<()> {
        self.reader.leave()
    }

    /// Returns what the samples that were read show.
    pub(crate) fn levels(&self) -> Levels {
        self.reader.levels()
    }

    /// Returns the file's own sample rate in Hz.
    pub(crate) fn source_rate(&self) -> u32 {
        self.reader.source_rate()
    }

    /// Returns the number of samples in the file, at the rate that was asked for.
    pub fn samples(&self) -> usize {
        self.reader.samples()
    }

    /// Returns the time spent on resampling.
    pub fn resampling(&self) -> Duration {
        self.reader.resampling()
    }

    /// Returns the damage of what was read.
    pub fn damaged(&self) -> Option<String> {
        self.reader.damaged()
    }
}
