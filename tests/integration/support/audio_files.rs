//! Audio files made byte by byte, for the tests of `audio`.

use std::f64::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};

use sonoprint::audio::{Loaded, load};
use tempfile::TempDir;

pub const RATE: u32 = 22_050;

/// Returns an empty temporary folder.
pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

/// Writes a file and returns its path.
pub fn put(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    fs::write(&path, bytes).expect("written");
    path
}

/// Returns a 16-bit WAV file as bytes.
pub fn wav16(samples: &[i16]) -> Vec<u8> {
    let dir = folder();
    let path = dir.path().join("x.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(&path, spec).expect("created");
    for &s in samples {
        file.write_sample(s).expect("written");
    }
    file.finalize().expect("finished");
    fs::read(path).expect("read")
}

/// Returns an `.au` file: header words in either byte order, then `data` unchanged.
pub fn au(little: bool, size: u32, encoding: u32, channels: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = if little {
        b"dns.".to_vec()
    } else {
        b".snd".to_vec()
    };
    for word in [28, size, encoding, RATE, channels] {
        let word: u32 = word;
        bytes.extend(if little {
            word.to_le_bytes()
        } else {
            word.to_be_bytes()
        });
    }
    bytes.extend(b"note");
    bytes.extend(data);
    bytes
}

/// Returns MP3 frames of digital silence: MPEG 1, 128 kbit/s, 44 100 Hz, mono.
pub fn mp3_silence(frames: usize) -> Vec<u8> {
    let mut frame = vec![0; 417];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0xc0]);
    frame.repeat(frames)
}

/// Loads a file that must be readable.
pub fn loaded(path: &Path) -> Loaded {
    load(path, RATE).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Writes a float WAV file of interleaved samples.
pub fn wav(dir: &TempDir, name: &str, rate: u32, channels: u16, samples: &[f32]) -> PathBuf {
    let path = dir.path().join(name);
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut file = hound::WavWriter::create(&path, spec).expect("created");
    for &s in samples {
        file.write_sample(s).expect("written");
    }
    file.finalize().expect("finished");
    path
}

/// Returns `n` samples of a sine of `hz`.
pub fn tone(hz: f64, rate: u32, n: usize, level: f64) -> Vec<f32> {
    let step = TAU * hz / f64::from(rate);
    (0..n)
        .map(|i| (level * (step * i as f64).sin()) as f32)
        .collect()
}

/// Returns the stable name of the error that a file must give. Checks that its message is one line.
pub fn reason(path: &Path) -> &'static str {
    let error = load(path, RATE).expect_err("an error");
    let text = error.to_string();
    assert!(!text.is_empty() && !text.contains('\n'), "{text:?}");
    error.reason()
}

/// Returns a FLAC file of mono 16-bit samples at [`RATE`] in uncompressed frames of 1000 samples.
/// The number of samples is a multiple of 1000. `claimed` is the length in the header.
pub fn flac(samples: &[i16], claimed: u32) -> Vec<u8> {
    let mut bytes = b"fLaC\x80\0\0\x22\x03\xe8\x03\xe8\0\0\0\0\0\0".to_vec();
    // 20 bits of sample rate, 3 of channels - 1, 5 of bits - 1, 36 of length, then no checksum.
    let fields = u64::from(RATE) << 44 | 15 << 36 | u64::from(claimed);
    bytes.extend(fields.to_be_bytes());
    bytes.extend([0; 16]);
    for (number, block) in samples.chunks_exact(1000).enumerate() {
        // Sync, length in 16 bits and rate from the header, mono and 16 bits, number, length - 1.
        let mut frame = vec![0xff, 0xf8, 0x70, 0x08, number as u8, 0x03, 0xe7];
        frame.push(crc(&frame, 8, 0x07) as u8);
        frame.push(0x02); // an uncompressed subframe
        frame.extend(block.iter().flat_map(|s| s.to_be_bytes()));
        frame.extend((crc(&frame, 16, 0x8005) as u16).to_be_bytes());
        bytes.extend(frame);
    }
    bytes
}

/// Returns the checksum of FLAC's frames and headers.
fn crc(bytes: &[u8], bits: u32, polynomial: u32) -> u32 {
    let top = 1 << (bits - 1);
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << (bits - 8), |c, _| {
            let shifted = (c << 1) & ((top << 1) - 1);
            if c & top != 0 {
                shifted ^ polynomial
            } else {
                shifted
            }
        })
    })
}
