//! `sonoprint bench`.

mod conv;
mod output;
mod table;
mod trace;

use std::path::PathBuf;

use anyhow::{bail, ensure};

use self::output::Lines;
use super::progress::bar;
use super::{Done, args};
use crate::bench::{
    CSV_OURS, JSON_OURS, Options, Record, TRACE_OURS, Verdict, catalog, compare, measure, record,
};
use crate::frontend::gpu::autotune::tune_presets;
use crate::gpu::Compute;

/// Measure the speed of the front end on a device; with `--only conv`, of the networks'
/// convolutions.
#[derive(clap::Args)]
#[command(after_help = EXPLANATION)]
pub struct Args {
    /// Measure only shapes or layers whose name begins with NAME; repeat for more. `conv` measures
    /// the networks' convolutions, ours and Burn's.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Clips per run, instead of each shape's own number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    clips: Option<u16>,
    /// Timed runs per shape, whose median is reported; one more run warms up.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Also time other implementations on the same device: Burn's own STFT, two simple WGSL FFTs,
    /// and realfft on all cores.
    #[arg(long, alias = "rivals")]
    baselines: bool,
    /// Write all results as JSON, which --compare reads. - is stdout.
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    json: Option<PathBuf>,
    /// Write a table with a row per shape. - is stdout.
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    csv: Option<PathBuf>,
    /// Compare with the results that --json wrote earlier. The exit code is 1 if a shape became
    /// slower by more than noise explains.
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    compare: Option<PathBuf>,
    /// Also run one step of `classify` and one of `train`, and write where their time goes, for
    /// ui.perfetto.dev or chrome://tracing.
    #[arg(long, value_name = "FILE", help_heading = RESULTS)]
    trace: Option<PathBuf>,
    /// First measure all STFT kernels on this GPU, and use the fastest from now on.
    #[arg(long)]
    tune: bool,
    #[command(flatten)]
    device: args::DeviceArg,
}

/// Heading of the files that are written or read.
const RESULTS: &str = "Results";

const EXPLANATION: &str = "\
Each pass of the front end is timed on a catalog of shapes, and its memory traffic is compared
with that of a copy kernel on the same device. Every result is compared with the CPU reference
before it is timed. docs/BENCHMARKS.md explains the columns.";

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let files = [
        (args.json.as_deref(), JSON_OURS),
        (args.csv.as_deref(), CSV_OURS),
        (args.trace.as_deref(), TRACE_OURS),
    ];
    let lines = Lines::of(&files, args.compare.as_deref())?;
    if conv::is_selected(&args.only) {
        let front_end_only = args.csv.is_some() || args.compare.is_some() || args.trace.is_some();
        ensure!(
            !(front_end_only || args.tune || args.baselines),
            "--only conv always runs beside Burn and has no --csv, --compare, --trace, --tune or --baselines: leave them out"
        );
        let compute = args.device.open()?;
        let json = args.json.as_deref();
        return conv::run(&compute, &args.only, usize::from(args.runs), json, &lines);
    }
    let mut shapes = catalog();
    let is_selected =
        |id: &str| args.only.is_empty() || args.only.iter().any(|o| id.starts_with(o));
    let ids: Vec<&str> = shapes.iter().map(|s| s.id).collect();
    ensure!(
        ids.iter().any(|id| is_selected(id)),
        "no shape's name begins with {}: there are {}; and conv for convolutions",
        args.only.join(" or "),
        ids.join(", ")
    );
    shapes.retain(|s| is_selected(s.id));
    for shape in &mut shapes {
        shape.clips = args.clips.map_or(shape.clips, usize::from);
    }
    let old = args.compare.as_deref().map(Record::read).transpose()?;
    let compute = args.device.open()?;
    if args.tune {
        tune(&compute, &lines)?;
    }
    let options = Options {
        runs: usize::from(args.runs),
        baselines: args.baselines,
    };
    let mut record = record(&compute, &options)?;
    lines.print(table::head(&record))?;
    let bar = bar(shapes.len(), "{bar:30} {pos}/{len} shapes, {msg}");
    for shape in &shapes {
        bar.set_message(shape.label);
        let times = measure(&compute, shape, &options)?;
        bar.suspend(|| lines.print(table::rows(&times, record.copy_gigabytes_per_second)))?;
        record.shapes.push(times);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(path) = &args.json {
        lines.write(path, record.json().as_bytes())?;
    }
    if let Some(path) = &args.csv {
        lines.write(path, &record.csv())?;
    }
    if let Some(path) = &args.trace {
        lines.write(path, &trace::run(&compute)?.json(path)?)?;
    }
    match old {
        Some(old) => print_changes(&old, &record, &lines),
        None => Ok(Done::All),
    }
}

fn print_changes(old: &Record, new: &Record, lines: &Lines) -> anyhow::Result<Done> {
    let changes = compare(old, new)?;
    for change in &changes {
        lines.print(table::change(change))?;
    }
    let slower = changes.iter().any(|c| c.verdict == Verdict::Slower);
    Ok(if slower { Done::Some } else { Done::All })
}

/// Prints the time of each STFT kernel, and remembers the fastest.
fn tune(compute: &Compute, lines: &Lines) -> anyhow::Result<()> {
    let Compute::Gpu(gpu) = compute else {
        bail!("--tune chooses among STFT kernels of a GPU, but this is the cpu device");
    };
    for (config, tuned) in tune_presets(gpu)? {
        for t in &tuned.times {
            let ms = 1e3 * t.time.as_secs_f64();
            lines.print(format!(
                "{:<10} {:<16} {ms:9.2} ms",
                config.preset, t.kernel
            ))?;
        }
        match tuned.kept {
            Ok(path) => lines.print(format!("saved the choice to {}", path.display()))?,
            Err(why) => lines.print(format!("the choice holds for this run only: {why}"))?,
        }
    }
    Ok(())
}
