//! The headers of bare MPEG streams (MP3 and its older layers, ADTS AAC), which have no magic
//! number.
//!
//! A sync word is 11 or 12 bits long, and random bytes contain many. A stream counts as one only if
//! three headers of the same kind follow each other at exactly the distances that they state, or
//! if the last one ends exactly where the file does.

use super::super::aac::RATES as AAC_RATES;

/// A parsed frame header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Header {
    /// The bits that are the same in every header of a stream.
    constant: u32,
    /// Length of the frame in bytes.
    pub len: usize,
    /// Samples per channel in the frame.
    pub samples: u64,
    /// Sample rate in Hz.
    pub rate: u32,
    /// Number of channels. 0 in AAC: a layout in the frames says it.
    pub channels: u16,
    /// The layer of MPEG audio, 1 to 3, or 4 for AAC.
    pub layer: u8,
    /// Bytes in front of the frame's side information or AAC block.
    pub prefix: usize,
    /// The object type of AAC (2: Low Complexity), or the length of MP3's side information.
    pub detail: u8,
}

impl Header {
    /// Returns whether `other` can be the next header of the same stream.
    pub(super) fn continues(&self, other: &Self) -> bool {
        self.constant == other.constant && self.channels == other.channels
    }
}

/// A parser of headers.
pub(super) type Parse = fn(&[u8]) -> Option<Header>;

/// Number of consecutive headers that make a stream.
const CHAIN: usize = 3;

/// Length of an ID3v1 tag, which may follow the last frame of a very short stream.
const TAIL: usize = 128;

/// Returns the offset in `head` of the first frame of an MPEG audio stream. `whole` says that
/// `head` ends where the file does.
pub(in super::super) fn find_mpeg(head: &[u8], whole: bool) -> Option<usize> {
    find(head, whole, mpeg_header)
}

/// Returns the offset in `head` of the first frame of an ADTS AAC stream.
pub(in super::super) fn find_adts(head: &[u8], whole: bool) -> Option<usize> {
    find(head, whole, adts_header)
}

/// Returns the offset in `head` of the first frame of a stream.
pub(super) fn find(head: &[u8], whole: bool, parse: Parse) -> Option<usize> {
    (0..head.len().saturating_sub(3))
        .filter(|&i| head[i] == 0xff)
        .find(|&i| is_chain(&head[i..], whole, parse))
}

/// Returns whether `bytes` start with [`CHAIN`] consecutive headers of one stream.
fn is_chain(bytes: &[u8], whole: bool, parse: Parse) -> bool {
    let Some(first) = parse(bytes) else {
        return false;
    };
    let mut at = first.len;
    for _ in 1..CHAIN {
        let Some(rest) = bytes.get(at..) else {
            return false;
        };
        if whole && (rest.is_empty() || (rest.len() == TAIL && rest.starts_with(b"TAG"))) {
            return true;
        }
        match parse(rest) {
            Some(next) if next.continues(&first) => at += next.len,
            _ => return false,
        }
    }
    true
}

/// Parses a header of MPEG 1, 2 or 2.5, layers I to III, at a stated bit rate (ISO/IEC 11172-3 and
/// 13818-3). The free format has no decoder here.
pub(in super::super) fn mpeg_header(bytes: &[u8]) -> Option<Header> {
    const KBIT: [[usize; 15]; 5] = [
        [
            0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448,
        ],
        [
            0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384,
        ],
        [
            0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
        ],
        [
            0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256,
        ],
        [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
    ];
    const RATES: [u32; 3] = [44_100, 48_000, 32_000];

    let word = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let (version, layer) = ((word >> 19) & 3, 4 - ((word >> 17) & 3));
    if word >> 21 != 0x7ff || version == 1 || layer == 4 {
        return None;
    }
    let first = version == 3;
    let table = match (first, layer) {
        (true, layer) => layer as usize - 1,
        (false, 1) => 3,
        (false, _) => 4,
    };
    let kbit = KBIT[table]
        .get((word >> 12 & 15) as usize)
        .copied()
        .filter(|&k| k > 0)?;
    let rate = RATES.get((word >> 10 & 3) as usize)? >> [2, 0, 1, 0][version as usize];
    let padding = (word >> 9 & 1) as usize;
    let (len, samples) = match layer {
        1 => (4 * (12_000 * kbit / rate as usize + padding), 384),
        3 if !first => (72_000 * kbit / rate as usize + padding, 576),
        _ => (144_000 * kbit / rate as usize + padding, 1152),
    };
    let mono = word >> 6 & 3 == 3;
    let side = match (layer, first, mono) {
        (3, true, false) => 32,
        (3, true, true) | (3, false, false) => 17,
        (3, false, true) => 9,
        _ => 0,
    };
    let checked = word >> 16 & 1 == 0;
    Some(Header {
        constant: word & 0xfffe_0c00,
        len,
        samples,
        rate,
        channels: if mono { 1 } else { 2 },
        layer: layer as u8,
        prefix: if checked { 6 } else { 4 },
        detail: side,
    })
}

/// Parses an ADTS header (ISO/IEC 13818-7).
pub(in super::super) fn adts_header(bytes: &[u8]) -> Option<Header> {
    let b: [u8; 7] = bytes.get(..7)?.try_into().ok()?;
    let rate = *AAC_RATES.get(usize::from(b[2] >> 2 & 15))?;
    if b[0] != 0xff || b[1] & 0xf6 != 0xf0 {
        return None;
    }
    let len = usize::from(b[3] & 3) << 11 | usize::from(b[4]) << 3 | usize::from(b[5]) >> 5;
    let prefix = if b[1] & 1 == 0 { 9 } else { 7 };
    let channels = (b[2] & 1) << 2 | b[3] >> 6;
    (len >= prefix).then(|| Header {
        constant: u32::from_be_bytes([b[1], b[2] & 0xfd, b[3] & 0xc0, 0]),
        len,
        samples: 1024 * (u64::from(b[6] & 3) + 1),
        rate,
        channels: if channels == 7 {
            8
        } else {
            u16::from(channels)
        },
        layer: 4,
        prefix,
        detail: (b[2] >> 6) + 1,
    })
}
