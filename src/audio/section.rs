//! The part of a file that symphonia reads, with two changes that avoid its errors.

use std::fs::File;
use std::io::{ErrorKind, Read, Result, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

use super::sniff::Format;

/// A file from byte `base` on.
///
/// - WAV: the length in the RIFF header (bytes 4 to 8) reads as "unknown". Interrupted recorders
///   and truncated files leave a wrong length there, and symphonia then refuses the data chunk
///   inside, although only the chunk's own length matters.
/// - MP3: not seekable. For a seekable file without a Xing header, symphonia estimates the length
///   from the first bit rates and stops there, which loses the end of files with a variable bit
///   rate.
pub(super) struct FileSection {
    file: File,
    base: u64,
    len: u64,
    pos: u64,
    format: Format,
}

impl FileSection {
    /// Seeks to `base`. `len` is the length of the whole file in bytes.
    pub(super) fn new(mut file: File, base: u64, len: u64, format: Format) -> Result<Self> {
        file.seek(SeekFrom::Start(base))?;
        Ok(Self {
            file,
            base,
            len: len.saturating_sub(base),
            pos: 0,
            format,
        })
    }
}

impl Read for FileSection {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        let n = self.file.read(buf)?;
        if self.format == Format::Wave {
            for at in self.pos.max(4)..(self.pos + n as u64).min(8) {
                buf[(at - self.pos) as usize] = 0xff;
            }
        }
        self.pos += n as u64;
        Ok(n)
    }
}

impl Seek for FileSection {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.pos, by),
            SeekFrom::End(by) => (self.len, by),
        };
        // Offsets come from the file's bytes. A bad one is found here, because an error of the
        // system's `seek` would count as a failure of the system.
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

impl MediaSource for FileSection {
    fn is_seekable(&self) -> bool {
        self.format != Format::Mp3
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}
