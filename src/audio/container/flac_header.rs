//! The header blocks and frame headers of FLAC (RFC 9639).

use symphonia::core::checksum::Crc8Ccitt;
use symphonia::core::io::Monitor;

/// Length of a STREAMINFO block in bytes.
pub(super) const STREAM_INFO: usize = 34;

/// The longest frame header in bytes.
pub(super) const LONGEST: usize = 16;

/// What STREAMINFO says.
#[derive(Debug, Clone)]
pub(super) struct StreamInfo {
    bytes: [u8; STREAM_INFO],
}

impl StreamInfo {
    /// Reads a block of [`STREAM_INFO`] bytes.
    pub(super) fn read(block: &[u8]) -> Option<Self> {
        let bytes = block.get(..STREAM_INFO)?.try_into().ok()?;
        Some(Self { bytes })
    }

    /// Returns the bits of bytes 10 to 17: rate (20), channels - 1 (3), bits - 1 (5), total (36).
    fn word(&self) -> u64 {
        let mut word = [0; 8];
        word.copy_from_slice(&self.bytes[10..18]);
        u64::from_be_bytes(word)
    }

    /// Returns the smallest and the largest block, in samples.
    pub(super) fn blocks(&self) -> (u16, u16) {
        let half = |at| u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]]);
        (half(0), half(2))
    }

    /// Returns the format of the sound.
    pub(super) fn format(&self) -> Format {
        let word = self.word();
        Format {
            rate: (word >> 44) as u32,
            channels: (word >> 41 & 7) as u8 + 1,
            bits: (word >> 36 & 31) as u8 + 1,
        }
    }

    /// Returns the number of samples per channel. `None` if it is unknown.
    pub(super) fn total(&self) -> Option<u64> {
        let total = self.word() & ((1 << 36) - 1);
        (total > 0).then_some(total)
    }

    /// Returns the block of a stream of the same kind with another format, of unknown length, whose
    /// blocks are as large as they can be. A decoder takes any frame of that format with it.
    pub(super) fn for_decoder(&self, format: Format) -> Box<[u8]> {
        let mut bytes = self.bytes;
        bytes[..2].copy_from_slice(&16_u16.to_be_bytes());
        bytes[2..4].copy_from_slice(&u16::MAX.to_be_bytes());
        bytes[4..10].fill(0);
        let word = u64::from(format.rate) << 44
            | u64::from(format.channels - 1) << 41
            | u64::from(format.bits - 1) << 36;
        bytes[10..18].copy_from_slice(&word.to_be_bytes());
        bytes[18..].fill(0);
        bytes.into()
    }
}

/// How the sound of a stream is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// Sample rate in Hz.
    pub rate: u32,
    pub channels: u8,
    /// Bits per sample.
    pub bits: u8,
}

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub format: Format,
    /// Samples per channel in the frame.
    pub samples: u32,
    /// The number of the first sample, or of the frame.
    pub number: u64,
    /// Whether the header says that `number` counts samples.
    pub by_sample: bool,
}

impl FrameHeader {
    /// Parses the header at the start of `b`. Fields that it leaves to STREAMINFO come from
    /// `stream`. `None` if no header is there.
    pub(super) fn read(b: &[u8], stream: Format) -> Option<Self> {
        const RATES: [u32; 12] = [
            0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
            96_000,
        ];

        if *b.first()? != 0xff || b.get(1)? & 0xfe != 0xf8 || b.get(3)? & 1 != 0 {
            return None;
        }
        let (number, mut at) = coded_number(b.get(4..)?)?;
        at += 4;
        let mut take = |n: usize| -> Option<u32> {
            let value = b.get(at..at + n)?;
            at += n;
            Some(value.iter().fold(0, |v, &b| v << 8 | u32::from(b)))
        };
        let samples = match b[2] >> 4 {
            0 => return None,
            1 => 192,
            n @ 2..=5 => 144 << n,
            6 => take(1)? + 1,
            7 => take(2)? + 1,
            n => 1 << n,
        };
        let rate = match b[2] & 15 {
            0 => stream.rate,
            12 => take(1)? * 1000,
            13 => take(2)?,
            14 => take(2)? * 10,
            15 => return None,
            n => RATES[usize::from(n)],
        };
        let channels = match b[3] >> 4 {
            n @ 0..=7 => n + 1,
            8..=10 => 2,
            _ => return None,
        };
        let bits = match b[3] >> 1 & 7 {
            0 => stream.bits,
            1 => 8,
            2 => 12,
            4 => 16,
            5 => 20,
            6 => 24,
            7 => 32,
            _ => return None,
        };
        let mut crc = Crc8Ccitt::new(0);
        crc.process_buf_bytes(b.get(..at)?);
        if *b.get(at)? != crc.crc() || rate == 0 {
            return None;
        }
        Some(Self {
            format: Format {
                rate,
                channels,
                bits,
            },
            samples,
            number,
            by_sample: b[1] & 1 == 1,
        })
    }
}

/// Reads a number coded as UTF-8 codes characters, of up to 36 bits, and returns it with its
/// length in bytes.
fn coded_number(b: &[u8]) -> Option<(u64, usize)> {
    let first = *b.first()?;
    let len = match first.leading_ones() {
        0 => return Some((u64::from(first), 1)),
        n @ 2..=7 => n as usize,
        _ => return None,
    };
    let top = u64::from(first) & ((1 << (7 - len)) - 1);
    let rest = b.get(1..len)?;
    if rest.iter().any(|b| b & 0xc0 != 0x80) {
        return None;
    }
    let number = rest.iter().fold(top, |v, &b| v << 6 | u64::from(b & 0x3f));
    Some((number, len))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CD: Format = Format {
        rate: 44_100,
        channels: 2,
        bits: 16,
    };

    #[test]
    fn numbers() {
        assert_eq!(coded_number(&[0x7f]), Some((0x7f, 1)));
        assert_eq!(coded_number("é".as_bytes()), Some((0xe9, 2)));
        assert_eq!(coded_number("€".as_bytes()), Some((0x20ac, 3)));
        let longest = [0xfe, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf, 0xbf];
        assert_eq!(coded_number(&longest), Some(((1 << 36) - 1, 7)));
        assert_eq!(coded_number(&[0x80]), None);
        assert_eq!(coded_number(&[0xc3, 0x29]), None);
        assert_eq!(coded_number(&[0xc3]), None);
    }

    #[test]
    fn frame_headers() {
        // The first frame of the example in RFC 9639, appendix D.1.
        let frame = [0xff, 0xf8, 0x69, 0x18, 0x00, 0x00, 0xbf];
        let header = FrameHeader::read(&frame, CD).unwrap();
        assert_eq!((header.samples, header.number), (1, 0));
        assert_eq!((header.format, header.by_sample), (CD, false));
        let mut wrong = frame;
        wrong[6] ^= 1;
        assert_eq!(FrameHeader::read(&wrong, CD), None);
        for n in 0..frame.len() {
            assert_eq!(FrameHeader::read(&frame[..n], CD), None);
        }
    }

    #[test]
    fn stream_info() {
        let mut block = [0; STREAM_INFO];
        block[..4].copy_from_slice(&[0x10, 0, 0x10, 0]);
        block[10..18].copy_from_slice(&[0x0a, 0xc4, 0x42, 0xf0, 0, 0, 0, 1]);
        let info = StreamInfo::read(&block).unwrap();
        assert_eq!((info.format(), info.total()), (CD, Some(1)));
        assert_eq!(info.blocks(), (4096, 4096));
        let other = Format { bits: 24, ..CD };
        let changed = StreamInfo::read(&info.for_decoder(other)).unwrap();
        assert_eq!((changed.format(), changed.total()), (other, None));
    }
}
