//! Recognising bare MPEG streams (MP3, ADTS AAC), which have no magic number.
//!
//! A sync word is 11 or 12 bits, so random bytes are full of them. Here a stream counts as one
//! only where three headers of the same kind follow each other at exactly the distances they
//! state, or the last one ends exactly where the file does.

/// What a frame header says that must not change along a stream, and the frame's length in bytes.
struct Header {
    same: u32,
    len: usize,
}

/// How many headers in a row make a stream.
const CHAIN: usize = 3;

/// Bytes that may stand behind the last frame of a very short stream: an ID3v1 tag.
const TAIL: usize = 128;

/// Offset in `head` of the first frame of an MP3 stream. `whole`: `head` ends where the file does.
pub(super) fn find_mp3(head: &[u8], whole: bool) -> Option<usize> {
    find(head, whole, mp3_header)
}

/// Offset in `head` of the first frame of an ADTS AAC stream.
pub(super) fn find_adts(head: &[u8], whole: bool) -> Option<usize> {
    find(head, whole, adts_header)
}

fn find(head: &[u8], whole: bool, parse: fn(&[u8]) -> Option<Header>) -> Option<usize> {
    (0..head.len().saturating_sub(3))
        .filter(|&i| head[i] == 0xff)
        .find(|&i| is_chain(&head[i..], whole, parse))
}

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
            Some(next) if next.same == first.same => at += next.len,
            _ => return false,
        }
    }
    true
}

/// MPEG 1, 2 or 2.5, layer III, at a stated bit rate (the free format is not decoded here).
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
        same: word & 0xfffe_0c00,
        len: words * kbit / rate + (word >> 9 & 1) as usize,
    })
}

fn adts_header(bytes: &[u8]) -> Option<Header> {
    let b: [u8; 6] = bytes.get(..6)?.try_into().ok()?;
    let rate_index = b[2] >> 2 & 15;
    if b[0] != 0xff || b[1] & 0xf6 != 0xf0 || rate_index > 12 {
        return None;
    }
    let len = usize::from(b[3] & 3) << 11 | usize::from(b[4]) << 3 | usize::from(b[5]) >> 5;
    (len >= 7).then(|| Header {
        same: u32::from_be_bytes([b[1], b[2] & 0xfd, b[3] & 0xc0, 0]),
        len,
    })
}
