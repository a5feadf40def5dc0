//! Recognizes a file's format by its first bytes.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use super::container::mpeg_header::{find_adts, find_mpeg};
use super::error::AudioError;

/// The formats that have a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Au,
    Wave,
    Aiff,
    Flac,
    Ogg,
    Mp4,
    Mpeg,
    Adts,
}

/// Bytes searched for the start of a bare MPEG stream, after any ID3v2 tags.
const HEAD: u64 = 64 * 1024;

/// Maximum number of leading ID3v2 tags. A file with more is not music.
const TAGS: usize = 8;

/// Formats that hold music and have no reader here. The error names them.
const UNSUPPORTED: &[(&[u8], &str)] = &[
    (b"RIFX", "big-endian WAV (RIFX)"),
    (b"riff", "Sony Wave64"),
    (b"wvpk", "WavPack"),
    (b"MAC ", "Monkey's Audio"),
    (b"MPCK", "Musepack"),
    (b"MP+", "Musepack"),
    (b"TTA1", "True Audio"),
    (b"caff", "Core Audio Format"),
    (b"DSD ", "DSD"),
    (b"FRM8", "DSD"),
    (b"MThd", "MIDI (notes, not sound)"),
    (b"NIST_1A", "NIST SPHERE"),
    (b"\x1a\x45\xdf\xa3", "Matroska/WebM"),
    (b"\x30\x26\xb2\x75", "Windows Media (ASF)"),
    (b"#!AMR", "AMR"),
];

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
            return Ok(Err(AudioError::Empty));
        }
        head = read_head(file, start)?;
    }
    let whole = start + head.len() as u64 >= len;
    let found = match by_magic(&head) {
        Some(format) => Ok((format, start)),
        None => match UNSUPPORTED
            .iter()
            .find(|(magic, _)| head.starts_with(magic))
        {
            Some((_, name)) => Err(AudioError::unsupported(*name)),
            None => bare_stream(&head, whole)
                .map(|(format, at)| (format, start + at))
                .ok_or(AudioError::UnknownFormat),
        },
    };
    Ok(found)
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
