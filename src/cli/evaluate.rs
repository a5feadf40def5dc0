//! `sonoprint evaluate`.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::report::{self, Subject};
use super::{Done, args};
use crate::dataset::{Dataset, Split, Subset};
use crate::evaluate::evaluate;
use crate::frontend::FrontEnd;
use crate::model::Checkpoint;

/// Measure a checkpoint on a folder with a folder for each class.
#[derive(clap::Args)]
pub struct Args {
    /// Folder with a folder for each class; each must be one of the checkpoint's.
    dataset: PathBuf,
    /// Folder for report.html and metrics.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Checkpoint; the built-in one if absent.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// stratified (see --seed), filtered (GTZAN's fault-filtered lists), or a CSV file with the columns `file` and `split`;
    /// without it, every file is evaluated.
    #[arg(long, value_name = "stratified|filtered|FILE")]
    split: Option<String>,
    /// Which side of the split: train, valid or test.
    #[arg(long, default_value = "test", requires = "split")]
    side: String,
    /// Seed of the stratified split: the one that the network was trained with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Clips a batch.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: u16,
    #[command(flatten)]
    memory: args::PcmMemoryArg,
    #[command(flatten)]
    device: args::DeviceArg,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let data = Dataset::scan(&args.dataset)?;
    let side = Subset::from_name(&args.side)
        .with_context(|| format!("--side is {}: it must be train, valid or test", args.side))?;
    let (split, side) = match args.split.as_deref() {
        None => (everything(&data), Subset::Test),
        Some("filtered") => (Split::filtered(&data)?, side),
        Some("stratified") => (Split::stratified(&data, args.seed, (0.15, 0.15))?, side),
        Some(file) => (Split::from_csv(&data, file.as_ref())?, side),
    };
    ensure!(
        !split.subset(side).is_empty(),
        "the {} side of the split has no files",
        side.name()
    );
    let compute = args.device.open()?;
    let checkpoint = Checkpoint::open(args.checkpoint.as_deref(), &compute.burn())?;
    let header = checkpoint.header;
    let classes = data
        .classes
        .iter()
        .map(|name| {
            header
                .classes
                .iter()
                .position(|c| c == name)
                .with_context(|| {
                    format!(
                        "the checkpoint does not know the class '{name}': it has {}",
                        header.classes.join(", ")
                    )
                })
        })
        .collect::<anyhow::Result<Vec<usize>>>()?;
    args::make_folder(&args.out)?;

    let rate = header.front_end.sample_rate;
    let memory = args.memory.open(&compute);
    let mut set = args::decode(&data, &split, side, rate, &memory)?;
    for file in &mut set.files {
        file.class = classes[file.class];
    }
    let engine = FrontEnd::new(&compute, &header.front_end)?;
    let clip = header.front_end.clip_samples;
    let batch = usize::from(args.batch);
    let result = evaluate(
        &checkpoint.network,
        &engine,
        &set,
        header.classes.len(),
        clip,
        batch,
    )?;
    let left_out = split.subset(side).len() - set.files.len();
    let name = args
        .checkpoint
        .as_ref()
        .map_or("built in".into(), |p| p.display().to_string());
    let subject = Subject {
        title: format!("{name} on {}", args.dataset.display()),
        facts: vec![
            ("checkpoint".into(), name),
            ("dataset".into(), args.dataset.display().to_string()),
            (
                "split".into(),
                args.split.as_ref().map_or("every file".into(), |s| {
                    format!("{} side of {s}", side.name())
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
        front_end: &header.front_end,
        engine: &engine,
        epochs: Vec::new(),
    };
    report::write(subject, &result, &args.out)?;
    Ok(if left_out == 0 { Done::All } else { Done::Some })
}

/// All files on the test side.
fn everything(data: &Dataset) -> Split {
    Split {
        train: Vec::new(),
        valid: Vec::new(),
        test: (0..data.entries.len()).collect(),
    }
}
