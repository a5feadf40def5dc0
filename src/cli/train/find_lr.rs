//! `sonoprint train --find-lr`.

use std::sync::atomic::AtomicBool;

use anyhow::{Context, bail};

use super::planned::PlannedRun;
use super::settings::describe;
use crate::cli::Done;
use crate::cli::args::{PcmMemoryArg, make_folder};
use crate::cli::progress::{bar, decode};
use crate::cli::words::print_line_lossy;
use crate::dataset::Subset;
use crate::files::replace;
use crate::gpu::Compute;
use crate::train::{SWEEP_STEPS, find_lr};

/// Sweeps the learning rate, writes `find_lr.csv` and `find_lr.svg`, and suggests a rate.
pub fn run(
    plan: &PlannedRun,
    compute: &Compute,
    memory: &PcmMemoryArg,
    stop: &AtomicBool,
) -> anyhow::Result<Done> {
    let settings = &plan.settings;
    let (csv, svg) = (plan.root.join("find_lr.csv"), plan.root.join("find_lr.svg"));
    for path in [&csv, &svg] {
        if path.exists() {
            bail!(
                "{} exists already: choose another --out, or remove it",
                path.display()
            );
        }
    }
    make_folder(&plan.root)?;
    let memory = memory.open(compute);
    let set = decode(
        &plan.data,
        &plan.split,
        Subset::Train,
        &settings.front_end,
        &memory,
    )?;
    print_line_lossy(describe(settings));
    let bar = bar(
        SWEEP_STEPS,
        "sweep {bar:20} {pos} of at most {len} rates  {wide_msg}",
    );
    let classes = &plan.data.classes;
    let sweep = find_lr(compute, settings, classes, &set, stop, &mut |trial| {
        bar.inc(1);
        bar.set_message(format!("{:.1e}: loss {:.3}", trial.lr, trial.smoothed));
    });
    bar.finish_and_clear();
    let sweep = sweep?;
    sweep.write_csv(&csv)?;
    if let Some(text) = sweep.svg() {
        replace(&svg, text.as_bytes())
            .with_context(|| format!("cannot write {}", svg.display()))?;
    }
    match (sweep.lowest(), sweep.suggestion()) {
        (Some(lowest), Some(lr)) => print_line_lossy(format_args!(
            "the loss was smallest, {:.3}, at a rate of {:.1e}; a tenth of that is a good --lr: {lr:.1e}",
            lowest.smoothed, lowest.lr
        )),
        _ => print_line_lossy("no rate reduced the loss: check the data and the plot of the sweep"),
    }
    print_line_lossy(format_args!(
        "wrote {} and {}",
        csv.display(),
        svg.display()
    ));
    Ok(Done::All)
}
