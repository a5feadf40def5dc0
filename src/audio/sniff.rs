//! Recognizes a file's format by its first bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::container::mpeg_header::{find_adts, find_mpeg};
use super::error::AudioError;

/// The formats that have a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Sun and NeXT audio.
    Au,
    /// WAV, and its 64-bit forms RF64 and BW64.
    Wave,
    /// AIFF and AIFF-C.
    Aiff,
    /// Bare FLAC.
    Flac,
    /// Ogg with any codec.
    Ogg,
    /// MP4 and QuickTime.
    Mp4,
    /// Bare MP3, and its older layers.
    Mpeg,
    /// Bare AAC.
    Adts,
}

/// Bytes that are read at a time.
const HEAD: u64 = 64 * 1024;

/// Bytes searched for the start of a bare MPEG stream: more than the largest picture in a broken
/// tag.
const SEARCH: u64 = 8 * 1024 * 1024;

/// Maximum number of leading ID3v2 tags. A file with more is not music.
const TAGS: usize = 8;

/// Formats that hold music and have no reader here: an offset, the bytes there, and the name, which
/// the error states.
const UNSUPPORTED: &[(usize, &[u8], &str)] = &[
    (0, b"RIFX", "big-endian WAV (RIFX)"),
    (8, b"AVI ", "AVI video"),
    (0, b"riff", "Sony Wave64"),
    (8, b"8SVX", "Amiga 8SVX"),
    (0, b"wvpk", "WavPack"),
    (0, b"MAC ", "Monkey's Audio"),
    (0, b"MPCK", "Musepack"),
    (0, b"MP+", "Musepack"),
    (0, b"TTA1", "True Audio"),
    (0, b"TTA2", "True Audio"),
    (0, b"OFR ", "OptimFROG"),
    (0, b"ajkg", "Shorten"),
    (0, b"LA04", "Lossless Audio"),
    (0, b"tBaK", "TAK"),
    (0, b"caff", "Core Audio Format"),
    (0, b"DSD ", "DSD"),
    (0, b"FRM8", "DSD"),
    (0, b"MThd", "MIDI (notes, not sound)"),
    (0, b"NIST_1A", "NIST SPHERE"),
    (0, b"Creative Voice File", "Creative Voice"),
    (0, b"\x1a\x45\xdf\xa3", "Matroska/WebM"),
    (0, b"\x30\x26\xb2\x75", "Windows Media (ASF)"),
    (0, b"#!AMR", "AMR"),
    (0, b".ra\xfd", "RealAudio"),
    (0, b".RMF", "RealMedia"),
    (0, b"FLV\x01", "Flash video"),
    (0, b"\x0b\x77", "AC-3 (Dolby Digital)"),
    (0, b"\x77\x0b", "AC-3 (Dolby Digital)"),
    (0, b"\x7f\xfe\x80\x01", "DTS"),
    (0, b"\xfe\x7f\x01\x80", "DTS"),
    (0, b"\x1f\xff\xe8\x00", "DTS"),
    (0, b"\xff\x1f\x00\xe8", "DTS"),
    (0, b"\x00\x00\x01\xba", "MPEG video (program stream)"),
    (0, b"\x00\x00\x01\xb3", "MPEG video"),
    (
        0,
        b"Extended Module:",
        "a tracker module (notes, not sound)",
    ),
    (0, b"IMPM", "a tracker module (notes, not sound)"),
    (44, b"SCRM", "a tracker module (notes, not sound)"),
    (1080, b"M.K.", "a tracker module (notes, not sound)"),
];

/// Bytes per packet of an MPEG transport stream, each of which begins with the same letter.
const TRANSPORT: usize = 188;

/// Names the format of `head` if it is known and has no reader here.
fn unsupported(head: &[u8]) -> Option<&'static str> {
    let is_at = |at: usize, magic: &[u8]| head.get(at..at + magic.len()) == Some(magic);
    let mut packets = (0..5).map(|i| head.get(i * TRANSPORT) == Some(&b'G'));
    if packets.all(|is_packet| is_packet) {
        return Some("MPEG video (transport stream)");
    }
    let known = UNSUPPORTED.iter().find(|(at, magic, _)| is_at(*at, magic));
    known.map(|(_, _, name)| *name)
}

/// Returns the format of `file` and the byte at which it starts, after any ID3v2 tags.
///
/// The tags are skipped first because they may hold pictures, whose bytes may look like any format.
pub(super) fn sniff(file: &mut File, len: u64) -> io::Result<Result<(Format, u64), AudioError>> {
    if len == 0 {
        return Ok(Err(AudioError::Empty));
    }
    let mut start = 0;
    let mut head = read_head(file, start)?;
    for _ in 0..TAGS {
        let Some(tag) = id3v2_len(&head) else { break };
        start += tag;
        if start >= len {
            // A tag that states too great a length.
            return Ok(search(file, len)?.ok_or(AudioError::Empty));
        }
        head = read_head(file, start)?;
    }
    if let Some(format) = by_magic(&head) {
        return Ok(Ok((format, start)));
    }
    let whole = start + head.len() as u64 >= len;
    match bare_stream(&head, whole) {
        Some((format, 0)) => return Ok(Ok((format, start))),
        _ => {
            if let Some(name) = unsupported(&head) {
                return Ok(Err(AudioError::unsupported(name)));
            }
        }
    }
    // A tag that states too great a length reaches into the stream, so the search begins in it.
    Ok(search(file, len)?.ok_or(AudioError::UnknownFormat))
}

/// Searches a file for a bare MPEG stream.
fn search(file: &mut File, len: u64) -> io::Result<Option<(Format, u64)>> {
    let mut at = 0;
    while at < len.min(SEARCH) {
        let head = read_head(file, at)?;
        let whole = at + head.len() as u64 >= len;
        if let Some((format, found)) = bare_stream(&head, whole) {
            return Ok(Some((format, at + found)));
        }
        // The chain of headers that makes a stream may begin near the end of what was read.
        at += HEAD / 2;
    }
    Ok(None)
}

/// Reads up to [`HEAD`] bytes from `start` on.
fn read_head(file: &mut File, start: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut head = Vec::new();
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

/// Returns the total length in bytes of an ID3v2 tag at the start of `head`.
pub(super) fn id3v2_len(head: &[u8]) -> Option<u64> {
    let b = head.get(..10).filter(|b| b.starts_with(b"ID3"))?;
    if b[3] == 0xff || b[4] == 0xff || b[6..].iter().any(|&b| b > 0x7f) {
        return None;
    }
    let body = b[6..].iter().fold(0, |n, &b| n << 7 | u64::from(b));
    let footer = if b[5] & 0x10 != 0 { 10 } else { 0 };
    Some(10 + body + footer)
}

/// Recognizes formats with a magic number.
fn by_magic(head: &[u8]) -> Option<Format> {
    let at = |i: usize, magic: &[u8]| head.get(i..i + magic.len()) == Some(magic);
    let is_atom = |name: &&[u8; 4]| at(4, *name);
    Some(if at(0, b".snd") || at(0, b"dns.") {
        Format::Au
    } else if [b"RIFF", b"RF64", b"BW64"]
        .iter()
        .any(|magic| at(0, *magic))
        && at(8, b"WAVE")
    {
        Format::Wave
    } else if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        Format::Aiff
    } else if at(0, b"fLaC") {
        Format::Flac
    } else if at(0, b"OggS") {
        Format::Ogg
    } else if [b"ftyp", b"moov", b"mdat", b"wide"].iter().any(is_atom) {
        Format::Mp4
    } else {
        return None;
    })
}

/// Returns the bare MPEG stream that starts first. Frames of the other kind may occur by
/// chance inside it.
fn bare_stream(head: &[u8], whole: bool) -> Option<(Format, u64)> {
    let mp3 = find_mpeg(head, whole).map(|at| (Format::Mpeg, at as u64));
    let adts = find_adts(head, whole).map(|at| (Format::Adts, at as u64));
    mp3.into_iter().chain(adts).min_by_key(|&(_, at)| at)
}
