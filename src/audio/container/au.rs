//! Sun/NeXT audio (`.au`, `.snd`), the format in which GTZAN was published.
//!
//! The file is a header of big-endian words (magic `.snd`, offset of the data, its length,
//! encoding, sample rate, channels), then the interleaved samples. `dns.` is the same with
//! little-endian words.

use std::fs::File;
use std::io;

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::*;

use super::super::error::AudioError;
use super::blocks::{Blocks, Extent, Layout};
use super::window::Window;

/// The lengths in a header that stand for "unknown". A recorder that crashed leaves the second one.
const UNKNOWN: [u32; 2] = [u32::MAX, 0];

/// Bytes of the header, without the text that may follow it.
const HEADER: usize = 24;

/// Returns the codec of an encoding number and its bytes per sample. The others are DSP programs,
/// compressed speech and the like, which music files do not use.
fn coding(number: u32, little_endian: bool) -> Option<(AudioCodecId, u64)> {
    let of = |little, big| if little_endian { little } else { big };
    Some(match number {
        1 => (CODEC_ID_PCM_MULAW, 1),
        2 => (CODEC_ID_PCM_S8, 1),
        3 => (of(CODEC_ID_PCM_S16LE, CODEC_ID_PCM_S16BE), 2),
        4 => (of(CODEC_ID_PCM_S24LE, CODEC_ID_PCM_S24BE), 3),
        5 => (of(CODEC_ID_PCM_S32LE, CODEC_ID_PCM_S32BE), 4),
        6 => (of(CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F32BE), 4),
        7 => (of(CODEC_ID_PCM_F64LE, CODEC_ID_PCM_F64BE), 8),
        27 => (CODEC_ID_PCM_ALAW, 1),
        _ => return None,
    })
}

/// Reads the header at byte `start`.
pub(super) fn open(file: File, start: u64, len: u64) -> io::Result<Result<Blocks, AudioError>> {
    let mut window = Window::new(file.try_clone()?, start, len);
    let header = window.take(HEADER)?;
    if header.len() < HEADER {
        return Ok(Err(AudioError::damaged("the file ends inside its header")));
    }
    let little_endian = header.starts_with(b"dns.");
    let word = |i: usize| {
        let b = [0, 1, 2, 3].map(|k| header[4 * i + k]);
        match little_endian {
            true => u32::from_le_bytes(b),
            false => u32::from_be_bytes(b),
        }
    };
    let (offset, size, number, rate, channels) = (word(1), word(2), word(3), word(4), word(5));
    let Some((codec, bytes)) = coding(number, little_endian) else {
        return Ok(Err(AudioError::unsupported(format!(
            "au encoding {number}"
        ))));
    };
    if (offset as usize) < HEADER {
        return Ok(Err(AudioError::damaged(format!(
            "its header puts the samples at byte {offset}"
        ))));
    }
    let layout = Layout {
        codec,
        rate,
        channels,
        block: bytes * u64::from(channels),
        frames: 1,
    };
    let extent = Extent {
        start: start + u64::from(offset),
        stated: (!UNKNOWN.contains(&size)).then_some(u64::from(size)),
        len,
        note: None,
    };
    Ok(Blocks::open(file, layout, extent))
}
