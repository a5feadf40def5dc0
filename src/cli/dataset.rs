//! `sonoprint dataset`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::words::{note, print_line};
use super::{Done, progress};
use crate::dataset::{Dataset, LabelRules, LabelSource, Labeled, check};

/// Check a dataset before training on it.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read every file and report what is wrong.
    ///
    /// Prints counts, lengths and sample rates, then the files that are unreadable, damaged,
    /// silent, clipped, duplicates, or hold the same sound as others, and at the end how many there
    /// are of each kind. Exit code 0: nothing was found; 1: something was.
    Check {
        /// Folder with one subfolder per class.
        dataset: PathBuf,
        /// Take hidden files and folders too.
        #[arg(long)]
        hidden: bool,
        /// Print the report as JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Checks the dataset and prints the report. Returns [`Done::Some`] if anything was found.
pub fn run(args: &Args) -> anyhow::Result<Done> {
    let Command::Check {
        dataset,
        hidden,
        json,
    } = &args.command;
    let rules = LabelRules {
        hidden: *hidden,
        ..LabelRules::default()
    };
    let Labeled { data, notes } = Dataset::labeled(dataset, &LabelSource::Folders, rules)?;
    for line in notes {
        note(line);
    }
    let bar = progress::bar(
        data.entries.len(),
        "{bar:30} {pos}/{len} files, {per_sec}, {eta} left",
    );
    let report = check(&data, &|| bar.inc(1));
    bar.finish_and_clear();
    if *json {
        let text = serde_json::to_string_pretty(&report)
            .context("the report cannot be written as JSON")?;
        print_line(text)?;
    } else {
        print_line(&report)?;
    }
    Ok(if report.findings.is_empty() {
        Done::All
    } else {
        Done::Some
    })
}
