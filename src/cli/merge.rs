//! `sonoprint merge`.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};

use super::classify::files::{Plan, make};
use super::{Done, args};
use crate::classify::journal::{self, Journal, JournalSettings, journal_of};
use crate::classify::{Format, Schema, Shard};

/// Put the parts that `classify --shard` made on several machines together, in the order of their paths.
#[derive(clap::Args)]
pub struct Args {
    /// The parts: what --out named, with their journals beside them.
    #[arg(required = true, value_name = "PART")]
    parts: Vec<PathBuf>,
    /// File for the whole; a journal is written beside it, so that it can be gone on with.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Form of the table; by the name of --out if absent.
    #[arg(long)]
    format: Option<Format>,
    /// Also a row a clip, if the parts were made with --timeline.
    #[arg(long, value_name = "FILE")]
    timeline: Option<PathBuf>,
    /// Also the embeddings, if the parts were made with --embeddings.
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
    /// Genres a row, most probable first.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..))]
    top: u16,
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let settings = check(&args.parts)?;
    let whole = JournalSettings {
        shard: Shard::default(),
        ..settings
    };
    ensure!(
        args.timeline.is_none() || whole.timeline,
        "the parts were made without --timeline"
    );
    ensure!(
        args.embeddings.is_none() || whole.embeddings,
        "the parts were made without --embeddings"
    );
    let path = journal_of(&args.out);
    ensure!(
        !args.parts.iter().any(|part| journal_of(part) == path),
        "--out is one of the parts: choose another"
    );
    let mut merged = Journal::open(&path)?;
    merged.begin(&whole)?;
    let mut owner: HashMap<PathBuf, usize> = HashMap::new();
    for (i, part) in args.parts.iter().enumerate() {
        journal::rows(&journal_of(part), false, |row| {
            if let Some(other) = owner.insert(row.path.clone(), i) {
                bail!(
                    "{} is in {} and in {}",
                    row.path.display(),
                    args.parts[other].display(),
                    part.display()
                );
            }
            merged.row(&row)?;
            Ok(())
        })?;
    }
    merged.end(owner.len() as u64)?;
    let schema = Schema {
        classes: whole.classes,
        top: usize::from(args.top),
        model: whole.model,
    };
    let (timeline, embeddings) = (args.timeline.as_deref(), args.embeddings.as_deref());
    let plan = Plan::new(&args.out, args.format, timeline, embeddings, schema);
    let failed = make(&plan, &path)?;
    args::say(format!(
        "{} files of {} parts, {failed} of them could not be read; wrote {}",
        owner.len(),
        args.parts.len(),
        args.out.display()
    ))?;
    Ok(if failed == 0 { Done::All } else { Done::Some })
}

/// Every shard must be there once, be done, and be made with the same settings.
fn check(parts: &[PathBuf]) -> anyhow::Result<JournalSettings> {
    let mut first: Option<JournalSettings> = None;
    let mut seen: HashMap<Shard, &PathBuf> = HashMap::new();
    for part in parts {
        let name = part.display();
        // The first part's settings hold for all, but for the number of the shard.
        let settings = first.clone();
        let done = journal::read(&journal_of(part), None)?
            .with_context(|| format!("{name} has no journal beside it ({name}.journal)"))?;
        let found = done.settings;
        ensure!(
            done.ended.is_some(),
            "{name} is not complete (shard {}): run its command again",
            found.shard
        );
        let settings = settings.unwrap_or_else(|| found.clone());
        let alike = JournalSettings {
            shard: found.shard,
            ..settings.clone()
        };
        ensure!(
            alike == found && settings.shard.of == found.shard.of,
            "{name} was made with another checkpoint, other settings or another number of shards than {}",
            parts[0].display()
        );
        if let Some(other) = seen.insert(found.shard, part) {
            bail!(
                "{name} and {} are both shard {}",
                other.display(),
                found.shard
            );
        }
        first = Some(settings);
    }
    let settings = first.context("no parts")?;
    let of = settings.shard.of;
    let missing: Vec<String> = (1..=of)
        .map(|number| Shard { number, of })
        .filter(|shard| !seen.contains_key(shard))
        .map(|shard| shard.to_string())
        .collect();
    ensure!(missing.is_empty(), "missing: shard {}", missing.join(", "));
    Ok(settings)
}
