//! The clips of a track's excerpts.

use std::ops::Range;
use std::path::Path;

use super::clip::Clip;
use super::clip_reader::ClipReader;
use super::error::Result;
use super::excerpts::Excerpts;
use super::rule::ClipRule;

/// Some of the clips of a track, one after the other.
pub(super) struct ExcerptClips {
    reader: ClipReader,
    excerpts: std::vec::IntoIter<Range<usize>>,
    /// What is left of the excerpt that is being read.
    excerpt: Range<usize>,
    ended: bool,
}

impl ExcerptClips {
    /// Opens the excerpts of `path`. `None` if they would be all of the track.
    pub(super) fn open(
        path: &Path,
        sample_rate: u32,
        rule: ClipRule,
        excerpts: &Excerpts,
    ) -> Result<Option<Self>> {
        let reader = ClipReader::open(path, sample_rate, rule)?;
        let chosen = excerpts.choose(&rule, sample_rate, reader.clips());
        Ok(chosen.map(|excerpts| Self {
            reader,
            excerpts: excerpts.into_iter(),
            excerpt: 0..0,
            ended: false,
        }))
    }

    /// Returns the next clip, or `None` at the end and for every later call.
    pub(super) fn next_clip(&mut self) -> Result<Option<Clip>> {
        if self.ended {
            return Ok(None);
        }
        let next = match self.next_number() {
            Some(number) => self.reader.clip(number),
            None => Ok(None),
        };
        self.ended = !matches!(next, Ok(Some(_)));
        if matches!(next, Ok(None)) {
            self.reader.leave()?;
        }
        next
    }

    fn next_number(&mut self) -> Option<usize> {
        loop {
            match self.excerpt.next() {
                Some(number) => return Some(number),
                None => self.excerpt = self.excerpts.next()?,
            }
        }
    }

    /// Returns what reads the clips.
    pub(super) fn reader(&self) -> &ClipReader {
        &self.reader
    }
}
