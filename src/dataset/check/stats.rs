//! Measures one file: reads its bytes once to hash them and decodes them once.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Read};
use std::path::Path;

use crate::audio::{self, MonoReader};
use crate::dataset::fingerprint::Listener;
use crate::dataset::gtzan;

/// Samples this close to zero are quiet: about three steps of 16-bit PCM.
pub const QUIET_SAMPLE: f32 = 1e-4;

/// Samples at least this far from zero are at full scale.
pub const CLIPPED_SAMPLE: f32 = 0.999;

/// Bytes per read.
const BLOCK: usize = 1 << 16;

/// The sample rate at which a file is opened first. Most datasets have this rate; other files are
/// opened again at their own. Reading at a file's own rate changes no sample.
const LIKELY_RATE: u32 = gtzan::SAMPLE_RATE;

/// The measurements of one file.
pub(super) struct FileStats {
    /// Length and hash of the bytes. `None` if there are none or the system cannot read them.
    pub bytes: Option<(u64, u64)>,
    /// The decoded audio, or the error's stable name and its message.
    pub audio: Result<AudioStats, (&'static str, String)>,
}

/// Statistics of a file's mono mix at its own sample rate.
pub(super) struct AudioStats {
    /// Sample rate in Hz.
    pub rate: u32,
    /// Channels in the file.
    pub channels: u16,
    /// Number of samples, never 0.
    pub samples: u64,
    /// Half of the distance between the lowest and the highest sample, full scale 1.
    pub level: f32,
    /// Number of samples within [`QUIET_SAMPLE`] of zero.
    pub quiet: u64,
    /// Number of samples at [`CLIPPED_SAMPLE`] or beyond.
    pub clipped: u64,
    /// Hash of the samples.
    pub hash: u64,
    /// The acoustic fingerprint.
    pub print: Vec<u32>,
    /// The damage in one line, if any.
    pub damaged: Option<String>,
}

impl FileStats {
    /// Reads the file at `path` twice: as bytes and as audio.
    pub fn of(path: &Path) -> Self {
        Self {
            bytes: hash_bytes(path).ok().flatten(),
            audio: AudioStats::of(path).map_err(|e| (e.reason(), e.to_string())),
        }
    }
}

impl AudioStats {
    fn of(path: &Path) -> audio::Result<Self> {
        let mut reader = MonoReader::open(path, LIKELY_RATE)?;
        if reader.source_rate() != LIKELY_RATE {
            reader = MonoReader::open(path, reader.source_rate())?;
        }
        let mut hash = Hash::default();
        let mut listener = Listener::new(reader.source_rate());
        let mut block = Vec::new();
        let (mut samples, mut quiet, mut clipped) = (0, 0, 0);
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        while reader.read(&mut block)? > 0 {
            for &x in &block {
                let magnitude = x.abs();
                (low, high) = (low.min(x), high.max(x));
                quiet += u64::from(magnitude <= QUIET_SAMPLE);
                clipped += u64::from(magnitude >= CLIPPED_SAMPLE);
                // Adding +0.0 turns -0.0 into +0.0, which sounds the same and must hash the same.
                hash.push(&(x + 0.0).to_le_bytes());
            }
            samples += block.len() as u64;
            listener.hear(&block);
            block.clear();
        }
        audio::check_length(samples, reader.source_rate())?;
        Ok(Self {
            rate: reader.source_rate(),
            channels: reader.channels(),
            samples,
            level: (high - low) / 2.0,
            quiet,
            clipped,
            hash: hash.finish(),
            print: listener.finish(),
            damaged: reader.damaged(),
        })
    }

    /// Returns the length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples as f64 / f64::from(self.rate)
    }
}

/// Returns the length and hash of a file's bytes; `None` for an empty file or what is not a regular
/// file by now, such as a pipe.
fn hash_bytes(path: &Path) -> io::Result<Option<(u64, u64)>> {
    let metadata = std::fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() == 0 {
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

/// A hash that does not depend on how the bytes are divided into pieces. [`Hasher::write`] does not
/// promise that, and decoders and the system return blocks of any size.
#[derive(Default)]
struct Hash {
    hasher: DefaultHasher,
    /// Fewer than [`BLOCK`] bytes that were not hashed yet.
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
