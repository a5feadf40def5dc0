//! ID3v2 of versions 2.2, 2.3 and 2.4.
//!
//! A tag keeps its version, because a player that reads 2.3 may not read 2.4. A new one is 2.4. Two
//! genres are two strings with a zero between them: 2.4 says so, and a reader of 2.3 that follows
//! its text shows the first and ignores the rest.
//!
//! Frames that are not set stay as they are, to the byte, whatever they hold. The extended header
//! (checksum, restrictions) and the footer are left out of a tag that changes.

use super::id3v2_bytes::{plain, synchronise, synchsafe, to_synchsafe, unsynchronise};
use super::id3v2_text::{decode, encode};
use crate::tag::error::TagError;
use crate::tag::field::Field;

/// Length of the tag's header, and of its footer.
pub(super) const HEADER: usize = 10;
/// Padding of a tag that has to grow.
const PADDING: usize = 1024;
/// The tag's sizes have 28 bits.
const MOST: usize = 1 << 28;

/// Bits of the tag's flags.
const UNSYNCHRONISED: u8 = 0x80;
const EXTENDED: u8 = 0x40;
const FOOTER: u8 = 0x10;
/// The bits that stay.
const KEPT: u8 = UNSYNCHRONISED | 0x20;

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id3v2 {
    version: u8,
    flags: u8,
    frames: Vec<Frame>,
}

/// A frame, as it lies in the tag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Frame {
    id: Vec<u8>,
    /// The frame with its header.
    bytes: Vec<u8>,
    /// The text frames and user texts that can be read: the strings.
    strings: Option<Vec<String>>,
}

impl Id3v2 {
    /// An empty tag of version 2.4.
    pub(super) fn new() -> Self {
        Self {
            version: 4,
            flags: 0,
            frames: Vec::new(),
        }
    }

    /// Returns whether the tag has no frames.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Reads a whole tag, from its header to its padding or footer.
    pub(super) fn parse(tag: &[u8]) -> Result<Self, TagError> {
        let &[b'I', b'D', b'3', version, _, flags, a, b, c, d, ..] = tag else {
            return Err(TagError::damaged("its ID3v2 header is cut off"));
        };
        if !(2..=4).contains(&version) {
            return Err(TagError::unsupported(format!("ID3v2.{version}")));
        }
        if version == 2 && flags & EXTENDED != 0 {
            return Err(TagError::unsupported("a compressed ID3v2.2 tag"));
        }
        // A footer follows what the size counts.
        let end = HEADER + synchsafe(&[a, b, c, d]);
        let mut body = tag[HEADER..end.min(tag.len())].to_vec();
        if version < 4 && flags & UNSYNCHRONISED != 0 {
            body = synchronise(&body);
        }
        let mut rest = body.as_slice();
        if version > 2 && flags & EXTENDED != 0 {
            let size = rest.get(..4).map(|size| match version {
                3 => plain(size) + 4,
                _ => synchsafe(size),
            });
            rest = size
                .and_then(|size| rest.get(size..))
                .ok_or_else(|| TagError::damaged("its extended ID3v2 header is too long"))?;
        }
        let frames = frames(rest, version)?;
        Ok(Self {
            version,
            flags: flags & KEPT,
            frames,
        })
    }

    /// Returns the values of a field, in their order.
    pub(super) fn get(&self, field: Field) -> Vec<String> {
        let frames = self.frames.iter().filter_map(|f| self.values(f, field));
        frames.flatten().cloned().collect()
    }

    /// Replaces the values of a field. The frame stands where the first one stood, or at the end.
    pub(super) fn set(&mut self, field: Field, values: &[String]) {
        let is_field = |frame: &Frame| self.values(frame, field).is_some();
        let first = self.frames.iter().position(is_field);
        let at = first.unwrap_or(self.frames.len());
        let keep: Vec<bool> = self.frames.iter().map(|f| !is_field(f)).collect();
        let mut keep = keep.into_iter();
        self.frames.retain(|_| keep.next().unwrap_or(true));
        if !values.is_empty() {
            let frame = self.frame(field, values);
            self.frames.insert(at, frame);
        }
    }

    /// Returns the tag as bytes. It takes `room` bytes if it fits into them, and otherwise has
    /// padding, if `padded`. Without frames it is empty.
    pub(super) fn to_bytes(&self, room: usize, padded: bool) -> Result<Vec<u8>, TagError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let mut body: Vec<u8> = self.frames.iter().flat_map(|f| &f.bytes).copied().collect();
        if self.version < 4 && self.flags & UNSYNCHRONISED != 0 {
            body = unsynchronise(&body);
        }
        let len = HEADER + body.len();
        let len = match (len <= room, padded) {
            (true, _) => room,
            (false, true) => len + PADDING,
            (false, false) => len,
        };
        let size = len - HEADER;
        if size >= MOST {
            return Err(TagError::unsupported("its ID3v2 tag would be too long"));
        }
        let mut tag = b"ID3".to_vec();
        tag.extend([self.version, 0, self.flags]);
        tag.extend(to_synchsafe(size));
        tag.extend(body);
        tag.resize(len, 0);
        Ok(tag)
    }

    /// Returns the strings of a frame if it holds `field`.
    fn values<'a>(&self, frame: &'a Frame, field: Field) -> Option<&'a [String]> {
        let strings = frame.strings.as_deref()?;
        let (id, description) = self.place(field);
        if frame.id != id {
            return None;
        }
        match description {
            None => Some(strings),
            Some(wanted) => {
                let (found, values) = strings.split_first()?;
                found.eq_ignore_ascii_case(wanted).then_some(values)
            }
        }
    }

    /// Returns the frame of a field, and its description if it is a user's text.
    fn place(&self, field: Field) -> (&'static [u8], Option<&'static str>) {
        match (self.version, field) {
            (2, Field::Genre) => (b"TCO", None),
            (_, Field::Genre) => (b"TCON", None),
            (4, Field::Mood) => (b"TMOO", None),
            (2, own) => (b"TXX", Some(own.key())),
            (_, own) => (b"TXXX", Some(own.key())),
        }
    }

    fn frame(&self, field: Field, values: &[String]) -> Frame {
        let (id, description) = self.place(field);
        let description = description.map(str::to_owned);
        let strings: Vec<String> = description.into_iter().chain(values.to_vec()).collect();
        let content = encode(&strings, self.version);
        let mut bytes = id.to_vec();
        match self.version {
            2 => bytes.extend(&(content.len() as u32).to_be_bytes()[1..]),
            3 => bytes.extend((content.len() as u32).to_be_bytes()),
            _ => bytes.extend(to_synchsafe(content.len())),
        }
        if self.version > 2 {
            bytes.extend([0, 0]);
        }
        bytes.extend(content);
        Frame {
            id: id.to_vec(),
            bytes,
            strings: Some(strings),
        }
    }
}

/// Returns the length in bytes of the ID3v2 tag that begins with `head`, by its header; `None` if
/// none begins.
pub(super) fn len(head: &[u8]) -> Option<u64> {
    let head = head.get(..HEADER).filter(|h| h.starts_with(b"ID3"))?;
    if head[3] == 0xff || head[4] == 0xff || head[6..].iter().any(|&b| b > 0x7f) {
        return None;
    }
    let footer = if head[5] & FOOTER != 0 { HEADER } else { 0 };
    Some((HEADER + synchsafe(&head[6..]) + footer) as u64)
}

/// Cuts the body of a tag into frames.
fn frames(mut rest: &[u8], version: u8) -> Result<Vec<Frame>, TagError> {
    let header = if version == 2 { 6 } else { 10 };
    let mut frames = Vec::new();
    while begins_frame(rest, version) {
        let size = size(rest, version);
        let Some(bytes) = rest.get(..header + size) else {
            return Err(TagError::damaged("an ID3v2 frame is longer than its tag"));
        };
        let id = bytes[..if version == 2 { 3 } else { 4 }].to_vec();
        let text = matches!(id.as_slice(), b"TCON" | b"TMOO" | b"TXXX" | b"TCO" | b"TXX");
        let strings = match text {
            true => content(bytes, header, version).map(|content| decode(&content)),
            false => None,
        };
        if text && strings.is_none() && !matches!(id.as_slice(), b"TXXX" | b"TXX") {
            let why = "its genre or mood in ID3v2 is compressed or encrypted";
            return Err(TagError::unsupported(why));
        }
        frames.push(Frame {
            id,
            bytes: bytes.to_vec(),
            strings,
        });
        rest = &rest[bytes.len()..];
    }
    match rest.iter().all(|&b| b == 0) {
        true => Ok(frames),
        false => Err(TagError::damaged(
            "its ID3v2 tag has bytes that are no frame",
        )),
    }
}

/// Whether a frame begins here: by its name. iTunes has names of three letters in version 2.3.
fn begins_frame(bytes: &[u8], version: u8) -> bool {
    let len = if version == 2 { 6 } else { 10 };
    let letter = |b: &u8| b.is_ascii_uppercase() || b.is_ascii_digit();
    bytes.len() >= len
        && bytes[..3].iter().all(letter)
        && (version == 2 || letter(&bytes[3]) || matches!(bytes[3], b' ' | 0))
}

/// Returns the size of the frame that begins here, without its header.
///
/// iTunes wrote sizes of version 2.4 as those of 2.3. Where the two differ, the one behind which a
/// frame or the end follows is right.
fn size(bytes: &[u8], version: u8) -> usize {
    let (size, plain) = match version {
        2 => return plain(&bytes[3..6]),
        3 => return plain(&bytes[4..8]),
        _ => (&bytes[4..8], plain(&bytes[4..8])),
    };
    if size.iter().any(|&b| b > 0x7f) {
        return plain;
    }
    let fits = |size: usize| {
        let behind = bytes.get(10 + size..);
        behind.is_some_and(|b| b.is_empty() || begins_frame(b, 4) || b[0] == 0)
    };
    let safe = synchsafe(size);
    if fits(safe) || !fits(plain) {
        safe
    } else {
        plain
    }
}

/// Returns what a frame holds; `None` if it is compressed or encrypted.
fn content(frame: &[u8], header: usize, version: u8) -> Option<Vec<u8>> {
    let body = &frame[header..];
    if version == 2 {
        return Some(body.to_vec());
    }
    let flags = frame[9];
    let (coded, in_front) = match version {
        3 => (flags & 0xc0, usize::from(flags & 0x20 != 0)),
        _ => {
            let group = usize::from(flags & 0x40 != 0);
            (flags & 0x0c, group + 4 * usize::from(flags & 1 != 0))
        }
    };
    let body = body.get(in_front..).filter(|_| coded == 0)?;
    Some(match version == 4 && flags & 2 != 0 {
        true => synchronise(body),
        false => body.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(version: u8, flags: u8, body: &[u8]) -> Vec<u8> {
        let mut tag = b"ID3".to_vec();
        tag.extend([version, 0, flags]);
        tag.extend(to_synchsafe(body.len()));
        tag.extend(body);
        tag
    }

    fn raw(version: u8, id: &[u8], content: &[u8]) -> Vec<u8> {
        let mut bytes = id.to_vec();
        match version {
            2 => bytes.extend(&(content.len() as u32).to_be_bytes()[1..]),
            3 => bytes.extend((content.len() as u32).to_be_bytes()),
            _ => bytes.extend(to_synchsafe(content.len())),
        }
        if version > 2 {
            bytes.extend([0, 0]);
        }
        bytes.extend(content);
        bytes
    }

    #[test]
    fn each_version_is_kept_and_so_are_its_other_frames() {
        let genres = [
            "R\u{e9}tro".to_owned(),
            "\u{30ed}\u{30c3}\u{30af}".to_owned(),
        ];
        let picture = [&[0, 0xff, 0xe0, 0xff, 0][..], &[7; 300]].concat();
        for (version, ids) in [
            (2, [&b"PIC"[..], b"TCO"]),
            (3, [b"APIC", b"TCON"]),
            (4, [b"APIC", b"TCON"]),
        ] {
            for flags in [0, UNSYNCHRONISED] {
                let other = raw(version, ids[0], &picture);
                let body = [other.clone(), raw(version, ids[1], b"\0(17)"), vec![0; 20]].concat();
                let body = match version < 4 && flags != 0 {
                    true => unsynchronise(&body),
                    false => body,
                };
                let mut id3 = Id3v2::parse(&tag(version, flags, &body)).unwrap();
                assert_eq!(id3.get(Field::Genre), ["(17)"]);
                for field in Field::ALL {
                    id3.set(field, &genres);
                }
                let bytes = id3.to_bytes(0, true).unwrap();
                assert_eq!((bytes[3], bytes[5]), (version, flags));
                assert_eq!(len(&bytes), Some(bytes.len() as u64));
                let again = Id3v2::parse(&bytes).unwrap();
                assert_eq!(again, id3);
                assert_eq!(again.frames[0].bytes, other);
                for field in Field::ALL {
                    assert_eq!(again.get(field), genres, "{version} {field:?}");
                }
            }
        }
    }

    #[test]
    fn sizes_of_itunes_and_rubbish() {
        // 200 as 0x0c8: as a size of version 2.4 it ends within the frame.
        let mut long = raw(3, b"APIC", &[1; 200]);
        long.extend(raw(4, b"TCON", b"\x03Rock"));
        assert_eq!(
            Id3v2::parse(&tag(4, 0, &long)).unwrap().get(Field::Genre),
            ["Rock"]
        );
        let rubbish = [raw(4, b"TCON", b"\x03Rock"), b"\0\0junk".to_vec()].concat();
        assert!(Id3v2::parse(&tag(4, 0, &rubbish)).is_err());
        let cut = raw(3, b"TIT2", b"\0title");
        assert!(Id3v2::parse(&tag(3, 0, &cut[..12])).is_err());
    }

    #[test]
    fn a_tag_keeps_its_room_and_goes_without_frames() {
        let body = [raw(4, b"TCON", b"\x03Rock"), vec![0; 200]].concat();
        let old = tag(4, 0, &body);
        let mut id3 = Id3v2::parse(&old).unwrap();
        id3.set(Field::Genre, &["Pop".into()]);
        assert_eq!(id3.to_bytes(old.len(), true).unwrap().len(), old.len());
        id3.set(Field::Genre, &[]);
        assert!(id3.to_bytes(old.len(), true).unwrap().is_empty());
    }
}
