//! A window that slides over a file: bytes ahead can be looked at before they are taken.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// A part of a file, read from its beginning to its end.
pub(super) struct Window {
    file: File,
    /// The end of the part, in bytes from the file's beginning.
    end: u64,
    /// Where the first byte of `bytes[taken..]` lies in the file.
    position: u64,
    bytes: Vec<u8>,
    taken: usize,
    /// Bytes that were passed over because nothing was known in them.
    junk: u64,
}

impl Window {
    /// The bytes of `file` from `start` to `end`.
    pub(super) fn new(file: File, start: u64, end: u64) -> Self {
        Self {
            file,
            end,
            position: start,
            bytes: Vec::new(),
            taken: 0,
            junk: 0,
        }
    }

    /// Opens the same part of the file again, from byte `start` on.
    pub(super) fn reopen(&self, start: u64) -> io::Result<Self> {
        Ok(Self::new(self.file.try_clone()?, start, self.end))
    }

    /// Returns the position of the next byte in the file.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Returns the number of bytes ahead.
    pub(super) fn left(&self) -> u64 {
        self.end.saturating_sub(self.position)
    }

    /// Returns the bytes ahead: `n` of them or more, or all if fewer are left.
    pub(super) fn peek(&mut self, n: usize) -> io::Result<&[u8]> {
        let have = self.bytes.len() - self.taken;
        if have < n && (have as u64) < self.left() {
            self.bytes.drain(..self.taken);
            self.taken = 0;
            let more = (self.left() - have as u64).min(n.max(CHUNK) as u64);
            self.file
                .seek(SeekFrom::Start(self.position + have as u64))?;
            let read = (&mut self.file).take(more).read_to_end(&mut self.bytes)?;
            if (read as u64) < more {
                // The file became shorter while it was read.
                self.end = self.position + self.bytes.len() as u64;
            }
        }
        Ok(&self.bytes[self.taken..])
    }

    /// Moves on by `n` bytes, or to the end.
    pub(super) fn skip(&mut self, n: u64) {
        let n = n.min(self.left());
        self.position += n;
        match usize::try_from(n) {
            Ok(n) if self.taken + n <= self.bytes.len() => self.taken += n,
            _ => {
                self.bytes.clear();
                self.taken = 0;
            }
        }
    }

    /// Moves on by `n` bytes in which nothing is known.
    pub(super) fn pass_over(&mut self, n: u64) {
        self.junk += n.min(self.left());
        self.skip(n);
    }

    /// Returns the number of bytes in which nothing was known.
    pub(super) fn junk(&self) -> u64 {
        self.junk
    }

    /// Takes the next `n` bytes, or all if fewer are left.
    pub(super) fn take(&mut self, n: usize) -> io::Result<Vec<u8>> {
        let ahead = self.peek(n)?;
        let taken = ahead[..n.min(ahead.len())].to_vec();
        self.skip(taken.len() as u64);
        Ok(taken)
    }
}
