//! Bare FLAC: a list of blocks in front of the sound, one of which has Vorbis comments.

use std::fs::File;
use std::ops::Range;

use super::comments::Comments;
use super::{Tags, reading};
use crate::tag::error::TagError;
use crate::tag::field::{Field, TagKind};
use crate::tag::splice::{Splice, read_at};

/// Length of a block's header.
const HEADER: u64 = 4;
/// The kind of a block with comments.
const COMMENTS: u8 = 4;
/// The bit of the last block.
const LAST: u8 = 0x80;

/// The tags of a FLAC file.
pub(super) struct Flac {
    comments: Comments,
    /// The block of comments with its header.
    range: Range<u64>,
    /// Whether it is the last block.
    last: bool,
    /// The header of the block before it, if there is no block of comments.
    before: Option<(u64, u8)>,
}

impl Flac {
    /// Reads the blocks of the stream that begins at byte `start`.
    pub(super) fn read(file: &mut File, start: u64) -> Result<Self, TagError> {
        let mut at = start + 4;
        let mut stream_info = None;
        loop {
            let header = read_at(file, at, HEADER).map_err(reading)?;
            let (kind, last) = (header[0] & !LAST, header[0] & LAST != 0);
            let len = u32::from_be_bytes([0, header[1], header[2], header[3]]);
            let range = at..at + HEADER + u64::from(len);
            if kind == COMMENTS {
                let block = read_at(file, at + HEADER, len.into()).map_err(reading)?;
                let comments = Comments::parse(&block)
                    .ok_or_else(|| TagError::damaged("the lengths of its comments are wrong"))?;
                return Ok(Self {
                    comments,
                    range,
                    last,
                    before: None,
                });
            }
            at = range.end;
            let (end, is_last, byte) = *stream_info.get_or_insert((at, last, header[0]));
            if last {
                return Ok(Self {
                    comments: Comments::new(),
                    range: end..end,
                    last: is_last,
                    before: Some((start + 4, byte & !LAST)),
                });
            }
        }
    }
}

impl Tags for Flac {
    fn kinds(&self) -> Vec<TagKind> {
        vec![TagKind::Vorbis]
    }

    fn get(&self, _: TagKind, field: Field) -> Vec<String> {
        self.comments.get(field)
    }

    fn set(&mut self, _: TagKind, field: Field, values: &[String]) {
        self.comments.set(field, values);
    }

    fn splices(&mut self, _: &mut File) -> Result<Vec<Splice>, TagError> {
        let block = self.comments.to_bytes();
        if block.len() >= 1 << 24 {
            return Err(TagError::unsupported("its comments would be too long"));
        }
        let kind = COMMENTS | if self.last { LAST } else { 0 };
        let mut bytes = (block.len() as u32).to_be_bytes().to_vec();
        bytes[0] = kind;
        bytes.extend(block);
        let range = self.range.clone();
        let before = self.before.map(|(at, byte)| Splice::over(at, [byte]));
        Ok(before
            .into_iter()
            .chain([Splice { range, bytes }])
            .collect())
    }
}
