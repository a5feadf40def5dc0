//! Decodes a file to mono `f32` samples, little-endian, at the file's own rate: what
//! `tests/reference/compare.py` holds against other decoders.
//!
//! ```sh
//! cargo run --profile quick --example decode FILE > samples.f32
//! ```
//!
//! The samples go to stdout. Stderr has one line: `ok`, rate, channels, samples and damage, or
//! `failed`, the reason and the message, with tabs between.

use std::error::Error;
use std::io::{BufWriter, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use sonoprint::audio::{AudioError, MonoReader};

/// Any rate that the library takes, for the first look at the file.
const PROBE_RATE: u32 = 44_100;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let file = std::env::args_os().nth(1).map_or_else(
        || {
            concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/data/clips/jazz/jazz.00014.flac"
            )
            .into()
        },
        PathBuf::from,
    );
    let mut out = BufWriter::new(stdout().lock());
    let line = decode(&file, &mut out);
    out.flush()?;
    match line {
        Ok(line) => eprintln!("ok\t{line}"),
        Err(Failure::Audio(error)) => {
            eprintln!("failed\t{}\t{error}", error.reason());
            return Ok(ExitCode::FAILURE);
        }
        Err(Failure::Output(error)) => return Err(error.into()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the samples block by block, so that memory does not grow with the file.
fn decode(file: &Path, out: &mut impl Write) -> Result<String, Failure> {
    // The file's own rate is known only when it is open.
    let rate = MonoReader::open(file, PROBE_RATE)?.source_rate();
    let mut reader = MonoReader::open(file, rate)?;
    let (mut block, mut bytes, mut samples) = (Vec::new(), Vec::new(), 0);
    while reader.read(&mut block)? > 0 {
        samples += block.len();
        bytes.extend(block.drain(..).flat_map(f32::to_le_bytes));
        out.write_all(&bytes)?;
        bytes.clear();
    }
    let damage = reader.damaged().unwrap_or_default();
    Ok(format!(
        "{rate}\t{}\t{samples}\t{damage}",
        reader.channels()
    ))
}

enum Failure {
    Audio(AudioError),
    Output(std::io::Error),
}

impl From<AudioError> for Failure {
    fn from(error: AudioError) -> Self {
        Self::Audio(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Output(error)
    }
}
