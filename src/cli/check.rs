//! `sonoprint check`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args as ClapArgs;
use serde::Serialize;

use super::args::DeviceArg;
use super::words::{is_stdout, note, print_bytes, print_line};
use super::{Done, progress};
use crate::check::{Comparison, Part, Scope, Verdict, Verdicts, check};
use crate::files::{self, Claims, Ours};
use crate::gpu::Compute;

/// Hold a GPU against the CPU: the front end, the layers, the networks, f16 and memory.
///
/// Everything that the GPU computes is computed on the CPU as well, on small inputs, and compared.
/// Exit code 1: something is wrong, and the last lines say what and what to use instead.
#[derive(ClapArgs)]
pub struct Args {
    #[command(flatten)]
    device: DeviceArg,
    /// Only what the default model needs. This form runs by itself the first time that `auto` takes
    /// a GPU with its present driver.
    #[arg(long)]
    short: bool,
    /// Also write the comparisons to FILE as JSON; - is stdout.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How a record is recognized: by its first keys.
const OURS: Ours = Ours {
    what: "a record of `sonoprint check`",
    is: |head| head.starts_with("{\n  \"check\": "),
};

/// What `--json` writes.
#[derive(Serialize)]
struct Record<'a> {
    /// Version of this format.
    check: u32,
    sonoprint: &'static str,
    device: String,
    passed: bool,
    seconds: f64,
    comparisons: &'a [Comparison],
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    if let Some(path) = args.json.as_ref().filter(|path| !is_stdout(path)) {
        Claims::default().output(path, OURS)?;
    }
    // The check that `auto` runs by itself would be one too many.
    let opened = Compute::open(&args.device.device)?;
    note(&opened.note);
    let Compute::Gpu(gpu) = opened.compute else {
        bail!("the cpu is what devices are held against: name another one");
    };
    let scope = match args.short {
        true => Scope::Short,
        false => Scope::Whole,
    };
    let quiet = args.json.as_ref().is_some_and(|path| is_stdout(path));
    let start = std::time::Instant::now();
    let bar = progress::bar(0, "{spinner} {msg}");
    let mut failed_to_print = None;
    let all = check(&gpu, scope, |comparison| {
        bar.set_message(format!("{} done", comparison.what));
        if !quiet && failed_to_print.is_none() {
            failed_to_print = bar.suspend(|| print_line(line(comparison))).err();
        }
    });
    bar.finish_and_clear();
    if let Some(e) = failed_to_print {
        return Err(e.into());
    }
    let seconds = start.elapsed().as_secs_f64();
    let wrong: Vec<&Comparison> = all.iter().filter(|c| !c.passed()).collect();
    if let Some(path) = &args.json {
        let record = Record {
            check: 1,
            sonoprint: env!("CARGO_PKG_VERSION"),
            device: gpu.describe(),
            passed: wrong.is_empty(),
            seconds,
            comparisons: &all,
        };
        let mut text = serde_json::to_vec_pretty(&record)?;
        text.push(b'\n');
        match is_stdout(path) {
            true => print_bytes(&text)?,
            false => files::replace(path, &text)
                .with_context(|| format!("cannot write {}", path.display()))?,
        }
    }
    Verdicts::of_user().keep(&gpu, Verdict::of(&all));
    note(format_args!(
        "{} of {} comparisons passed in {}",
        all.len() - wrong.len(),
        all.len(),
        progress::clock(seconds)
    ));
    for comparison in &wrong {
        note(format_args!(
            "wrong: {}: {}",
            comparison.what,
            instead(comparison.part)
        ));
    }
    Ok(if wrong.is_empty() {
        Done::All
    } else {
        Done::Some
    })
}

/// Returns a comparison as a line of the table.
fn line(c: &Comparison) -> String {
    let mark = if c.passed() { "ok   " } else { "WRONG" };
    let found = match (&c.difference, &c.failure) {
        (Some(difference), _) => {
            format!("{difference:.1e}, at most {:.0e} {}", c.tolerance, c.unit)
        }
        (None, Some(why)) => why.clone(),
        (None, None) => "did not run".into(),
    };
    format!("{mark}  {:<62} against {:<26} {found}", c.what, c.against)
}

/// Returns what a user can do about a failure.
fn instead(part: Part) -> &'static str {
    let tuned = cfg!(feature = "autotune") || cfg!(feature = "vulkan");
    match part {
        Part::Half => "do not use --half on this adapter",
        Part::FrontEnd(_) | Part::Batches | Part::Memory => {
            "use --device cpu, and please report it"
        }
        Part::Layers | Part::Networks if tuned => {
            "use a build without the features autotune and vulkan, or --device cpu"
        }
        Part::Layers | Part::Networks => "use --device cpu, and please report it",
    }
}
