//! `sonoprint tag`.

mod report;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, anyhow, bail, ensure};

use self::report::Report;
use super::words::{note, note_left_out};
use super::{Done, args, stop};
use crate::classify::{
    DiscoverError, Input, Options, RowLabels, Schema, Search, TableReader, TableRow, classify,
    discover,
};
use crate::inference::Predictor;
use crate::model::{Checkpoint, ModelName, Task};
use crate::tag::{
    LabelMap, LabelRule, Mode, TagOptions, Tagger, UndoTable, WriteOptions, undo_rows,
};

/// The undo table of files that are named on the command line.
const UNDO_TABLE: &str = "sonoprint.undo.csv";

/// Writes genres, and with --tags moods and tags, into audio files.
///
/// Takes a table that `classify --out` wrote, or audio files and folders, which are classified
/// first. Files that have a genre are left alone unless --overwrite or --append is given. What
/// changes is written to an undo table before any file is.
#[derive(clap::Args)]
pub struct Args {
    /// A result table of `classify` (CSV, JSON Lines or Parquet), or audio files and folders.
    #[arg(value_name = "TABLE|PATH", required_unless_present = "undo")]
    inputs: Vec<PathBuf>,
    /// Write only fields that have no value. This is the default.
    #[arg(long, group = "mode")]
    missing: bool,
    /// Replace the values that fields have.
    #[arg(long, group = "mode")]
    overwrite: bool,
    /// Keep the values that fields have, and add those that are not there yet.
    #[arg(long, group = "mode")]
    append: bool,
    /// Also write moods, and all tags into the field SONOPRINT_TAGS. For a table of a model that
    /// gives any number of tags; files and folders are classified with musicnn-msd if --model is
    /// absent.
    #[arg(long)]
    tags: bool,
    /// Write no label whose probability is below P, from 0 to 1.
    #[arg(long, value_name = "P", value_parser = args::probability)]
    min_confidence: Option<f32>,
    /// The most labels per file; one genre, or all tags, if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    top: Option<u16>,
    /// Probability from which a tag is given, from 0 to 1. If absent, that of the table or model.
    #[arg(long, value_name = "P", value_parser = args::probability)]
    threshold: Option<f32>,
    /// Read other names, exclusions and parents of labels from FILE (TOML).
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Do not write the field SONOPRINT_SCORES, which has the probability of every class.
    #[arg(long)]
    no_scores: bool,
    /// Print what would change in each file, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Give the files of an undo table their old fields again.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["inputs", "mode", "tags", "map"])]
    undo: Option<PathBuf>,
    /// Write the undo table to FILE. If absent: TABLE.undo.csv, or sonoprint.undo.csv for files and
    /// folders. One that is there goes on.
    #[arg(long, value_name = "FILE", conflicts_with = "undo")]
    undo_table: Option<PathBuf>,
    /// Keep the times of the last change and access.
    #[arg(long)]
    keep_mtime: bool,
    /// Also write files with several names (hard links). Their other names keep the old content.
    #[arg(long)]
    break_hard_links: bool,
    /// Search hidden files and folders too.
    #[arg(long)]
    hidden: bool,
    /// Name of a built-in model, or a checkpoint file, for files and folders.
    #[arg(long, visible_alias = "checkpoint", value_name = "NAME|FILE")]
    model: Option<ModelName>,
    /// Number of decoder threads for files and folders; one per core if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,
    #[command(flatten)]
    device: args::DeviceArg,
}

impl Args {
    fn mode(&self) -> Mode {
        match (self.overwrite, self.append) {
            (true, _) => Mode::Overwrite,
            (_, true) => Mode::Append,
            _ => Mode::Missing,
        }
    }

    fn write_options(&self) -> WriteOptions {
        WriteOptions {
            keep_times: self.keep_mtime,
            break_links: self.break_hard_links,
        }
    }

    fn options(&self) -> anyhow::Result<TagOptions> {
        let map = match &self.map {
            Some(path) => {
                let name = path.display();
                let text = std::fs::read_to_string(path);
                let text = text.with_context(|| format!("cannot read {name}"))?;
                text.parse::<LabelMap>()
                    .with_context(|| format!("{name} is no map of labels"))?
            }
            None => LabelMap::default(),
        };
        Ok(TagOptions {
            rule: LabelRule {
                min_confidence: self.min_confidence,
                top: self.top.map(usize::from),
                threshold: self.threshold,
                tags: self.tags,
                scores: !self.no_scores,
                map,
            },
            mode: self.mode(),
            write: self.write_options(),
        })
    }

    /// Opens the undo table, unless nothing is written.
    fn undo_table(&self, default: &Path) -> anyhow::Result<Option<UndoTable>> {
        if self.dry_run {
            return Ok(None);
        }
        let path = self.undo_table.as_deref().unwrap_or(default);
        let inputs = self.inputs.iter().chain(&self.map);
        Ok(Some(UndoTable::open(path, inputs.map(PathBuf::as_path))?))
    }
}

/// Ctrl-C was pressed.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
struct Stopped;

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let stop = stop::flag("finishing the file; press Ctrl-C again to stop at once");
    if let Some(table) = &args.undo {
        return undo(args, table, stop);
    }
    let mut report = Report::new(args.dry_run);
    let (undo_table, result) = match args.inputs.as_slice() {
        [table] if is_table(table) => {
            let undo = PathBuf::from(format_undo(table));
            let result = from_table(args, table, &undo, &mut report, stop);
            (undo, result)
        }
        paths => {
            if let Some(table) = paths.iter().find(|path| is_table(path)) {
                bail!("{} is a table: name it alone", table.display());
            }
            let undo = PathBuf::from(UNDO_TABLE);
            let result = from_paths(args, &undo, &mut report, stop);
            (undo, result)
        }
    };
    let undo_table = args.undo_table.as_deref().unwrap_or(&undo_table);
    report.finish(undo_table);
    match result {
        Ok(()) if report.failed == 0 => Ok(Done::All),
        Ok(()) => Ok(Done::Some),
        Err(e) if e.is::<Stopped>() => Ok(Done::Stopped),
        Err(e) => Err(e),
    }
}

/// Whether an input is a table: a file that begins like one, or has the name of one.
fn is_table(path: &Path) -> bool {
    path.is_file() && (TableReader::recognizes(path) || crate::classify::Format::of(path).is_some())
}

fn format_undo(table: &Path) -> std::ffi::OsString {
    let mut name = table.as_os_str().to_owned();
    name.push(".undo.csv");
    name
}

fn check_stop(stop: &AtomicBool) -> anyhow::Result<()> {
    match stop.load(Ordering::Relaxed) {
        true => Err(Stopped.into()),
        false => Ok(()),
    }
}

/// Tags the files of a table, row by row.
fn from_table(
    args: &Args,
    table: &Path,
    undo: &Path,
    report: &mut Report,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    ensure!(
        args.model.is_none(),
        "--model is for files and folders: the answers are in the table"
    );
    let options = args.options()?;
    let rule = options.rule.clone();
    let rows = TableReader::open(table)?;
    let written = std::fs::metadata(table).and_then(|metadata| metadata.modified());
    let mut tagger = Tagger::new(options, args.undo_table(undo)?, written.ok());
    let mut first = true;
    for row in rows {
        check_stop(stop)?;
        let row = match row {
            Ok(row) => row,
            Err(e) => {
                report.bad_row(&e);
                continue;
            }
        };
        if std::mem::take(&mut first) {
            check_rule(&rule, &row)?;
            let classes = row.probabilities.iter().map(|(class, _)| class.as_str());
            note_unknown(&rule.map, &classes.collect::<Vec<_>>());
        }
        report.row(&row, tagger.tag(&row)?)?;
    }
    Ok(())
}

/// Checks that the flags fit the labels of a table.
fn check_rule(rule: &LabelRule, row: &TableRow) -> anyhow::Result<()> {
    if matches!(row.labels, RowLabels::Genres(_)) {
        ensure!(
            !rule.tags,
            "--tags needs a table of a model that gives tags: classify with --model musicnn-msd"
        );
        ensure!(
            rule.threshold.is_none(),
            "--threshold is for tables with tags, and this one has genres: --min-confidence leaves \
             out doubtful ones"
        );
    }
    Ok(())
}

/// Says which names of the map no class has.
fn note_unknown(map: &LabelMap, classes: &[&str]) {
    let unknown = map.unknown(classes);
    if !classes.is_empty() && !unknown.is_empty() {
        note(format_args!(
            "the map names labels that the model does not have: {}",
            unknown.join(", ")
        ));
    }
}

/// Classifies the files that need a genre, and tags each when its answer comes.
fn from_paths(
    args: &Args,
    undo: &Path,
    report: &mut Report,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let search = Search {
        hidden: args.hidden,
        ..Search::default()
    };
    let mut inputs = discover(&args.inputs, &search)?.peekable();
    if inputs.peek().is_none() {
        note_left_out(&search.left_out);
        let names: Vec<_> = args
            .inputs
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        bail!(DiscoverError::NoAudio(names.join(", ")));
    }
    let options = args.options()?;
    let name = match (&args.model, args.tags) {
        (Some(name), _) => name.clone(),
        (None, true) => "musicnn-msd".parse().map_err(|e| anyhow!("{e}"))?,
        (None, false) => ModelName::default(),
    };
    let compute = args.device.open()?;
    let checkpoint = Checkpoint::open(&name, &compute.burn())?;
    let rule = checkpoint.header.decision_rule();
    ensure!(
        !args.tags || rule.task == Task::MultiLabel,
        "--tags needs a model that gives any number of tags, such as musicnn-msd"
    );
    ensure!(
        args.threshold.is_none() || rule.task == Task::MultiLabel,
        "--threshold is for models that give any number of tags: --min-confidence leaves out \
         doubtful genres"
    );
    let schema = Schema {
        classes: checkpoint.header.classes.clone(),
        top: args.top.map_or(1, usize::from),
        model: checkpoint.fingerprint.clone(),
        rule,
    };
    let classes: Vec<&str> = schema.classes.iter().map(String::as_str).collect();
    note_unknown(&options.rule.map, &classes);
    let tagger = Tagger::new(options.clone(), None, None);
    let mut writer = Tagger::new(options, args.undo_table(undo)?, None);
    let unchanged = std::sync::atomic::AtomicU64::new(0);
    let inputs = inputs.filter(|input| {
        let needs = match input {
            Input::File(path) => tagger.needs(path),
            Input::Unreadable(..) => true,
        };
        unchanged.fetch_add(u64::from(!needs), Ordering::Relaxed);
        needs && !stop.load(Ordering::Relaxed)
    });
    let predictor = Predictor::new(&compute, checkpoint)?;
    let automatic = Options::for_predictor(&predictor);
    let pipeline = Options {
        workers: args.workers.map_or(automatic.workers, usize::from),
        ..automatic
    };
    let done = classify(&predictor, inputs, &pipeline, |result| {
        check_stop(stop)?;
        let row = TableRow::of(&result, &schema);
        let tagged = writer.tag(&row)?;
        report.answer(&row, tagged)
    });
    report.unchanged += unchanged.into_inner();
    note_left_out(&search.left_out);
    done.map(|_| ())?;
    check_stop(stop)
}

/// Gives the files of an undo table their old fields again.
fn undo(args: &Args, table: &Path, stop: &AtomicBool) -> anyhow::Result<Done> {
    let mut report = Report::new(args.dry_run);
    let (mut stopped, mut rows) = (false, undo_rows(table)?);
    for row in rows.by_ref() {
        if stop.load(Ordering::Relaxed) {
            stopped = true;
            break;
        }
        let row = row?;
        report.undone(&row, row.undo(args.write_options(), args.dry_run))?;
    }
    report.finish_undo();
    Ok(match (stopped, report.failed) {
        (true, _) => Done::Stopped,
        (false, 0) => Done::All,
        (false, _) => Done::Some,
    })
}
