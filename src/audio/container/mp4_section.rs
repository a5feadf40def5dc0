//! What symphonia's MP4 reader is shown of a file: all of it, with some atoms renamed `free`.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// A file from byte `base` on, in which some atoms are renamed `free`.
pub(super) struct Section {
    file: File,
    base: u64,
    len: u64,
    position: u64,
    /// Where the kinds of the renamed atoms lie, ascending.
    renamed: Vec<u64>,
    /// Bytes that stand behind the atoms.
    tail: &'static [u8],
}

impl Section {
    /// `len` is what the atoms state: symphonia passes over an atom that reaches beyond it.
    pub(super) fn new(file: File, base: u64, len: u64, mut renamed: Vec<u64>) -> Self {
        renamed.sort_unstable();
        Self {
            file,
            base,
            len,
            position: 0,
            renamed,
            tail: b"",
        }
    }

    /// Returns the length with the atom that is appended.
    fn whole(&self) -> u64 {
        self.len + self.tail.len() as u64
    }

    /// Shows an atom behind the others that is not in the file.
    pub(super) fn append(&mut self, atom: &'static [u8]) {
        self.tail = atom;
    }
}

impl Read for Section {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(at) = self.position.checked_sub(self.len) {
            let mut rest = self.tail.get(at as usize..).unwrap_or_default();
            let n = rest.read(buf)?;
            self.position += n as u64;
            return Ok(n);
        }
        self.file.seek(SeekFrom::Start(self.base + self.position))?;
        let left = usize::try_from(self.len - self.position).unwrap_or(usize::MAX);
        let room = buf.len().min(left);
        let n = self.file.read(&mut buf[..room])?;
        let (start, end) = (self.position, self.position + n as u64);
        let first = self.renamed.partition_point(|&at| at + 4 <= start);
        for &at in self.renamed[first..].iter().take_while(|&&at| at < end) {
            for (i, &letter) in b"free".iter().enumerate() {
                let place = at + i as u64;
                if (start..end).contains(&place) {
                    buf[(place - start) as usize] = letter;
                }
            }
        }
        self.position = end;
        Ok(n)
    }
}

impl Seek for Section {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (from, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::Current(by) => (self.position, by),
            SeekFrom::End(by) => (self.whole(), by),
        };
        // Offsets come from the file's bytes. A bad one is found here, because an error of the
        // system's `seek` would count as a failure of the system.
        match from.checked_add_signed(by) {
            Some(at) if at <= self.whole() => {
                self.position = at;
                Ok(at)
            }
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl MediaSource for Section {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.whole())
    }
}
