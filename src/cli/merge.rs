//! `sonoprint merge`.

use std::path::PathBuf;

use anyhow::{Context, ensure};

use super::Done;
use super::args::LabelArgs;
use super::page::PageArgs;
use super::playlists::PlaylistsArg;
use super::words::{is_stdout, print_line_lossy};
use crate::classify::journal::{self, JournalSettings, journal_of};
use crate::classify::{
    Content, Format, Schema, Table, TablePlan, check_output, check_parts, merge, write_tables,
};

/// Joins the tables that several machines wrote with `classify --shard`, sorted by path.
///
/// The parts' own --min-confidence and --threshold hold if none are given. One whole table is a part
/// too: with other values it is written again with other labels, and nothing is computed again.
#[derive(clap::Args)]
pub struct Args {
    /// The parts: the tables that `classify --out` wrote, with their journals beside them.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// Write the whole table to FILE, and a journal to FILE.journal, with which `classify` can add
    /// more files. - is stdout, without a journal.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Format of the table; chosen by the extension of --out if absent.
    #[arg(long)]
    format: Option<Format>,
    /// Also write a table with one row per clip, if the parts were made with --timeline.
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
    /// Also write a table of embeddings, if the parts were made with --embeddings.
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
    #[command(flatten)]
    page: PageArgs,
    #[command(flatten)]
    playlists: PlaylistsArg,
    #[command(flatten, next_help_heading = "Labels")]
    labels: LabelArgs,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let mut whole = check_parts(&args.parts)?;
    ensure!(
        args.timeline.is_none() || whole.timeline,
        "the parts were made without --timeline"
    );
    ensure!(
        args.embeddings.is_none() || whole.embeddings,
        "the parts were made without --embeddings"
    );
    let rule = args.labels.change(whole.rule())?;
    (whole.threshold, whole.min_confidence) = (rule.threshold, rule.min_confidence);
    let schema = Schema {
        classes: whole.classes.clone(),
        top: args.labels.top(rule.task),
        model: whole.model.clone(),
        rule,
    };
    let (timeline, embeddings) = (args.timeline.as_deref(), args.embeddings.as_deref());
    let out = (!is_stdout(&args.out)).then_some(args.out.as_path());
    args.page.check(out)?;
    let inputs = args.parts.iter().map(PathBuf::as_path);
    let playlists = args.playlists.plan(out, &schema, inputs)?;
    if is_stdout(&args.out) {
        ensure!(
            timeline.is_none() && embeddings.is_none(),
            "--timeline and --embeddings go with a table in a file: use --out FILE"
        );
        return print(args, &whole, schema);
    }
    for path in timeline.iter().chain(&embeddings) {
        ensure!(
            !is_stdout(path),
            "only the table of --out can go to stdout: name a file instead of -"
        );
    }
    let plan = TablePlan::new(&args.out, args.format, timeline, embeddings, schema)?;
    let plan = plan.with_page(args.page.report.clone());
    let journals: Vec<PathBuf> = args.parts.iter().map(|part| journal_of(part)).collect();
    check_output(&args.parts, &args.out)?;
    plan.claim(args.parts.iter().chain(&journals).map(PathBuf::as_path))?;
    let files = merge(&args.parts, &whole, &args.out)?;
    let failed = write_tables(&plan, &journal_of(&args.out))?;
    print_line_lossy(format_args!(
        "{files} files of {} parts, {failed} of them could not be read; wrote {}",
        args.parts.len(),
        args.out.display()
    ));
    args.page.write(&whole, &args.out, [&args.out], &[])?;
    if let Some(playlists) = playlists {
        playlists.write()?;
    }
    Ok(if failed == 0 { Done::All } else { Done::Some })
}

/// Prints the whole table, by a journal in a temporary folder.
fn print(args: &Args, whole: &JournalSettings, schema: Schema) -> anyhow::Result<Done> {
    let format = args.format.unwrap_or(Format::Csv);
    ensure!(
        format.streams(),
        "a {format} table is written to a file: use --out FILE"
    );
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let out = folder.path().join("merged");
    merge(&args.parts, whole, &out)?;
    let mut table = Table::new(std::io::stdout(), Content::Files, format, schema)?;
    let mut failed = 0;
    journal::rows(&journal_of(&out), true, |result| {
        failed += usize::from(result.outcome.is_failed());
        Ok::<_, anyhow::Error>(table.write(&result)?)
    })?;
    table.finish()?;
    Ok(if failed == 0 { Done::All } else { Done::Some })
}
