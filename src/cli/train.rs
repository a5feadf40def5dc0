//! `sonoprint train`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use indicatif::ProgressBar;

use super::report::{self, Subject};
use super::{Done, args};
use crate::dataset::{Dataset, Side, Split};
use crate::frontend::settings::Size;
use crate::frontend::{Engine, presets};
use crate::model::{Checkpoint, Network, NetworkKind, NetworkSpec};
use crate::train::{
    Epoch, Job, Observer, Outcome, PcmSet, Progress, RunFolder, RunRecord, TrainSettings, evaluate,
    train,
};

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
    /// Clips a step.
    #[arg(long, default_value_t = 16, group = "begin")]
    batch: usize,
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
    /// Share of the target spread over all classes.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1, group = "begin")]
    label_smoothing: f64,
    /// Seed of the split, the weights, the order, the crops, the masks and dropout.
    #[arg(long, default_value_t = 1, group = "begin")]
    seed: u64,
    /// stratified, or a CSV file with the columns `file` and `split` (train, valid, test).
    #[arg(
        long,
        value_name = "stratified|FILE",
        default_value = "stratified",
        group = "begin"
    )]
    split: String,
    #[command(flatten)]
    device: args::DeviceArg,
}

/// A run about to start or go on.
struct Plan {
    data: Dataset,
    split: Split,
    settings: TrainSettings,
    /// The run's folder, and whether it was begun before.
    root: PathBuf,
    begun: bool,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let plan = plan(args)?;
    let Plan {
        data,
        split,
        settings,
        ..
    } = &plan;
    split.check(data)?;
    // Everything that can be wrong is found before anything is decoded or written.
    NetworkSpec {
        kind: settings.network,
        classes: data.classes.len(),
        picture: settings.front_end.picture_size(),
    }
    .check()?;
    let compute = args.device.open()?;
    let folder = if plan.begun {
        RunFolder::open(&plan.root)?.0
    } else {
        RunFolder::create(&plan.root, data, split, settings, &compute.name())?
    };
    tell(split.summary(data));
    let [train_set, valid_set, test_set] = load(data, split, settings, &folder)?;
    tell(describe(settings));

    let mut watcher = Watcher {
        bar: args::bar(
            0,
            "epoch {prefix} {bar:30} {pos}/{len} steps, {msg}, {eta} left",
        ),
        epochs: settings.epochs,
        folder: &folder,
    };
    let job = Job {
        compute: &compute,
        settings,
        classes: &data.classes,
        train: &train_set,
        valid: &valid_set,
        folder: &folder,
    };
    let outcome = train(&job, &mut watcher, stop_flag())?;
    watcher.bar.finish_and_clear();
    tell(format!("time of the steps: {}", outcome.times));
    if outcome.stopped {
        tell(format!(
            "stopped in epoch {}; go on with: sonoprint train --resume {}",
            outcome.epochs.len() + 1,
            plan.root.display()
        ));
        return Ok(Done::Stopped);
    }
    tell(format!(
        "kept epoch {} in {}",
        outcome.best_epoch,
        folder.best().display()
    ));
    if !test_set.files.is_empty() {
        test(&job, &plan, &test_set, outcome)?;
    }
    Ok(Done::All)
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
    let size = settings.front_end.picture_size();
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
    front_end.picture = args.size.or(front_end.picture);
    let settings = TrainSettings {
        network: args.network,
        epochs: args.epochs,
        batch: args.batch,
        lr: args.lr,
        weight_decay: args.weight_decay,
        mask: args.mask,
        gain: args.gain,
        polarity: args.polarity,
        noise_snr: args.noise_snr,
        mixup: args.mixup,
        label_smoothing: args.label_smoothing,
        seed: args.seed,
        front_end,
    };
    settings.validate()?;
    Ok(settings)
}

/// Decodes all three sides.
fn load(
    data: &Dataset,
    split: &Split,
    settings: &TrainSettings,
    folder: &RunFolder,
) -> anyhow::Result<[PcmSet; 3]> {
    let files = Side::ALL.iter().map(|&s| split.side(s).len()).sum();
    let bar = args::bar(files, "decoding {bar:30} {pos}/{len} files, {per_sec}");
    let mut sets = Vec::new();
    for side in Side::ALL {
        let rate = settings.front_end.sample_rate;
        let set = PcmSet::load(data, split, side, rate, &|| bar.inc(1))?;
        for note in &set.notes {
            bar.suspend(|| eprintln!("{note}"));
            folder.append("log.txt", note)?;
        }
        sets.push(set);
    }
    bar.finish_and_clear();
    Ok(sets
        .try_into()
        .unwrap_or_else(|_| unreachable!("three sides")))
}

/// Answers of the kept checkpoint on the test side, which nothing was chosen by.
fn test(job: &Job<'_>, plan: &Plan, set: &PcmSet, outcome: Outcome) -> anyhow::Result<()> {
    let Job {
        compute, settings, ..
    } = *job;
    let network: Network = Checkpoint::load(&job.folder.best(), &compute.burn())?.network;
    let engine = Engine::new(compute, &settings.front_end)?;
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
    report::write(subject, &result, &plan.root)
}

/// Tells people on a terminal by a bar, and everybody by a line an epoch.
struct Watcher<'a> {
    bar: ProgressBar,
    epochs: usize,
    folder: &'a RunFolder,
}

impl Observer for Watcher<'_> {
    fn step(&mut self, p: &Progress) {
        if p.step <= p.steps && self.bar.position() > p.step as u64 || p.step == 0 {
            self.bar.reset();
        }
        self.bar.set_length(p.steps as u64);
        self.bar.set_prefix(format!("{}/{}", p.epoch, self.epochs));
        self.bar.set_position(p.step as u64);
        let rate = p.clips as f64 / self.bar.elapsed().as_secs_f64().max(1e-3);
        self.bar.set_message(format!(
            "loss {:.3}, accuracy {:.3}, {rate:.1} clips/s",
            p.loss(),
            p.accuracy()
        ));
    }

    fn epoch(&mut self, e: &Epoch) {
        let valid = e.valid.as_ref().map_or(String::new(), |v| {
            format!(
                "; valid loss {:.3}, accuracy {:.3} by file, {:.3} by clip",
                v.loss,
                v.accuracy(),
                v.clip_accuracy
            )
        });
        let line = format!(
            "epoch {:>3}: loss {:.3}, accuracy {:.3}{valid}; {:.1} clips/s{}",
            e.epoch,
            e.loss,
            e.accuracy,
            e.clips_per_second,
            if e.best { "  *" } else { "" }
        );
        self.bar.suspend(|| tell(&line));
        self.bar.reset();
        // The log is a copy of what was printed: not worth stopping a run for.
        let _ = self.folder.append("log.txt", &line);
    }
}
