//! Ogg pages (RFC 3533).

use std::io;

use super::window::Window;

/// Bytes of a page's header without its table of segments.
const HEADER: usize = 27;

/// Bytes that are searched at a time for the next page.
const SEARCH: usize = 64 * 1024;

/// The remainder table of the checksum: polynomial 0x04c11db7, most significant bit first.
const CRC: [u32; 256] = {
    let mut table = [0; 256];
    let mut i = 0;
    while i < 256 {
        let mut value = (i as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            value = (value << 1) ^ (if value >> 31 == 1 { 0x04c1_1db7 } else { 0 });
            bit += 1;
        }
        table[i] = value;
        i += 1;
    }
    table
};

/// A page.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// Whether it goes on with the packet that the page before it began.
    pub continued: bool,
    /// Whether its stream begins with it.
    pub first: bool,
    /// Whether its stream ends with it.
    pub last: bool,
    /// The end of the last packet that ends on this page, in the codec's units; -1 if none ends.
    pub granule: i64,
    /// The stream that it belongs to.
    pub serial: u32,
    /// Its number in the stream.
    pub number: u32,
    /// The lengths of the segments. One under 255 ends a packet.
    pub segments: Vec<u8>,
    /// The segments. Empty if the checksum is wrong.
    pub body: Vec<u8>,
}

/// What lies ahead.
#[derive(Debug)]
pub(super) enum Found {
    /// A page.
    Page(Page),
    /// A page whose checksum is wrong. Its header may be right.
    Bad(Page),
}

/// Takes the next page. `None` at the end.
pub(super) fn next(window: &mut Window) -> io::Result<Option<Found>> {
    loop {
        let ahead = window.peek(HEADER)?;
        if ahead.len() < HEADER {
            window.pass_over(u64::MAX);
            return Ok(None);
        }
        if !ahead.starts_with(b"OggS\0") {
            let ahead = window.peek(SEARCH)?;
            let ahead = &ahead[..ahead.len().min(SEARCH)];
            let found = ahead.windows(5).skip(1).position(|w| w == b"OggS\0");
            let skip = found.map_or(ahead.len().saturating_sub(4).max(1), |at| at + 1);
            window.pass_over(skip as u64);
            continue;
        }
        let count = usize::from(ahead[26]);
        let head = window.peek(HEADER + count)?;
        let Some(segments) = head.get(HEADER..HEADER + count) else {
            window.pass_over(u64::MAX);
            return Ok(None);
        };
        let header = HEADER + count;
        let len = segments.iter().map(|&n| usize::from(n)).sum::<usize>();
        let bytes = window.peek(header + len)?;
        let bytes = &bytes[..bytes.len().min(header + len)];
        // The unused flags are 0 in every page.
        let is_right =
            bytes[5] < 8 && bytes.len() == header + len && checksum(bytes) == stated(bytes);
        if is_right {
            let page = page(bytes, header);
            window.skip((header + len) as u64);
            return Ok(Some(Found::Page(page)));
        }
        let page = page(&bytes[..header], header);
        // The length may be what is wrong, so the next page may begin anywhere behind the name.
        window.pass_over(4);
        return Ok(Some(Found::Bad(page)));
    }
}

/// Reads the fields of a page whose body begins at byte `header`.
fn page(bytes: &[u8], header: usize) -> Page {
    let number = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| bytes[at + i]));
    Page {
        continued: bytes[5] & 1 != 0,
        first: bytes[5] & 2 != 0,
        last: bytes[5] & 4 != 0,
        granule: i64::from(number(6)) | i64::from(number(10)) << 32,
        serial: number(14),
        number: number(18),
        segments: bytes[HEADER..header].to_vec(),
        body: bytes[header..].to_vec(),
    }
}

fn stated(page: &[u8]) -> u32 {
    u32::from_le_bytes([page[22], page[23], page[24], page[25]])
}

/// Computes the checksum of a page, in which its own field counts as 0.
fn checksum(page: &[u8]) -> u32 {
    let own = page[..22].iter().chain(&[0; 4]).chain(&page[26..]);
    own.fold(0, |crc, &byte| {
        crc << 8 ^ CRC[usize::from((crc >> 24) as u8 ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::CRC;

    #[test]
    fn remainders() {
        assert_eq!(CRC[..4], [0, 0x04c1_1db7, 0x0982_3b6e, 0x0d43_26d9]);
        assert_eq!(CRC[255], 0xb1f7_40b4);
    }
}
