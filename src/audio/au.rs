//! Sun/NeXT audio (`.au`, `.snd`), the format in which GTZAN was published.
//!
//! The file is a header of big-endian words (magic `.snd`, offset of the data, its length,
//! encoding, sample rate, channels), then the interleaved samples. `dns.` is the same with
//! little-endian words. The reader is part of this crate because no maintained crate reads `.au`.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::{AudioError, Result};
use super::mono::downmix;
use super::{MAX_CHANNELS, RATES, Source};

/// The length in a header that stands for "unknown".
const UNKNOWN: u32 = u32::MAX;

/// Frames decoded per call.
const BLOCK: u64 = 8192;

/// How a sample is stored.
#[derive(Debug, Clone, Copy)]
enum Coding {
    MuLaw,
    ALaw,
    /// Signed integers of this many bytes.
    Int(usize),
    F32,
    F64,
}

impl Coding {
    /// Returns the coding of an encoding number. The others are DSP programs, compressed speech and
    /// the like, which music files do not use.
    fn of(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::MuLaw,
            2..=5 => Self::Int(number as usize - 1),
            6 => Self::F32,
            7 => Self::F64,
            27 => Self::ALaw,
            _ => return None,
        })
    }

    /// Returns the number of bytes per sample.
    fn bytes(self) -> usize {
        match self {
            Self::MuLaw | Self::ALaw => 1,
            Self::Int(n) => n,
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// Decodes one sample, full scale 1, from its bytes in big-endian order.
    fn sample(self, b: &[u8]) -> f32 {
        match self {
            Self::MuLaw => f32::from(mu_law(b[0])) / 32768.0,
            Self::ALaw => f32::from(a_law(b[0])) / 32768.0,
            Self::Int(n) => {
                let mut top = [0; 4];
                top[..n].copy_from_slice(b);
                (f64::from(i32::from_be_bytes(top)) / 2_147_483_648.0) as f32
            }
            Self::F32 => f32::from_be_bytes([b[0], b[1], b[2], b[3]]),
            Self::F64 => {
                f64::from_be_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]) as f32
            }
        }
    }
}

/// The samples of an `.au` file.
pub(super) struct Au {
    data: BufReader<File>,
    path: PathBuf,
    coding: Coding,
    little_endian: bool,
    rate: u32,
    channels: u16,
    /// Whole frames left to read, bounded by the header and by the file's length.
    frames_left: u64,
    /// Frames that the header states and the file does not hold.
    missing: u64,
    unusable: u64,
    samples: u64,
    interleaved: Vec<f32>,
}

impl Au {
    /// Reads the header at byte `start`. `len` is the length of the whole file in bytes.
    pub(super) fn open(path: &Path, mut file: File, start: u64, len: u64) -> Result<Self> {
        let io = |source: std::io::Error| match source.kind() {
            ErrorKind::UnexpectedEof => AudioError::damaged("the file ends inside its header"),
            _ => AudioError::Io {
                path: path.to_owned(),
                source,
            },
        };
        let mut header = [0; 24];
        file.seek(SeekFrom::Start(start)).map_err(io)?;
        file.read_exact(&mut header).map_err(io)?;
        let little_endian = header.starts_with(b"dns.");
        let word = |i: usize| {
            let b = [0, 1, 2, 3].map(|k| header[4 * i + k]);
            if little_endian {
                u32::from_le_bytes(b)
            } else {
                u32::from_be_bytes(b)
            }
        };
        let (offset, size, number, rate, channels) = (word(1), word(2), word(3), word(4), word(5));
        let Some(coding) = Coding::of(number) else {
            return Err(AudioError::unsupported(format!("au encoding {number}")));
        };
        if offset < 24 || !RATES.contains(&rate) || !(1..=MAX_CHANNELS as u32).contains(&channels) {
            return Err(AudioError::damaged(format!(
                "au header with data at byte {offset}, {channels} channels, {rate} Hz"
            )));
        }
        let begin = start + u64::from(offset);
        let available = len.saturating_sub(begin);
        let stated = if size == UNKNOWN {
            available
        } else {
            u64::from(size)
        };
        let frame = coding.bytes() as u64 * u64::from(channels);
        let frames_left = stated.min(available) / frame;
        if frames_left == 0 {
            return Err(match stated >= frame {
                true => AudioError::damaged("the file ends where its samples should begin"),
                false => AudioError::Empty,
            });
        }
        file.seek(SeekFrom::Start(begin)).map_err(io)?;
        Ok(Self {
            data: BufReader::new(file),
            path: path.to_owned(),
            coding,
            little_endian,
            rate,
            channels: channels as u16,
            frames_left,
            missing: stated / frame - frames_left,
            unusable: 0,
            samples: 0,
            interleaved: Vec::new(),
        })
    }
}

impl Source for Au {
    fn next(&mut self, mono: &mut Vec<f32>) -> Result<bool> {
        let frames = self.frames_left.min(BLOCK);
        if frames == 0 {
            return Ok(false);
        }
        let width = self.coding.bytes();
        let mut bytes = vec![0; frames as usize * width * usize::from(self.channels)];
        if let Err(source) = self.data.read_exact(&mut bytes) {
            self.frames_left = 0;
            return Err(AudioError::Io {
                path: self.path.clone(),
                source,
            });
        }
        self.frames_left -= frames;
        self.interleaved.clear();
        self.interleaved
            .extend(bytes.chunks_exact_mut(width).map(|b| {
                if self.little_endian {
                    b.reverse();
                }
                self.coding.sample(b)
            }));
        self.samples += self.interleaved.len() as u64;
        self.unusable += downmix(&self.interleaved, self.channels, mono);
        Ok(true)
    }

    fn spec(&self) -> (u32, u16) {
        (self.rate, self.channels)
    }

    fn unusable(&self) -> (u64, u64) {
        (self.unusable, self.samples)
    }

    fn note(&self) -> Option<String> {
        (self.missing > 0).then(|| format!("ends {} samples early", self.missing))
    }
}

/// Decodes ITU-T G.711 mu-law to 16-bit linear PCM.
fn mu_law(byte: u8) -> i16 {
    let b = !byte;
    let size = ((i16::from(b & 15) << 3) + 132) << (b >> 4 & 7);
    if b & 0x80 != 0 {
        132 - size
    } else {
        size - 132
    }
}

/// Decodes ITU-T G.711 A-law to 16-bit linear PCM.
fn a_law(byte: u8) -> i16 {
    let b = byte ^ 0x55;
    let (step, part) = (b >> 4 & 7, i16::from(b & 15) << 4);
    let size = match step {
        0 => part + 8,
        _ => (part + 264) << (step - 1),
    };
    if b & 0x80 != 0 { size } else { -size }
}

#[cfg(test)]
mod tests {
    use super::{a_law, mu_law};

    /// Ends and middles of the tables in G.711, scaled to 16 bits.
    #[test]
    fn companding_laws() {
        assert_eq!([0x00, 0x80, 0x7f, 0xff].map(mu_law), [-32124, 32124, 0, 0]);
        assert_eq!(
            [0x0f, 0x8f, 0x70, 0xf0].map(mu_law),
            [-16764, 16764, -120, 120]
        );
        assert_eq!([0x2a, 0xaa, 0x55, 0xd5].map(a_law), [-32256, 32256, -8, 8]);
        // Both laws increase over their positive half.
        let mu: Vec<_> = (0x80..=0xff).rev().map(mu_law).collect();
        let a: Vec<_> = (0x80..=0xffu8).map(|b| a_law(b ^ 0x55)).collect();
        assert!(mu.is_sorted() && a.is_sorted());
    }
}
