//! AIFF and AIFF-C (Apple, 1989 and 1991): big-endian chunks, of which `COMM` and `SSND` matter.

use std::fs::File;
use std::io;

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known::*;

use super::super::error::AudioError;
use super::blocks::{Blocks, Extent, Layout};
use super::window::Window;

/// Reads the header at byte `start`.
pub(super) fn open(file: File, start: u64, len: u64) -> io::Result<Result<Blocks, AudioError>> {
    let mut window = Window::new(file.try_clone()?, start, len);
    let compressed = window.peek(12)?.get(8..12) == Some(b"AIFC");
    window.skip(12);
    let (mut layout, mut samples) = (None, None);
    while layout.is_none() || samples.is_none() {
        let head = window.take(8)?;
        let Some(&[a, b, c, d, s0, s1, s2, s3]) = head.get(..8) else {
            break;
        };
        let size = u64::from(u32::from_be_bytes([s0, s1, s2, s3]));
        match &[a, b, c, d] {
            b"COMM" => {
                let head = window.peek(22)?;
                let head = &head[..head.len().min(22).min(size as usize)];
                match common(head, compressed) {
                    Ok(found) => layout = Some(found),
                    Err(e) => return Ok(Err(e)),
                }
            }
            b"SSND" => {
                let head = window.peek(4)?;
                let Some(&[o0, o1, o2, o3]) = head.get(..4) else {
                    break;
                };
                let offset = 8 + u64::from(u32::from_be_bytes([o0, o1, o2, o3]));
                // A writer into a pipe does not know the size.
                let is_unknown = matches!(size, 0x7fff_0000..=0x8000_0000 | 0xffff_0000..);
                let unknown = size <= offset || is_unknown && size > window.left();
                samples = Some(Extent {
                    start: window.position() + offset,
                    stated: (!unknown).then(|| size - offset),
                    len,
                    note: None,
                });
            }
            _ => {}
        }
        window.skip(size);
        // A chunk of odd size has a byte of padding, which some writers leave out.
        if size & 1 == 1 && (is_name(&mut window, 1)? || !is_name(&mut window, 0)?) {
            window.skip(1);
        }
    }
    Ok(match (layout, samples) {
        (Some(layout), Some(extent)) => Blocks::open(file, layout, extent),
        (None, _) => Err(AudioError::damaged(
            "no `COMM` chunk says how its samples are stored",
        )),
        (_, None) => Err(AudioError::Empty),
    })
}

/// Returns whether the four bytes that lie `at` bytes ahead can be the name of a chunk, or the file
/// ends.
fn is_name(window: &mut Window, at: usize) -> io::Result<bool> {
    let ahead = window.peek(at + 4)?;
    let name = ahead.get(at..at + 4);
    Ok(name.is_none_or(|name| name.iter().all(|b| (b' '..=b'~').contains(b))))
}

/// Reads a `COMM` chunk.
fn common(chunk: &[u8], compressed: bool) -> Result<Layout, AudioError> {
    let (Some(channels), Some(bits), Some(rate)) =
        (chunk.get(..2), chunk.get(6..8), chunk.get(8..18))
    else {
        return Err(AudioError::damaged("its `COMM` chunk is cut off"));
    };
    let channels = u32::from(u16::from_be_bytes([channels[0], channels[1]]));
    let bits = u16::from_be_bytes([bits[0], bits[1]]);
    let kind = match compressed {
        true => chunk.get(18..22).unwrap_or(b"NONE"),
        false => b"NONE",
    };
    let (codec, bytes, frames): (AudioCodecId, u64, u64) = match (kind, bits) {
        (b"NONE" | b"twos", 1..=8) => (CODEC_ID_PCM_S8, 1, 1),
        (b"NONE" | b"twos", 9..=16) => (CODEC_ID_PCM_S16BE, 2, 1),
        (b"NONE" | b"twos" | b"in24", 17..=24) => (CODEC_ID_PCM_S24BE, 3, 1),
        (b"NONE" | b"twos" | b"in32", 25..=32) => (CODEC_ID_PCM_S32BE, 4, 1),
        (b"sowt", 9..=16) => (CODEC_ID_PCM_S16LE, 2, 1),
        (b"sowt", 17..=24) => (CODEC_ID_PCM_S24LE, 3, 1),
        (b"sowt", 25..=32) => (CODEC_ID_PCM_S32LE, 4, 1),
        (b"raw ", 1..=8) => (CODEC_ID_PCM_U8, 1, 1),
        (b"fl32" | b"FL32", _) => (CODEC_ID_PCM_F32BE, 4, 1),
        (b"fl64" | b"FL64", _) => (CODEC_ID_PCM_F64BE, 8, 1),
        (b"alaw" | b"ALAW", _) => (CODEC_ID_PCM_ALAW, 1, 1),
        (b"ulaw" | b"ULAW", _) => (CODEC_ID_PCM_MULAW, 1, 1),
        (b"ima4", _) => (CODEC_ID_ADPCM_IMA_QT, 34, 64),
        (b"NONE" | b"twos" | b"sowt" | b"raw ", _) => {
            return Err(AudioError::unsupported(format!("AIFF of {bits} bits")));
        }
        _ => {
            let kind = kind.escape_ascii();
            return Err(AudioError::unsupported(format!(
                "AIFF with the codec `{kind}`"
            )));
        }
    };
    Ok(Layout {
        codec,
        rate: extended(rate),
        channels,
        block: bytes * u64::from(channels),
        frames,
    })
}

/// Rounds an 80-bit number to an integer, at most `u32::MAX`. A sample rate has no more digits.
fn extended(b: &[u8]) -> u32 {
    let exponent = i32::from(u16::from_be_bytes([b[0] & 0x7f, b[1]])) - 16_383;
    let fraction = u64::from_be_bytes([b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9]]);
    match exponent {
        0..=31 => (((fraction >> (62 - exponent)) + 1) >> 1).min(u64::from(u32::MAX)) as u32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::extended;

    #[test]
    fn rates() {
        let of = |a: u16, b: u64| extended(&[&a.to_be_bytes()[..], &b.to_be_bytes()].concat());
        assert_eq!(of(0x400e, 0xac44 << 48), 44_100);
        assert_eq!(of(0x400e, 0xbb80 << 48), 48_000);
        assert_eq!(of(0x400b, 0xfa00 << 48), 8_000);
        assert_eq!(of(0x400d, 0xac44 << 48), 22_050);
        assert_eq!(of(0, 0), 0);
        assert_eq!(of(0x7fff, u64::MAX), 0);
    }
}
