//! The runs that the flags of `sonoprint train` ask for.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};

use burn::tensor::Device;

use super::flags::{Args, GroupBy};
use crate::cli::progress;
use crate::cli::words::note;
use crate::dataset::{Dataset, Groups, LabelRules, LabelSource, Labeled, Split, Subset};
use crate::frontend::config::Output;
use crate::frontend::presets;
use crate::gpu::Compute;
use crate::model::{Checkpoint, ModelName, Task};
use crate::train::{RunFolder, RunRecord, TrainError, TrainSettings, extend};

/// Shares of the validation and the test files in a stratified split.
pub const STRATIFIED: (f64, f64) = (0.15, 0.15);

/// A run that is about to start or to be resumed.
#[derive(Clone)]
pub struct PlannedRun {
    pub data: Dataset,
    pub split: Split,
    pub settings: TrainSettings,
    /// The run's folder.
    pub root: PathBuf,
    /// Whether the folder holds this run already.
    pub resumes: bool,
    /// Lines on files and labels that were left out.
    pub notes: Vec<String>,
    /// Files that hold the same sound.
    pub groups: Groups,
}

impl PlannedRun {
    /// Checks everything that can be checked without a device and without decoding.
    pub fn check(&self) -> anyhow::Result<()> {
        self.settings.validate().map_err(with_flag)?;
        self.split.check(&self.data)?;
        let settings = &self.settings;
        settings.network_spec(self.data.classes.len()).check()?;
        Ok(())
    }
}

impl PlannedRun {
    /// Makes the folder of the run, which is resumed from then on.
    pub fn create(&mut self, compute: &Compute) -> anyhow::Result<()> {
        let Self {
            data,
            split,
            settings,
            root,
            ..
        } = self;
        RunFolder::create(root, data, split, settings, &compute.name())?;
        self.resumes = true;
        Ok(())
    }

    /// Returns whether the report of the run tells of all its epochs.
    pub fn is_finished(&self) -> bool {
        let text = std::fs::read_to_string(self.root.join("metrics.json")).unwrap_or_default();
        let metrics: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let epoch = metrics.pointer("/facts/epoch").and_then(|v| v.as_str());
        let of = format!(" of {}", self.settings.epochs);
        epoch.is_some_and(|epoch| epoch.ends_with(&of))
    }

    /// Returns the figure of a run that has reached its end: the accuracy by file on its test files,
    /// or of tags the mean PR-AUC.
    pub fn figure(&self) -> Option<f64> {
        let text = std::fs::read_to_string(self.root.join("metrics.json")).ok()?;
        let metrics: serde_json::Value = serde_json::from_str(&text).ok()?;
        let name = match self.settings.task {
            Task::SingleLabel => "/files/accuracy",
            Task::MultiLabel => "/files/pr_auc",
        };
        metrics.pointer(name)?.as_f64()
    }
}

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

/// Returns the run in `root`, or the runs of the seeds or folds in it.
fn resumed(root: &Path, args: &Args) -> anyhow::Result<Vec<PlannedRun>> {
    let parts = match root.join("run.toml").exists() {
        true => Vec::new(),
        false => parts(root)?,
    };
    if parts.is_empty() {
        return Ok(vec![resume(root, args)?]);
    }
    parts.iter().map(|part| resume(part, args)).collect()
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

/// Returns the settings that the flags stand for.
pub fn settings(args: &Args) -> anyhow::Result<TrainSettings> {
    let mut settings = args.settings.clone();
    let mut front_end = match &args.input.preset {
        Some(name) => presets::preset(name)?,
        None => settings.network.preset(),
    };
    if let Some(seconds) = args.input.clip_seconds {
        front_end = front_end.with_clip_seconds(seconds);
    }
    if args.input.size.is_some() {
        ensure!(
            matches!(front_end.output, Output::Image(_)),
            "the preset {} makes no images, so --size does not apply",
            front_end.preset
        );
        front_end = front_end.with_image_size(args.input.size);
    }
    settings.front_end = front_end;
    settings.validate().map_err(with_flag)?;
    Ok(settings)
}

/// Takes network and front end of the model that the flags name. Returns a line about it.
fn start_from(
    name: &str,
    settings: &mut TrainSettings,
    classes: &[String],
    args: &Args,
) -> anyhow::Result<String> {
    let name = whole(name);
    let model = Checkpoint::open(ModelName::from(name.as_str()), &Device::flex())?;
    settings.start_from(&model, classes);
    if let Some(seconds) = args.input.clip_seconds {
        settings.front_end = settings.front_end.clone().with_clip_seconds(seconds);
    }
    settings.validate().map_err(with_flag)?;
    let its = &model.header.classes;
    let known = classes.iter().filter(|class| its.contains(class)).count();
    let head = match (*its == classes, settings.transfer.freeze) {
        (true, false) => {
            "its last layer is kept, because its classes are those of the dataset".into()
        }
        (true, true) => {
            "its classes are those of the dataset, and its last layer is fitted anew".into()
        }
        (false, _) => format!(
            "its last layer is replaced: it has {} classes, and {known} of the dataset's {} are among them",
            its.len(),
            classes.len()
        ),
    };
    let line = format!("starting from {name} ({}): {head}", model.fingerprint);
    settings.transfer.init = Some(name);
    Ok(line)
}

/// Returns the name of a model so that it is found from every folder.
fn whole(name: &str) -> String {
    match ModelName::from(name) {
        ModelName::File(path) => std::fs::canonicalize(path)
            .ok()
            .and_then(|path| path.to_str().map(str::to_owned))
            .unwrap_or_else(|| name.to_owned()),
        ModelName::Builtin(name) => name.to_owned(),
    }
}

/// Names the flag of a setting that is out of its range.
fn with_flag(error: TrainError) -> anyhow::Error {
    match error {
        TrainError::Setting { name, value, must } => {
            anyhow!("--{} is {value}: it must be {must}", name.replace('_', "-"))
        }
        other => other.into(),
    }
}

/// Describes the settings in a line, for people.
pub fn describe(settings: &TrainSettings) -> String {
    let front_end = &settings.front_end;
    let [_, height, width] = front_end.output_shape();
    let input = match front_end.output {
        Output::Image(_) => format!("{width}x{height} images"),
        Output::Features => format!("features of {height} frames by {width} rows"),
    };
    let task = match settings.task {
        Task::SingleLabel => "",
        Task::MultiLabel => ", several labels per file",
    };
    format!(
        "{} on {input} of {:.1} s ({}), batch {}, seed {}{task}",
        settings.network.name(),
        front_end.clip_seconds(),
        front_end.preset,
        settings.batch,
        settings.seed
    )
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;
    use clap::{Args as _, Command, FromArgMatches};

    use super::{Args, settings};
    use crate::train::TrainSettings;

    fn parse(words: &str) -> Result<Args, clap::Error> {
        let command = Args::augment_args(Command::new("train"));
        let matches =
            command.try_get_matches_from(std::iter::once("train").chain(words.split(' ')))?;
        Args::from_arg_matches(&matches)
    }

    #[test]
    fn flags_without_values_are_the_defaults_of_the_library() {
        let args = parse("music --out run").unwrap();
        assert_eq!(settings(&args).unwrap(), TrainSettings::default());
    }

    /// Both take their settings from files, which flags would contradict.
    #[test]
    fn resume_and_config_exclude_settings() {
        for ok in [
            "--resume run",
            "--config run.toml --out run",
            "--resume run --pcm-memory 1",
        ] {
            parse(ok).unwrap_or_else(|e| panic!("{ok}: {e}"));
        }
        let mut excluded: Vec<String> = [
            "music",
            "--size 9x9",
            "--split filtered",
            "--seeds 3",
            "--labels tags",
            "--labels tags --task multi-label",
        ]
        .map(str::to_owned)
        .into();
        excluded.push("--find-lr".to_owned());
        parse("--resume run --epochs 60").unwrap();
        let settings = TrainSettings::augment_args(Command::new("settings"));
        let others = settings
            .get_arguments()
            .filter(|flag| flag.get_id() != "epochs");
        for flag in others {
            let value = flag.get_default_values().first();
            let value = value.map_or("1", |v| v.to_str().unwrap());
            let value = match flag.get_action().takes_values() {
                true => format!(" {value}"),
                false => String::new(),
            };
            excluded.push(format!("--{}{value}", flag.get_long().unwrap()));
        }
        assert!(excluded.len() > 20);
        for more in excluded {
            for begin in ["--resume run", "--config run.toml --out run"] {
                let words = format!("{begin} {more}");
                let error = parse(&words).err().unwrap_or_else(|| panic!("{words}"));
                assert_eq!(
                    error.kind(),
                    ErrorKind::ArgumentConflict,
                    "{words}: {error}"
                );
            }
        }
    }

    #[test]
    fn a_setting_out_of_its_range_is_named_by_its_flag() {
        let args = parse("music --out run --label-smoothing 2").unwrap();
        let error = settings(&args).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--label-smoothing is 2: it must be from 0 to 0.5"
        );
    }
}
