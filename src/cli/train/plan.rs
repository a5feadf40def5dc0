//! The runs that the flags of `sonoprint train` ask for.

use anyhow::Context;

use super::flags::{Args, GroupBy};
use super::planned::PlannedRun;
use super::resume::resumed;
use super::settings::{settings, start_from};
use crate::cli::progress;
use crate::cli::words::note;
use crate::dataset::{Dataset, Groups, LabelRules, LabelSource, Labeled, Split, Subset};
use crate::model::Task;
use crate::train::{RunRecord, TrainSettings};

/// Shares of the validation and the test files in a stratified split.
pub const STRATIFIED: (f64, f64) = (0.15, 0.15);

/// Returns the runs: one, or one per seed, or one per fold.
pub fn plans(args: &Args) -> anyhow::Result<Vec<PlannedRun>> {
    if let Some(root) = &args.resume {
        return resumed(root, args);
    }
    let first = plan(args)?;
    let numbered = |name: &str, n: u64| first.root.join(format!("{name}-{n}"));
    let seed = first.settings.seed;
    if args.seeds > 1 {
        let seeds = (0..u64::from(args.seeds)).map(|i| seed.saturating_add(i));
        return Ok(seeds
            .map(|seed| PlannedRun {
                settings: TrainSettings {
                    seed,
                    ..first.settings.clone()
                },
                root: numbered("seed", seed),
                ..first.clone()
            })
            .collect());
    }
    if let Some(k) = args.folds {
        let mut folds = Split::folds(&first.data, usize::from(k), seed)?;
        Split::keep_folds_together(&mut folds, &first.groups);
        return Ok((1..)
            .zip(folds)
            .map(|(fold, split)| PlannedRun {
                split,
                root: numbered("fold", fold),
                ..first.clone()
            })
            .collect());
    }
    Ok(vec![first])
}

/// Returns the only or the first run, from another run's record or the flags.
fn plan(args: &Args) -> anyhow::Result<PlannedRun> {
    let root = args.out.clone().context("--out is missing")?;
    if let Some(config) = &args.config {
        let record = RunRecord::load(config).context(
            "--repeat takes the run.toml of a run, and `sonoprint --config FILE train` a file of options",
        )?;
        let data = record.dataset(config)?;
        let split = Split::from_csv(&data, &config.with_file_name("split.csv"))?;
        return Ok(PlannedRun {
            data,
            split,
            settings: record.settings,
            root,
            resumes: false,
            notes: Vec::new(),
            groups: Groups::of_sets(0, &[]),
        });
    }
    let mut settings = settings(args)?;
    let Labeled { data, mut notes } = dataset(args)?;
    if let Some(name) = &args.settings.transfer.init {
        notes.push(start_from(name, &mut settings, &data.classes, args)?);
    }
    for line in &notes {
        note(line);
    }
    settings.task = match (args.task, data.has_several_labels()) {
        (Some(task), _) => task,
        (None, true) => Task::MultiLabel,
        (None, false) => Task::SingleLabel,
    };
    let mut split = match args.split.as_str() {
        "stratified" => Split::stratified(&data, settings.seed, STRATIFIED)?,
        "filtered" => Split::filtered(&data)?,
        file => Split::from_csv(&data, file.as_ref())?,
    };
    let groups = groups(args, &data);
    if args.split == "stratified" {
        split.keep_together(&groups);
    }
    if args.folds.is_none()
        && let Some(line) = crossed(&data, &split, &groups)
    {
        note(&line);
        notes.push(line);
    }
    Ok(PlannedRun {
        data,
        split,
        settings,
        root,
        resumes: false,
        notes,
        groups,
    })
}

/// Returns the groups of files that hold the same sound, as far as the flags ask for them.
fn groups(args: &Args, data: &Dataset) -> Groups {
    match args.groups {
        GroupBy::None => Groups::of_sets(data.entries.len(), &[]),
        GroupBy::Sound => {
            let bar = progress::bar(
                data.entries.len(),
                "listening for the same sound {bar:20} {pos}/{len} files, {per_sec}",
            );
            let groups = Groups::of_sound(data, &|| bar.inc(1));
            bar.finish_and_clear();
            groups
        }
    }
}

/// Says which files with the same sound are in different subsets. `None` if there are none.
fn crossed(data: &Dataset, split: &Split, groups: &Groups) -> Option<String> {
    let crossed = split.crossed(groups);
    let subset = |i: &usize| {
        let subsets = Subset::ALL.into_iter();
        subsets
            .map(|s| (s, split.subset(s)))
            .find(|(_, files)| files.contains(i))
    };
    let name = |i: &usize| {
        let subset = subset(i).map_or("no subset", |(subset, _)| subset.name());
        format!("{} ({subset})", data.entries[*i].key())
    };
    let first = crossed.first()?.iter().map(name).collect::<Vec<_>>();
    Some(format!(
        "warning: {} groups of files with the same sound cross the split, so the test measures memory too; \
         the first: {}",
        crossed.len(),
        first.join(", ")
    ))
}

/// Lists the dataset, with labels from where the flags say.
fn dataset(args: &Args) -> anyhow::Result<Labeled> {
    let root = args.dataset.as_deref().context("DATASET is missing")?;
    let source = args.labels.as_ref().unwrap_or(&LabelSource::Folders);
    let rules = LabelRules {
        min_files: args.min_files,
        single: args.task == Some(Task::SingleLabel),
        hidden: args.hidden,
    };
    Ok(Dataset::labeled(root, source, rules)?)
}
