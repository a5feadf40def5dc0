//! `sonoprint classify`.

pub mod files;
mod start;
mod view;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;

use anyhow::{Context, bail, ensure};

use self::files::resume;
use self::start::Start;
use self::view::{View, summarize};
use super::{Done, args};
use crate::classify::journal::{self, JournalSettings};
use crate::classify::{
    DiscoverError, Format, Input, Options, Schema, Shard, Stamp, classify, discover, listed,
};
use crate::gpu::Compute;
use crate::inference::Predictor;
use crate::model::Checkpoint;

/// Name the genre of files and folders.
#[derive(clap::Args)]
pub struct Args {
    /// Files and folders (with all folders in them).
    #[arg(required_unless_present = "files_from", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read the names of the files from here, one a line; - is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    files_from: Option<PathBuf>,
    /// Names in --files-from end with a zero byte, as find -print0 writes them.
    #[arg(short = '0', long, requires = "files_from")]
    null: bool,
    /// Only this part of the files, of N that several machines share out: 2/8 is the second of eight.
    #[arg(long, value_name = "I/N", default_value_t)]
    shard: Shard,
    /// Checkpoint; the built-in one if absent.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Write the result table here, and a journal beside it (FILE.journal): killed or stopped, the same command goes on
    /// where it was; done, it looks at new and changed files only.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Form of the result table, by its name if absent; without --out it goes to stdout in place of the readable one.
    #[arg(long)]
    format: Option<Format>,
    /// At the end, put the rows into the order of their paths.
    #[arg(long, requires = "out")]
    sorted: bool,
    /// Forget an earlier run into the same --out.
    #[arg(long, requires = "out")]
    fresh: bool,
    /// Also write a row for every clip: CSV, or what the name says (.jsonl, .parquet).
    #[arg(long, value_name = "FILE", requires = "out")]
    timeline: Option<PathBuf>,
    /// Also write what the network's last layer reads, the mean over a file's clips, for search and clustering: JSON
    /// lines, or Parquet if the name says so.
    #[arg(long, value_name = "FILE", requires = "out")]
    embeddings: Option<PathBuf>,
    /// Share of a clip that the next one has in common with it, from 0 to 0.95.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = overlap)]
    clip_overlap: f64,
    /// Decoder threads; chosen by the machine if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Clips a batch; chosen by device if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: Option<u16>,
    /// Compute in f16 where the adapter has it: half the memory and traffic. Probabilities differ in the third digit.
    #[arg(long)]
    half: bool,
    /// Genres a row, most probable first.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
    #[command(flatten)]
    device: args::DeviceArg,
}

fn overlap(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=0.95).contains(&share) => Ok(share),
        _ => Err("must be from 0 to 0.95".into()),
    }
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let mut start = Start::now();
    let mut found = find(args)?.peekable();
    // One shard of several may be empty.
    if found.peek().is_none() && args.shard == Shard::default() {
        let asked = args.files_from.iter().chain(&args.paths);
        let names: Vec<_> = asked.map(|p| p.display().to_string()).collect();
        bail!(DiscoverError::NoAudio(names.join(", ")));
    }
    ensure!(
        args.out.is_some() || args.format.is_none_or(Format::grows),
        "Parquet is written to a file: add --out FILE"
    );
    let compute = args.device.open()?;
    start.done("device");
    let checkpoint = Checkpoint::open(args.checkpoint.as_deref(), &compute.burn())?;
    start.done("checkpoint");
    let settings = JournalSettings {
        journal: journal::VERSION,
        model: checkpoint.fingerprint.clone(),
        classes: checkpoint.header.classes.clone(),
        overlap: args.clip_overlap,
        timeline: args.timeline.is_some(),
        embeddings: args.embeddings.is_some(),
        half: args.half,
        shard: args.shard,
    };
    let schema = Schema {
        classes: settings.classes.clone(),
        top: usize::from(args.top),
        model: settings.model.clone(),
    };
    let (mut files, done) = match &args.out {
        Some(out) => {
            let (files, done) = resume(args, out, &settings, &schema)?;
            (Some(files), done)
        }
        None => (None, Default::default()),
    };
    let mut view = View::new(args, &schema, done.len())?;

    let (seen, changed) = (AtomicU64::new(0), AtomicU64::new(0));
    let open = found.filter(|found| {
        seen.fetch_add(1, Ordering::Relaxed);
        let Some(before) = done.get(found.path()) else {
            return true;
        };
        let same = before.is_some() && *before == Stamp::of(found.path());
        changed.fetch_add(u64::from(!same), Ordering::Relaxed);
        !same
    });
    let options = Options {
        workers: args.workers.map_or_else(automatic_workers, usize::from),
        batch: args.batch.map_or(automatic_batch(&compute), usize::from),
        overlap: args.clip_overlap,
        timeline: args.timeline.is_some(),
        embeddings: args.embeddings.is_some(),
    };
    start.done("earlier work");
    let mut classifier = Predictor::new(&compute, checkpoint)?;
    if args.half {
        classifier = classifier.into_half()?;
    }
    start.done("front end and its shaders");
    let summary = classify(&classifier, open, &options, |row| {
        start.answered();
        if let Some(files) = &mut files {
            files.row(&row)?;
        }
        view.row(&row)
    })?;
    let seen = seen.into_inner();
    let failed = match files {
        Some(files) => files.finish(args.sorted || changed.into_inner() > 0, seen)?,
        None => summary.failed,
    };
    view.finish();
    summarize(&summary, &start, &options, args);
    Ok(if failed == 0 { Done::All } else { Done::Some })
}

/// The files that were asked for, as they are found.
fn find(args: &Args) -> anyhow::Result<Box<dyn Iterator<Item = Input> + Send>> {
    let Some(list) = &args.files_from else {
        return Ok(Box::new(discover(&args.paths, args.shard)?));
    };
    let (zero, shard) = (args.null, args.shard);
    Ok(if list.as_os_str() == "-" {
        let stdin = std::io::BufReader::new(std::io::stdin());
        Box::new(listed(stdin, "(stdin)".into(), zero, shard))
    } else {
        let file = std::fs::File::open(list)
            .with_context(|| format!("cannot read the list {}", list.display()))?;
        let file = std::io::BufReader::new(file);
        Box::new(listed(file, list.clone(), zero, shard))
    })
}

/// A decoder a core: where the network runs on the cores too, the queue holds them back.
fn automatic_workers() -> usize {
    available_parallelism().map_or(2, usize::from)
}

/// Enough to fill the device, not so much that the first answers are late.
fn automatic_batch(compute: &Compute) -> usize {
    match compute {
        Compute::Cpu => 16,
        Compute::Gpu(gpu) if crate::gpu::adapter::is_hardware(&gpu.info) => 32,
        Compute::Gpu(_) => 4,
    }
}
