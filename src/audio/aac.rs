//! What kind of AAC a stream is. The decoder knows AAC-LC in mono and stereo.
//!
//! HE-AAC (ISO/IEC 14496-3, SBR) is AAC-LC at half the rate, with data in each block from which a
//! decoder makes the upper half of the band. Without that, the lower half can still be heard.

/// Sample rates in Hz by index.
pub(super) const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Object types.
const LOW_COMPLEXITY: u32 = 2;
const SBR: u32 = 5;
const PARAMETRIC_STEREO: u32 = 29;

/// An AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Config {
    object_type: u32,
    rate_index: u32,
    /// The rate of the core in Hz.
    pub rate: u32,
    channels: u32,
    /// Whether a block has 960 samples and not 1024.
    short: bool,
    /// Whether the header says that the upper half of the band is coded by SBR.
    pub sbr: bool,
}

impl Config {
    /// Parses the header. `None` if it is cut off or states a forbidden rate.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits { bytes, at: 0 };
        let mut object_type = bits.object_type()?;
        let (rate_index, rate) = bits.rate()?;
        let channels = bits.take(4)?;
        let mut sbr = matches!(object_type, SBR | PARAMETRIC_STEREO);
        if sbr {
            bits.rate()?;
            object_type = bits.object_type()?;
        }
        let short = bits.take(1).unwrap_or(0) == 1;
        if !sbr && channels != 0 && object_type == LOW_COMPLEXITY {
            // Players that do not know SBR see none of what follows.
            let rest = (
                bits.take(2),
                bits.take(11),
                bits.object_type(),
                bits.take(1),
            );
            sbr = rest == (Some(0), Some(0x2b7), Some(SBR), Some(1));
        }
        Some(Self {
            object_type,
            rate_index,
            rate,
            channels,
            short,
            sbr,
        })
    }

    /// Names what the decoder cannot do. `None` if it can decode the stream.
    pub(super) fn refusal(&self) -> Option<String> {
        let name = match self.object_type {
            LOW_COMPLEXITY => None,
            1 => Some("AAC Main"),
            3 => Some("AAC-SSR"),
            4 => Some("AAC-LTP"),
            6 => Some("AAC Scalable"),
            17 | 19 | 20 | 22 => Some("error-resilient AAC"),
            23 => Some("AAC-LD"),
            32..=34 => Some("MPEG layer audio in MP4"),
            36 => Some("MPEG-4 ALS"),
            39 => Some("AAC-ELD"),
            42 => Some("xHE-AAC (USAC)"),
            _ => Some("this kind of AAC"),
        };
        let channels = match self.channels {
            7 => 8,
            11 => 7,
            12 | 14 => 8,
            n => n,
        };
        match (name, channels) {
            (Some(name), _) => Some(name.to_owned()),
            (None, 0) => Some("AAC with a channel layout of its own".to_owned()),
            (None, 3..) => Some(format!("AAC with {channels} channels")),
            (None, _) if self.short => Some("AAC in blocks of 960 samples".to_owned()),
            (None, _) if self.rate_index == 15 => Some(format!("AAC at {} Hz", self.rate)),
            (None, _) => None,
        }
    }

    /// Returns the header of the core alone, AAC-LC.
    pub(super) fn core(&self) -> Box<[u8]> {
        config(LOW_COMPLEXITY, self.rate, self.channels)
    }
}

/// Writes an AudioSpecificConfig of an object type under 31, a rate of [`RATES`], and a number of a
/// layout of channels.
pub(super) fn config(object_type: u32, rate: u32, channels: u32) -> Box<[u8]> {
    let index = RATES.iter().position(|&r| r == rate).unwrap_or(4) as u32;
    let bits = object_type << 11 | index << 7 | channels << 3;
    (bits as u16).to_be_bytes().into()
}

/// Returns whether a block of AAC ends before it begins: its first element is the end. No encoder
/// writes that, and the decoder takes it for silence.
pub(super) fn is_empty(block: &[u8]) -> bool {
    block.first().is_some_and(|byte| byte >> 5 == 7)
}

/// Returns whether a block of AAC ends with data of SBR, as encoders write that do not announce it.
///
/// The data lies in a fill element: three bits 110, a count of bytes, four bits 1101 or 1110. The
/// end of the block (three bits 111) follows, then up to seven bits 0. A block in which all that
/// fits by chance is rare, so several blocks should be asked.
pub(super) fn ends_with_sbr(block: &[u8]) -> bool {
    // A block of two channels has at most 1536 bytes.
    let block = &block[block.len().saturating_sub(1536)..];
    (0..(8 * block.len()).saturating_sub(18)).any(|at| is_sbr_at(block, at) == Some(true))
}

/// Returns whether data of SBR begins at bit `at` and ends where `block` does. `None` if the block
/// is too short for it.
fn is_sbr_at(block: &[u8], at: usize) -> Option<bool> {
    let mut bits = Bits { bytes: block, at };
    if bits.take(3)? != 6 {
        return None;
    }
    let count = bits.fill_count()?;
    let data = bits.at;
    if count == 0 || !matches!(bits.take(4)?, 13 | 14) {
        return None;
    }
    bits.at = data + 8 * count;
    // Further fill elements may follow.
    loop {
        match bits.take(3)? {
            6 => bits.skip_fill()?,
            7 => break,
            _ => return None,
        }
    }
    let rest = 8 * block.len() - bits.at;
    Some(rest < 8 && bits.take(rest as u32)? == 0)
}

/// Reads bits, the most significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// Takes up to 24 bits.
    fn take(&mut self, n: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..n {
            let byte = *self.bytes.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }

    /// Takes the number of bytes of a fill element.
    fn fill_count(&mut self) -> Option<usize> {
        let count = self.take(4)?;
        let more = match count {
            15 => self.take(8)?.checked_sub(1)?,
            _ => 0,
        };
        Some((count + more) as usize)
    }

    /// Moves behind a fill element, whose first three bits are taken.
    fn skip_fill(&mut self) -> Option<()> {
        let count = self.fill_count()?;
        self.at += 8 * count;
        (self.at <= 8 * self.bytes.len()).then_some(())
    }

    fn object_type(&mut self) -> Option<u32> {
        match self.take(5)? {
            31 => Some(32 + self.take(6)?),
            kind => Some(kind),
        }
    }

    /// Takes a rate, as an index and in Hz.
    fn rate(&mut self) -> Option<(u32, u32)> {
        match self.take(4)? {
            15 => Some((15, self.take(24)?)),
            index => Some((index, *RATES.get(index as usize)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configs() {
        let low = Config::parse(&[0x12, 0x10]).unwrap();
        assert_eq!((low.rate, low.sbr, low.refusal()), (44_100, false, None));
        assert_eq!(*low.core(), [0x12, 0x10]);
        // SBR by its own object type, and as an addition: 22.05 kHz in the core.
        let explicit = Config::parse(&[0x2b, 0x92, 0x08, 0x00]).unwrap();
        assert_eq!((explicit.rate, explicit.sbr), (22_050, true));
        assert_eq!(
            (&*explicit.core(), explicit.refusal()),
            (&[0x13, 0x90][..], None)
        );
        let added = Config::parse(&[0x13, 0x90, 0x56, 0xe5, 0xa0]).unwrap();
        assert_eq!((added.rate, added.sbr), (22_050, true));
        let refusal = |bytes: &[u8]| Config::parse(bytes).unwrap().refusal().unwrap();
        assert_eq!(refusal(&[0x11, 0xb0]), "AAC with 6 channels");
        assert_eq!(refusal(&[0x0a, 0x10]), "AAC Main");
        assert_eq!(Config::parse(&[0x17]), None);
    }

    #[test]
    fn data_of_sbr() {
        // 101 bits of sound, then an element of three bytes: 110 0011 1101 (20 bits) 111.
        let mut bits = vec![0_u8; 101];
        bits.extend([1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 1]);
        bits.extend([0, 1].repeat(10));
        bits.extend([1, 1, 1]);
        bits.resize(bits.len().next_multiple_of(8), 0);
        let pack = |bits: &[u8]| -> Vec<u8> {
            bits.chunks(8)
                .map(|c| c.iter().fold(0, |v, b| v << 1 | b))
                .collect()
        };
        assert!(ends_with_sbr(&pack(&bits)));
        // Another extension: 0000.
        let mut other = bits.clone();
        other[108..112].fill(0);
        assert!(!ends_with_sbr(&pack(&other)));
        assert!(!ends_with_sbr(&pack(&bits[..128])));
        assert!(!ends_with_sbr(&[]));
    }
}
