//! The runs that `--resume` goes on with.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::flags::Args;
use super::planned::PlannedRun;
use crate::cli::words::note;
use crate::dataset::{Dataset, Groups, Split};
use crate::train::{RunFolder, Series, SeriesRun, extend};

/// Returns the run in `root`, or the runs of the seeds or folds in it.
pub fn resumed(root: &Path, args: &Args) -> anyhow::Result<Vec<PlannedRun>> {
    if root.join("run.toml").exists() {
        return Ok(vec![resume(root, args)?]);
    }
    if let Some(series) = Series::open(root)? {
        return planned(series, root, args);
    }
    let parts = parts(root)?;
    if parts.is_empty() {
        return Ok(vec![resume(root, args)?]);
    }
    note(format_args!(
        "an earlier version made these runs and did not say how many: going on with the {} that are there",
        parts.len()
    ));
    parts.iter().map(|part| resume(part, args)).collect()
}

/// Returns all runs of a series: those that are there, and those that a kill left unmade.
fn planned(mut series: Series, root: &Path, args: &Args) -> anyhow::Result<Vec<PlannedRun>> {
    let there = |name: &str| root.join(name).join("run.toml").exists();
    let all = series.runs().len();
    let missing: Vec<_> = series
        .runs()
        .iter()
        .filter(|run| !there(&run.name))
        .collect();
    let mut data: Option<Dataset> = None;
    if !missing.is_empty() {
        note(format_args!(
            "{} of {all} runs were not made before the stop: making them now",
            missing.len()
        ));
        missing.iter().for_each(|run| series.clear(run));
        data = Some(series.dataset()?);
    }
    if args.epochs_given {
        series.extend(args.settings.epochs)?;
    }
    let plan = |run| -> anyhow::Result<PlannedRun> {
        let run: &SeriesRun = run;
        let root = root.join(&run.name);
        match &data {
            Some(data) if !there(&run.name) => Ok(PlannedRun {
                split: series.split(run, data)?,
                data: data.clone(),
                settings: series.settings(run),
                root,
                resumes: false,
                notes: Vec::new(),
                groups: Groups::of_sets(0, &[]),
            }),
            _ => resume(&root, args),
        }
    };
    series.runs().iter().map(plan).collect()
}

/// Returns the folders of the runs of seeds or folds in `root`, in the order of their numbers.
fn parts(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    let folder = std::fs::read_dir(root).with_context(|| root.display().to_string())?;
    for entry in folder {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = ["seed-", "fold-"]
            .iter()
            .find_map(|kind| name.strip_prefix(kind));
        if let Some(number) = number.and_then(|number| number.parse::<u64>().ok())
            && path.join("run.toml").exists()
        {
            parts.push((number, path));
        }
    }
    parts.sort();
    Ok(parts.into_iter().map(|(_, path)| path).collect())
}

/// Returns the run in the folder `root`, which trains on if the flags say so.
fn resume(root: &Path, args: &Args) -> anyhow::Result<PlannedRun> {
    let (folder, mut record) = RunFolder::open(root)?;
    if args.epochs_given {
        record = extend(&folder, &record, args.settings.epochs)?;
    }
    let data = record.dataset(&folder.path("run.toml"))?;
    let split = Split::from_csv(&data, &folder.path("split.csv"))?;
    Ok(PlannedRun {
        data,
        split,
        settings: record.settings,
        root: root.to_owned(),
        resumes: true,
        notes: Vec::new(),
        groups: Groups::of_sets(0, &[]),
    })
}
