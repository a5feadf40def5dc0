//! The flags of `sonoprint train`.

use std::path::PathBuf;

use crate::cli::args;
use crate::dataset::LabelSource;
use crate::frontend::config::Size;
use crate::model::Task;
use crate::train::TrainSettings;

/// Which files belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GroupBy {
    /// Files that hold the same sound.
    #[default]
    Sound,
    /// No two files.
    None,
}

/// Train a network on a folder with one subfolder per class, as GTZAN has, or on files with labels.
#[derive(clap::Args)]
#[command(group(
    clap::ArgGroup::new("begin").multiple(true).conflicts_with_all(["resume", "config"])
))]
pub struct Args {
    /// Folder with one subfolder per class (blues/blues.00000.wav, ...), or with --labels any
    /// folder of audio files.
    #[arg(required_unless_present_any = ["resume", "config"], group = "begin")]
    pub dataset: Option<PathBuf>,
    /// Folder for the run: settings, split, metrics, log, best checkpoint, report. Must not hold a
    /// run yet.
    #[arg(
        long,
        value_name = "RUN",
        required_unless_present = "resume",
        conflicts_with = "resume"
    )]
    pub out: Option<PathBuf>,
    /// Resume a run that was stopped or killed, from its last saved state; or the folder of --seeds
    /// or --folds, whose finished runs are kept. With --epochs, a finished run trains on.
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// Whether --epochs was given. Set from the matches, because its value has a default.
    #[arg(skip)]
    pub epochs_given: bool,
    /// Repeat a run, from its run.toml and the split.csv beside it.
    #[arg(
        long = "repeat",
        alias = "config",
        value_name = "FILE",
        conflicts_with = "resume"
    )]
    pub config: Option<PathBuf>,
    /// Labels of the files, instead of their folders: tags (the genres in the files' own tags), or
    /// a CSV file with the columns `file` (a path in DATASET) and `labels` (with `|` or `;` between
    /// them; a file may have several rows).
    #[arg(
        long,
        value_name = "tags|FILE",
        value_parser = args::label_source,
        group = "begin",
        help_heading = FILES
    )]
    pub labels: Option<LabelSource>,
    /// Take hidden files and folders of the dataset too.
    #[arg(long, group = "begin", help_heading = FILES)]
    pub hidden: bool,
    /// Leave out labels of fewer files.
    #[arg(
        long,
        value_name = "FILES",
        default_value_t = 5,
        requires = "labels",
        group = "begin",
        help_heading = FILES
    )]
    pub min_files: usize,
    /// What the network learns: multi-label (any number of labels per file) or single-label (files
    /// with several labels are left out). Default: multi-label if any file has several labels.
    #[arg(
        long,
        value_name = "multi-label|single-label",
        requires = "labels",
        group = "begin",
        help_heading = FILES,
        value_parser = args::task
    )]
    pub task: Option<Task>,
    /// Split of the files: stratified (random, with equal shares of each class), filtered (GTZAN's
    /// fault-filtered lists), or a CSV file with the columns `file` and `split` (train, valid,
    /// test).
    #[arg(
        long,
        value_name = "stratified|filtered|FILE",
        default_value = "stratified",
        group = "begin",
        help_heading = FILES
    )]
    pub split: String,
    /// Files that must not be in two subsets: those that hold the same sound (a copy, a cut, another
    /// codec), or none. A stratified split and folds keep such files together; another split gets a
    /// warning.
    #[arg(
        long,
        value_name = "sound|none",
        value_enum,
        default_value_t,
        group = "begin",
        help_heading = FILES
    )]
    pub groups: GroupBy,
    /// Train with N seeds, from --seed upward, each in its own folder. Prints the mean, standard
    /// deviation and interval of the accuracy.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        conflicts_with = "folds",
        group = "begin",
        help_heading = SEVERAL,
        value_parser = clap::value_parser!(u8).range(1..)
    )]
    pub seeds: u8,
    /// Cross-validate: K runs, each tested on another part of the files and validated on the part
    /// after it.
    #[arg(
        long,
        value_name = "K",
        conflicts_with = "split",
        group = "begin",
        help_heading = SEVERAL,
        value_parser = clap::value_parser!(u8).range(3..)
    )]
    pub folds: Option<u8>,
    /// Do not train: try rising learning rates on a fresh network, and write their losses to --out.
    #[arg(long, conflicts_with_all = ["resume", "config", "seeds", "folds"])]
    pub find_lr: bool,
    /// Does nothing: bars are the only display now. Kept for scripts that pass it.
    #[arg(long = "plain", hide = true)]
    _plain: bool,
    #[command(flatten, next_help_heading = "Computation")]
    pub memory: args::PcmMemoryArg,
    #[command(flatten, next_help_heading = "Computation")]
    pub device: args::DeviceArg,
    #[command(flatten, next_help_heading = "Network input")]
    pub input: InputArgs,
    #[command(flatten, next_help_heading = "Training")]
    pub settings: TrainSettings,
}

/// Heading of the flags that choose files and their labels.
const FILES: &str = "Files and labels";
/// Heading of the flags that make one run several.
const SEVERAL: &str = "Several runs";

/// Flags that decide what the network sees.
#[derive(clap::Args)]
pub struct InputArgs {
    /// Front-end preset. Default: the network's own (compact: mel, deeppixel: deeppixel, musicnn:
    /// musicnn), or that of --init.
    #[arg(long, group = "begin", conflicts_with = "init")]
    pub preset: Option<String>,
    /// Size of the images. Default: the preset's own.
    #[arg(long, value_name = "WxH", value_parser = args::size, group = "begin", conflicts_with = "init")]
    pub size: Option<Size>,
    /// Length of a clip. Default: the preset's own (mel and deeppixel: 30, musicnn: 3).
    #[arg(
        long,
        value_name = "SECONDS",
        value_parser = args::clip_seconds,
        group = "begin"
    )]
    pub clip_seconds: Option<f64>,
}
