//! Tags around the sound of a file without a container: ID3v1, ID3v2, APEv2 and Lyrics3.

use std::fs::File;
use std::io;

use super::super::sniff::id3v2_len;
use super::window::Window;

/// Bytes that show the beginning of any tag, and its length except for Lyrics3.
pub(super) const HEAD: usize = 32;

/// Length of an ID3v1 tag.
const ID3V1: u64 = 128;

/// The longest Lyrics3 tag in bytes that is looked at.
const LYRICS: usize = 64 * 1024;

/// Returns the length of the tag that begins here, or 0.
pub(super) fn len_of_tag(window: &mut Window) -> io::Result<u64> {
    let head = window.peek(HEAD)?;
    if head.starts_with(b"TAG") {
        return Ok(ID3V1);
    }
    if let Some(len) = id3v2_len(head) {
        return Ok(len);
    }
    if head.starts_with(b"APETAGEX") {
        // The header of 32 bytes does not count itself.
        return Ok(ape_len(head).map_or(0, |len| 32 + len));
    }
    if head.starts_with(b"LYRICSBEGIN") {
        let ahead = window.peek(LYRICS)?;
        let end = |w: &[u8]| w == b"LYRICS200" || w == b"LYRICSEND";
        let end = ahead.windows(9).position(end);
        return Ok(end.map_or(0, |at| at as u64 + 9));
    }
    Ok(0)
}

/// Returns whether a tag begins with `head`.
pub(super) fn begins_tag(head: &[u8]) -> bool {
    let names: [&[u8]; 4] = [b"TAG", b"ID3", b"APETAGEX", b"LYRICSBEGIN"];
    names.iter().any(|name| head.starts_with(name))
}

/// Returns where the sound between bytes `start` and `len` of a file ends: in front of the tags that
/// programs append.
pub(super) fn end_of_sound(file: &File, start: u64, len: u64) -> io::Result<u64> {
    let mut end = len;
    let tail = |end: u64, n: u64| -> io::Result<Vec<u8>> {
        let from = end.saturating_sub(n).max(start);
        Window::new(file.try_clone()?, from, end).take(n as usize)
    };
    if tail(end, ID3V1)?.starts_with(b"TAG") && end - start > ID3V1 {
        end -= ID3V1;
    }
    // Lyrics3 ends with its length in six digits and nine letters.
    let lyrics = tail(end, 15)?;
    if lyrics.ends_with(b"LYRICS200") {
        let digits = std::str::from_utf8(&lyrics[..6]).ok();
        let size = digits.and_then(|digits| digits.parse::<u64>().ok());
        end -= size.map_or(0, |size| size + 15).min(end - start);
    }
    // The footer of APEv2 counts itself and the items in front of it. A header may come before.
    let footer = tail(end, 32)?;
    if footer.starts_with(b"APETAGEX")
        && let Some(size) = ape_len(&footer)
    {
        let header = 32 * u64::from(footer[23] >> 7);
        if size + header < end - start {
            end -= size + header;
        }
    }
    Ok(end)
}

/// Reads the length in the header or footer of an APEv2 tag.
fn ape_len(head: &[u8]) -> Option<u64> {
    let b = head.get(12..16)?;
    Some(u64::from(u32::from_le_bytes([b[0], b[1], b[2], b[3]])))
}
