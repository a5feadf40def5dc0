//! The files that `classify` leaves: tables, and the journal that they can be made of again.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::Args;
use crate::classify::journal::{self, Journal, JournalSettings, journal_of};
use crate::classify::{Content, FileResult, Format, Outcome, Schema, Stamp, Table};

/// Files of earlier runs, and what they were.
pub type Earlier = HashMap<PathBuf, Option<Stamp>>;

/// Behind the name of a table that is being made.
const TMP: &str = ".tmp";

/// Tables and their journal.
pub struct Files {
    journal: Journal,
    journal_path: PathBuf,
    tables: Tables,
    /// What the tables are made with, to make them again.
    plan: Plan,
    /// Rows of files that could not be read, those of earlier runs included.
    failed: usize,
}

/// Where tables go, and in which form.
#[derive(Clone)]
pub struct Plan {
    tables: Vec<(PathBuf, Content, Format)>,
    schema: Schema,
}

impl Plan {
    /// The table of files has the form `format`, or what its name says, or else CSV; so have the others, but embeddings,
    /// which are no CSV.
    pub fn new(
        out: &Path,
        format: Option<Format>,
        timeline: Option<&Path>,
        embeddings: Option<&Path>,
        schema: Schema,
    ) -> Self {
        let by_name = |path, or| Format::of(path).unwrap_or(or);
        let format = format.unwrap_or(by_name(out, Format::Csv));
        let mut tables = vec![(out.to_owned(), Content::Files, format)];
        if let Some(path) = timeline {
            let format = by_name(path, Format::Csv);
            tables.push((path.to_owned(), Content::Clips, format));
        }
        if let Some(path) = embeddings {
            let format = match by_name(path, Format::Jsonl) {
                Format::Csv => Format::Jsonl,
                format => format,
            };
            tables.push((path.to_owned(), Content::Embeddings, format));
        }
        Self { tables, schema }
    }

    fn exist(&self) -> bool {
        self.tables.iter().all(|(path, ..)| path.exists())
    }

    /// Puts the new tables in the place of the old ones.
    fn replace(&self, wanted: fn(Format) -> bool) -> anyhow::Result<()> {
        for (path, _, format) in &self.tables {
            if wanted(*format) {
                std::fs::rename(with_suffix(path, TMP), path)
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// Tables that grow row by row.
struct Tables(Vec<(PathBuf, Table<BufWriter<File>>)>);

/// Takes up what an earlier run left, or begins.
pub fn resume(
    args: &Args,
    out: &Path,
    settings: &JournalSettings,
    schema: &Schema,
) -> anyhow::Result<(Files, Earlier)> {
    let (timeline, embeddings) = (args.timeline.as_deref(), args.embeddings.as_deref());
    let plan = Plan::new(out, args.format, timeline, embeddings, schema.clone());
    let path = journal_of(out);
    let mut journal =
        Journal::open(&path).with_context(|| format!("cannot write {}", out.display()))?;
    let done = match args.fresh {
        true => None,
        false => journal::read(&path, Some(settings))?,
    };
    let (tables, failed, earlier) = match done {
        Some(done) => {
            journal.go_on(&done)?;
            // The tables may be cut off, or gone: they are made again of what the journal has.
            let (tables, failed) = Tables::remake(&plan, &path)?;
            (tables, failed, done.files)
        }
        None => {
            journal.begin(settings)?;
            (Tables::create(&plan, "", Format::grows)?, 0, Earlier::new())
        }
    };
    let files = Files {
        journal,
        journal_path: path,
        tables,
        plan,
        failed,
    };
    Ok((files, earlier))
}

impl Files {
    /// Keeps a row. The journal has it first: what is in a table is in the journal too.
    pub fn row(&mut self, row: &FileResult) -> anyhow::Result<()> {
        self.journal.row(row)?;
        self.failed += failures(row);
        self.tables.write(row)
    }

    /// Notes the end, and makes the tables again if they are to be in order, hold rows that a later one replaced, do not
    /// grow, or were removed. Returns how many files could not be read, over all runs.
    pub fn finish(mut self, remake: bool, seen: u64) -> anyhow::Result<usize> {
        self.journal.look()?;
        let grow = self.plan.tables.iter().all(|(.., format)| format.grows());
        let remake = remake || !grow || !self.plan.exist();
        // Some systems do not replace an open file.
        self.tables.finish()?;
        if remake {
            // Only the last row of a file counts.
            self.failed = make(&self.plan, &self.journal_path)?;
        }
        self.journal.end(seen)?;
        Ok(self.failed)
    }
}

impl Tables {
    /// Begins the tables of those forms that are `wanted`, in files whose names end with `suffix`.
    fn create(plan: &Plan, suffix: &str, wanted: fn(Format) -> bool) -> anyhow::Result<Self> {
        let mut all = Vec::new();
        for (path, content, format) in &plan.tables {
            if !wanted(*format) {
                continue;
            }
            let table = File::create(with_suffix(path, suffix)).and_then(|file| {
                Table::new(BufWriter::new(file), *content, *format, plan.schema.clone())
            });
            let table = table.with_context(|| format!("cannot write {}", path.display()))?;
            all.push((path.clone(), table));
        }
        Ok(Self(all))
    }

    fn write(&mut self, row: &FileResult) -> anyhow::Result<()> {
        for (path, table) in &mut self.0 {
            let written = table.write(row);
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        for (path, table) in self.0 {
            let finished = table.finish();
            finished.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Makes the tables that grow of what a journal has, beside the old ones and then in their place, and goes on at their
    /// ends. Also returns how many of the files could not be read.
    fn remake(plan: &Plan, journal: &Path) -> anyhow::Result<(Self, usize)> {
        let mut tables = Self::create(plan, TMP, Format::grows)?;
        let failed = tables.fill(journal, false)?;
        plan.replace(Format::grows)?;
        Ok((tables, failed))
    }

    /// Returns how many of the files could not be read.
    fn fill(&mut self, journal: &Path, sorted: bool) -> anyhow::Result<usize> {
        let mut failed = 0;
        journal::rows(journal, sorted, |row| {
            failed += failures(&row);
            self.write(&row)
        })?;
        Ok(failed)
    }
}

fn failures(row: &FileResult) -> usize {
    usize::from(matches!(row.outcome, Outcome::Failed { .. }))
}

/// Makes the tables of a journal, in the order of the paths. Returns how many of the files could not be read.
pub fn make(plan: &Plan, journal: &Path) -> anyhow::Result<usize> {
    let mut tables = Tables::create(plan, TMP, |_| true)?;
    let failed = tables.fill(journal, true)?;
    tables.finish()?;
    plan.replace(|_| true)?;
    Ok(failed)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
