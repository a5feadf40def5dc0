//! One run, from its plan to its report.

use std::sync::atomic::AtomicBool;

use super::console::Console;
use super::flags::Args;
use super::planned::PlannedRun;
use super::settings::describe;
use crate::cli::progress::bar;
use crate::cli::report::{self, Subject};
use crate::cli::words::{note, print_line_lossy};
use crate::dataset::Subset;
use crate::dataset::pcm::{PcmMemory, PcmSet};
use crate::evaluate::{Epoch, Figures, MIN_FILES, evaluate};
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::Checkpoint;
use crate::train::{Job, Outcome, RunFolder, RunRecord, TrainSettings, train};

/// How a run ended.
pub enum Ended {
    /// Ctrl-C stopped it, and its state was saved.
    Stopped,
    /// At its end, with this accuracy by file on the test files; of tags, this mean PR-AUC.
    Tested(f64),
    /// At its end, without test files, or without files that have a tag and files that lack it.
    Untested,
}

/// Starts or resumes the run of `plan`, which the display calls `name`.
pub fn run(
    name: &str,
    plan: &PlannedRun,
    compute: &Compute,
    args: &Args,
    stop: &'static AtomicBool,
) -> anyhow::Result<Ended> {
    let PlannedRun {
        data,
        split,
        settings,
        root,
        resumes,
        notes,
        groups: _,
    } = plan;
    settings.check_batch(compute, data.classes.len())?;
    let folder = match resumes {
        true => RunFolder::open(root)?.0,
        false => plan.create(compute)?,
    };
    for line in notes {
        folder.append("log.txt", line)?;
    }
    print_line_lossy(split.summary(data));
    let memory = args.memory.open(compute);
    let [train_set, valid_set, test_set] = load(plan, &memory, &folder)?;
    print_line_lossy(describe(settings));
    if valid_set.files.is_empty() {
        print_line_lossy("no validation files: the last epoch is kept, whatever its accuracy");
    }

    let job = Job {
        compute,
        settings,
        classes: &data.classes,
        train: &train_set,
        valid: &valid_set,
        folder: &folder,
    };
    let mut console = Console::new(name, &job);
    let outcome = train(&job, &mut console, stop);
    console.finish();
    let outcome = outcome?;
    if outcome.times.steps > 0 {
        print_line_lossy(outcome.times);
    }
    if outcome.stopped {
        print_line_lossy(format_args!(
            "stopped in epoch {}; resume with: sonoprint train --resume {}",
            outcome.epochs.len() + 1,
            root.display()
        ));
        return Ok(Ended::Stopped);
    }
    let kept = folder.best();
    match settings.transfer.freeze {
        true => print_line_lossy(format_args!("kept the network in {}", kept.display())),
        false => print_line_lossy(format_args!(
            "kept epoch {} in {}",
            outcome.best_epoch,
            kept.display()
        )),
    }
    print_line_lossy(confidence(outcome.temperature, valid_set.files.len()));
    if test_set.files.is_empty() {
        return Ok(Ended::Untested);
    }
    let figure = test(&job, plan, &test_set, outcome)?;
    Ok(figure.map_or(Ended::Untested, Ended::Tested))
}

/// Says whether a confidence of the checkpoint is calibrated, and by how many validation files.
fn confidence(temperature: Option<f32>, files: usize) -> String {
    match temperature {
        None => format!(
            "its confidence is not calibrated: that takes {MIN_FILES} validation files, and there are {files}"
        ),
        Some(temperature) => format!(
            "its confidence is calibrated on {files} validation files: temperature {temperature:.3}"
        ),
    }
}

/// Decodes all three subsets.
fn load(plan: &PlannedRun, memory: &PcmMemory, folder: &RunFolder) -> anyhow::Result<[PcmSet; 3]> {
    let PlannedRun {
        data,
        split,
        settings,
        ..
    } = plan;
    let files = Subset::ALL.iter().map(|&s| split.subset(s).len()).sum();
    let bar = bar(files, "decoding {bar:20} {pos}/{len} files, {per_sec}");
    let mut sets = Vec::new();
    for subset in Subset::ALL {
        let front_end = &settings.front_end;
        let set = PcmSet::load(data, split, subset, front_end, memory, &|| bar.inc(1))?;
        if subset == Subset::Train {
            set.check_classes(data, split.subset(subset))?;
        }
        for line in &set.notes {
            bar.suspend(|| note(line));
            folder.append("log.txt", line)?;
        }
        sets.push(set);
    }
    bar.finish_and_clear();
    let streamed: usize = sets.iter().map(PcmSet::streamed).sum();
    let resident = memory.used() as f64 / f64::from(1 << 20);
    let rest = match streamed {
        0 => String::new(),
        n => format!("; {n} files did not fit and are decoded in every epoch (see --pcm-memory)"),
    };
    print_line_lossy(format_args!("{resident:.0} MiB of samples in memory{rest}"));
    Ok(sets
        .try_into()
        .unwrap_or_else(|_| unreachable!("three subsets")))
}

/// Evaluates the kept checkpoint on the test files, which no choice depended on. Returns the figure
/// of [`Ended::Tested`].
fn test(
    job: &Job<'_>,
    plan: &PlannedRun,
    set: &PcmSet,
    outcome: Outcome,
) -> anyhow::Result<Option<f64>> {
    let Job {
        compute, settings, ..
    } = *job;
    let checkpoint = Checkpoint::load(&job.folder.best(), &compute.burn())?;
    let front_end = FrontEnd::new(compute, &settings.front_end)?;
    let classes = job.classes.len();
    let result = evaluate(
        &checkpoint.network,
        checkpoint.header.calibrated_task(),
        &front_end,
        set,
        classes,
        settings.batch,
    )?;
    let record = RunRecord::load(&job.folder.path("run.toml"))?;
    let mut facts = vec![
        ("sonoprint", version(&record)),
        ("network", describe(settings)),
        ("dataset", plan.data.root.display().to_string()),
        ("subset", "test, which no choice depended on".into()),
        (
            "split",
            format!(
                "{} training, {} validation, {} test files",
                job.train.files.len(),
                job.valid.files.len(),
                set.files.len()
            ),
        ),
        (
            "epoch",
            format!("{} of {}", outcome.best_epoch, settings.epochs),
        ),
        ("epoch kept because", why_kept(settings, &outcome)),
        ("model", checkpoint.fingerprint.clone()),
        ("seed", settings.seed.to_string()),
        ("device", compute.name()),
    ];
    // Runs of earlier versions do not say when and how they were made.
    facts.extend(record.made.map(|made| ("date", made)));
    facts.extend(record.command.map(|command| ("command", command)));
    let subject = Subject {
        title: format!("Run {}", plan.root.display()),
        facts: (facts.into_iter().map(|(k, v)| (k.to_owned(), v)))
            .chain(report::temperature(&checkpoint.header, &result))
            .collect(),
        classes: job.classes,
        files: set
            .files
            .iter()
            .map(|f| plan.data.entries[f.entry].key())
            .collect(),
        set,
        config: &settings.front_end,
        front_end: &front_end,
        settings: settings.listed(),
        kept: (!settings.transfer.freeze).then_some(outcome.best_epoch),
        epochs: outcome.epochs,
    };
    report::write(subject, &result, &plan.root)?;
    Ok(match &result.figures {
        Figures::SingleLabel(levels) => Some(levels.files.accuracy),
        Figures::MultiLabel(levels) => levels.files.pr_auc,
    })
}

/// Returns the version that wrote the report, and that which made the run.
fn version(record: &RunRecord) -> String {
    let present = env!("CARGO_PKG_VERSION");
    match record.sonoprint.as_str() {
        made if made == present => present.to_owned(),
        made => format!("{present}; the run was made by {made}"),
    }
}

/// Says why the weights of an epoch were kept.
fn why_kept(settings: &TrainSettings, outcome: &Outcome) -> String {
    let kept = |e: &&Epoch| e.epoch == outcome.best_epoch;
    let valid = outcome.epochs.iter().find(kept).and_then(|e| e.valid);
    match valid {
        _ if settings.transfer.freeze => "the last layer is fitted at once".into(),
        None => "it is the last one: there are no validation files".into(),
        Some(v) => {
            let (figure, value) = match v.auc {
                Some(auc) => ("mean PR-AUC", auc.pr_auc),
                None => ("accuracy by file", v.accuracy()),
            };
            format!(
                "highest {figure} on the validation files, {value:.3}; of equal ones, lowest loss ({:.3})",
                v.loss
            )
        }
    }
}
