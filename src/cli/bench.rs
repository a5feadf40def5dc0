//! `sonoprint bench`.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::{Done, args};
use crate::bench::{Measured, Options, Record, Stat, Verdict, catalogue, compare, measure, record};

/// Time the front end's passes on a device, against its memory and against rivals.
#[derive(clap::Args)]
pub struct Args {
    /// Only shapes whose name begins so (see the first column); repeat for more.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Runs behind each median.
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Time other ways to the same decibels beside ours: Burn's own STFT, plain WGSL, realfft on all cores.
    #[arg(long)]
    rivals: bool,
    /// Write all that was found here.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a row a shape here.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Say what is faster or slower than in this record of --json, beyond noise. Exit code 1 if something is slower.
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    #[command(flatten)]
    device: args::DeviceArg,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let shapes = catalogue();
    let asked = |id: &str| args.only.is_empty() || args.only.iter().any(|o| id.starts_with(o));
    let ids: Vec<&str> = shapes.iter().map(|s| s.id).collect();
    ensure!(
        ids.iter().any(|id| asked(id)),
        "no shape begins so: there are {}",
        ids.join(", ")
    );
    let old = args.compare.as_deref().map(read).transpose()?;
    let compute = args.device.open()?;
    let options = Options {
        runs: usize::from(args.runs),
        rivals: args.rivals,
    };
    let mut found = record(&compute, &options)?;
    args::say(head(&found))?;
    let chosen: Vec<_> = shapes.iter().filter(|s| asked(s.id)).collect();
    let bar = args::bar(chosen.len(), "{bar:30} {pos}/{len} shapes, {msg}");
    for shape in chosen {
        bar.set_message(shape.label);
        let measured = measure(&compute, shape, &options)?;
        bar.suspend(|| args::say(row(&measured, found.copy_gigabytes_per_second)))?;
        found.shapes.push(measured);
        bar.inc(1);
    }
    bar.finish_and_clear();
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&found)? + "\n";
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
        args::say(format!("wrote {}", path.display()))?;
    }
    if let Some(path) = &args.csv {
        write_csv(path, &found).with_context(|| format!("cannot write {}", path.display()))?;
        args::say(format!("wrote {}", path.display()))?;
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

fn head(found: &Record) -> String {
    let mut text = found.device.clone();
    if found.software {
        text += "\nno card: these are figures of a processor";
    }
    for (name, n) in &found.limits {
        text += &format!("\n{name}: {n}");
    }
    let clock = match found.clock.as_str() {
        "timestamps" => "the GPU's timestamps",
        _ => "the host's clock around a wait",
    };
    text += &format!(
        "\ncopy: {:.1} GB/s; times by {clock}, medians of {} runs\n\n",
        found.copy_gigabytes_per_second, found.runs
    );
    text + &format!(
        "{:<14} {:>5} {:>15} {:>15} {:>9} {:>10} {:>7} {:>7}  shape",
        "", "clips", "stft", "rgba", "clips/s", "real time", "GB/s", "of copy"
    )
}

fn row(m: &Measured, copy: f64) -> String {
    let mut text = format!(
        "{:<14} {:>5} {:>15} {:>15} {:>9.0} {:>9.0}x {:>7.2} {:>6.0}%  {}",
        m.id,
        m.clips,
        milliseconds(&m.stft),
        milliseconds(&m.rgba),
        m.clips_per_second(),
        m.times_real_time(),
        m.gigabytes_per_second(),
        100.0 * m.gigabytes_per_second() / copy,
        m.label
    );
    for rival in &m.rivals {
        text += &format!(
            "\n    {:<22} dB {:>15}, {:.2} times ours",
            rival.name,
            milliseconds(&rival.db),
            rival.db.median / m.stft.median
        );
        if let Some(picture) = &rival.picture {
            text += &format!(
                "; picture {:>15}, {:.2} times",
                milliseconds(picture),
                picture.median / m.total()
            );
        }
    }
    text
}

fn milliseconds(stat: &Stat) -> String {
    format!("{:.2} ±{:.2} ms", 1e3 * stat.median, 1e3 * stat.spread)
}

fn write_csv(path: &Path, found: &Record) -> csv::Result<()> {
    let mut csv = csv::Writer::from_path(path)?;
    csv.write_record([
        "device",
        "clock",
        "id",
        "clips",
        "stft_ms",
        "stft_spread_ms",
        "rgba_ms",
        "rgba_spread_ms",
        "wall_ms",
        "clips_per_second",
        "times_real_time",
        "gigabytes_per_second",
        "copy_gigabytes_per_second",
    ])?;
    for m in &found.shapes {
        let numbers = [
            1e3 * m.stft.median,
            1e3 * m.stft.spread,
            1e3 * m.rgba.median,
            1e3 * m.rgba.spread,
            1e3 * m.wall.median,
            m.clips_per_second(),
            m.times_real_time(),
            m.gigabytes_per_second(),
            found.copy_gigabytes_per_second,
        ];
        let words = [&found.device, &found.clock, &m.id, &m.clips.to_string()].map(String::clone);
        let numbers = numbers.map(|n| format!("{n:.4}"));
        csv.write_record(words.into_iter().chain(numbers))?;
    }
    csv.flush()?;
    Ok(())
}

fn verdicts(old: &Record, new: &Record) -> anyhow::Result<Done> {
    if old.device != new.device {
        bail!("the record is of another device: {}", old.device);
    }
    let all = compare(old, new);
    ensure!(!all.is_empty(), "the two records have no shape in common");
    for c in &all {
        let verdict = match c.verdict {
            Verdict::Faster => "faster",
            Verdict::Slower => "SLOWER",
            Verdict::Same => "the same, as far as noise lets one see",
        };
        args::say(format!(
            "{:<14} {:.3} of the old time (noise ±{:.1} %): {verdict}",
            c.id,
            c.ratio,
            100.0 * c.noise
        ))?;
    }
    let slower = all.iter().any(|c| c.verdict == Verdict::Slower);
    Ok(if slower { Done::Some } else { Done::All })
}
