//! WAV: RIFF, and its 64-bit forms RF64 and BW64 (EBU Tech 3306, ITU-R BS.2088).
//!
//! Only two chunks matter here, `fmt ` and `data`. Recorders that crash and programs that write
//! into a pipe leave wrong sizes, and taggers leave wrong padding, so a chunk that leads nowhere is
//! followed by a search for the next one.

use std::fs::File;
use std::io;

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::*;

use super::super::error::AudioError;
use super::blocks::{Blocks, Extent, Layout};
use super::window::Window;

/// Sizes of `data` that say that nobody knew the size: a pipe's writers state 0x7ffff000 (sox),
/// 0x7fffffff, 0xfffffff0 or 0xffffffff.
const UNKNOWN: [std::ops::RangeInclusive<u64>; 2] =
    [0x7fff_0000..=0x8000_0000, 0xffff_0000..=u64::MAX];

/// Bytes that are searched for a chunk behind one that leads nowhere.
const SEARCH: usize = 1024 * 1024;

/// Times that a file is searched.
const SEARCHES: u32 = 64;

/// Chunks that follow `data` in real files.
const KNOWN: &[&[u8; 4]] = &[
    b"LIST", b"list", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"smpl", b"inst", b"iXML",
    b"JUNK", b"junk", b"PAD ", b"_PMX", b"afsp", b"plst", b"acid", b"strc", b"levl", b"cart",
    b"fmt ", b"data", b"PEAK", b"minf", b"umid", b"axml", b"chna",
];

/// Reads the header at byte `start`.
pub(super) fn open(file: File, start: u64, len: u64) -> io::Result<Result<Blocks, AudioError>> {
    let mut window = Window::new(file.try_clone()?, start, len);
    let large = matches!(window.peek(4)?, [b'R' | b'B', b'F' | b'W', b'6', b'4', ..]);
    window.skip(12);
    let mut large_data = None;
    let mut layout = None;
    let mut searches = 0;
    loop {
        let Some((id, size)) = chunk(&mut window)? else {
            return Ok(Err(match layout {
                None => AudioError::damaged("no `fmt ` chunk says how its samples are stored"),
                Some(_) => AudioError::Empty,
            }));
        };
        let body = window.position();
        match &id {
            b"ds64" => {
                let head = window.peek(16)?;
                large_data = head
                    .get(8..16)
                    .and_then(|b| Some(u64::from_le_bytes(b.try_into().ok()?)));
            }
            b"fmt " => {
                let head = window.peek(40)?;
                let head = &head[..head.len().min(40).min(size as usize)];
                match format(head) {
                    Ok(found) => layout = Some(found),
                    Err(e) => return Ok(Err(e)),
                }
            }
            b"data" => {
                let size = match (large, large_data) {
                    (true, Some(data)) if size == u64::from(u32::MAX) => data,
                    _ => size,
                };
                let empty = size == 0 && (window.left() == 0 || is_chunk(&mut window, 0)?);
                if let (Some(layout), false) = (layout, empty) {
                    let is_unknown = UNKNOWN.iter().any(|sizes| sizes.contains(&size));
                    let trusted = large && large_data.is_some_and(|size| size <= i64::MAX as u64);
                    let unknown = size == 0 || (!trusted && is_unknown && size > window.left());
                    let extent = Extent {
                        start: body,
                        stated: (!unknown).then_some(size),
                        len,
                        note: match unknown {
                            false => second_data(&mut window, size)?,
                            true => None,
                        },
                    };
                    return Ok(Blocks::open(file, layout, extent));
                }
            }
            _ => {}
        }
        window.skip(size);
        // A chunk of odd size has a byte of padding, which some writers leave out.
        if size & 1 == 1 && (is_chunk(&mut window, 1)? || !is_chunk(&mut window, 0)?) {
            window.skip(1);
        }
        if window.left() == 0 || !is_chunk(&mut window, 0)? {
            searches += 1;
            if searches > SEARCHES {
                window.skip(u64::MAX);
                continue;
            }
            // The size leads nowhere. The next chunk begins somewhere behind this one's name.
            let mut behind = Window::new(file.try_clone()?, body, len);
            match find(&mut behind, layout.is_some())? {
                true => window = behind,
                false => window.skip(u64::MAX),
            }
        }
    }
}

/// Notes another `data` chunk behind the one of `size` bytes that begins here.
fn second_data(window: &mut Window, size: u64) -> io::Result<Option<&'static str>> {
    /// Chunks that are looked at.
    const CHUNKS: usize = 64;

    window.skip(size.saturating_add(size & 1));
    for _ in 0..CHUNKS {
        match chunk(window)? {
            Some((id, _)) if &id == b"data" => {
                return Ok(Some("a second `data` chunk is not read"));
            }
            Some((_, size)) => window.skip(size + (size & 1)),
            None => break,
        }
    }
    Ok(None)
}

/// Takes the name and the size of a chunk. `None` at the end.
fn chunk(window: &mut Window) -> io::Result<Option<([u8; 4], u64)>> {
    let head = window.peek(8)?;
    let Some(&[a, b, c, d, s0, s1, s2, s3]) = head.get(..8) else {
        return Ok(None);
    };
    window.skip(8);
    let size = u32::from_le_bytes([s0, s1, s2, s3]);
    Ok(Some(([a, b, c, d], u64::from(size))))
}

/// Returns whether a chunk begins `at` bytes ahead: one of a known name, or of any name whose size
/// fits into the file. Also where none can begin because the file ends.
fn is_chunk(window: &mut Window, at: usize) -> io::Result<bool> {
    let left = window.left().saturating_sub(at as u64);
    let head = window.peek(at + 8)?;
    let Some(&[a, b, c, d, s0, s1, s2, s3]) = head.get(at..at + 8) else {
        return Ok(true);
    };
    let name = [a, b, c, d];
    let size = u64::from(u32::from_le_bytes([s0, s1, s2, s3]));
    let printable = |b: &u8| (b' '..=b'~').contains(b);
    Ok(KNOWN.contains(&&name) || (name.iter().all(printable) && 8 + size <= left))
}

/// Moves `window` to the next `fmt ` chunk, or `data` chunk if the format is known. Returns whether
/// there is one.
fn find(window: &mut Window, data: bool) -> io::Result<bool> {
    let name: &[u8; 4] = if data { b"data" } else { b"fmt " };
    let ahead = window.peek(SEARCH)?;
    let ahead = &ahead[..ahead.len().min(SEARCH)];
    match ahead.windows(8).position(|w| w.starts_with(name)) {
        Some(at) => {
            window.skip(at as u64);
            Ok(true)
        }
        None => Ok(false),
    }
}

/// Reads a `fmt ` chunk (Microsoft's WAVEFORMATEX and WAVEFORMATEXTENSIBLE).
fn format(chunk: &[u8]) -> Result<Layout, AudioError> {
    let half = |at: usize| -> Option<u16> {
        Some(u16::from_le_bytes(chunk.get(at..at + 2)?.try_into().ok()?))
    };
    let (Some(tag), Some(channels), Some(align), Some(bits)) =
        (half(0), half(2), half(12), half(14))
    else {
        return Err(AudioError::damaged("its `fmt ` chunk is cut off"));
    };
    let rate = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
    // An extensible format names the real one in the first two bytes of an identifier.
    let tag = match tag {
        0xfffe => half(24).unwrap_or(1),
        tag => tag,
    };
    let channels = u32::from(channels);
    let pcm = |codec: AudioCodecId, bytes: u64| Layout {
        codec,
        rate,
        channels,
        block: bytes * u64::from(channels),
        frames: 1,
    };
    // A block holds a header per channel, with a number of samples in it, and half a byte for each
    // further sample.
    let adpcm = |codec: AudioCodecId, header: u64, samples: u64| {
        let (block, channels) = (u64::from(align), u64::from(channels.max(1)));
        let frames = (block.saturating_sub(header * channels)) * 2 / channels + samples;
        Layout {
            codec,
            rate,
            channels: channels as u32,
            block: if block > header * channels { block } else { 0 },
            frames,
        }
    };
    Ok(match (tag, bits) {
        (1, 1..=8) => pcm(CODEC_ID_PCM_U8, 1),
        (1, 9..=16) => pcm(CODEC_ID_PCM_S16LE, 2),
        (1, 17..=24) if u64::from(align) == 4 * u64::from(channels) => pcm(CODEC_ID_PCM_S32LE, 4),
        (1, 17..=24) => pcm(CODEC_ID_PCM_S24LE, 3),
        (1, 25..=32) => pcm(CODEC_ID_PCM_S32LE, 4),
        (3, 32) => pcm(CODEC_ID_PCM_F32LE, 4),
        (3, 64) => pcm(CODEC_ID_PCM_F64LE, 8),
        (6, _) => pcm(CODEC_ID_PCM_ALAW, 1),
        (7, _) => pcm(CODEC_ID_PCM_MULAW, 1),
        (2, _) => adpcm(CODEC_ID_ADPCM_MS, 7, 2),
        (0x11, _) => adpcm(CODEC_ID_ADPCM_IMA_WAV, 4, 1),
        (1 | 3, _) => {
            return Err(AudioError::unsupported(format!("WAV of {bits} bits")));
        }
        _ => return Err(AudioError::unsupported(codec_name(tag))),
    })
}

/// Names the codec of a WAV format tag that has no decoder here.
fn codec_name(tag: u16) -> String {
    let name = match tag {
        0x0010 => "OKI ADPCM",
        0x0014 | 0x0040 | 0x0045 | 0x0064 => "G.72x speech",
        0x0031 => "GSM 6.10",
        0x0050 => "MPEG layer I or II",
        0x0055 => "MP3",
        0x0092 | 0x2000 => "AC-3",
        0x00ff | 0x1600 | 0x1610 => "AAC",
        0x0160..=0x0163 => "Windows Media Audio",
        0x0270 => "ATRAC3",
        0x2001 => "DTS",
        0x566f | 0x674f..=0x6771 => "Vorbis",
        0xf1ac => "FLAC",
        _ => return format!("WAV with the codec {tag:#06x}"),
    };
    format!("WAV with {name}")
}
