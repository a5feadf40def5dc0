//! One run from its plan to its report.

use std::sync::atomic::AtomicBool;

use super::super::args;
use super::super::report::{self, Subject};
use super::console::Console;
use super::{Args, Plan, describe, tell};
use crate::dataset::Subset;
use crate::dataset::pcm::{PcmMemory, PcmSet};
use crate::evaluate::evaluate;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::{Checkpoint, Network};
use crate::train::{Job, Outcome, RunFolder, train};

/// How a run ended.
pub enum Ran {
    /// By Ctrl-C, with its state saved.
    Stopped,
    /// At its end, with this accuracy by file on the test side.
    Tested(f64),
    /// At its end, without a test side.
    Untested,
}

/// Begins or takes up the run of `plan`.
pub fn run(
    plan: &Plan,
    compute: &Compute,
    args: &Args,
    stop: &'static AtomicBool,
) -> anyhow::Result<Ran> {
    let Plan {
        data,
        split,
        settings,
        ..
    } = plan;
    let folder = if plan.begun {
        RunFolder::open(&plan.root)?.0
    } else {
        RunFolder::create(&plan.root, data, split, settings, &compute.name())?
    };
    tell(split.summary(data));
    let memory = args.memory.open(compute);
    let [train_set, valid_set, test_set] = load(plan, &memory, &folder)?;
    tell(describe(settings));
    if valid_set.files.is_empty() {
        tell("no validation side: the last epoch is kept, however good it is");
    }

    let mut console = Console::new(settings.epochs, &folder);
    let job = Job {
        compute,
        settings,
        classes: &data.classes,
        train: &train_set,
        valid: &valid_set,
        folder: &folder,
    };
    let outcome = train(&job, &mut console, stop);
    console.finish();
    let outcome = outcome?;
    tell(outcome.times);
    if outcome.stopped {
        tell(format!(
            "stopped in epoch {}; go on with: sonoprint train --resume {}",
            outcome.epochs.len() + 1,
            plan.root.display()
        ));
        return Ok(Ran::Stopped);
    }
    tell(format!(
        "kept epoch {} in {}",
        outcome.best_epoch,
        folder.best().display()
    ));
    if test_set.files.is_empty() {
        return Ok(Ran::Untested);
    }
    test(&job, plan, &test_set, outcome).map(Ran::Tested)
}

/// Decodes all three sides.
fn load(plan: &Plan, memory: &PcmMemory, folder: &RunFolder) -> anyhow::Result<[PcmSet; 3]> {
    let Plan {
        data,
        split,
        settings,
        ..
    } = plan;
    let files = Subset::ALL.iter().map(|&s| split.subset(s).len()).sum();
    let bar = args::bar(files, "decoding {bar:30} {pos}/{len} files, {per_sec}");
    let mut sets = Vec::new();
    for side in Subset::ALL {
        let rate = settings.front_end.sample_rate;
        let set = PcmSet::load(data, split, side, rate, memory, &|| bar.inc(1))?;
        for note in &set.notes {
            bar.suspend(|| eprintln!("{note}"));
            folder.append("log.txt", note)?;
        }
        sets.push(set);
    }
    bar.finish_and_clear();
    let streamed: usize = sets.iter().map(PcmSet::streamed).sum();
    let kept = memory.used() as f64 / f64::from(1 << 20);
    let rest = match streamed {
        0 => String::new(),
        n => format!("; {n} files did not fit and are decoded in every epoch (see --pcm-memory)"),
    };
    tell(format!("{kept:.0} MiB of samples in memory{rest}"));
    Ok(sets
        .try_into()
        .unwrap_or_else(|_| unreachable!("three sides")))
}

/// Answers of the kept checkpoint on the test side, which nothing was chosen by.
fn test(job: &Job<'_>, plan: &Plan, set: &PcmSet, outcome: Outcome) -> anyhow::Result<f64> {
    let Job {
        compute, settings, ..
    } = *job;
    let network: Network = Checkpoint::load(&job.folder.best(), &compute.burn())?.network;
    let engine = FrontEnd::new(compute, &settings.front_end)?;
    let clip = settings.front_end.clip_samples;
    let classes = job.classes.len();
    let result = evaluate(&network, &engine, set, classes, clip, settings.batch)?;
    let facts = [
        ("dataset", plan.data.root.display().to_string()),
        ("side", "test, which nothing was chosen by".into()),
        ("network", describe(settings)),
        (
            "epoch",
            format!("{} of {}", outcome.best_epoch, settings.epochs),
        ),
        ("device", compute.name()),
    ];
    let subject = Subject {
        title: format!("Run {}", plan.root.display()),
        facts: facts.map(|(k, v)| (k.to_owned(), v)).into(),
        classes: job.classes,
        files: set
            .files
            .iter()
            .map(|f| plan.data.entries[f.entry].key())
            .collect(),
        set,
        front_end: &settings.front_end,
        engine: &engine,
        epochs: outcome.epochs,
    };
    report::write(subject, &result, &plan.root)?;
    Ok(result.files.accuracy)
}
