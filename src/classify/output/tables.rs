//! The tables of a run on disk, and the journal that they can be rebuilt from.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::format::Format;
use super::schema::{Content, Schema};
use super::table::Table;
use crate::classify::journal::{self, Journal, JournalError, JournalSettings, journal_of};
use crate::classify::result::FileResult;
use crate::classify::stamp::Stamp;

/// Suffix of a table that is being rebuilt, beside the old one.
const TMP: &str = ".tmp";

/// Why tables cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A table cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Path of the table.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A table's format was left out of this build.
    #[error("cannot write {path}: this build of sonoprint has no {format} support")]
    NotBuilt {
        /// Path of the table.
        path: PathBuf,
        /// The format.
        format: Format,
    },
}

impl OutputError {
    fn write(path: &Path) -> impl FnOnce(io::Error) -> Self {
        |source| Self::Write {
            path: path.to_owned(),
            source,
        }
    }
}

/// Which tables are written, where, and in which format.
#[derive(Clone, Debug)]
pub struct TablePlan {
    /// The table of files comes first.
    tables: Vec<PlannedTable>,
    schema: Schema,
}

#[derive(Clone, Debug)]
struct PlannedTable {
    path: PathBuf,
    content: Content,
    format: Format,
}

impl TablePlan {
    /// Plans a table of files at `out` and, if a path is given, one of clips and one of embeddings.
    ///
    /// A table has the format that its name stands for, or else CSV; embeddings, which CSV cannot hold, have JSON
    /// Lines instead. `format`, if given, holds for the table of files.
    ///
    /// # Errors
    /// [`OutputError::NotBuilt`].
    pub fn new(
        out: &Path,
        format: Option<Format>,
        timeline: Option<&Path>,
        embeddings: Option<&Path>,
        schema: Schema,
    ) -> Result<Self, OutputError> {
        let by_name = |path| Format::of(path).unwrap_or(Format::Csv);
        let table = |path: &Path, content, format| PlannedTable {
            path: path.to_owned(),
            content,
            format,
        };
        let format = format.unwrap_or_else(|| by_name(out));
        let mut tables = vec![table(out, Content::Files, format)];
        if let Some(path) = timeline {
            tables.push(table(path, Content::Clips, by_name(path)));
        }
        if let Some(path) = embeddings {
            let format = Some(by_name(path)).filter(|format| format.has_vectors());
            let format = format.unwrap_or(Format::Jsonl);
            tables.push(table(path, Content::Embeddings, format));
        }
        if let Some(table) = tables.iter().find(|table| !table.format.is_built()) {
            return Err(OutputError::NotBuilt {
                path: table.path.clone(),
                format: table.format,
            });
        }
        Ok(Self { tables, schema })
    }

    fn all_exist(&self) -> bool {
        self.tables.iter().all(|table| table.path.exists())
    }

    /// Returns whether every table streams.
    fn streams(&self) -> bool {
        self.tables.iter().all(|table| table.format.streams())
    }

    /// Moves the rebuilt tables to the place of the old ones.
    fn replace(&self, wanted: fn(Format) -> bool) -> Result<(), OutputError> {
        for PlannedTable { path, format, .. } in &self.tables {
            if wanted(*format) {
                let moved = std::fs::rename(with_suffix(path, TMP), path);
                moved.map_err(OutputError::write(path))?;
            }
        }
        Ok(())
    }
}

/// The tables and the journal of a run that is under way.
pub struct ResultTables {
    journal: Journal,
    journal_path: PathBuf,
    tables: OpenTables,
    plan: TablePlan,
    /// Files that failed, those of earlier runs included.
    failed: usize,
}

impl ResultTables {
    /// Resumes from what an earlier run left, or starts. `fresh` drops what an earlier run left. Also returns the files
    /// that are done, and their versions when they were read.
    ///
    /// # Errors
    /// [`OutputError`]; [`JournalError::Settings`] if the earlier run had other settings.
    pub fn open(
        plan: TablePlan,
        settings: &JournalSettings,
        fresh: bool,
    ) -> Result<(Self, HashMap<PathBuf, Option<Stamp>>), OutputError> {
        let journal_path = journal_of(&plan.tables[0].path);
        let mut journal = Journal::open(&journal_path)?;
        let state = match fresh {
            true => None,
            false => journal::read(&journal_path, Some(settings))?,
        };
        let (tables, failed, done) = match state {
            Some(state) => {
                journal.resume(&state)?;
                // A kill may have cut the tables off, and they may be gone: the journal has every row.
                let (tables, failed) = OpenTables::rebuild(&plan, &journal_path)?;
                (tables, failed, state.files)
            }
            None => {
                journal.start(settings)?;
                let tables = OpenTables::create(&plan, "", Format::streams)?;
                (tables, 0, HashMap::new())
            }
        };
        let tables = Self {
            journal,
            journal_path,
            tables,
            plan,
            failed,
        };
        Ok((tables, done))
    }

    /// Writes a row, to the journal first: what is in a table is in the journal too.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn row(&mut self, result: &FileResult) -> Result<(), OutputError> {
        self.journal.row(result)?;
        self.failed += usize::from(result.outcome.is_failed());
        self.tables.write(result)
    }

    /// Ends a run that saw `seen` files. Rebuilds the tables, in the order of paths, if `rebuild` (for the order, or
    /// because a later row replaced an earlier one), if a format does not stream, or if a table was removed. Returns
    /// how many files failed, over all runs.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn finish(mut self, rebuild: bool, seen: u64) -> Result<usize, OutputError> {
        self.journal.check_exists()?;
        let rebuild = rebuild || !self.plan.streams() || !self.plan.all_exist();
        // Some systems do not replace a file that is open.
        self.tables.finish()?;
        if rebuild {
            // Counts the last row of each file only.
            self.failed = write_tables(&self.plan, &self.journal_path)?;
        }
        self.journal.end(seen)?;
        Ok(self.failed)
    }
}

/// Writes the tables of a journal, in the order of paths. Returns how many of the files failed.
///
/// # Errors
/// [`OutputError`].
pub fn write_tables(plan: &TablePlan, journal: &Path) -> Result<usize, OutputError> {
    let mut tables = OpenTables::create(plan, TMP, |_| true)?;
    let failed = tables.fill(journal, true)?;
    tables.finish()?;
    plan.replace(|_| true)?;
    Ok(failed)
}

/// Tables that rows are added to.
struct OpenTables(Vec<(PathBuf, Table<'static>)>);

impl OpenTables {
    /// Starts the tables whose formats are `wanted`, in files whose names end with `suffix`.
    fn create(
        plan: &TablePlan,
        suffix: &str,
        wanted: fn(Format) -> bool,
    ) -> Result<Self, OutputError> {
        let mut all = Vec::new();
        for table in &plan.tables {
            let PlannedTable {
                path,
                content,
                format,
            } = table;
            if !wanted(*format) {
                continue;
            }
            let table = File::create(with_suffix(path, suffix)).and_then(|file| {
                let file = BufWriter::new(file);
                Table::new(file, *content, *format, plan.schema.clone())
            });
            all.push((path.clone(), table.map_err(OutputError::write(path))?));
        }
        Ok(Self(all))
    }

    fn write(&mut self, result: &FileResult) -> Result<(), OutputError> {
        for (path, table) in &mut self.0 {
            table.write(result).map_err(OutputError::write(path))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<(), OutputError> {
        for (path, table) in self.0 {
            table.finish().map_err(OutputError::write(&path))?;
        }
        Ok(())
    }

    /// Rebuilds the tables that stream from a journal, and leaves them open for more rows. Also returns how many of the
    /// files failed.
    fn rebuild(plan: &TablePlan, journal: &Path) -> Result<(Self, usize), OutputError> {
        let mut tables = Self::create(plan, TMP, Format::streams)?;
        let failed = tables.fill(journal, false)?;
        plan.replace(Format::streams)?;
        Ok((tables, failed))
    }

    /// Writes the rows of a journal. Returns how many of the files failed.
    fn fill(&mut self, journal: &Path, sorted: bool) -> Result<usize, OutputError> {
        let mut failed = 0;
        journal::rows(journal, sorted, |result| {
            failed += usize::from(result.outcome.is_failed());
            self.write(&result)
        })?;
        Ok(failed)
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
