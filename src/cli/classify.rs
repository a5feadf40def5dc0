//! `sonoprint classify`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Context;
use indicatif::ProgressBar;

use super::{Done, args};
use crate::classify::{Classifier, Format, Found, Outcome, Row, Rows, Summary, classify, discover};
use crate::gpu::Compute;
use crate::model::{Checkpoint, CheckpointError};

/// Name the genre of files and folders.
#[derive(clap::Args)]
pub struct Args {
    /// Files and folders (with all folders in them).
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Checkpoint; the built-in one if absent.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Write the result table here.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Form of the result table; without --out it goes to stdout in place of the readable one.
    #[arg(long)]
    format: Option<Format>,
    /// Clips a batch; chosen by device if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: Option<u16>,
    /// Genres a row, most probable first.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    #[command(flatten)]
    device: args::DeviceArg,
}

/// Where rows go.
struct Output {
    file: Option<Rows<BufWriter<File>>>,
    stdout: Option<Rows<io::Stdout>>,
    classes: Vec<String>,
    path_width: usize,
    bar: ProgressBar,
    audio_seconds: f64,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let found = discover(&args.paths)?;
    let compute = args.device.open()?;
    let checkpoint = load(args, &compute)?;
    let classes = checkpoint.header.classes.clone();
    let classifier = Classifier::new(&compute, checkpoint)?;
    let mut output = Output::open(args, &classes, &found)?;
    let batch = args.batch.map_or(automatic_batch(&compute), usize::from);
    let summary = classify(&classifier, &found, batch, |row| output.row(row))?;
    output.bar.finish_and_clear();
    summarise(&summary, args);
    Ok(match summary.failed {
        0 => Done::All,
        _ => Done::Some,
    })
}

fn load(args: &Args, compute: &Compute) -> Result<Checkpoint, CheckpointError> {
    match &args.checkpoint {
        Some(path) => Checkpoint::load(path, &compute.burn()),
        None => Checkpoint::shipped(&compute.burn()),
    }
}

/// Enough to fill the device, not so much that the first answers are late.
fn automatic_batch(compute: &Compute) -> usize {
    match compute {
        Compute::Cpu => 8,
        Compute::Gpu(gpu) if crate::gpu::adapter::is_hardware(&gpu.info) => 32,
        Compute::Gpu(_) => 4,
    }
}

impl Output {
    fn open(args: &Args, classes: &[String], found: &[Found]) -> anyhow::Result<Self> {
        let top = usize::from(args.top);
        let file = args.out.as_ref().map(|path| {
            let file =
                File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
            let format = args.format.unwrap_or_else(|| by_extension(path));
            anyhow::Ok(Rows::new(BufWriter::new(file), format, classes, top)?)
        });
        let stdout = match (&args.out, args.format) {
            (None, Some(format)) => Some(Rows::new(io::stdout(), format, classes, top)?),
            _ => None,
        };
        let path_width = found
            .iter()
            .map(|f| match f {
                Found::File(p) | Found::Unreadable(p, _) => p.display().to_string().chars().count(),
            })
            .max()
            .unwrap_or(0)
            .min(60);
        let output = Self {
            file: file.transpose()?,
            stdout,
            classes: classes.to_vec(),
            path_width,
            bar: args::bar(
                found.len(),
                "{bar:30} {pos}/{len} files, {per_sec}, {msg}, {eta} left",
            ),
            audio_seconds: 0.0,
        };
        if output.stdout.is_none() {
            let head = format!(
                "{:path_width$}  {:<10} {:>10}  runner-up",
                "file", "genre", "confidence"
            );
            output.print(&head)?;
        }
        Ok(output)
    }

    fn row(&mut self, row: &Row) -> anyhow::Result<()> {
        if let Some(rows) = &mut self.file {
            rows.write(row).context("cannot write the result table")?;
        }
        if let Outcome::Failed { reason, message } = &row.outcome {
            let line = format!("{}: {message} ({reason})", row.path.display());
            self.bar.suspend(|| eprintln!("{line}"));
        }
        match &mut self.stdout {
            Some(rows) => self.bar.suspend(|| rows.write(row))?,
            None => {
                if let Some(line) = self.readable(row) {
                    self.print(&line)?;
                }
            }
        }
        if let Outcome::Ok(answer) = &row.outcome {
            self.audio_seconds += answer.seconds;
        }
        self.bar.inc(1);
        let rate = self.audio_seconds / self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!("{rate:.0} times real time"));
        Ok(())
    }

    fn readable(&self, row: &Row) -> Option<String> {
        let Outcome::Ok(answer) = &row.outcome else {
            return None;
        };
        let ranked = answer.ranked();
        let (best, p) = ranked[0];
        let mut line = format!(
            "{:width$}  {:<10} {:>9.1}%",
            row.path.display().to_string(),
            self.classes[best],
            p * 100.0,
            width = self.path_width
        );
        if let Some(&(next, p)) = ranked.get(1) {
            line += &format!("  {} {:.1}%", self.classes[next], p * 100.0);
        }
        if let Some(damage) = &answer.damaged {
            line += &format!("  ({damage})");
        }
        Some(line)
    }

    fn print(&self, line: &str) -> io::Result<()> {
        self.bar.suspend(|| writeln!(io::stdout(), "{line}"))
    }
}

fn by_extension(path: &std::path::Path) -> Format {
    match path.extension().and_then(|e| e.to_str()) {
        Some("jsonl" | "ndjson") => Format::Jsonl,
        _ => Format::Csv,
    }
}

fn summarise(s: &Summary, args: &Args) {
    let elapsed = s.elapsed.as_secs_f64().max(1e-9);
    let failed = match s.failed {
        0 => String::new(),
        n => format!(", {n} could not be read"),
    };
    eprintln!(
        "{} files{failed}, {} clips, {} of audio in {}: {:.1} files/s, {:.0} times real time; {:.0} % of it waiting for decoders",
        s.ok,
        s.clips,
        args::clock(s.audio_seconds),
        args::clock(elapsed),
        (s.ok + s.failed) as f64 / elapsed,
        s.audio_seconds / elapsed,
        100.0 * s.waited.as_secs_f64() / elapsed,
    );
    if let Some(path) = &args.out {
        eprintln!("wrote {}", path.display());
    }
}
