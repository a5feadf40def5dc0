//! Bare MP3 and AAC: ID3v2 in front; APEv2, Lyrics3 and ID3v1 behind.
//!
//! ID3v2 is written in any case, and the tags behind the sound if the file has them.

use std::fs::File;
use std::ops::Range;

use super::ape::{self, Ape};
use super::id3v2::{self, Id3v2};
use super::{Tags, id3v1, reading};
use crate::tag::error::TagError;
use crate::tag::field::{Field, TagKind};
use crate::tag::splice::{Splice, peek_at, read_at};

/// The tags of a bare stream.
pub(super) struct Mpeg {
    id3v2: Id3v2,
    id3v2_range: Range<u64>,
    ape: Option<(Ape, Range<u64>)>,
    /// The genre of the ID3v1 tag, and where it lies.
    id3v1: Option<(u8, u64)>,
    changed: Vec<TagKind>,
}

impl Mpeg {
    /// Reads the tags of a file of `len` bytes.
    pub(super) fn read(file: &mut File, len: u64) -> Result<Self, TagError> {
        let head = peek_at(file, 0, id3v2::HEADER as u64).map_err(reading)?;
        let (id3v2, id3v2_len) = match id3v2::len(&head) {
            Some(tag) => {
                let bytes = read_at(file, 0, tag).map_err(reading)?;
                (Id3v2::parse(&bytes)?, tag)
            }
            None => (Id3v2::new(), 0),
        };
        let mut end = len;
        let tail = |file: &mut File, end: u64, n: u64| {
            let n = n.min(end - id3v2_len);
            peek_at(file, end - n, n).map_err(reading)
        };
        let last = tail(file, end, id3v1::LEN)?;
        let mut id3v1 = None;
        if last.len() as u64 == id3v1::LEN && last.starts_with(b"TAG") {
            id3v1 = last.last().map(|&number| (number, end - 1));
            end -= id3v1::LEN;
        }
        // Lyrics3 ends with its length in six digits, and its name.
        let lyrics = tail(file, end, 15)?;
        if lyrics.ends_with(b"LYRICS200")
            && let Some(size) = std::str::from_utf8(&lyrics[..lyrics.len() - 9]).ok()
            && let Ok(size) = size.parse::<u64>()
        {
            end = end.saturating_sub(size + 15).max(id3v2_len);
        }
        // Some programs put APE behind ID3v1.
        let mut ape = None;
        for end in [end, len] {
            let footer = tail(file, end, ape::FOOTER as u64)?;
            let Some(size) = Ape::len(&footer) else {
                continue;
            };
            let start = end.checked_sub(size).filter(|start| *start >= id3v2_len);
            let start = start.ok_or_else(|| TagError::damaged("its APE tag is too long"))?;
            let bytes = read_at(file, start, size).map_err(reading)?;
            let tag = Ape::parse(&bytes)
                .ok_or_else(|| TagError::damaged("the lengths in its APE tag are wrong"))?;
            ape = Some((tag, start..end));
            break;
        }
        Ok(Self {
            id3v2,
            id3v2_range: 0..id3v2_len,
            ape,
            id3v1,
            changed: Vec::new(),
        })
    }
}

impl Tags for Mpeg {
    fn kinds(&self) -> Vec<TagKind> {
        let ape = self.ape.as_ref().map(|_| TagKind::Ape);
        let id3v1 = self.id3v1.map(|_| TagKind::Id3v1);
        [Some(TagKind::Id3v2), ape, id3v1]
            .into_iter()
            .flatten()
            .collect()
    }

    fn get(&self, kind: TagKind, field: Field) -> Vec<String> {
        match (kind, &self.ape, self.id3v1) {
            (TagKind::Id3v2, ..) => self.id3v2.get(field),
            (TagKind::Ape, Some((ape, _)), _) => ape.get(field),
            (TagKind::Id3v1, _, Some((number, _))) if field == Field::Genre => id3v1::genre(number),
            _ => Vec::new(),
        }
    }

    fn set(&mut self, kind: TagKind, field: Field, values: &[String]) {
        self.changed.push(kind);
        match (kind, &mut self.ape, &mut self.id3v1) {
            (TagKind::Id3v2, ..) => self.id3v2.set(field, values),
            (TagKind::Ape, Some((ape, _)), _) => ape.set(field, values),
            (TagKind::Id3v1, _, Some((number, _))) if field == Field::Genre => {
                *number = id3v1::number(values);
            }
            _ => {}
        }
    }

    fn splices(&mut self, _: &mut File) -> Result<Vec<Splice>, TagError> {
        let mut splices = Vec::new();
        if self.changed.contains(&TagKind::Id3v2) {
            let range = self.id3v2_range.clone();
            let bytes = self.id3v2.to_bytes(range.end as usize, true)?;
            splices.push(Splice { range, bytes });
        }
        if let Some((ape, range)) = &self.ape
            && self.changed.contains(&TagKind::Ape)
        {
            splices.push(Splice {
                range: range.clone(),
                bytes: ape.to_bytes(),
            });
        }
        if let Some((number, at)) = self.id3v1
            && self.changed.contains(&TagKind::Id3v1)
        {
            splices.push(Splice::over(at, [number]));
        }
        Ok(splices)
    }
}
