//! WAV (RIFF, RF64, BW64) and AIFF: chunks. ID3v2 is one of them; WAV has the INFO list, too.
//!
//! A chunk that is there is replaced in its place, and a new one follows the last.

use std::fs::File;
use std::ops::Range;

use super::id3v2::Id3v2;
use super::riff_info::Info;
use super::{Tags, reading};
use crate::tag::error::TagError;
use crate::tag::field::{Field, TagKind};
use crate::tag::splice::{Splice, peek_at, read_at};

/// Length of a chunk's header.
const HEADER: u64 = 8;
/// Length of the file's header.
const FORM: u64 = 12;
/// Bytes of metadata that are read into memory.
const MOST: u64 = 256 << 20;

/// The tags of a file of chunks.
pub(super) struct Iff {
    /// Whether it is WAV. Otherwise it is AIFF, whose numbers are big-endian.
    wave: bool,
    start: u64,
    /// The size that the file's header states.
    size: u64,
    /// Where the 64-bit size of the file lies, in RF64 and BW64.
    large_size: Option<u64>,
    /// Where the last chunk ends, and whether a byte of padding is missing there.
    end: u64,
    odd: bool,
    id3v2: Id3v2,
    id3v2_range: Option<Range<u64>>,
    /// The name of the chunk with ID3v2.
    id3v2_name: [u8; 4],
    info: Info,
    info_range: Option<Range<u64>>,
    changed: Vec<TagKind>,
}

impl Iff {
    /// Reads the chunks of the file of `len` bytes whose header is at byte `start`.
    pub(super) fn read(
        file: &mut File,
        start: u64,
        len: u64,
        wave: bool,
    ) -> Result<Self, TagError> {
        let head = read_at(file, start, FORM).map_err(reading)?;
        let large = matches!(&head[..4], b"RF64" | b"BW64");
        let mut iff = Self {
            wave,
            start,
            size: u64::from(number(&head[4..8], wave)),
            large_size: None,
            end: 0,
            odd: false,
            id3v2: Id3v2::new(),
            id3v2_range: None,
            id3v2_name: if wave { *b"id3 " } else { *b"ID3 " },
            info: Info::default(),
            info_range: None,
            changed: Vec::new(),
        };
        let mut large_data = None;
        let mut sound = false;
        let mut at = start + FORM;
        // The size of the file may be wrong, but the chunks lead through it.
        let mut end = start + HEADER + iff.size;
        while at + HEADER <= len && (large || at < end) {
            let head = read_at(file, at, HEADER).map_err(reading)?;
            let name: [u8; 4] = [0, 1, 2, 3].map(|i| head[i]);
            let mut size = u64::from(number(&head[4..8], wave));
            if large && &name == b"data" && size == u64::from(u32::MAX) {
                size = large_data.unwrap_or(size);
            }
            let body = at + HEADER;
            sound |= matches!(&name, b"data" | b"SSND");
            let next = body.checked_add(size).filter(|next| *next <= len);
            let Some(next) = next else {
                let name = name.escape_ascii();
                let why = format!("its chunk `{name}` is longer than the file");
                return Err(TagError::unsupported(why));
            };
            let range = at..(next + size % 2).min(len);
            match &name {
                b"ds64" if large && size >= 16 => {
                    let sizes = read_at(file, body, 16).map_err(reading)?;
                    let long = |at: usize| Some(u64::from_le_bytes(*sizes[at..].first_chunk()?));
                    iff.size = long(0).unwrap_or(iff.size);
                    iff.large_size = Some(body);
                    large_data = long(8);
                    end = start.saturating_add(HEADER).saturating_add(iff.size);
                }
                b"id3 " | b"ID3 " if iff.id3v2_range.is_none() => {
                    let tag = small(file, body, size)?;
                    iff.id3v2 = Id3v2::parse(&tag)?;
                    (iff.id3v2_range, iff.id3v2_name) = (Some(range.clone()), name);
                }
                b"LIST"
                    if wave
                        && iff.info_range.is_none()
                        && peek_at(file, body, 4).map_err(reading)? == b"INFO" =>
                {
                    let list = small(file, body, size)?;
                    iff.info = Info::parse(&list[4.min(list.len())..])
                        .ok_or_else(|| TagError::damaged("its INFO list is cut off"))?;
                    iff.info_range = Some(range.clone());
                }
                _ => {}
            }
            (iff.end, iff.odd) = (range.end, next + size % 2 > len);
            at = range.end;
        }
        if !sound {
            return Err(TagError::damaged("it has no chunk with sound"));
        }
        // Chunks that lead to the end of the file are right, whatever its header states. Otherwise
        // new ones could stand in the midst of something.
        let stated = [iff.end, iff.end - 1].contains(&end);
        if iff.end != len && !stated {
            let why = "the size in its header is not that of its chunks";
            return Err(TagError::unsupported(why));
        }
        Ok(iff)
    }

    fn number(&self, n: u32) -> [u8; 4] {
        match self.wave {
            true => n.to_le_bytes(),
            false => n.to_be_bytes(),
        }
    }

    /// Returns a chunk, or nothing if it is empty.
    fn chunk(&self, name: [u8; 4], mut body: Vec<u8>) -> Vec<u8> {
        if body.is_empty() {
            return body;
        }
        let len = body.len() as u32;
        if len % 2 == 1 {
            body.push(0);
        }
        [&name[..], &self.number(len), &body].concat()
    }

    /// Returns what replaces a chunk, or follows the last one.
    fn splice(&self, range: &Option<Range<u64>>, chunk: Vec<u8>) -> Splice {
        Splice {
            range: range.clone().unwrap_or(self.end..self.end),
            bytes: chunk,
        }
    }
}

impl Tags for Iff {
    fn kinds(&self) -> Vec<TagKind> {
        match self.wave {
            true => vec![TagKind::Id3v2, TagKind::Riff],
            false => vec![TagKind::Id3v2],
        }
    }

    fn get(&self, kind: TagKind, field: Field) -> Vec<String> {
        match (kind, field) {
            (TagKind::Id3v2, field) => self.id3v2.get(field),
            (TagKind::Riff, Field::Genre) => self.info.genre(),
            _ => Vec::new(),
        }
    }

    fn set(&mut self, kind: TagKind, field: Field, values: &[String]) {
        self.changed.push(kind);
        match (kind, field) {
            (TagKind::Id3v2, field) => self.id3v2.set(field, values),
            (TagKind::Riff, Field::Genre) => self.info.set_genre(values),
            _ => {}
        }
    }

    fn splices(&mut self, _: &mut File) -> Result<Vec<Splice>, TagError> {
        let mut splices = Vec::new();
        if self.changed.contains(&TagKind::Id3v2) {
            let old = self
                .id3v2_range
                .as_ref()
                .map_or(0, |r| r.end - r.start - HEADER);
            let tag = self.id3v2.to_bytes(old as usize, false)?;
            let chunk = self.chunk(self.id3v2_name, tag);
            splices.push(self.splice(&self.id3v2_range, chunk));
        }
        if self.changed.contains(&TagKind::Riff) {
            let list = match self.info.to_bytes() {
                items if items.is_empty() => items,
                items => [&b"INFO"[..], &items].concat(),
            };
            let chunk = self.chunk(*b"LIST", list);
            splices.push(self.splice(&self.info_range, chunk));
        }
        // New chunks stand behind the padding of the last one.
        let mut new = Splice {
            range: self.end..self.end,
            bytes: Vec::new(),
        };
        splices.retain(|splice| {
            let is_new = splice.range.is_empty();
            if is_new {
                new.bytes.extend(&splice.bytes);
            }
            !is_new
        });
        if self.odd && !new.bytes.is_empty() {
            new.bytes.insert(0, 0);
        }
        if !new.bytes.is_empty() {
            splices.push(new);
        }
        let growth: i64 = splices.iter().map(Splice::growth).sum();
        let covered = self.end - self.start - HEADER;
        let size = covered.checked_add_signed(growth).unwrap_or(covered);
        match self.large_size {
            Some(at) => splices.push(Splice::over(at, size.to_le_bytes())),
            None => {
                let size = u32::try_from(size)
                    .map_err(|_| TagError::unsupported("it would be longer than 4 GiB"))?;
                splices.push(Splice::over(self.start + 4, self.number(size)));
            }
        }
        Ok(splices)
    }
}

fn number(bytes: &[u8], little: bool) -> u32 {
    let bytes = [0, 1, 2, 3].map(|i| bytes[i]);
    match little {
        true => u32::from_le_bytes(bytes),
        false => u32::from_be_bytes(bytes),
    }
}

/// Reads the body of a chunk of metadata.
fn small(file: &mut File, at: u64, size: u64) -> Result<Vec<u8>, TagError> {
    match size <= MOST {
        true => read_at(file, at, size).map_err(reading),
        false => Err(TagError::unsupported("its tags are longer than 256 MiB")),
    }
}
