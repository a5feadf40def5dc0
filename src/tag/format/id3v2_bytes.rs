//! Numbers of ID3v2, and how it keeps its bytes from looking like sound.

/// Reads a number of bytes.
pub(super) fn plain(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |n, &b| n << 8 | usize::from(b))
}

/// Reads a number of four times seven bits.
pub(super) fn synchsafe(bytes: &[u8]) -> usize {
    let bytes = &bytes[..4];
    bytes.iter().fold(0, |n, &b| n << 7 | usize::from(b & 0x7f))
}

/// Writes such a number.
pub(super) fn to_synchsafe(n: usize) -> [u8; 4] {
    [21, 14, 7, 0].map(|bits| (n >> bits & 0x7f) as u8)
}

/// Takes out the zero behind each 0xff.
pub(super) fn synchronise(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut bytes = bytes.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        out.push(byte);
        if byte == 0xff {
            bytes.next_if_eq(&0);
        }
    }
    out
}

/// Puts a zero behind each 0xff that something of a frame of sound, or a zero, follows.
pub(super) fn unsynchronise(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (i, &byte) in bytes.iter().enumerate() {
        out.push(byte);
        let next = bytes.get(i + 1);
        if byte == 0xff && next.is_none_or(|&next| next == 0 || next >= 0xe0) {
            out.push(0);
        }
    }
    out
}
