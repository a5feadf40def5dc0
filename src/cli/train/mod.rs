//! `sonoprint train`: the flags, and the runs that they ask for.

mod console;
mod find_lr;
mod plan;
mod run;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;

pub use self::plan::STRATIFIED;
use self::plan::plans;
use self::run::Ended;
use super::words::{note, print_line_lossy};
use super::{Done, args};
use crate::evaluate::MeanInterval;
use crate::frontend::config::{Output, Size};
use crate::train::TrainSettings;

/// Train a network on a folder with one subfolder per class, as GTZAN has.
#[derive(clap::Args)]
#[command(group(
    clap::ArgGroup::new("begin").multiple(true).conflicts_with_all(["resume", "config"])
))]
pub struct Args {
    /// Folder with one subfolder per class (blues/blues.00000.wav, ...).
    #[arg(required_unless_present_any = ["resume", "config"], group = "begin")]
    dataset: Option<PathBuf>,
    /// Folder for the run: settings, split, metrics, log, best checkpoint, report. Must not hold a run
    /// yet.
    #[arg(
        long,
        value_name = "RUN",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    out: Option<PathBuf>,
    /// Resume a run that was stopped or killed, from its last saved state.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["settings", "augment"])]
    resume: Option<PathBuf>,
    /// Repeat a run, from its run.toml and the split.csv beside it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "settings", "augment"])]
    config: Option<PathBuf>,
    /// Split of the files: stratified (random, with equal shares of each class), filtered (GTZAN's
    /// fault-filtered lists), or a CSV file with the columns `file` and `split` (train, valid, test).
    #[arg(
        long,
        value_name = "stratified|filtered|FILE",
        default_value = "stratified",
        group = "begin"
    )]
    split: String,
    /// Train with N seeds, from --seed upward, each in its own folder. Prints the mean, standard
    /// deviation and interval of the accuracy.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        conflicts_with = "folds",
        group = "begin",
        value_parser = clap::value_parser!(u8).range(1..)
    )]
    seeds: u8,
    /// Cross-validate: K runs, each tested on another part of the files and validated on the part
    /// after it.
    #[arg(
        long,
        value_name = "K",
        conflicts_with = "split",
        group = "begin",
        value_parser = clap::value_parser!(u8).range(3..)
    )]
    folds: Option<u8>,
    /// Do not train: try rising learning rates on a fresh network, and write their losses to --out.
    #[arg(long, conflicts_with_all = ["resume", "config", "seeds", "folds"])]
    find_lr: bool,
    /// Does nothing: bars are the only display now. Kept for scripts that pass it.
    #[arg(long = "plain", hide = true)]
    _plain: bool,
    #[command(flatten)]
    memory: args::PcmMemoryArg,
    #[command(flatten)]
    device: args::DeviceArg,
    #[command(flatten, next_help_heading = "Network input")]
    input: InputArgs,
    #[command(flatten, next_help_heading = "Training")]
    settings: TrainSettings,
}

/// Flags that decide what the network sees.
#[derive(clap::Args)]
struct InputArgs {
    /// Front-end preset. Default: the network's own (compact: mel, deeppixel: deeppixel).
    #[arg(long, group = "begin")]
    preset: Option<String>,
    /// Size of the images. Default: the preset's own.
    #[arg(long, value_name = "WxH", value_parser = args::size, group = "begin")]
    size: Option<Size>,
    /// Length of a clip.
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = args::clip_seconds,
        default_value = "30",
        group = "begin"
    )]
    clip_seconds: f64,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let plans = plans(args)?;
    // Check all runs before anything is decoded or written.
    for plan in &plans {
        plan.check()?;
    }
    let compute = args.device.open()?;
    let stop = stop_flag();
    if let (true, Some(plan)) = (args.find_lr, plans.first()) {
        return find_lr::run(plan, &compute, &args.memory, stop);
    }
    let mut accuracies = Vec::new();
    for (i, plan) in plans.iter().enumerate() {
        let name = match plans.len() {
            1 => "run".to_owned(),
            n => format!("run {} of {n}", i + 1),
        };
        if plans.len() > 1 {
            print_line_lossy(format_args!("== {name}: {}", plan.root.display()));
        }
        match run::run(&name, plan, &compute, args, stop)? {
            Ended::Stopped => return Ok(Done::Stopped),
            Ended::Tested(accuracy) => accuracies.push(accuracy),
            Ended::Untested => {}
        }
    }
    if let (true, Some(mean)) = (plans.len() > 1, MeanInterval::of(&accuracies)) {
        let line = format!(
            "accuracy on the test subset over {} runs: {mean}",
            accuracies.len()
        );
        print_line_lossy(&line);
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

/// Returns a flag that Ctrl-C and SIGTERM set. A second signal ends the process at once.
fn stop_flag() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    let set = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        note("finishing the step and saving; press Ctrl-C again to stop at once");
    });
    if let Err(e) = set {
        note(format_args!("Ctrl-C will not save the run: {e}"));
    }
    &STOP
}

/// Describes the settings in a line, for people.
fn describe(settings: &TrainSettings) -> String {
    let front_end = &settings.front_end;
    let [_, height, width] = front_end.output_shape();
    let input = match front_end.output {
        Output::Image(_) => format!("{width}x{height} images"),
        Output::Features => format!("features of {height} frames by {width} rows"),
    };
    format!(
        "{} on {input} of {:.1} s ({}), batch {}, seed {}",
        settings.network.name(),
        front_end.clip_seconds(),
        front_end.preset,
        settings.batch,
        settings.seed
    )
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command, FromArgMatches};

    use super::Args;
    use super::plan::settings;
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
        for more in [
            "music",
            "--network compact",
            "--lr 0.1",
            "--seed 1",
            "--mask 0",
            "--polarity",
            "--size 9x9",
            "--split filtered",
            "--seeds 3",
            "--find-lr",
        ] {
            for begin in ["--resume run", "--config run.toml --out run"] {
                let words = format!("{begin} {more}");
                assert!(parse(&words).is_err(), "{words}");
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
