//! The clips of a file: all of them, or those of its excerpts.

use std::path::Path;
use std::time::Duration;

use super::clip::Clip;
use super::error::Result;
use super::excerpt_clips::ExcerptClips;
use super::excerpts::Excerpts;
use super::levels::Levels;
#[cfg(doc)]
use super::reader::MonoReader;
use super::rule::ClipRule;
#[cfg(doc)]
use super::rule::Ends;
use super::stream_clips::StreamClips;

/// The clips of a file, one after the other. Memory is two clips and a block for any file
/// length.
///
/// Where each clip is analyzed by itself ([`Ends::Inside`]), whole clips come first, one every
/// `step` samples. The remainder after the last one becomes one more clip, the file's last samples,
/// if it is at least half a step. A file shorter than a clip is one clip with silence at its end.
/// [`Ends::Track`] says how clips of a whole track's frames are cut.
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::{ClipRule, Clips};
///
/// // Clips of ten seconds, each of which overlaps half of the one before it.
/// let (rate, clip) = (22_050, 220_500);
/// let path = Path::new("data/clips/jazz/jazz.00014.flac");
/// let rule = ClipRule { step: clip / 2, ..ClipRule::inside(clip) };
/// let mut clips = Clips::open(path, rate, rule)?;
/// let mut starts = Vec::new();
/// while let Some(clip) = clips.next_clip()? {
///     starts.push(clip.start / rate as usize);
/// }
/// assert_eq!(starts, [0, 5, 10, 15, 20]);
/// # Ok::<(), sonoprint::audio::AudioError>(())
/// ```
pub struct Clips(Kind);

/// Which clips are read.
enum Kind {
    Whole(StreamClips),
    Excerpts(ExcerptClips),
}

impl Clips {
    /// Opens `path` at `sample_rate` Hz, for the clips of `rule`. A length or step of 0 counts as
    /// 1, and a step over the length as the length.
    ///
    /// # Errors
    /// As [`MonoReader::open`].
    pub fn open(path: &Path, sample_rate: u32, rule: ClipRule) -> Result<Self> {
        let clips = StreamClips::open(path, sample_rate, rule.valid())?;
        Ok(Self(Kind::Whole(clips)))
    }

    /// Opens `path` like [`Clips::open`], for some of the clips that it gives: those of `excerpts`.
    /// A track that is not longer than its excerpts gives all.
    ///
    /// Between the excerpts the reader seeks: in WAV, AIFF and AU by the size of a sample, in MP3
    /// and ADTS by the headers of all frames, in FLAC by the numbers of frames, in Ogg by the ends of
    /// pages, in MP4 by its index. What codecs need in front of an excerpt is decoded and dropped.
    /// A file that does not say exactly where its sound lies (holes, several streams, an edit list
    /// of several parts, fragments, no length in FLAC) is decoded from its beginning, and so is Opus
    /// with speech or in MP4.
    ///
    /// The samples of each clip are, to the bit, those that [`Clips::open`] gives, with two
    /// exceptions: Opus, whose decoder forgets its past only gradually, is within 1e-6 of them, and
    /// AAC with noise substitution has other noise of the same level.
    ///
    /// ```
    /// use std::path::Path;
    /// use sonoprint::audio::{ClipRule, Clips, Excerpts};
    ///
    /// let path = Path::new("data/clips/jazz/jazz.00014.flac");
    /// let excerpts = Excerpts { seconds: 3.0, ..Excerpts::default() };
    /// let mut clips = Clips::open_excerpts(path, 22_050, ClipRule::inside(66_150), &excerpts)?;
    /// let middle = clips.next_clip()?.expect("a clip");
    /// assert_eq!(middle.start, 4 * 66_150, "the middle of ten clips of three seconds");
    /// assert_eq!(clips.next_clip()?, None);
    /// # Ok::<(), sonoprint::audio::AudioError>(())
    /// ```
    ///
    /// # Errors
    /// As [`MonoReader::open`], and where the file must be decoded for its length, as
    /// [`MonoReader::read`].
    pub fn open_excerpts(
        path: &Path,
        sample_rate: u32,
        rule: ClipRule,
        excerpts: &Excerpts,
    ) -> Result<Self> {
        match ExcerptClips::open(path, sample_rate, rule.valid(), excerpts)? {
            Some(clips) => Ok(Self(Kind::Excerpts(clips))),
            None => Self::open(path, sample_rate, rule),
        }
    }

    /// Returns the next clip, or `None` at the end and for every later call.
    ///
    /// # Errors
    /// As [`MonoReader::read`], and `TooShort` for a file of less than
    /// [`super::SHORTEST_SECONDS`]. No clip follows an error.
    pub fn next_clip(&mut self) -> Result<Option<Clip>> {
        match &mut self.0 {
            Kind::Whole(clips) => clips.next_clip(),
            Kind::Excerpts(clips) => clips.next_clip(),
        }
    }

    /// Returns the levels of what was read, and the file's own sample rate in Hz.
    pub(crate) fn levels(&self) -> (Levels, u32) {
        match &self.0 {
            Kind::Whole(clips) => clips.levels(),
            Kind::Excerpts(clips) => (clips.reader().levels(), clips.reader().source_rate()),
        }
    }

    /// Returns whether these are only some of the file's clips.
    pub fn are_excerpts(&self) -> bool {
        matches!(self.0, Kind::Excerpts(_))
    }

    /// Returns whether what was read is silent, as [`MonoReader::is_silent`]. Final at the end.
    pub fn is_silent(&self) -> bool {
        match &self.0 {
            Kind::Whole(clips) => clips.is_silent(),
            Kind::Excerpts(clips) => {
                let reader = clips.reader();
                reader.levels().is_silent(reader.source_rate())
            }
        }
    }

    /// Returns the number of samples read from the file so far, which is the total at the end; of a
    /// file of which excerpts are read, the total.
    pub fn samples(&self) -> usize {
        match &self.0 {
            Kind::Whole(clips) => clips.samples(),
            Kind::Excerpts(clips) => clips.reader().samples(),
        }
    }

    /// Returns the time spent on resampling, as [`MonoReader::resampling`].
    pub fn resampling(&self) -> Duration {
        match &self.0 {
            Kind::Whole(clips) => clips.resampling(),
            Kind::Excerpts(clips) => clips.reader().resampling(),
        }
    }

    /// Returns the damage found so far in what was read, as [`MonoReader::damaged`].
    pub fn damaged(&self) -> Option<String> {
        match &self.0 {
            Kind::Whole(clips) => clips.damaged(),
            Kind::Excerpts(clips) => clips.reader().damaged(),
        }
    }
}
