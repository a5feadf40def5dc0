//! Flags that several commands share.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::dataset::DatasetError;
use crate::dataset::pcm::{PCM_MEMORY, PcmMemory, PcmSet};
use crate::dataset::{Dataset, Split, Subset};
use crate::frontend::config::Size;
use crate::gpu::{Compute, DeviceChoice};

/// `--device`.
#[derive(Args)]
pub struct DeviceArg {
    /// auto, gpu, software, cpu, or the number or part of the name of an adapter (see `sonoprint devices`).
    #[arg(long, value_name = "DEVICE", default_value_t = DeviceChoice::Auto)]
    pub device: DeviceChoice,
}

impl DeviceArg {
    /// Opens the device and says on stderr which it is.
    pub fn open(&self) -> anyhow::Result<Compute> {
        let opened = Compute::open(&self.device)?;
        eprintln!("{}", opened.note);
        Ok(opened.compute)
    }
}

/// `--pcm-memory`.
#[derive(Args)]
pub struct PcmMemoryArg {
    /// Memory of the device (on cpu, the host's) for decoded samples, GiB; files that do not fit are decoded anew each
    /// time. Changes the speed and nothing else.
    #[arg(long, value_name = "GIB", default_value_t = PCM_MEMORY as f64 / GIB, value_parser = gibibytes)]
    pub pcm_memory: f64,
}

impl PcmMemoryArg {
    /// Makes room on `compute`.
    pub fn open(&self, compute: &Compute) -> PcmMemory {
        PcmMemory::new(compute, (self.pcm_memory * GIB) as u64)
    }
}

const GIB: f64 = (1u64 << 30) as f64;

fn gibibytes(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(n) if (0.0..=1e6).contains(&n) => Ok(n),
        _ => Err("must be from 0 to 1000000 GiB".into()),
    }
}

/// Parses `WxH`.
pub fn size(text: &str) -> Result<Size, String> {
    let (width, height) = text
        .split_once(['x', 'X'])
        .and_then(|(w, h)| Some((w.trim().parse().ok()?, h.trim().parse().ok()?)))
        .ok_or("write it as WIDTHxHEIGHT, 720x720 for one")?;
    Ok(Size { height, width })
}

/// Parses a number of seconds that a clip may have.
pub fn clip_seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(s) if (0.1..=3600.0).contains(&s) => Ok(s),
        _ => Err("must be from 0.1 to 3600 seconds".into()),
    }
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot make folder {}", path.display()))
}

/// A bar on stderr, nothing if that is not a terminal.
pub fn bar(length: usize, template: &str) -> ProgressBar {
    let style = ProgressStyle::with_template(template).expect("templates are constants");
    let bar = ProgressBar::new(length as u64).with_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    bar.set_message("starting");
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Decodes one side of a split behind a bar, and says on stderr what was left out.
pub fn decode(
    data: &Dataset,
    split: &Split,
    side: Subset,
    sample_rate: u32,
    memory: &PcmMemory,
) -> Result<PcmSet, DatasetError> {
    let files = split.subset(side).len();
    let bar = bar(files, "decoding {bar:30} {pos}/{len} files, {per_sec}");
    let set = PcmSet::load(data, split, side, sample_rate, memory, &|| bar.inc(1))?;
    bar.finish_and_clear();
    for note in &set.notes {
        eprintln!("{note}");
    }
    Ok(set)
}

/// Seconds as people read them.
pub fn clock(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{}:{:02} min", s / 60, s % 60),
        _ => format!("{}:{:02} h", s / 3600, s % 3600 / 60),
    }
}

/// Writes a line to stdout. Unlike `println!` it gives a closed pipe back as an error.
pub fn say(line: impl std::fmt::Display) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{line}")
}
