//! Recognizes bare MPEG streams (MP3, ADTS AAC), which have no magic number.
//!
//! A sync word is 11 or 12 bits long, and random bytes contain many. A stream counts as one only if
//! three headers of the same kind follow each other at exactly the distances that they state, or
//! if the last one ends exactly where the file does.

/// A parsed frame header.
struct Header {
    /// The bits that are the same in every header of a stream.
    constant: u32,
    /// Length of the frame in bytes.
    len: usize,
}

/// Number of consecutive headers that make a stream.
const CHAIN: usize = 3;

/// Length of an ID3v1 tag, which may follow the last frame of a very short stream.
const TAIL: usize = 128;

/// Returns the offset in `head` of the first frame of an MP3 stream. `whole` says that `head` ends
/// where the file does.
pub(super) fn find_mp3(head: &[u8], whole: bool) -> Option<usize> {
    find(head, whole, mp3_header)
}

/// Returns the offset in `head` of the first frame of an ADTS AAC stream.
pub(super) fn find_adts(head: &[u8], whole: bool) -> Option<usize> {
    find(head, whole, adts_header)
}

fn find(head: &[u8], whole: bool, parse: fn(&[u8]) -> Option<Header>) -> Option<usize> {
    (0..head.len().saturating_sub(3))
        .filter(|&i| head[i] == 0xff)
        .find(|&i| is_chain(&head[i..], whole, parse))
}

/// Returns whether `bytes` start with [`CHAIN`] consecutive headers of one stream.
fn is_chain(bytes: &[u8], whole: bool, parse: fn(&[u8]) -> Option<Header>) -> bool {
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
            Some(next) if next.constant == first.constant => at += next.len,
            _ => return false,
        }
    }
    true
}

/// Parses MPEG 1, 2 or 2.5, layer III, at a stated bit rate. The free format has no decoder here.
fn mp3_header(bytes: &[u8]) -> Option<Header> {
    const KBIT_1: [usize; 15] = [
        0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
    ];
    const KBIT_2: [usize; 15] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
    const RATES_1: [usize; 3] = [44_100, 48_000, 32_000];

    let word = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let (version, layer) = ((word >> 19) & 3, (word >> 17) & 3);
    if word >> 21 != 0x7ff || version == 1 || layer != 1 {
        return None;
    }
    let first = version == 3;
    let kbit = if first { KBIT_1 } else { KBIT_2 }
        .get((word >> 12 & 15) as usize)
        .copied()
        .filter(|&k| k > 0)?;
    let rate = RATES_1.get((word >> 10 & 3) as usize)? >> [2, 0, 1, 0][version as usize];
    let words = if first { 144_000 } else { 72_000 };
    Some(Header {
        constant: word & 0xfffe_0c00,
        len: words * kbit / rate + (word >> 9 & 1) as usize,
    })
}

/// Parses an ADTS header (ISO/IEC 13818-7).
fn adts_header(bytes: &[u8]) -> Option<Header> {
    let b: [u8; 6] = bytes.get(..6)?.try_into().ok()?;
    let rate_index = b[2] >> 2 & 15;
    if b[0] != 0xff || b[1] & 0xf6 != 0xf0 || rate_index > 12 {
        return None;
    }
    let len = usize::from(b[3] & 3) << 11 | usize::from(b[4]) << 3 | usize::from(b[5]) >> 5;
    (len >= 7).then(|| Header {
        constant: u32::from_be_bytes([b[1], b[2] & 0xfd, b[3] & 0xc0, 0]),
        len,
    })
}
