//! A changed file as a plan: which bytes of the old one are replaced by which others. Everything
//! between is copied.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// Bytes that take the place of others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Splice {
    /// The old bytes. Empty where bytes are put in.
    pub range: Range<u64>,
    /// The new bytes.
    pub bytes: Vec<u8>,
}

impl Splice {
    /// Replaces the bytes at `at` by as many others.
    pub(super) fn over(at: u64, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self {
            range: at..at + bytes.len() as u64,
            bytes,
        }
    }

    /// Returns by how many bytes the file becomes longer.
    pub(super) fn growth(&self) -> i64 {
        self.bytes.len() as i64 - (self.range.end - self.range.start) as i64
    }
}

/// Writes `source` to `out` with `splices`.
///
/// # Errors
/// Those of `source` and `out`; `InvalidInput` if splices overlap.
pub(super) fn apply(source: &mut File, splices: &[Splice], out: &mut impl Write) -> io::Result<()> {
    let mut splices: Vec<&Splice> = splices.iter().collect();
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut at = 0;
    for splice in splices {
        if splice.range.start < at {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        copy(source, at, splice.range.start - at, out)?;
        out.write_all(&splice.bytes)?;
        at = splice.range.end;
    }
    source.seek(SeekFrom::Start(at))?;
    io::copy(source, out)?;
    Ok(())
}

fn copy(source: &mut File, at: u64, len: u64, out: &mut impl Write) -> io::Result<()> {
    source.seek(SeekFrom::Start(at))?;
    match io::copy(&mut source.take(len), out)? == len {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads the `len` bytes at `at`. A length that is wrong reserves no memory.
pub(super) fn read_at(file: &mut File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    match bytes.len() as u64 == len {
        true => Ok(bytes),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads up to `len` bytes at `at`.
pub(super) fn peek_at(file: &mut File, at: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}
