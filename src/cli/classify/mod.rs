//! `sonoprint classify`.

mod console;
mod console_args;
mod events;
mod inputs;
mod layout;
mod lines;
mod list_files;
mod pace;
mod startup_times;
mod stop;
mod summary;
mod targets;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{bail, ensure};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use self::console::Console;
use self::console_args::ConsoleArgs;
use self::events::{Counts, Events, Reason};
use self::inputs::{Earlier, InputArgs, State};
use self::pace::Total;
use self::startup_times::StartupTimes;
use self::targets::Targets;
use super::playlists::PlaylistsArg;
use super::walk_args::WalkArgs;
use super::words::{note, note_left_out};
use super::{Done, args, facts, hint, is_broken_pipe, page};
use crate::audio::{ExcerptPlace, Excerpts};
use crate::classify::journal::{self, JournalSettings};
use crate::classify::{DiscoverError, Format, Options, ResultTables, Schema, Shard, classify};
use crate::inference::Predictor;
use crate::model::{Checkpoint, ModelName};

/// Names the genre, or the tags, of audio files and folders.
///
/// Prints one line per file, or writes a table. A file that cannot be read is a row with its
/// reason; the rest goes on.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    inputs: InputArgs,
    /// Print the files that would be classified, one per line, and do nothing. With --out, those
    /// that are done already are left out (-v names them).
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    walk: WalkArgs,
    /// Classify only shard I of N, for several machines that share the files: 2/8 is the second of
    /// eight.
    #[arg(long, value_name = "I/N", default_value_t)]
    shard: Shard,
    #[command(flatten)]
    model: args::ModelArg,
    /// Write the result table to FILE, and a journal to FILE.journal. If the run is killed or
    /// stopped, the same command resumes it; if it is complete, the same command classifies only
    /// new and changed files. - is stdout, without a journal.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format of the result table; chosen by the extension of --out if absent. Without --out, the
    /// table goes to stdout in place of the lines for people.
    #[arg(long)]
    format: Option<Format>,
    /// Sort the rows by path at the end.
    #[arg(long, requires = "out")]
    sorted: bool,
    /// Start over: drop what an earlier run wrote to the same --out.
    #[arg(long, requires = "out")]
    fresh: bool,
    /// Also write a table with one row per clip: CSV, or the format of the extension (.jsonl,
    /// .parquet; .txt is a label track for Audacity, of one audio file). - is stdout.
    #[arg(long, value_name = "FILE", requires = "out")]
    timeline: Option<PathBuf>,
    /// Also write a table of embeddings (what the network's last layer reads, the mean over a file's
    /// clips), for search and clustering: JSON Lines, or Parquet or a NumPy matrix if the extension is
    /// .parquet or .npy. - is stdout.
    #[arg(long, value_name = "FILE", requires = "out")]
    embeddings: Option<PathBuf>,
    #[command(flatten)]
    page: page::PageArgs,
    #[command(flatten)]
    playlists: PlaylistsArg,
    /// Fraction of a clip that it shares with the next one, from 0 to 0.95.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = overlap)]
    clip_overlap: f64,
    /// Read only N excerpts of each track that is longer than they are, by seeking; whole tracks if
    /// absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    excerpts: Option<u32>,
    /// Length of an excerpt in seconds; it holds as many clips as fit, and at least one. 15 if absent.
    #[arg(long, value_name = "S", requires = "excerpts", value_parser = args::clip_seconds)]
    excerpt_seconds: Option<f64>,
    /// Where excerpts lie: each in the middle of its share of the track (spread), or one behind the
    /// other (start, middle, end).
    #[arg(long, value_name = "PLACE", requires = "excerpts", value_parser = excerpt_place())]
    excerpt_at: Option<ExcerptPlace>,
    /// Number of decoder threads; one per core if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    /// Clips per batch; chosen by the device if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    batch: Option<u16>,
    /// Compute in f16, if the adapter can: half the memory and traffic. Probabilities differ in the
    /// third digit.
    #[arg(long)]
    half: bool,
    #[command(flatten)]
    labels: args::LabelArgs,
    #[command(flatten)]
    device: args::DeviceArg,
    #[command(flatten)]
    console: ConsoleArgs,
}

fn overlap(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if (0.0..=0.95).contains(&fraction) => Ok(fraction),
        _ => Err("must be from 0 to 0.95".into()),
    }
}

/// Parses where excerpts lie.
fn excerpt_place() -> impl TypedValueParser<Value = ExcerptPlace> {
    let names = ExcerptPlace::ALL.map(ExcerptPlace::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<ExcerptPlace>())
}

/// Returns the excerpts that the flags ask for.
fn excerpts(args: &Args) -> Option<Excerpts> {
    args.excerpts.map(|count| Excerpts {
        count,
        seconds: args.excerpt_seconds.unwrap_or(Excerpts::SECONDS),
        at: args.excerpt_at.unwrap_or_default(),
    })
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    args.console.apply();
    ensure!(
        !args.inputs.null || args.list || args.inputs.files_from.is_some(),
        "-0 is for the names in --files-from and of --list"
    );
    if args.list {
        return list(args);
    }
    let events = Events::new(args.console.events.as_ref(), args.named())?;
    let mut counts = Counts::default();
    let done = classify_all(args, &events, &mut counts);
    let (exit_code, reason) = match &done {
        Ok(Done::All) => (0, Reason::Done),
        Ok(Done::Some) => (1, Reason::Done),
        Ok(Done::Stopped) => (130, Reason::Stopped),
        Err(e) if is_broken_pipe(e) => (0, Reason::Stopped),
        Err(_) => (2, Reason::Failed),
    };
    let error = done.as_ref().err().filter(|_| exit_code == 2);
    let (message, hint) = (error.map(facts), error.and_then(hint::hint));
    events.finish(
        exit_code,
        reason,
        counts,
        message.as_deref(),
        hint.as_deref(),
    );
    done
}

/// Prints what would be done.
fn list(args: &Args) -> anyhow::Result<Done> {
    let targets = Targets::of(args)?;
    let search = args.walk.search(args.shard);
    let inputs = args.inputs.find(&search)?;
    let earlier = match targets.out {
        Some(out) if !args.fresh => journal::read(&journal::journal_of(out), None)?,
        _ => None,
    };
    let earlier = earlier.map(|state| state.files).unwrap_or_default();
    let end = if args.inputs.null { 0 } else { b'\n' };
    let done = list_files::print(inputs, &earlier, end)?;
    note_left_out(&search.left_out);
    Ok(done)
}

fn classify_all(args: &Args, events: &Events, counts: &mut Counts) -> anyhow::Result<Done> {
    let mut times = StartupTimes::start();
    let search = args.walk.search(args.shard);
    let mut inputs = args.inputs.find(&search)?.peekable();
    // One shard of several may be empty.
    if inputs.peek().is_none() && args.shard == Shard::default() {
        let searched = args.inputs.files_from.iter().chain(&args.inputs.paths);
        let names: Vec<_> = searched.map(|p| p.display().to_string()).collect();
        note_left_out(&search.left_out);
        bail!(DiscoverError::NoAudio(names.join(", ")));
    }
    let targets = Targets::of(args)?;
    let embeddings = targets.has_embeddings(args);
    let compute = args.device.open()?;
    times.end_step("device");
    let checkpoint = Checkpoint::open(&args.model.model, &compute.burn())?;
    times.end_step("checkpoint");
    let rule = args.labels.change(checkpoint.header.decision_rule())?;
    let settings = JournalSettings {
        journal: journal::VERSION,
        model: checkpoint.fingerprint.clone(),
        classes: checkpoint.header.classes.clone(),
        task: rule.task,
        threshold: rule.threshold,
        min_confidence: rule.min_confidence,
        overlap: args.clip_overlap,
        excerpts: excerpts(args).map(|excerpts| excerpts.to_string()),
        timeline: args.timeline.is_some(),
        embeddings,
        half: args.half,
        shard: args.shard,
    };
    let schema = Schema {
        classes: settings.classes.clone(),
        top: args.labels.top(rule.task),
        model: settings.model.clone(),
        rule,
    };
    let files = args.inputs.paths.iter().chain(&args.inputs.files_from);
    let files = files.map(PathBuf::as_path);
    let playlists = args.playlists.plan(targets.out, &schema, files)?;
    let (mut tables, earlier) = match targets.plan(args, &schema)? {
        Some(plan) => {
            let (tables, earlier) = ResultTables::open(plan, &settings, args.fresh)?;
            note_damage(&tables);
            (Some(tables), earlier)
        }
        None => (None, Earlier::default()),
    };
    let earlier = Arc::new(earlier);
    let has_file = tables.is_some();
    let mut console = Console::new(targets.stdout, has_file, &schema, earlier.len(), events)?;
    times.end_step("earlier work");
    let mut predictor = Predictor::new(&compute, checkpoint)?;
    if args.half {
        predictor = predictor.into_half()?;
    }
    let automatic = Options::for_predictor(&predictor);
    let batch = args.batch.map_or(automatic.batch, usize::from);
    let options = Options {
        workers: args.workers.map_or(automatic.workers, usize::from),
        batch,
        first_batch: Options::first_batch(&predictor, batch),
        overlap: args.clip_overlap,
        excerpts: excerpts(args),
        timeline: args.timeline.is_some(),
        embeddings,
    };
    times.end_step("front end and its shaders");

    let again = args
        .inputs
        .find_again(&search)
        .filter(|_| console.shows_totals());
    let total = again.map_or_else(Total::default, |again| {
        let earlier = earlier.clone();
        Total::count(again, move |input| earlier.contains_key(input.path()))
    });
    let (seen, changed) = (AtomicU64::new(0), AtomicU64::new(0));
    let inputs = inputs.filter(|input| {
        seen.fetch_add(1, Ordering::Relaxed);
        let state = State::of(input, &earlier);
        if state == State::Changed {
            changed.fetch_add(1, Ordering::Relaxed);
            total.add(1);
        }
        state != State::Done
    });
    let (model, out) = (args.model.model.to_string(), targets.out);
    events.started(&model, &schema, &compute.name(), out, earlier.len());
    stop::catch(console.bar(), out);
    console.start(total.clone());
    let summary = classify(&predictor, inputs, &options, |result| {
        times.answered();
        if let Some(tables) = &mut tables {
            tables.row(&result)?;
        }
        console.result(&result)
    })?;
    let (stopped, rebuild) = (
        stop::was_cut_short(),
        args.sorted || changed.into_inner() > 0,
    );
    let failed = match tables {
        Some(tables) if stopped => {
            tables.stop()?;
            summary.failed
        }
        // Changed files have two rows until the tables are rebuilt.
        Some(tables) => tables.finish(rebuild, seen.into_inner())?,
        None => summary.failed,
    };
    let labels = console.finish()?;
    *counts = Counts::new(&summary, labels.unsure);
    labels.print(&schema);
    summary::print_times(&summary, &times, &options);
    summary::print(&summary, labels.unsure, stopped, out);
    if let Some(playlists) = playlists.filter(|_| !stopped) {
        playlists.write()?;
    }
    note_left_out(&search.left_out);
    if let (Some(out), false) = (targets.out, stopped) {
        let inputs = &args.inputs;
        let names = inputs.paths.iter().chain(&inputs.files_from);
        let facts = [
            ("model", args.model.model.to_string()),
            ("device", page::device(&compute)),
        ];
        args.page.write(&settings, out, names, &facts)?;
    }
    Ok(match (stopped, failed) {
        (true, _) => Done::Stopped,
        (_, 0) => Done::All,
        _ => Done::Some,
    })
}

impl Args {
    /// Returns the files that the command line names as inputs.
    fn named(&self) -> impl Iterator<Item = &Path> {
        let model = match &self.model.model {
            ModelName::File(path) => Some(path),
            ModelName::Builtin(_) => None,
        };
        let all = self
            .inputs
            .paths
            .iter()
            .chain(&self.inputs.files_from)
            .chain(model);
        all.map(PathBuf::as_path)
    }
}

/// Says how many lines of the journal are damaged.
fn note_damage(tables: &ResultTables) {
    match tables.damaged() {
        0 => {}
        n => note(format_args!(
            "{n} lines of {} are damaged: their files are classified again",
            tables.journal().display()
        )),
    }
}
