//! The sizes of the codebooks in a Vorbis setup header (Vorbis I, 3.2.1), which are looked at
//! before a decoder reserves memory for them.

/// The most bits that the number of entries and that of dimensions of a book have together, as in
/// libvorbis.
const BITS: u32 = 24;

/// The most values that all books of a stream have together. Real streams have under a million.
const VALUES: u64 = 1 << 24;

/// Returns whether the codebooks of `setup`, a packet with its seven bytes of magic, are of sizes
/// that encoders write. A header that is cut off is not.
pub(super) fn are_sane(setup: &[u8]) -> bool {
    let Some(bytes) = setup.get(7..) else {
        return false;
    };
    let mut bits = Bits { bytes, at: 0 };
    let mut values = 0;
    let mut all = || -> Option<bool> {
        for _ in 0..=bits.take(8)? {
            values += book(&mut bits)?;
            if values > VALUES {
                return Some(false);
            }
        }
        Some(true)
    };
    all() == Some(true)
}

/// Reads a codebook and returns how many values it has. `None` if it is too large or cut off.
fn book(bits: &mut Bits<'_>) -> Option<u64> {
    if bits.take(24)? != 0x56_4342 {
        return None;
    }
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    if length(dimensions) + length(entries) > BITS {
        return None;
    }
    let ordered = bits.take(1)? == 1;
    if ordered {
        bits.take(5)?;
        let mut known = 0;
        while known < entries {
            known += bits.take(length(entries - known))?;
        }
    } else {
        let sparse = bits.take(1)? == 1;
        for _ in 0..entries {
            if !sparse || bits.take(1)? == 1 {
                bits.take(5)?;
            }
        }
    }
    let total = u64::from(entries) * u64::from(dimensions.max(1));
    match bits.take(4)? {
        0 => {}
        kind @ 1..=2 => {
            bits.skip(64)?;
            let width = u64::from(bits.take(4)? + 1);
            bits.take(1)?;
            let count = match kind {
                1 => root(entries, dimensions),
                _ => total,
            };
            bits.skip(count.checked_mul(width)?)?;
        }
        _ => return None,
    }
    Some(total)
}

/// Returns the number of bits of a number.
fn length(n: u32) -> u32 {
    u32::BITS - n.leading_zeros()
}

/// Returns the largest number whose power `dimensions` is at most `entries`.
fn root(entries: u32, dimensions: u32) -> u64 {
    let fits = |n: u64| {
        let mut power = 1_u64;
        (0..dimensions).all(|_| {
            power = power.saturating_mul(n);
            power <= u64::from(entries)
        })
    };
    match dimensions {
        0 => 0,
        1 => u64::from(entries),
        _ => (1..)
            .take_while(|&n| n < 1 << 13 && fits(n))
            .last()
            .unwrap_or(0),
    }
}

/// Reads bits, the least significant first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: u64,
}

impl Bits<'_> {
    /// Takes up to 24 bits.
    fn take(&mut self, n: u32) -> Option<u32> {
        let mut value = 0;
        for i in 0..n {
            let byte = *self.bytes.get((self.at / 8) as usize)?;
            value |= u32::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Some(value)
    }

    fn skip(&mut self, n: u64) -> Option<()> {
        self.at = self.at.checked_add(n)?;
        (self.at <= 8 * self.bytes.len() as u64).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A setup header of one ordered book, all of whose entries have one length.
    fn setup(dimensions: u32, entries: u32) -> Vec<u8> {
        let mut bits = Vec::new();
        let mut put = |value: u32, n: u32| bits.extend((0..n).map(|i| value >> i & 1 == 1));
        put(0, 8);
        put(0x56_4342, 24);
        put(dimensions, 16);
        put(entries, 24);
        put(1, 1);
        put(3, 5);
        put(entries, length(entries));
        put(0, 4);
        put(0, 64);
        let bytes = bits.chunks(8).map(|chunk| {
            let bit = |(i, &set): (usize, &bool)| u8::from(set) << i;
            chunk.iter().enumerate().map(bit).sum::<u8>()
        });
        b"\x05vorbis".iter().copied().chain(bytes).collect()
    }

    #[test]
    fn sizes() {
        assert!(are_sane(&setup(8, 256)));
        assert!(!are_sane(&setup(65_535, (1 << 24) - 1)), "four terabytes");
        assert!(!are_sane(&setup(0, 1 << 23)[..20]));
        assert!(!are_sane(b"\x05vorbis"));
        assert_eq!((root(81, 4), root(80, 4), root(7, 1)), (3, 2, 7));
    }
}
