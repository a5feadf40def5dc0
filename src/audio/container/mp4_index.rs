//! The index of an MP4 file: where it lies, and what of it symphonia's reader is shown.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::super::error::AudioError;
use super::bytes::u32_at;
use super::mp4_atoms::{Atom, atoms, head_of_atom};

/// The largest index in bytes. One of ten hours of AAC has 10 MB.
const LARGEST: u64 = 256 * 1024 * 1024;

/// The index of a file: its `moov` atom.
pub(super) struct Index {
    /// The bytes of the whole atom.
    pub bytes: Vec<u8>,
    /// Where its contents lie in `bytes`.
    pub body: Range<usize>,
    /// Where it begins in the container.
    pub start: u64,
    /// Where the last atom of the container ends, or should end if the file is cut off.
    pub end: u64,
    /// Whether the file says what kind it is, as QuickTime of before 2001 does not.
    pub has_type: bool,
}

impl Index {
    /// Finds and reads the index of the container that starts at byte `start` of the file.
    pub(super) fn read(
        file: &mut File,
        start: u64,
        len: u64,
    ) -> io::Result<Result<Self, AudioError>> {
        let (mut at, mut cut, mut has_type) = (start, false, false);
        while let Some((kind, size)) = head_of_atom(file, at, len)? {
            let size = if size == 0 { len - at } else { size };
            if size < 8 {
                break;
            }
            has_type |= &kind == b"ftyp";
            cut = size > len - at;
            if &kind != b"moov" {
                at = at.saturating_add(size);
                continue;
            }
            if size > LARGEST {
                let why = format!("an index of {size} bytes");
                return Ok(Err(AudioError::damaged(why)));
            }
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(at))?;
            (&mut *file).take(size).read_to_end(&mut bytes)?;
            let Some(atom) = atoms(&bytes, 0..bytes.len()).into_iter().next() else {
                let why = "the file ends inside its index (moov)";
                return Ok(Err(AudioError::damaged(why)));
            };
            return Ok(Ok(Self {
                body: atom.body,
                start: at - start,
                end: end_of_atoms(file, at + size, len)? - start,
                has_type,
                bytes,
            }));
        }
        Ok(Err(AudioError::damaged(match cut {
            true => "its index (moov) is missing, because the file is cut off",
            false => "its index (moov) is missing: the recording was not finished",
        })))
    }

    /// Returns the places of the kinds of the atoms that are of no use for the packets of track
    /// `id`: other tracks, and what is not about packets.
    pub(super) fn hidden(&self, id: u32) -> Vec<u64> {
        let bytes = &self.bytes;
        let is_read = |trak: &Range<usize>| {
            let inner = atoms(bytes, trak.clone());
            let header = inner.into_iter().find(|a| &a.kind == b"tkhd");
            header.is_some_and(|tkhd| {
                let long = bytes.get(tkhd.body.start) == Some(&1);
                u32_at(bytes, tkhd.body.start + if long { 20 } else { 12 }) == Some(id)
            })
        };
        let mut found = Vec::new();
        for atom in atoms(bytes, self.body.clone()) {
            let inner = atoms(bytes, atom.body.clone());
            match &atom.kind {
                b"mvhd" => {}
                b"trak" if is_read(&atom.body) => {
                    let needed = |a: &&Atom| !matches!(&a.kind, b"tkhd" | b"mdia");
                    found.extend(inner.iter().filter(needed).map(|a| a.start));
                }
                b"mvex" => {
                    let other = |a: &&Atom| {
                        &a.kind == b"trex" && u32_at(bytes, a.body.start + 4) != Some(id)
                    };
                    found.extend(inner.iter().filter(other).map(|a| a.start));
                }
                _ => found.push(atom.start),
            }
        }
        found.iter().map(|&at| self.start + at as u64 + 4).collect()
    }
}

/// Returns where the last of the atoms ends that follow each other from byte `at` of the file on.
fn end_of_atoms(file: &mut File, mut at: u64, len: u64) -> io::Result<u64> {
    while let Some((kind, size)) = head_of_atom(file, at, len)? {
        // The last atom may leave its end open, and other bytes may follow the atoms.
        if size == 0 {
            return Ok(len);
        }
        if size < 8 || (size > len - at && &kind != b"mdat") {
            return Ok(at);
        }
        at = at.saturating_add(size);
    }
    Ok(at)
}
