//! `sonoprint train`: what was typed, and the runs that it means.

mod console;
mod find;
mod one;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

use self::one::Ran;
use super::{Done, args};
use crate::dataset::{Dataset, Split};
use crate::evaluate::MeanInterval;
use crate::frontend::config::Size;
use crate::frontend::presets;
use crate::model::{NetworkKind, NetworkSpec};
use crate::train::{RunFolder, RunRecord, TrainSettings};

/// Train a network on a folder with a folder for each class, as GTZAN has.
#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("begin").multiple(true).conflicts_with_all(["resume", "config"])))]
pub struct Args {
    /// Folder with a folder for each class (blues/blues.00000.wav, ...).
    #[arg(required_unless_present_any = ["resume", "config"], group = "begin")]
    dataset: Option<PathBuf>,
    /// Folder for the run: settings, split, metrics, log, best checkpoint. Must not hold a run yet.
    #[arg(
        long,
        value_name = "RUN",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    out: Option<PathBuf>,
    /// Take up a run that was stopped or killed, where its last state stands.
    #[arg(long, value_name = "RUN")]
    resume: Option<PathBuf>,
    /// Do a run again, from its run.toml and the split.csv beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "resume")]
    config: Option<PathBuf>,
    /// Network.
    #[arg(long, default_value = "compact", group = "begin")]
    network: NetworkKind,
    /// Front-end preset; the network's own if absent (compact: mel, deeppixel: deeppixel).
    #[arg(long, group = "begin")]
    preset: Option<String>,
    /// Size of the pictures; the preset's own if absent.
    #[arg(long, value_name = "WxH", value_parser = args::size, group = "begin")]
    size: Option<Size>,
    /// Length of a clip.
    #[arg(long, value_name = "SECONDS", value_parser = args::clip_seconds, default_value = "30", group = "begin")]
    clip_seconds: f64,
    /// Passes over the training side.
    #[arg(long, default_value_t = 30, group = "begin")]
    epochs: usize,
    /// Stop once this many epochs in a row did not better the best on the validation side.
    #[arg(long, value_name = "EPOCHS", group = "begin")]
    patience: Option<usize>,
    /// Clips a step.
    #[arg(long, default_value_t = 16, group = "begin")]
    batch: usize,
    /// Batches whose gradients are added up for one update of the weights.
    #[arg(long, value_name = "BATCHES", default_value_t = 1, group = "begin")]
    accumulate: usize,
    /// Do not train: try rising learning rates on a fresh network, and write their losses to --out.
    #[arg(long, conflicts_with_all = ["resume", "config", "seeds", "folds"])]
    find_lr: bool,
    /// Highest learning rate.
    #[arg(long, default_value_t = 1e-3, group = "begin")]
    lr: f64,
    /// AdamW's weight decay.
    #[arg(long, default_value_t = 1e-2, group = "begin")]
    weight_decay: f64,
    /// Longest SpecAugment mask as a share of the picture's side (two in time, two in frequency a clip); 0: none.
    #[arg(long, value_name = "SHARE", default_value_t = 0.15, group = "begin")]
    mask: f64,
    /// Most gain or attenuation of a clip in training, dB.
    #[arg(long, value_name = "DB", default_value_t = 0.0, group = "begin")]
    gain: f64,
    /// Turn the polarity of half of the clips.
    #[arg(long, group = "begin")]
    polarity: bool,
    /// White noise under half of the clips, from this to 30 dB more under their own level.
    #[arg(long, value_name = "DB", group = "begin")]
    noise_snr: Option<f64>,
    /// Mix up to this share of another clip into each, labels alike.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, group = "begin")]
    mixup: f64,
    /// Play clips up to this share faster or slower, at the same pitch.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, group = "begin")]
    tempo: f64,
    /// Transpose clips by up to this many semitones up or down, at the same tempo.
    #[arg(long, value_name = "SEMITONES", default_value_t = 0.0, group = "begin")]
    pitch: f64,
    /// Send clips through random filters, smooth over frequency, of about this much.
    #[arg(
        long,
        alias = "equalise",
        value_name = "DB",
        default_value_t = 0.0,
        group = "begin"
    )]
    equalize: f64,
    /// Share of the target spread over all classes.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, group = "begin")]
    label_smoothing: f64,
    /// Seed of the split, the weights, the order, the crops, the masks and dropout.
    #[arg(long, default_value_t = 1, group = "begin")]
    seed: u64,
    /// stratified, filtered (GTZAN's fault-filtered lists), or a CSV file with the columns `file` and `split` (train, valid, test).
    #[arg(
        long,
        value_name = "stratified|filtered|FILE",
        default_value = "stratified",
        group = "begin"
    )]
    split: String,
    /// Train with this many seeds, from --seed on, each in a folder of its own; prints mean, sd and interval.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "folds", group = "begin",
          value_parser = clap::value_parser!(u8).range(1..))]
    seeds: u8,
    /// Cross-validate: K runs, each tested on another part of the files and validated on the part after it.
    #[arg(long, value_name = "K", conflicts_with = "split", group = "begin", value_parser = clap::value_parser!(u8).range(3..))]
    folds: Option<u8>,
    /// Does nothing: bars are the only display now. Kept for scripts that pass it.
    #[arg(long = "plain", hide = true)]
    _plain: bool,
    #[command(flatten)]
    memory: args::PcmMemoryArg,
    #[command(flatten)]
    device: args::DeviceArg,
}

/// A run about to start or go on.
#[derive(Clone)]
struct Plan {
    data: Dataset,
    split: Split,
    settings: TrainSettings,
    /// The run's folder, and whether it was begun before.
    root: PathBuf,
    begun: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let plans = plans(args)?;
    // Everything that can be wrong is found before anything is decoded or written.
    for plan in &plans {
        plan.split.check(&plan.data)?;
        NetworkSpec {
            kind: plan.settings.network,
            classes: plan.data.classes.len(),
            picture: plan.settings.front_end.image_size(),
        }
        .check()?;
    }
    let compute = args.device.open()?;
    let stop = stop_flag();
    if let (true, Some(plan)) = (args.find_lr, plans.first()) {
        return find::run(plan, &compute, &args.memory, stop);
    }
    let mut accuracies = Vec::new();
    for plan in &plans {
        if plans.len() > 1 {
            tell(format!("== {}", plan.root.display()));
        }
        match one::run(plan, &compute, args, stop)? {
            Ran::Stopped => return Ok(Done::Stopped),
            Ran::Tested(accuracy) => accuracies.push(accuracy),
            Ran::Untested => {}
        }
    }
    if let (true, Some(spread)) = (plans.len() > 1, MeanInterval::of(&accuracies)) {
        let line = format!(
            "accuracy on the test side over {} runs: {spread}",
            accuracies.len()
        );
        tell(&line);
        let root = args.out.as_deref().context("--out is missing")?;
        let values: Vec<String> = accuracies.iter().map(|a| format!("{a:.4}")).collect();
        std::fs::write(
            root.join("summary.txt"),
            format!("{line}\n{}\n", values.join(" ")),
        )
        .with_context(|| format!("cannot write a summary in {}", root.display()))?;
    }
    Ok(Done::All)
}

/// The runs that the flags ask for: one, or one a seed, or one a fold.
fn plans(args: &Args) -> anyhow::Result<Vec<Plan>> {
    let first = plan(args)?;
    let numbered = |name: &str, n: usize| first.root.join(format!("{name}-{n}"));
    if args.seeds > 1 {
        return Ok((0..u64::from(args.seeds))
            .map(|i| {
                let seed = first.settings.seed + i;
                Plan {
                    settings: TrainSettings {
                        seed,
                        ..first.settings.clone()
                    },
                    root: numbered("seed", seed as usize),
                    ..first.clone()
                }
            })
            .collect());
    }
    if let Some(k) = args.folds {
        let folds = Split::folds(&first.data, usize::from(k), args.seed)?;
        return Ok(folds
            .into_iter()
            .enumerate()
            .map(|(i, split)| Plan {
                split,
                root: numbered("fold", i + 1),
                ..first.clone()
            })
            .collect());
    }
    Ok(vec![first])
}

/// What is to be run: from the flags, from another run's record, or from the run that is resumed.
fn plan(args: &Args) -> anyhow::Result<Plan> {
    if let Some(root) = &args.resume {
        let (folder, record) = RunFolder::open(root)?;
        let data = Dataset::scan(&record.dataset)?;
        let split = Split::from_csv(&data, &folder.path("split.csv"))?;
        return Ok(Plan {
            data,
            split,
            settings: record.settings,
            root: root.clone(),
            begun: true,
        });
    }
    let root = args.out.clone().context("--out is missing")?;
    if let Some(config) = &args.config {
        let record = RunRecord::load(config)?;
        let data = Dataset::scan(&record.dataset)?;
        let split = Split::from_csv(&data, &config.with_file_name("split.csv"))?;
        return Ok(Plan {
            data,
            split,
            settings: record.settings,
            root,
            begun: false,
        });
    }
    let settings = settings(args)?;
    let data = Dataset::scan(args.dataset.as_deref().context("DATASET is missing")?)?;
    let split = match args.split.as_str() {
        "stratified" => Split::stratified(&data, args.seed, (0.15, 0.15))?,
        "filtered" => Split::filtered(&data)?,
        file => Split::from_csv(&data, file.as_ref())?,
    };
    Ok(Plan {
        data,
        split,
        settings,
        root,
        begun: false,
    })
}

/// Set by Ctrl-C and by a polite kill; a second one ends the process at once.
fn stop_flag() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    let set = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("finishing the step and saving; once more to stop at once");
    });
    if let Err(e) = set {
        eprintln!("Ctrl-C will not save: {e}");
    }
    &STOP
}

/// Writes a line to stdout if anybody reads it: a run of hours does not end because a pipe was closed.
fn tell(line: impl std::fmt::Display) {
    let _ = args::say(line);
}

fn describe(settings: &TrainSettings) -> String {
    let size = settings.front_end.image_size();
    format!(
        "{} on {}x{} pictures of {:.1} s ({}), batch {}, seed {}",
        settings.network.name(),
        size.width,
        size.height,
        settings.front_end.clip_seconds(),
        settings.front_end.preset,
        settings.batch,
        settings.seed
    )
}

fn settings(args: &Args) -> anyhow::Result<TrainSettings> {
    let own = match args.network {
        NetworkKind::DeepPixel => "deeppixel",
        NetworkKind::Compact => "mel",
    };
    let preset = args.preset.as_deref().unwrap_or(own);
    let mut front_end = presets::preset(preset)?.with_clip_seconds(args.clip_seconds);
    if args.size.is_some() {
        front_end = front_end.with_image_size(args.size);
    }
    let settings = TrainSettings {
        network: args.network,
        epochs: args.epochs,
        patience: args.patience,
        batch: args.batch,
        accumulate: args.accumulate,
        lr: args.lr,
        weight_decay: args.weight_decay,
        mask: args.mask,
        gain: args.gain,
        polarity: args.polarity,
        noise_snr: args.noise_snr,
        mixup: args.mixup,
        tempo: args.tempo,
        pitch: args.pitch,
        equalize: args.equalize,
        label_smoothing: args.label_smoothing,
        seed: args.seed,
        front_end,
    };
    settings.validate()?;
    Ok(settings)
}
