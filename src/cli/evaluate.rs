//! `sonoprint evaluate`.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::args::{DeviceArg, ModelArg, PcmMemoryArg, make_folder};
use super::progress::decode;
use super::report::{self, Subject};
use super::{Done, train};
use crate::dataset::{Dataset, Split, Subset};
use crate::evaluate::evaluate;
use crate::frontend::FrontEnd;
use crate::model::{Checkpoint, Header};

/// Measure a model on a folder with one subfolder per class.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with one subfolder per class. Each class must be one of the model's.
    dataset: PathBuf,
    /// Folder for report.html and metrics.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    model: ModelArg,
    /// Split of the files: stratified (see --seed), filtered (GTZAN's fault-filtered lists), or a
    /// CSV file with the columns `file` and `split`. Default: no split, every file is evaluated.
    #[arg(long, value_name = "stratified|filtered|FILE")]
    split: Option<String>,
    /// Subset of the split: train, valid or test.
    #[arg(
        long,
        alias = "side",
        default_value = "test",
        requires = "split",
        value_parser = subset
    )]
    subset: Subset,
    /// Seed of the stratified split: the seed that the network was trained with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clips per batch.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
    #[command(flatten)]
    memory: PcmMemoryArg,
    #[command(flatten)]
    device: DeviceArg,
}

/// Parses the name of a subset.
fn subset(text: &str) -> Result<Subset, String> {
    Subset::from_name(text).ok_or_else(|| "must be train, valid or test".into())
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let data = Dataset::scan(&args.dataset)?;
    let (split, subset) = match args.split.as_deref() {
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
    let classes = map_classes(&data, &header)?;
    make_folder(&args.out)?;

    let memory = args.memory.open(&compute);
    let mut set = decode(&data, &split, subset, &header.front_end, &memory)?;
    for file in &mut set.files {
        file.class = classes[file.class];
    }
    let front_end = FrontEnd::new(&compute, &header.front_end)?;
    let batch = usize::from(args.batch);
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
        facts: vec![
            ("model".into(), name),
            ("dataset".into(), args.dataset.display().to_string()),
            (
                "split".into(),
                args.split.as_ref().map_or("every file".into(), |s| {
                    format!("{} subset of {s}", subset.name())
                }),
            ),
            ("files left out as unreadable".into(), left_out.to_string()),
            ("device".into(), compute.name()),
        ],
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
    };
    report::write(subject, &result, &args.out)?;
    Ok(if left_out == 0 { Done::All } else { Done::Some })
}

/// Returns the checkpoint's index of each class of the dataset.
fn map_classes(data: &Dataset, header: &Header) -> anyhow::Result<Vec<usize>> {
    let index = |name: &String| {
        let index = header.classes.iter().position(|class| class == name);
        index.with_context(|| {
            format!(
                "the checkpoint does not know the class '{name}': it has {}",
                header.classes.join(", ")
            )
        })
    };
    data.classes.iter().map(index).collect()
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
