//! One file, read once for its bytes and once for its sound.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::Path;

use super::super::gtzan;
use super::{CLIPPED_SAMPLE, QUIET_SAMPLE};
use crate::audio::{self, MonoReader};

/// Bytes read from a file at a time.
const BLOCK: usize = 1 << 16;

/// The rate at which a file is opened first: most datasets here have it, and others are opened
/// again at their own. Reading at a file's own rate changes no sample.
const LIKELY_RATE: u32 = gtzan::SAMPLE_RATE;

/// What one file says of itself.
pub(super) struct DeviceTraits {
    /// Length and hash of its bytes, where it has any and the system reads them.
    pub bytes: Option<(u64, u64)>,
    /// Its sound, or the error's name and its message.
    pub heard: Result<Heard, (&'static str, String)>,
}

/// A file's mono mix at its own sample rate.
pub(super) struct Heard {
    /// Sample rate in Hz.
    pub rate: u32,
    pub channels: u16,
    /// Never 0.
    pub samples: u64,
    /// The loudest sample, full scale 1.
    pub peak: f32,
    /// Samples within [`QUIET_SAMPLE`] of zero.
    pub quiet: u64,
    /// Samples at [`CLIPPED_SAMPLE`] or beyond.
    pub clipped: u64,
    /// Hash of the samples.
    pub hash: u64,
    pub damaged: Option<String>,
}

impl DeviceTraits {
    pub fn of(path: &Path) -> Self {
        Self {
            bytes: hash_bytes(path).ok().flatten(),
            heard: Heard::of(path).map_err(|e| (e.reason(), e.to_string())),
        }
    }
}

impl Heard {
    fn of(path: &Path) -> audio::Result<Self> {
        let mut reader = MonoReader::open(path, LIKELY_RATE)?;
        if reader.source_rate() != LIKELY_RATE {
            reader = MonoReader::open(path, reader.source_rate())?;
        }
        let mut hash = Hash::default();
        let mut block = Vec::new();
        let (mut samples, mut quiet, mut clipped, mut peak) = (0, 0, 0, 0.0_f32);
        while reader.read(&mut block)? > 0 {
            for &x in &block {
                let loud = x.abs();
                peak = peak.max(loud);
                quiet += u64::from(loud <= QUIET_SAMPLE);
                clipped += u64::from(loud >= CLIPPED_SAMPLE);
                // Minus zero is not another sound than zero.
                hash.push(&(x + 0.0).to_le_bytes());
            }
            samples += block.len() as u64;
            block.clear();
        }
        Ok(Self {
            rate: reader.source_rate(),
            channels: reader.channels(),
            samples,
            peak,
            quiet,
            clipped,
            hash: hash.finish(),
            damaged: reader.damaged(),
        })
    }

    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.rate)
    }
}

/// Length and hash of a file's bytes; none where it has no bytes or is a pipe or the like by now.
fn hash_bytes(path: &Path) -> io::Result<Option<(u64, u64)>> {
    let about = std::fs::metadata(path)?;
    if !about.is_file() || about.len() == 0 {
        return Ok(None);
    }
    let mut file = File::open(path)?;
    let mut hash = Hash::default();
    let mut block = vec![0; BLOCK];
    let mut len = 0;
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(Some((len, hash.finish()))),
            Ok(n) => {
                hash.push(&block[..n]);
                len += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// A hash that does not depend on the pieces in which the bytes come, which [`Hasher::write`] does
/// not promise: decoders and the system both hand on what they like.
#[derive(Default)]
struct Hash {
    hasher: DefaultHasher,
    /// Less than [`BLOCK`] bytes that the hasher does not have yet.
    rest: Vec<u8>,
}

impl Hash {
    fn push(&mut self, mut bytes: &[u8]) {
        while self.rest.len() + bytes.len() >= BLOCK {
            let (now, later) = bytes.split_at(BLOCK - self.rest.len());
            self.rest.extend_from_slice(now);
            self.hasher.write(&self.rest);
            self.rest.clear();
            bytes = later;
        }
        self.rest.extend_from_slice(bytes);
    }

    fn finish(mut self) -> u64 {
        self.hasher.write(&self.rest);
        self.hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Hash};

    #[test]
    fn hash_does_not_depend_on_the_pieces() {
        let bytes: Vec<u8> = (0..2 * BLOCK + 77).map(|i| (i * i % 251) as u8).collect();
        let by = |piece: usize| {
            let mut hash = Hash::default();
            bytes.chunks(piece).for_each(|piece| hash.push(piece));
            hash.finish()
        };
        for piece in [1, 4, 1000, BLOCK - 1, BLOCK, BLOCK + 1] {
            assert_eq!(by(piece), by(bytes.len()), "{piece}");
        }
        assert_ne!(by(1), Hash::default().finish());
    }
}
