//! Ogg with Vorbis, Opus or FLAC: the second packet of the stream has Vorbis comments.
//!
//! Of several streams, one after the other or side by side, the first with sound gets the fields.
//! The pages that hold its comments are made anew. If they become more, the stream's later pages
//! get other numbers; all else is copied.

use std::fs::File;
use std::ops::Range;

use ogg_pager::crc32;

use super::comments::Comments;
use super::{Tags, reading};
use crate::tag::error::TagError;
use crate::tag::field::{Field, TagKind};
use crate::tag::splice::{Splice, peek_at};

/// Length of a page's header without its table of segments.
const HEADER: usize = 27;
/// The most bytes in a page.
const PAGE: u64 = 27 + 255 + 255 * 255;
/// The most pages that the headers of a stream take: 64 MiB of pictures.
const HEADER_PAGES: usize = 1024;

/// Bits of a page's flags.
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// What the packet with the comments begins with, and the first packet of such a stream.
const CODECS: [(&[u8], &[u8]); 3] = [
    (b"\x01vorbis", b"\x03vorbis"),
    (b"OpusHead", b"OpusTags"),
    // A metadata block of FLAC, whose header of four bytes is no text.
    (b"\x7fFLAC", b""),
];

/// A page.
struct Page {
    range: Range<u64>,
    /// The header, without the table of segments.
    head: [u8; HEADER],
    segments: Vec<u8>,
    body: Vec<u8>,
}

/// The tags of an Ogg file.
pub(super) struct Ogg {
    comments: Comments,
    /// What stands before the comments in their packet.
    front: Vec<u8>,
    /// The packets behind it that end on the same pages.
    others: Vec<Vec<u8>>,
    /// The pages of these packets.
    pages: Vec<Page>,
    len: u64,
}

impl Ogg {
    /// Reads the headers from byte `start` on. `len` is the length of the file.
    pub(super) fn read(file: &mut File, start: u64, len: u64) -> Result<Self, TagError> {
        let mut at = start;
        let (serial, magic) = loop {
            let page = next(file, &mut at)?;
            if page.head[5] & FIRST == 0 {
                return Err(TagError::unsupported("no stream in it has Vorbis comments"));
            }
            let codec = CODECS
                .iter()
                .find(|(first, _)| page.body.starts_with(first));
            if let Some((_, magic)) = codec {
                break (page.serial(), *magic);
            }
        };
        let mut pages = Vec::new();
        let mut packets = vec![Vec::new()];
        // The pages up to the first that ends with a packet.
        while pages.len() < HEADER_PAGES {
            let page = next(file, &mut at)?;
            if page.serial() != serial {
                continue;
            }
            if pages.is_empty() && page.head[5] & CONTINUED != 0 {
                return Err(TagError::unsupported(
                    "its first packet is longer than a page",
                ));
            }
            let mut body = page.body.as_slice();
            let mut ends = false;
            for &segment in &page.segments {
                let (data, rest) = body.split_at(usize::from(segment));
                let packet = packets.last_mut().expect("one is begun");
                packet.extend(data);
                body = rest;
                ends = segment < 255;
                if ends {
                    packets.push(Vec::new());
                }
            }
            pages.push(page);
            if ends {
                packets.pop();
                return Self::of(packets, pages, magic, len);
            }
        }
        Err(TagError::unsupported("its comments are too long"))
    }

    fn of(
        packets: Vec<Vec<u8>>,
        pages: Vec<Page>,
        magic: &[u8],
        len: u64,
    ) -> Result<Self, TagError> {
        let mut packets = packets.into_iter();
        let packet = packets.next().unwrap_or_default();
        // The header of FLAC's block says how long it is.
        let (front, end) = match magic {
            b"" => {
                let block = packet.get(1..4).filter(|_| packet[0] & 0x7f == 4);
                let block = block.ok_or_else(|| TagError::damaged("its comments are missing"))?;
                let size = u32::from_be_bytes([0, block[0], block[1], block[2]]) as usize;
                (4, 4 + size)
            }
            magic if packet.starts_with(magic) => (magic.len(), packet.len()),
            _ => return Err(TagError::damaged("its comments are missing")),
        };
        // Headers are at time 0. Sound on the same page would need its time.
        if pages
            .iter()
            .any(|page| !matches!(page.granule(), 0 | u64::MAX))
        {
            return Err(TagError::unsupported(
                "its sound begins on the page of its comments",
            ));
        }
        let comments = packet.get(front..end).and_then(Comments::parse);
        Ok(Self {
            comments: comments
                .ok_or_else(|| TagError::damaged("the lengths of its comments are wrong"))?,
            front: packet[..front].to_vec(),
            others: packets.collect(),
            pages,
            len,
        })
    }

    /// Returns the packets with the new comments.
    fn packets(&self) -> Result<Vec<Vec<u8>>, TagError> {
        let comments = self.comments.to_bytes();
        let mut packet = self.front.clone();
        if packet.len() == 4 {
            if comments.len() >= 1 << 24 {
                return Err(TagError::unsupported("its comments would be too long"));
            }
            packet[1..].copy_from_slice(&(comments.len() as u32).to_be_bytes()[1..]);
        }
        packet.extend(comments);
        Ok([vec![packet], self.others.clone()].concat())
    }
}

impl Tags for Ogg {
    fn kinds(&self) -> Vec<TagKind> {
        vec![TagKind::Vorbis]
    }

    fn get(&self, _: TagKind, field: Field) -> Vec<String> {
        self.comments.get(field)
    }

    fn set(&mut self, _: TagKind, field: Field, values: &[String]) {
        self.comments.set(field, values);
    }

    fn splices(&mut self, file: &mut File) -> Result<Vec<Splice>, TagError> {
        let [first, rest @ ..] = self.pages.as_slice() else {
            return Ok(Vec::new());
        };
        let new = pages(&self.packets()?, first, self.pages.len());
        // Fewer than before only if there are fewer segments than there were pages.
        let more = (new.len() as u32).wrapping_sub(self.pages.len() as u32);
        let mut splices = vec![Splice {
            range: first.range.clone(),
            bytes: new.concat(),
        }];
        splices.extend(rest.iter().map(|page| Splice {
            range: page.range.clone(),
            bytes: Vec::new(),
        }));
        let mut at = self.pages.last().map_or(self.len, |page| page.range.end);
        let serial = first.serial();
        while more != 0 && at < self.len {
            let page = match next(file, &mut at) {
                Ok(page) => page,
                Err(TagError::Damaged { .. }) => {
                    // Renumbering may not leave out pages behind it.
                    return Err(TagError::unsupported("not all of its pages can be read"));
                }
                Err(e) => return Err(e),
            };
            if page.serial() != serial {
                continue;
            }
            if page.head[5] & FIRST != 0 {
                break;
            }
            let number = page.number().wrapping_add(more);
            splices.push(page.renumbered(number));
            if page.head[5] & LAST != 0 {
                break;
            }
        }
        Ok(splices)
    }
}

/// Reads the page at `at`, and moves `at` behind it.
fn next(file: &mut File, at: &mut u64) -> Result<Page, TagError> {
    let bytes = peek_at(file, *at, PAGE).map_err(reading)?;
    let page =
        Page::parse(&bytes, *at).ok_or_else(|| TagError::damaged("an Ogg page is damaged"))?;
    *at = page.range.end;
    Ok(page)
}

impl Page {
    /// Reads the page that lies at `at`. `None` if there is none, or its checksum is wrong.
    fn parse(bytes: &[u8], at: u64) -> Option<Self> {
        let head = *bytes.first_chunk::<HEADER>()?;
        if !head.starts_with(b"OggS\0") {
            return None;
        }
        let body = HEADER + usize::from(head[26]);
        let segments = bytes.get(HEADER..body)?.to_vec();
        let len = segments.iter().map(|&n| usize::from(n)).sum::<usize>();
        let page = Self {
            range: at..at + (body + len) as u64,
            head,
            segments,
            body: bytes.get(body..body + len)?.to_vec(),
        };
        let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| head[at + i]));
        (page.checksum(&head) == number(22)).then_some(page)
    }

    fn number_at(&self, at: usize) -> u32 {
        u32::from_le_bytes([0, 1, 2, 3].map(|i| self.head[at + i]))
    }

    fn serial(&self) -> u32 {
        self.number_at(14)
    }

    fn number(&self) -> u32 {
        self.number_at(18)
    }

    fn granule(&self) -> u64 {
        u64::from(self.number_at(6)) | u64::from(self.number_at(10)) << 32
    }

    /// Computes the checksum of the page with another header.
    fn checksum(&self, head: &[u8; HEADER]) -> u32 {
        checksum(head, &self.segments, &self.body)
    }

    /// Returns the splice that gives the page another number.
    fn renumbered(&self, number: u32) -> Splice {
        let mut head = self.head;
        head[18..22].copy_from_slice(&number.to_le_bytes());
        let checksum = self.checksum(&head);
        head[22..26].copy_from_slice(&checksum.to_le_bytes());
        Splice::over(self.range.start + 18, &head[18..26])
    }
}

/// Computes the checksum of a page, in which its own field counts as 0.
fn checksum(head: &[u8; HEADER], segments: &[u8], body: &[u8]) -> u32 {
    let mut head = *head;
    head[22..26].fill(0);
    crc32(&[&head, segments, body].concat())
}

/// Lays packets on pages: on `count`, if that many are enough. The first page is like `first`.
fn pages(packets: &[Vec<u8>], first: &Page, count: usize) -> Vec<Vec<u8>> {
    let mut segments: Vec<u8> = Vec::new();
    for packet in packets {
        segments.extend(vec![255; packet.len() / 255]);
        segments.push((packet.len() % 255) as u8);
    }
    let body = packets.concat();
    let count = segments.len().div_ceil(255).max(count.min(segments.len()));
    let mut pages = Vec::new();
    let (mut at, mut taken) = (0, 0);
    for i in 0..count {
        // Even shares, so that no page is left without a segment.
        let end = segments.len() * (i + 1) / count;
        let table = &segments[at..end];
        let len = table.iter().map(|&n| usize::from(n)).sum::<usize>();
        let continues = at > 0 && segments[at - 1] == 255;
        let ends = table.iter().any(|&n| n < 255);
        let mut head = first.head;
        head[5] = if continues { CONTINUED } else { 0 };
        let granule: u64 = if ends { 0 } else { u64::MAX };
        head[6..14].copy_from_slice(&granule.to_le_bytes());
        let number = first.number().wrapping_add(i as u32);
        head[18..22].copy_from_slice(&number.to_le_bytes());
        head[26] = table.len() as u8;
        let content = &body[taken..taken + len];
        let checksum = checksum(&head, table, content);
        head[22..26].copy_from_slice(&checksum.to_le_bytes());
        pages.push([&head, table, content].concat());
        (at, taken) = (end, taken + len);
    }
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_keep_their_pages_or_get_more() {
        let mut head = [0; HEADER];
        head[..4].copy_from_slice(b"OggS");
        head[18] = 1;
        let first = Page {
            range: 0..0,
            head,
            segments: Vec::new(),
            body: Vec::new(),
        };
        for (lens, count, want) in [
            (&[10][..], 1, 1),
            (&[10, 600], 2, 2),
            (&[255 * 255], 1, 2),
            (&[255 * 254, 0, 3], 1, 2),
            (&[3], 4, 1),
            (&[100_000, 5000], 2, 2),
        ] {
            let packets: Vec<Vec<u8>> = lens.iter().map(|&n| vec![7; n]).collect();
            let pages = pages(&packets, &first, count);
            assert_eq!(pages.len(), want, "{lens:?}");
            let mut read: Vec<Vec<u8>> = vec![Vec::new()];
            for (i, bytes) in pages.iter().enumerate() {
                let page = Page::parse(bytes, 0).expect("a right page");
                assert_eq!(page.number(), 1 + i as u32);
                assert_eq!(
                    page.head[5] & CONTINUED != 0,
                    read.last().is_some_and(|p| !p.is_empty())
                );
                let mut body = page.body.as_slice();
                for &n in &page.segments {
                    let (data, rest) = body.split_at(n.into());
                    read.last_mut().unwrap().extend(data);
                    body = rest;
                    if n < 255 {
                        read.push(Vec::new());
                    }
                }
            }
            read.pop();
            assert_eq!(read, packets);
        }
    }
}
