//! The files that `classify` leaves: tables, and the journal that they can be made of again.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Args;
use crate::classify::journal::{self, Journal, Settings, journal_of};
use crate::classify::{Embeddings, Format, Outcome, Row, Rows, Schema, Stamp, Timeline};

/// Files of earlier runs, and what they were.
pub type Earlier = HashMap<PathBuf, Option<Stamp>>;

/// Tables and their journal.
pub struct Files {
    journal: Journal,
    journal_path: PathBuf,
    tables: Tables,
    /// What the tables are made with, to make them again.
    plan: Plan,
}

/// Where tables go, and in which form.
#[derive(Clone)]
pub struct Plan {
    pub out: PathBuf,
    pub format: Format,
    pub timeline: Option<PathBuf>,
    pub embeddings: Option<PathBuf>,
    pub schema: Schema,
}

struct Tables {
    rows: Rows<BufWriter<File>>,
    timeline: Option<Timeline<BufWriter<File>>>,
    embeddings: Option<Embeddings<BufWriter<File>>>,
}

/// Takes up what an earlier run left, or begins.
pub fn resume(
    args: &Args,
    out: &Path,
    settings: &Settings,
    schema: &Schema,
) -> anyhow::Result<(Files, Earlier)> {
    let plan = Plan {
        out: out.to_owned(),
        format: args.format.unwrap_or_else(|| by_extension(out)),
        timeline: args.timeline.clone(),
        embeddings: args.embeddings.clone(),
        schema: schema.clone(),
    };
    let path = journal_of(out);
    let mut journal =
        Journal::open(&path).with_context(|| format!("cannot write {}", out.display()))?;
    let done = match args.fresh {
        true => None,
        false => journal::read(&path, Some(settings))?,
    };
    let (tables, earlier) = match done {
        Some(done) => {
            journal.go_on(&done)?;
            // The tables may be cut off, or gone: they are made again of what the journal has.
            let (tables, _) = Tables::remake(&plan, &path, false)?;
            (tables, done.files)
        }
        None => {
            journal.begin(settings)?;
            (Tables::create(&plan, "")?, Earlier::new())
        }
    };
    let files = Files {
        journal,
        journal_path: path,
        tables,
        plan,
    };
    Ok((files, earlier))
}

impl Files {
    /// Keeps a row. The journal has it first: what is in a table is in the journal too.
    pub fn row(&mut self, row: &Row) -> anyhow::Result<()> {
        self.journal.row(row)?;
        self.tables.write(row)
    }

    /// Notes the end, and makes the tables again if they are to be in order or hold rows that a later one replaced.
    /// Returns how many files could not be read, over all runs.
    pub fn finish(mut self, remake: bool, seen: u64) -> anyhow::Result<usize> {
        let mut failed = 0;
        if remake {
            drop(self.tables);
            failed = Tables::remake(&self.plan, &self.journal_path, true)?.1;
        } else {
            journal::rows(&self.journal_path, false, |row| {
                failed += usize::from(matches!(row.outcome, Outcome::Failed { .. }));
                anyhow::Ok(())
            })?;
        }
        self.journal.end(seen)?;
        Ok(failed)
    }
}

impl Tables {
    /// Begins tables in files whose names end with `suffix`.
    fn create(plan: &Plan, suffix: &str) -> anyhow::Result<Self> {
        let create = |path: &Path| {
            let path = with_suffix(path, suffix);
            let file = File::create(&path);
            file.map(BufWriter::new)
                .with_context(|| format!("cannot write {}", path.display()))
        };
        let rows = Rows::new(create(&plan.out)?, plan.format, plan.schema.clone())?;
        let timeline = match &plan.timeline {
            Some(path) => Some(Timeline::new(create(path)?, plan.schema.clone())?),
            None => None,
        };
        let embeddings = match &plan.embeddings {
            Some(path) => Some(Embeddings(create(path)?)),
            None => None,
        };
        Ok(Self {
            rows,
            timeline,
            embeddings,
        })
    }

    fn write(&mut self, row: &Row) -> anyhow::Result<()> {
        self.rows
            .write(row)
            .context("cannot write the result table")?;
        if let Some(timeline) = &mut self.timeline {
            timeline.write(row).context("cannot write the timeline")?;
        }
        if let Some(embeddings) = &mut self.embeddings {
            embeddings
                .write(row)
                .context("cannot write the embeddings")?;
        }
        Ok(())
    }

    /// Makes the tables of a journal, beside the old ones and then in their place, and goes on at their ends. Also returns
    /// how many of the files could not be read.
    fn remake(plan: &Plan, journal: &Path, sorted: bool) -> anyhow::Result<(Self, usize)> {
        let mut tables = Self::create(plan, ".tmp")?;
        let mut failed = 0;
        journal::rows(journal, sorted, |row| {
            failed += usize::from(matches!(row.outcome, Outcome::Failed { .. }));
            tables.write(&row)
        })?;
        for path in [
            Some(&plan.out),
            plan.timeline.as_ref(),
            plan.embeddings.as_ref(),
        ]
        .into_iter()
        .flatten()
        {
            std::fs::rename(with_suffix(path, ".tmp"), path)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok((tables, failed))
    }
}

/// Makes the tables of a journal that no run writes to. Returns how many of the files could not be read.
pub fn make(plan: &Plan, journal: &Path) -> anyhow::Result<usize> {
    Ok(Tables::remake(plan, journal, true)?.1)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The form that a table's name asks for.
pub fn by_extension(path: &Path) -> Format {
    match path.extension().and_then(|e| e.to_str()) {
        Some("jsonl" | "ndjson") => Format::Jsonl,
        _ => Format::Csv,
    }
}
