//! What several test files need: devices, golden arrays, signals.

pub mod audio_files;
pub mod toy;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use sonoprint::gpu::{Compute, DeviceChoice};

/// Burn's CPU random generator is the process's own: tests whose result hangs on a seed, and those
/// that draw beside them, take turns.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The software adapter, opened once a process. A machine without one fails the test: nothing is
/// skipped.
pub fn software() -> Compute {
    static ONE: OnceLock<Compute> = OnceLock::new();
    ONE.get_or_init(|| {
        Compute::open(&DeviceChoice::Software)
            .expect("tests need a software adapter: apt-get install mesa-vulkan-drivers")
            .compute
    })
    .clone()
}

/// The hardware GPU, where there is one.
fn hardware() -> Option<Compute> {
    static ONE: OnceLock<Option<Compute>> = OnceLock::new();
    ONE.get_or_init(|| Compute::open(&DeviceChoice::Gpu).ok().map(|o| o.compute))
        .clone()
}

/// Every device that tests hold to the same promises: the CPU, the software adapter (which must be
/// there) and a hardware GPU (where there is one).
pub fn devices() -> Vec<(&'static str, Compute)> {
    let mut all = vec![("cpu", Compute::Cpu), ("software", software())];
    all.extend(hardware().map(|gpu| ("gpu", gpu)));
    all
}

pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data")
        .join(path)
}

/// The path of the checkpoint that was trained on rendered music. Tests that rely on what a network
/// says use it, because its answers do not change with the built-in models.
pub fn rendered() -> String {
    let path = data("checkpoint/grooves10.safetensors");
    path.to_str().expect("a path in UTF-8").to_owned()
}

/// A gzipped .npy file: its shape and raw little-endian bytes.
pub struct Npy {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

pub fn npy(path: &str) -> Npy {
    let file = std::fs::File::open(data(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    let mut all = Vec::new();
    flate2::read::GzDecoder::new(file)
        .read_to_end(&mut all)
        .unwrap();
    assert_eq!(&all[..8], b"\x93NUMPY\x01\x00", "{path}: npy 1.0");
    let header_len = u16::from_le_bytes([all[8], all[9]]) as usize;
    let header = std::str::from_utf8(&all[10..10 + header_len]).unwrap();
    assert!(header.contains("'fortran_order': False"), "{path}: C order");
    let shape = header.split("'shape': (").nth(1).unwrap();
    let shape = shape.split(')').next().unwrap();
    Npy {
        shape: shape
            .split(',')
            .filter_map(|n| n.trim().parse().ok())
            .collect(),
        bytes: all[10 + header_len..].to_vec(),
    }
}

impl Npy {
    /// Decibels stored as 1/250 dB in i16; `None` for no value.
    pub fn decibels(&self) -> Vec<Option<f32>> {
        self.bytes
            .chunks_exact(2)
            .map(|b| i16::from_le_bytes([b[0], b[1]]))
            .map(|v| (v != i16::MIN).then(|| f32::from(v) / 250.0))
            .collect()
    }

    pub fn f32(&self) -> Vec<f32> {
        self.bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    }
}

/// Seeded uniform noise in -1..1 (a linear congruential generator: the same everywhere).
pub fn noise(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12345);
    (0..n)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

pub fn tone(n: usize, hz: f64, amplitude: f64) -> Vec<f32> {
    (0..n)
        .map(|i| (amplitude * (2.0 * std::f64::consts::PI * hz * i as f64 / 22_050.0).sin()) as f32)
        .collect()
}

/// A sine as a WAV file of 16 bits.
pub fn wav(path: &Path, seconds: f64, frequency: f64) {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 22_050,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec).unwrap();
    for x in tone((seconds * 22_050.0) as usize, frequency, 0.5) {
        wav.write_sample((x * 32_767.0) as i16).unwrap();
    }
    wav.finalize().unwrap();
}

/// A folder `music` in `root` with files `00.wav`, .. of a second.
pub fn tones(root: &Path, count: usize) -> PathBuf {
    let music = root.join("music");
    std::fs::create_dir_all(&music).unwrap();
    for i in 0..count {
        wav(
            &music.join(format!("{i:02}.wav")),
            1.0,
            110.0 * (i + 1) as f64,
        );
    }
    music
}
