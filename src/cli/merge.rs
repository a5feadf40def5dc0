//! `sonoprint merge`.

use std::path::PathBuf;

use anyhow::ensure;

use super::Done;
use super::args::LabelArgs;
use super::words::print_line;
use crate::classify::journal::journal_of;
use crate::classify::{Format, Schema, TablePlan, check_parts, merge, write_tables};

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
    /// more files.
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
    let plan = TablePlan::new(&args.out, args.format, timeline, embeddings, schema)?;
    let files = merge(&args.parts, &whole, &args.out)?;
    let failed = write_tables(&plan, &journal_of(&args.out))?;
    print_line(format_args!(
        "{files} files of {} parts, {failed} of them could not be read; wrote {}",
        args.parts.len(),
        args.out.display()
    ))?;
    Ok(if failed == 0 { Done::All } else { Done::Some })
}
