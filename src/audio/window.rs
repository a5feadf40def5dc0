//! A file as symphonia is shown it: from where the format starts, with two of its traps removed.

use std::fs::File;
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use super::sniff::Kind;

/// The part of a file from `base` on.
///
/// - WAV: the length in the RIFF header (bytes 4 to 8) reads as 'unknown'. Recorders that were cut
///   off and cut files leave it wrong, and symphonia then refuses the data chunk inside, whose own
///   length is the one that matters.
/// - MP3: not seekable. With a seekable file that has no Xing header, symphonia estimates the
///   length from the first bit rates and cuts the audio there, which loses the end of files with a
///   variable bit rate.
pub(super) struct Window {
    file: File,
    base: u64,
    len: u64,
    pos: u64,
    kind: Kind,
}

impl Window {
    /// `len` is the whole file's length in bytes.
    pub(super) fn new(mut file: File, base: u64, len: u64, kind: Kind) -> Result<Self> {
        file.seek(SeekFrom::Start(base))?;
        Ok(Self {
            file,
            base,
            len: len.saturating_sub(base),
            pos: 0,
            kind,
        })
    }
}

impl Read for Window {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.file.read(buf)?;
        if self.kind == Kind::Wave {
            for at in self.pos.max(4)..(self.pos + n as u64).min(8) {
                buf[(at - self.pos) as usize] = 0xff;
            }
        }
        self.pos += n as u64;
        Ok(n)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.pos, by),
            SeekFrom::End(by) => (self.len, by),
        };
        // Offsets are a file's word; checked here, so that an error of the system is one.
        match from.checked_add_signed(by) {
            Some(at) if at <= self.len => {
                self.file.seek(SeekFrom::Start(self.base + at))?;
                self.pos = at;
                Ok(at)
            }
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl MediaSource for Window {
    fn is_seekable(&self) -> bool {
        self.kind != Kind::Mp3
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}
