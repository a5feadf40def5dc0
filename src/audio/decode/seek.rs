//! Moves on in a file without decoding what lies between.

use super::super::error::{AudioError, Result};
use super::super::guarded;
use super::super::running::{Running, decoder};
use super::super::timeline::Timeline;
use super::Decoding;

impl Decoding {
    /// Returns the number of frames that are heard, if [`Decoding::seek`] finds each of them. The
    /// first block must be there, so that the format is known.
    pub(in super::super) fn frames(&mut self) -> Result<Option<u64>> {
        let Some(timeline) = self.running.as_ref().and_then(|r| r.timeline.as_ref()) else {
            return Ok(None);
        };
        if self.damage.note().is_some() || self.ended {
            return Ok(None);
        }
        let frames = match guarded(|| self.container.frames()) {
            Ok(found) => found.map_err(|source| AudioError::io(&self.path, source))?,
            Err(_) => None,
        };
        self.part = frames.and_then(|frames| timeline.heard(frames));
        Ok(self.part.map(|part| (part.end - part.start) as u64))
    }

    /// Goes on with frame `frame` of those that are heard. Only after [`Decoding::frames`] has
    /// returned their number. Returns whether it is found; if it is not, nothing more can be read.
    pub(in super::super) fn seek(&mut self, frame: u64) -> Result<bool> {
        let (Some(part), Some(running)) = (self.part, &mut self.running) else {
            return Ok(false);
        };
        let Some(timeline) = &mut running.timeline else {
            return Ok(false);
        };
        let from = part.start.saturating_add(frame as i64);
        let begin = match guarded(|| self.container.seek(from.max(0) as u64)) {
            Ok(Ok(begin)) => begin,
            Ok(Err(source)) => return Err(AudioError::io(&self.path, source)),
            Err(_) => None,
        };
        let Some(begin) = begin else {
            return Ok(false);
        };
        timeline.seek(begin, from, part);
        (running.missing, running.lost) = (0, false);
        running.decoder = decoder(&running.stream.params)?;
        self.queue.clear();
        self.failing = 0;
        self.seconds = frame as f64 / f64::from(timeline.rate());
        Ok(true)
    }

    /// Returns whether the codec gives the same bits wherever decoding begins.
    pub(in super::super) fn is_exact(&self) -> bool {
        self.running.as_ref().is_some_and(Running::is_exact)
    }

    /// Returns whether sound was missing where it should have begun after [`Decoding::seek`], so
    /// that the file must be read from its beginning.
    pub(in super::super) fn is_astray(&self) -> bool {
        let timeline = self.running.as_ref().and_then(|r| r.timeline.as_ref());
        timeline.is_some_and(Timeline::is_astray)
    }

    /// Says what is odd about the stream that is being read, if no more of it is read.
    pub(in super::super) fn leave(&mut self) {
        if let Some(running) = &self.running {
            running.remark(&mut self.damage);
        }
    }
}
