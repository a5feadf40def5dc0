//! `sonoprint bench`.

mod conv;
mod table;
mod trace;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::{Done, args};
use crate::bench::{Options, Record, Verdict, catalog, compare, measure, record};
use crate::frontend::gpu::autotune::tune_presets;
use crate::gpu::Compute;

/// Time the front end's passes on a device, against its memory and against rivals; with `--only conv` the networks'
/// convolutions, against Burn's.
#[derive(clap::Args)]
pub struct Args {
    /// Only entries whose name begins so (see the first column); repeat for more.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Clips at once, in place of each entry's own number.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    clips: Option<u16>,
    /// Runs behind each median; one more warms up.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Time other ways to the same decibels beside ours: Burn's own STFT, plain WGSL, realfft on all cores. Each must
    /// give the same numbers first.
    #[arg(long)]
    rivals: bool,
    /// Write all that was found here.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a row an entry here.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Say what is faster or slower than in this record of --json, beyond noise. Exit code 1 if something is slower.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Also write where the time of a step of classify and of a step of train goes, for ui.perfetto.dev or
    /// chrome://tracing.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Measure the ways to decibels for both presets first, and remember the fastest of this adapter and driver.
    #[arg(long)]
    tune: bool,
    #[command(flatten)]
    device: args::DeviceArg,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    if conv::asked(&args.only) {
        let passes_only = args.csv.is_some() || args.compare.is_some() || args.trace.is_some();
        ensure!(
            !(passes_only || args.tune || args.rivals),
            "convolutions are timed against Burn's, in a table or with --json: leave out --csv, --compare, --trace, --tune and --rivals"
        );
        let compute = args.device.open()?;
        let json = args.json.as_deref();
        return conv::run(&compute, &args.only, usize::from(args.runs), json);
    }
    let mut shapes = catalog();
    let asked = |id: &str| args.only.is_empty() || args.only.iter().any(|o| id.starts_with(o));
    let ids: Vec<&str> = shapes.iter().map(|s| s.id).collect();
    ensure!(
        ids.iter().any(|id| asked(id)),
        "no entry begins so: there are {}",
        ids.join(", ")
    );
    shapes.retain(|s| asked(s.id));
    for shape in &mut shapes {
        shape.clips = args.clips.map_or(shape.clips, usize::from);
    }
    let old = args.compare.as_deref().map(read).transpose()?;
    let compute = args.device.open()?;
    if args.tune {
        tune(&compute)?;
    }
    let options = Options {
        runs: usize::from(args.runs),
        rivals: args.rivals,
    };
    let mut found = record(&compute, &options)?;
    args::say(table::head(&found))?;
    let bar = args::bar(shapes.len(), "{bar:30} {pos}/{len} shapes, {msg}");
    for shape in &shapes {
        bar.set_message(shape.label);
        let measured = measure(&compute, shape, &options)?;
        bar.suspend(|| args::say(table::row(&measured, found.copy_gigabytes_per_second)))?;
        found.shapes.push(measured);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let wrote = |path: &Path| args::say(format!("wrote {}", path.display()));
    let failed = |path: &Path| format!("cannot write {}", path.display());
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&found)? + "\n";
        std::fs::write(path, text).with_context(|| failed(path))?;
        wrote(path)?;
    }
    if let Some(path) = &args.csv {
        table::write_csv(path, &found).with_context(|| failed(path))?;
        wrote(path)?;
    }
    if let Some(path) = &args.trace {
        trace::run(&compute)?
            .write(path)
            .with_context(|| failed(path))?;
        wrote(path)?;
    }
    match old {
        Some(old) => verdicts(&old, &found),
        None => Ok(Done::All),
    }
}

fn read(path: &Path) -> anyhow::Result<Record> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is not a record of sonoprint bench", path.display()))
}

fn verdicts(old: &Record, new: &Record) -> anyhow::Result<Done> {
    let all = compare(old, new)?;
    for changed in &all {
        args::say(table::verdict(changed))?;
    }
    let slower = all.iter().any(|c| c.verdict == Verdict::Slower);
    Ok(if slower { Done::Some } else { Done::All })
}

/// What each way to decibels takes here, and which will be taken from now on.
fn tune(compute: &Compute) -> anyhow::Result<()> {
    let Compute::Gpu(gpu) = compute else {
        bail!("--tune chooses among the GPU's ways to decibels: the cpu device has one");
    };
    for (settings, tuned) in tune_presets(gpu)? {
        for t in &tuned.times {
            let ms = 1e3 * t.time.as_secs_f64();
            args::say(format!(
                "{:<10} {:<16} {ms:9.2} ms",
                settings.preset, t.kernel
            ))?;
        }
        match tuned.kept {
            Ok(path) => args::say(format!("kept in {}", path.display()))?,
            Err(why) => args::say(format!("for this run only: {why}"))?,
        }
    }
    Ok(())
}
