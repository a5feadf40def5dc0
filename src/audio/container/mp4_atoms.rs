//! The atoms of MP4 and QuickTime that symphonia's reader leaves out: edit lists, how PCM is stored
//! and where it lies (ISO/IEC 14496-12; Apple's QuickTime File Format).

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;

use super::bytes::{u16_at, u32_at, u64_at};
use super::stream::Kept;

/// An atom: its kind, and where its contents lie.
#[derive(Debug, Clone)]
pub(super) struct Atom {
    pub kind: [u8; 4],
    /// First byte of its header.
    pub start: usize,
    pub body: Range<usize>,
}

/// Reads the kind and the size of the atom at byte `at` of a file of `len` bytes. A size of 0 means
/// that it reaches to the end. `None` if no header can be there.
pub(super) fn head_of_atom(
    file: &mut File,
    at: u64,
    len: u64,
) -> io::Result<Option<([u8; 4], u64)>> {
    if len.saturating_sub(at) < 8 {
        return Ok(None);
    }
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    (&mut *file).take(16).read_to_end(&mut head)?;
    let Some(&[_, _, _, _, a, b, c, d]) = head.get(..8) else {
        return Ok(None);
    };
    let size = match u32_at(&head, 0) {
        Some(1) => u64_at(&head, 8).unwrap_or(1),
        size => size.map_or(0, u64::from),
    };
    Ok(Some(([a, b, c, d], size)))
}

/// Returns the atoms that lie in `range` of `bytes`, one behind the other. A size that reaches
/// beyond the range ends it.
pub(super) fn atoms(bytes: &[u8], range: Range<usize>) -> Vec<Atom> {
    let mut found = Vec::new();
    let mut at = range.start;
    while let Some(head) = bytes.get(at..at + 8).filter(|_| at + 8 <= range.end) {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let (header, size) = match size {
            0 => (8, range.end - at),
            1 => match u64_at(bytes, at + 8) {
                Some(size) => (16, usize::try_from(size).unwrap_or(usize::MAX)),
                None => break,
            },
            size => (8, size),
        };
        if size < header || size > range.end - at {
            break;
        }
        found.push(Atom {
            kind: [head[4], head[5], head[6], head[7]],
            start: at,
            body: at + header..at + size,
        });
        at += size;
    }
    found
}

/// Returns the first atom at the end of `path`, which leads downwards from those in `range`.
pub(super) fn find(bytes: &[u8], range: Range<usize>, path: &[&[u8; 4]]) -> Option<Range<usize>> {
    path.iter().try_fold(range, |range, kind| {
        let atom = atoms(bytes, range).into_iter().find(|a| a.kind == **kind)?;
        Some(atom.body)
    })
}

/// An audio track.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub id: u32,
    /// Ticks per second of its time stamps.
    pub timescale: u32,
    /// The parts that are to be heard, in ticks, in the order of the file. `None` without a list.
    pub edits: Option<Vec<Kept>>,
    pub entry: SampleEntry,
    /// The contents of the atom with the tables of samples.
    pub table: Range<usize>,
}

/// How the samples of a track are stored.
#[derive(Debug, Clone, Default)]
pub(super) struct SampleEntry {
    pub kind: [u8; 4],
    pub rate: u32,
    pub channels: u32,
    pub bits: u32,
    /// Whether numbers are little-endian, where the kind leaves it open.
    pub little_endian: bool,
    /// The flags of `lpcm`: 1 floating point, 2 big-endian, 4 signed.
    pub flags: Option<u32>,
    /// What MPEG-4 calls the object type of the codec.
    pub object_type: Option<u8>,
}

/// Reads the audio tracks of a `moov` atom whose contents are `range`.
pub(super) fn audio_tracks(bytes: &[u8], range: Range<usize>) -> Vec<Track> {
    let movie = find(bytes, range.clone(), &[b"mvhd"]);
    let movie = movie.and_then(|body| timescale(bytes, &body)).unwrap_or(0);
    atoms(bytes, range)
        .iter()
        .filter(|atom| &atom.kind == b"trak")
        .filter_map(|trak| track(bytes, trak.body.clone(), movie))
        .collect()
}

/// Reads a `trak` atom. `None` if it is no audio track, or cannot be read.
fn track(bytes: &[u8], trak: Range<usize>, movie: u32) -> Option<Track> {
    let header = find(bytes, trak.clone(), &[b"tkhd"])?;
    let id = u32_at(
        bytes,
        header.start + if is_long(bytes, &header) { 20 } else { 12 },
    )?;
    let media = find(bytes, trak.clone(), &[b"mdia"])?;
    let handler = find(bytes, media.clone(), &[b"hdlr"])?;
    if bytes.get(handler.start + 8..handler.start + 12)? != b"soun" {
        return None;
    }
    let timescale = timescale(bytes, &find(bytes, media.clone(), &[b"mdhd"])?)?;
    let table = find(bytes, media, &[b"minf", b"stbl"])?;
    let descriptions = find(bytes, table.clone(), &[b"stsd"])?;
    let first = atoms(bytes, descriptions.start + 8..descriptions.end);
    let entry = sample_entry(bytes, first.first()?)?;
    let list = find(bytes, trak, &[b"edts", b"elst"]);
    Some(Track {
        id,
        timescale,
        edits: list.map(|list| edits(bytes, list, movie, timescale)),
        entry,
        table,
    })
}

/// Returns whether an atom with a version has 64-bit times.
fn is_long(bytes: &[u8], body: &Range<usize>) -> bool {
    bytes.get(body.start) == Some(&1)
}

/// Reads the time scale of an `mvhd` or `mdhd` atom.
fn timescale(bytes: &[u8], body: &Range<usize>) -> Option<u32> {
    u32_at(
        bytes,
        body.start + if is_long(bytes, body) { 20 } else { 12 },
    )
}

/// Reads an edit list. Its lengths are in ticks of the movie. An empty edit is a pause that players
/// make, and nothing of the track.
fn edits(bytes: &[u8], list: Range<usize>, movie: u32, media: u32) -> Vec<Kept> {
    let long = is_long(bytes, &list);
    let count = u32_at(bytes, list.start + 4).unwrap_or(0);
    let size = if long { 20 } else { 12 };
    (0..count as usize)
        .map_while(|i| {
            let at = list.start + 8 + i * size;
            if at + size > list.end {
                return None;
            }
            Some(match long {
                true => (u64_at(bytes, at)?, u64_at(bytes, at + 8)? as i64),
                false => (
                    u64::from(u32_at(bytes, at)?),
                    i64::from(u32_at(bytes, at + 4)? as i32),
                ),
            })
        })
        .filter(|&(_, start)| start >= 0)
        .map(|(length, start)| {
            // A fragmented file does not know its length. The end is rounded up, so that no sound
            // is lost to a coarse time scale.
            let length = match (length, movie) {
                (0, _) | (_, 0) => i64::MAX as u128,
                _ => (u128::from(length) * u128::from(media)).div_ceil(u128::from(movie)),
            };
            let length = i64::try_from(length).unwrap_or(i64::MAX);
            Kept {
                start,
                end: start.saturating_add(length),
            }
        })
        .collect()
}

/// Reads an audio sample entry of version 0, 1 or 2.
fn sample_entry(bytes: &[u8], atom: &Atom) -> Option<SampleEntry> {
    let at = atom.body.start;
    let mut entry = SampleEntry {
        kind: atom.kind,
        channels: u32::from(u16_at(bytes, at + 16)?),
        bits: u32::from(u16_at(bytes, at + 18)?),
        rate: u32_at(bytes, at + 24)? >> 16,
        ..SampleEntry::default()
    };
    let children = match u16_at(bytes, at + 8)? {
        0 => at + 28,
        1 => {
            // Bytes per sample of one channel.
            if let Some(width @ 1..=8) = u32_at(bytes, at + 32) {
                entry.bits = entry.bits.max(8 * width);
            }
            at + 44
        }
        _ => {
            let rate = f64::from_bits(u64_at(bytes, at + 32)?);
            entry.rate = rate.round() as u32;
            entry.channels = u32_at(bytes, at + 40)?;
            entry.bits = u32_at(bytes, at + 48)?;
            entry.flags = u32_at(bytes, at + 52);
            at + 64
        }
    };
    let mut inner = atoms(bytes, children..atom.body.end.max(children));
    if let Some(wave) = inner.iter().find(|a| &a.kind == b"wave") {
        inner.extend(atoms(bytes, wave.body.clone()));
    }
    for atom in inner {
        match &atom.kind {
            b"enda" => entry.little_endian = u16_at(bytes, atom.body.start) == Some(1),
            b"pcmC" => {
                entry.little_endian = bytes.get(atom.body.start + 4).is_some_and(|b| b & 1 == 1);
                if let Some(&bits) = bytes.get(atom.body.start + 5) {
                    entry.bits = u32::from(bits);
                }
            }
            b"esds" => entry.object_type = object_type(&bytes[atom.body]),
            _ => {}
        }
    }
    Some(entry)
}

/// Finds the object type in an `esds` atom: the first field of a descriptor with the tag 4.
fn object_type(esds: &[u8]) -> Option<u8> {
    let mut at = 4;
    loop {
        let tag = *esds.get(at)?;
        at += 1;
        while esds.get(at)? & 0x80 != 0 {
            at += 1;
        }
        at += 1;
        match tag {
            // The stream's number and a byte of flags, which say what follows.
            3 => {
                let flags = *esds.get(at + 2)?;
                at += 3;
                if flags & 0x80 != 0 {
                    at += 2;
                }
                if flags & 0x40 != 0 {
                    at += 1 + usize::from(*esds.get(at)?);
                }
                if flags & 0x20 != 0 {
                    at += 2;
                }
            }
            4 => return esds.get(at).copied(),
            _ => return None,
        }
    }
}

/// Reads the comment in which iTunes writes how much of the sound is an encoder's delay and how
/// much of it is to be heard: a zero and three hexadecimal numbers (delay, padding, length).
pub(super) fn itunes_gaps(bytes: &[u8], range: Range<usize>) -> Option<Kept> {
    const NAME: &[u8] = b"iTunSMPB";
    let atom = bytes.get(range)?;
    let at = atom.windows(NAME.len()).position(|w| w == NAME)? + NAME.len();
    // The atom `data` begins with its size, its name and eight bytes of type.
    let text = atom.get(at + 16..(at + 16 + 64).min(atom.len()))?;
    let text = String::from_utf8_lossy(text);
    let mut numbers = text.split_whitespace().skip(1);
    let mut number = || i64::from_str_radix(numbers.next()?, 16).ok();
    let (start, _, len) = (number()?, number()?, number()?);
    (len > 0).then(|| Kept {
        start,
        end: start.saturating_add(len),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn atom(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = (8 + body.len()) as u32;
        [&size.to_be_bytes(), &kind[..], body].concat()
    }

    #[test]
    fn edit_lists() {
        let words =
            |words: &[i32]| -> Vec<u8> { words.iter().flat_map(|w| w.to_be_bytes()).collect() };
        // A pause, two seconds from the first second on, and the rest of unknown length.
        let list = words(&[0, 3, 500, -1, 65_536, 2000, 44_100, 65_536, 0, 0, 65_536]);
        let parts = edits(&list, 0..list.len(), 1000, 44_100);
        let second = Kept {
            start: 44_100,
            end: 132_300,
        };
        assert_eq!(parts, [second, Kept::from(0)]);
        assert_eq!(edits(&list, 0..20, 1000, 44_100), [], "cut off");
    }

    #[test]
    fn walks() {
        let file = [atom(b"free", b""), atom(b"moov", &atom(b"trak", b"abc"))].concat();
        let body = find(&file, 0..file.len(), &[b"moov", b"trak"]).unwrap();
        assert_eq!(&file[body], b"abc");
        assert_eq!(atoms(&file, 0..20).len(), 1, "a size beyond the end");
        assert!(find(&file, 0..file.len(), &[b"trak"]).is_none());
    }
}
