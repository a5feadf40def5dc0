//! `sonoprint train --find-lr`.

use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};

use super::super::Done;
use super::super::args::{self, PcmMemoryArg};
use super::{Plan, describe, tell};
use crate::dataset::Subset;
use crate::evaluate::report::sweep_svg;
use crate::gpu::Compute;
use crate::train::find_lr;

/// Sweeps, writes `find_lr.csv` and `find_lr.svg`, and suggests a rate.
pub fn run(
    plan: &Plan,
    compute: &Compute,
    memory: &PcmMemoryArg,
    stop: &AtomicBool,
) -> anyhow::Result<Done> {
    let settings = &plan.settings;
    let (csv, svg) = (plan.root.join("find_lr.csv"), plan.root.join("find_lr.svg"));
    if csv.exists() {
        bail!(
            "{} is there already: choose another --out, or remove it",
            csv.display()
        );
    }
    args::make_folder(&plan.root)?;
    let memory = memory.open(compute);
    let rate = settings.front_end.sample_rate;
    let set = args::decode(&plan.data, &plan.split, Subset::Train, rate, &memory)?;
    tell(describe(settings));
    let bar = args::bar(0, "{spinner} {pos} rates tried, {msg}");
    let classes = plan.data.classes.len();
    let sweep = find_lr(compute, settings, classes, &set, stop, &mut |tried| {
        bar.inc(1);
        bar.set_message(format!("{:.1e}: loss {:.3}", tried.lr, tried.smoothed));
    })?;
    bar.finish_and_clear();
    sweep.write_csv(&csv)?;
    if let Some(text) = sweep_svg(&sweep) {
        std::fs::write(&svg, text).with_context(|| format!("cannot write {}", svg.display()))?;
    }
    match (sweep.lowest(), sweep.suggestion()) {
        (Some(lowest), Some(lr)) => tell(format!(
            "the loss was smallest, {:.3}, at a rate of {:.1e}; a tenth of that is a good --lr: {lr:.1e}",
            lowest.smoothed, lowest.lr
        )),
        _ => tell("no rate made the loss fall: look at the data, or at the picture of the sweep"),
    }
    tell(format!("wrote {} and {}", csv.display(), svg.display()));
    Ok(Done::All)
}
