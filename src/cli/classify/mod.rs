//! `sonoprint classify`.

mod console;
mod lines;
mod startup_times;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail, ensure};

use self::console::{Console, print_summary};
use self::startup_times::StartupTimes;
use super::words::{is_stdout, note, note_left_out};
use super::{Done, args};
use crate::classify::journal::{self, JournalSettings};
use crate::classify::{
    Content, DiscoverError, Format, Input, List, Options, ResultTables, Schema, Search, Shard,
    Stamp, TablePlan, classify, discover, listed,
};
use crate::inference::Predictor;
use crate::model::{Checkpoint, ModelName};

/// Names the genre, or the tags, of audio files and folders.
///
/// Prints one line per file, or writes a table. A file that cannot be read is a row with its
/// reason; the rest goes on.
#[derive(clap::Args)]
pub struct Args {
    /// Audio files, and folders, which are searched with all their subfolders.
    #[arg(required_unless_present = "files_from", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Read the names of the files from FILE, one per line, or from a playlist (.m3u8); - is stdin.
    #[arg(long, value_name = "FILE", conflicts_with = "paths")]
    files_from: Option<PathBuf>,
    /// Names in --files-from end with a zero byte, as `find -print0` writes them.
    #[arg(short = '0', long, requires = "files_from")]
    null: bool,
    /// Search hidden files and folders too.
    #[arg(long)]
    hidden: bool,
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
    /// .parquet). - is stdout.
    #[arg(long, value_name = "FILE", requires = "out")]
    timeline: Option<PathBuf>,
    /// Also write a table of embeddings (what the network's last layer reads, the mean over a file's
    /// clips), for search and clustering: JSON Lines, or Parquet if the extension is .parquet. - is
    /// stdout.
    #[arg(long, value_name = "FILE", requires = "out")]
    embeddings: Option<PathBuf>,
    /// Fraction of a clip that it shares with the next one, from 0 to 0.95.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = overlap)]
    clip_overlap: f64,
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
}

fn overlap(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if (0.0..=0.95).contains(&fraction) => Ok(fraction),
        _ => Err("must be from 0 to 0.95".into()),
    }
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let mut times = StartupTimes::start();
    let search = Search {
        shard: args.shard,
        hidden: args.hidden,
        left_out: Default::default(),
    };
    let mut inputs = inputs(args, &search)?.peekable();
    // One shard of several may be empty.
    if inputs.peek().is_none() && args.shard == Shard::default() {
        let searched = args.files_from.iter().chain(&args.paths);
        let names: Vec<_> = searched.map(|p| p.display().to_string()).collect();
        note_left_out(&search.left_out);
        bail!(DiscoverError::NoAudio(names.join(", ")));
    }
    let targets = Targets::of(args)?;
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
        timeline: args.timeline.is_some(),
        embeddings: args.embeddings.is_some(),
        half: args.half,
        shard: args.shard,
    };
    let schema = Schema {
        classes: settings.classes.clone(),
        top: args.labels.top(rule.task),
        model: settings.model.clone(),
        rule,
    };
    let (mut tables, done) = match targets.plan(args, &schema)? {
        Some(plan) => {
            let (tables, done) = ResultTables::open(plan, &settings, args.fresh)?;
            note_damage(&tables);
            (Some(tables), done)
        }
        None => (None, Default::default()),
    };
    let mut console = Console::new(targets.stdout, tables.is_some(), &schema, done.len())?;

    let (seen, changed) = (AtomicU64::new(0), AtomicU64::new(0));
    let inputs = inputs.filter(|input| {
        seen.fetch_add(1, Ordering::Relaxed);
        let Some(before) = done.get(input.path()) else {
            return true;
        };
        let same = before.is_some() && *before == Stamp::of(input.path());
        changed.fetch_add(u64::from(!same), Ordering::Relaxed);
        !same
    });
    let automatic = Options::for_device(&compute);
    let options = Options {
        workers: args.workers.map_or(automatic.workers, usize::from),
        batch: args.batch.map_or(automatic.batch, usize::from),
        overlap: args.clip_overlap,
        timeline: args.timeline.is_some(),
        embeddings: args.embeddings.is_some(),
    };
    times.end_step("earlier work");
    let mut predictor = Predictor::new(&compute, checkpoint)?;
    if args.half {
        predictor = predictor.into_half()?;
    }
    times.end_step("front end and its shaders");
    let summary = classify(&predictor, inputs, &options, |result| {
        times.answered();
        if let Some(tables) = &mut tables {
            tables.row(&result)?;
        }
        console.result(&result)
    })?;
    let seen = seen.into_inner();
    let failed = match tables {
        // Changed files have two rows until the tables are rebuilt.
        Some(tables) => tables.finish(args.sorted || changed.into_inner() > 0, seen)?,
        None => summary.failed,
    };
    let counts = console.finish()?;
    counts.print(&schema);
    print_summary(&summary, counts.unsure, &times, &options, targets.out);
    note_left_out(&search.left_out);
    Ok(if failed == 0 { Done::All } else { Done::Some })
}

/// Where the tables go.
struct Targets<'a> {
    /// The table on stdout, in place of the lines for people.
    stdout: Option<(Content, Format)>,
    out: Option<&'a Path>,
    timeline: Option<&'a Path>,
    embeddings: Option<&'a Path>,
}

impl<'a> Targets<'a> {
    fn of(args: &'a Args) -> anyhow::Result<Self> {
        let file = |path: &'a Option<PathBuf>| path.as_deref().filter(|path| !is_stdout(path));
        let on_stdout = |path: &Option<PathBuf>| path.as_deref().is_some_and(is_stdout);
        let files = match (&args.out, args.format) {
            (None, format) => format,
            (Some(_), format) if on_stdout(&args.out) => Some(format.unwrap_or(Format::Csv)),
            _ => None,
        };
        let all = [
            files.map(|format| (Content::Files, format)),
            on_stdout(&args.timeline).then_some((Content::Clips, Format::Csv)),
            on_stdout(&args.embeddings).then_some((Content::Embeddings, Format::Jsonl)),
        ];
        let targets = Self {
            stdout: all.iter().flatten().next().copied(),
            out: file(&args.out),
            timeline: file(&args.timeline),
            embeddings: file(&args.embeddings),
        };
        ensure!(
            all.iter().flatten().count() < 2,
            "two tables cannot both go to stdout"
        );
        if let Some(format) = files {
            ensure!(
                format.streams(),
                "a {format} table is written to a file: add --out FILE"
            );
        }
        ensure!(
            targets.out.is_some() || !(args.sorted || args.fresh),
            "--sorted and --fresh are for a table in a file: add --out FILE"
        );
        ensure!(
            targets.out.is_some() || (args.timeline.is_none() && args.embeddings.is_none()),
            "--timeline and --embeddings need the journal beside the result table: add --out FILE"
        );
        Ok(targets)
    }

    /// Plans the tables in files, if there are any, and checks that they may be written.
    fn plan(&self, args: &Args, schema: &Schema) -> anyhow::Result<Option<TablePlan>> {
        let Some(out) = self.out else {
            return Ok(None);
        };
        let schema = schema.clone();
        let plan = TablePlan::new(out, args.format, self.timeline, self.embeddings, schema)?;
        let model = match &args.model.model {
            ModelName::File(path) => Some(path),
            ModelName::Builtin(_) => None,
        };
        let inputs = args.paths.iter().chain(&args.files_from).chain(model);
        plan.claim(inputs.map(PathBuf::as_path))?;
        Ok(Some(plan))
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

/// Returns the inputs that the command line names, while they are found.
fn inputs(args: &Args, search: &Search) -> anyhow::Result<Box<dyn Iterator<Item = Input> + Send>> {
    let Some(path) = &args.files_from else {
        return Ok(Box::new(discover(&args.paths, search)?));
    };
    let from_stdin = path.as_os_str() == "-";
    let list = List {
        name: match from_stdin {
            true => "(stdin)".into(),
            false => path.clone(),
        },
        zero: args.null,
        folder: path.parent().filter(|_| !from_stdin).map(Into::into),
    };
    Ok(if from_stdin {
        Box::new(listed(std::io::stdin(), list, search.shard))
    } else {
        let file = std::fs::File::open(path)
            .with_context(|| format!("cannot read the list {}", path.display()))?;
        Box::new(listed(file, list, search.shard))
    })
}
