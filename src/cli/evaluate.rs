//! `sonoprint evaluate`.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::args::{DeviceArg, ModelArg, PcmMemoryArg, check_folder, label_source, make_folder};
use super::command_line::command_line;
use super::progress::decode;
use super::report::{self, Subject};
use super::words::note;
use super::{Done, train};
use crate::dataset::{Dataset, LabelRules, LabelSource, Labeled, MatchedClasses, Split, Subset};
use crate::evaluate::evaluate;
use crate::evaluate::report::{Report, Setting, now};
use crate::files::Claims;
use crate::frontend::FrontEnd;
use crate::inference::{BatchLimit, InferenceError};
use crate::model::{Checkpoint, Header, Pass, Task};

/// Measure a model on a folder with one subfolder per class, or on files with labels.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with one subfolder per class, each one of the model's classes; or with --labels any
    /// folder of audio files.
    dataset: PathBuf,
    /// Labels of the files, instead of their folders: tags (the genres in the files' own tags), or
    /// a CSV file with the columns `file` (a path in DATASET) and `labels` (with `|` or `;` between
    /// them). They are matched to the model's classes by name, in any case.
    #[arg(long, value_name = "tags|FILE", value_parser = label_source, help_heading = FILES)]
    labels: Option<LabelSource>,
    /// Take hidden files and folders too.
    #[arg(long, help_heading = FILES)]
    hidden: bool,
    /// Folder for report.html and metrics.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelArg,
    /// Split of the files: stratified (see --seed), filtered (GTZAN's fault-filtered lists), or a
    /// CSV file with the columns `file` and `split`. Default: no split, every file is evaluated.
    #[arg(long, value_name = "stratified|filtered|FILE", help_heading = FILES)]
    split: Option<String>,
    /// Subset of the split: train, valid or test.
    #[arg(
        long,
        alias = "side",
        default_value = "test",
        requires = "split",
        help_heading = FILES,
        value_parser = subset
    )]
    subset: Subset,
    /// Seed of the stratified split: the seed that the network was trained with.
    #[arg(long, default_value_t = 1, help_heading = FILES)]
    seed: u64,
    /// Clips per batch; if absent, 16, or fewer if the device can take no more.
    #[arg(
        long,
        help_heading = COMPUTATION,
        value_parser = clap::value_parser!(u16).range(1..=4096)
    )]
    batch: Option<u16>,
    #[command(flatten, next_help_heading = COMPUTATION)]
    memory: PcmMemoryArg,
    #[command(flatten, next_help_heading = COMPUTATION)]
    device: DeviceArg,
}

/// Clips per batch, if they fit.
const BATCH: usize = 16;
/// Heading of the flags that choose files and their labels.
const FILES: &str = "Files and labels";
/// Heading of the flags that change no result.
const COMPUTATION: &str = "Computation";

/// Parses the name of a subset.
fn subset(text: &str) -> Result<Subset, String> {
    Subset::from_name(text).ok_or_else(|| "must be train, valid or test".into())
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    claim(args)?;
    let source = args.labels.as_ref().unwrap_or(&LabelSource::Folders);
    let rules = LabelRules {
        min_files: 1,
        single: false,
        hidden: args.hidden,
    };
    let Labeled { data, notes } = Dataset::labeled(&args.dataset, source, rules)?;
    for line in notes {
        note(line);
    }
    let (mut split, subset) = match args.split.as_deref() {
        None => (everything(&data), Subset::Test),
        Some("filtered") => (Split::filtered(&data)?, args.subset),
        Some("stratified") => {
            let split = Split::stratified(&data, args.seed, train::STRATIFIED)?;
            (split, args.subset)
        }
        Some(file) => (Split::from_csv(&data, file.as_ref())?, args.subset),
    };
    ensure!(
        !split.subset(subset).is_empty(),
        "the {} subset of the split has no files",
        subset.name()
    );
    let compute = args.device.open()?;
    let checkpoint = Checkpoint::open(&args.model.model, &compute.burn())?;
    let header = checkpoint.header;
    let single = header.task == Task::SingleLabel;
    let matched = match source {
        LabelSource::Folders => map_classes(&data, &header)?,
        _ => match_labels(&data, &header.classes, single, split.subset_mut(subset))?,
    };
    let limit = BatchLimit::new(&compute, &header.network, Pass::Inference, false);
    let batch = args.batch.map_or(limit.automatic(BATCH), usize::from);
    limit.check(batch).map_err(InferenceError::from)?;
    make_folder(&args.out)?;

    let memory = args.memory.open(&compute);
    let mut set = decode(&data, &split, subset, &header.front_end, &memory)?;
    for file in &mut set.files {
        file.labels = matched.of(&file.labels);
    }
    let front_end = FrontEnd::new(&compute, &header.front_end)?;
    let result = evaluate(
        &checkpoint.network,
        header.calibrated_task(),
        &front_end,
        &set,
        header.classes.len(),
        batch,
    )?;
    let left_out = split.subset(subset).len() - set.files.len();
    let name = args.model.model.to_string();
    let subject = Subject {
        title: format!("{name} on {}", args.dataset.display()),
        facts: [
            ("sonoprint", env!("CARGO_PKG_VERSION").to_owned()),
            ("model", format!("{name} ({})", checkpoint.fingerprint)),
            ("dataset", args.dataset.display().to_string()),
            (
                "split",
                args.split.as_ref().map_or("every file".into(), |s| {
                    format!("{} subset of {s}", subset.name())
                }),
            ),
            ("files", set.files.len().to_string()),
            ("files left out as unreadable", left_out.to_string()),
            ("device", compute.name()),
            ("date", now()),
            ("command", command_line()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(report::temperature(&header, &result))
        .collect(),
        classes: &header.classes,
        files: set
            .files
            .iter()
            .map(|f| data.entries[f.entry].key())
            .collect(),
        set: &set,
        config: &header.front_end,
        front_end: &front_end,
        epochs: Vec::new(),
        kept: None,
        settings: header
            .training
            .iter()
            .map(|(name, value)| Setting {
                name: name.clone(),
                value: value.clone(),
                default: None,
            })
            .collect(),
    };
    report::write(subject, &result, &args.out)?;
    Ok(if left_out == 0 { Done::All } else { Done::Some })
}

/// Checks that the report may be written.
fn claim(args: &Args) -> anyhow::Result<()> {
    check_folder(&args.out)?;
    let mut claims = Claims::default();
    if let Some(LabelSource::Csv(path)) = &args.labels {
        claims.input(path);
    }
    if let Some(path) = &args.split {
        claims.input(path.as_ref());
    }
    Ok(Report::claim(&args.out, &mut claims)?)
}

/// Returns the checkpoint's index of each class of the dataset. Each must have one.
fn map_classes(data: &Dataset, header: &Header) -> anyhow::Result<MatchedClasses> {
    let index = |name: &String| {
        let index = header.classes.iter().position(|class| class == name);
        index.with_context(|| {
            format!(
                "the checkpoint does not know the class '{name}': it has {}",
                header.classes.join(", ")
            )
        })
    };
    let indices: anyhow::Result<Vec<usize>> = data.classes.iter().map(index).collect();
    Ok(MatchedClasses::new(
        indices?.into_iter().map(Some).collect(),
    ))
}

/// Matches the labels of the dataset to the checkpoint's `classes`, and removes from `files`, a
/// subset of a split, those that have none of them, or several if the checkpoint knows a single
/// label per file. Notes what has no match and what was removed.
fn match_labels(
    data: &Dataset,
    classes: &[String],
    single: bool,
    files: &mut Vec<usize>,
) -> anyhow::Result<MatchedClasses> {
    let matched = MatchedClasses::by_name(&data.classes, classes);
    let unmatched: Vec<&str> = matched
        .unmatched()
        .map(|i| data.classes[i].as_str())
        .collect();
    if !unmatched.is_empty() {
        note(format_args!(
            "{} of {} labels are no classes of the checkpoint and left out: {}",
            unmatched.len(),
            data.classes.len(),
            unmatched.join(", ")
        ));
    }
    let all = files.len();
    let labels = |i: &usize| matched.of(&data.entries[*i].labels).len();
    files.retain(|i| labels(i) > 0);
    let none = all - files.len();
    if single {
        files.retain(|i| labels(i) == 1);
    }
    let several = all - none - files.len();
    for (count, why) in [(none, "none"), (several, "several")] {
        if count > 0 {
            note(format_args!(
                "{count} of {all} files have {why} of the checkpoint's classes and are left out"
            ));
        }
    }
    ensure!(
        !files.is_empty(),
        "no file has a class of the checkpoint, which are {}",
        classes.join(", ")
    );
    Ok(matched)
}

/// Returns a split that has all files in the test subset.
fn everything(data: &Dataset) -> Split {
    Split {
        train: Vec::new(),
        valid: Vec::new(),
        test: (0..data.entries.len()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches};

    use super::Args;
    use crate::dataset::Subset;

    #[test]
    fn the_former_name_of_subset_is_accepted() {
        let parse = |words: &str| {
            let command = Args::augment_args(Command::new("evaluate"));
            let words = ["evaluate", "music", "--out", "out", "--split", "filtered"]
                .into_iter()
                .chain(words.split(' '));
            let matches = command.try_get_matches_from(words)?;
            Ok::<_, clap::Error>(Args::from_arg_matches(&matches)?.subset)
        };
        assert_eq!(parse("--subset valid").unwrap(), Subset::Valid);
        assert_eq!(parse("--side train").unwrap(), Subset::Train);
        parse("--subset side").unwrap_err();
    }
}
