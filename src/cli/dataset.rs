//! `sonoprint dataset`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::{Done, args};
use crate::dataset::{Dataset, check};

/// What there is to know of a dataset before one trains on it.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read every file: counts, durations, rates, and files that are unreadable, silent, clipped or there twice.
    Check {
        /// Folder with a folder for each class.
        dataset: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Exit code 0: nothing to leave out; 1: some files should be.
pub fn run(args: &Args) -> anyhow::Result<Done> {
    let Command::Check { dataset, json } = &args.command;
    let data = Dataset::scan(dataset)?;
    let bar = args::bar(
        data.entries.len(),
        "{bar:30} {pos}/{len} files, {per_sec}, {eta} left",
    );
    let report = check::check(&data, &|| bar.inc(1));
    bar.finish_and_clear();
    if *json {
        let text = serde_json::to_string_pretty(&report).context("the report cannot be written")?;
        args::say(text)?;
    } else {
        args::say(&report)?;
    }
    Ok(if report.left_out().is_empty() {
        Done::All
    } else {
        Done::Some
    })
}
