//! The tables of a run on disk, and the journal that they can be rebuilt from.

use std::collections::HashMap;
use std::io::{self, BufWriter};
use std::iter;
use std::path::{Path, PathBuf};

use super::error::OutputError;
use super::format::Format;
use super::names::{self, names_of};
use super::schema::{Content, Schema};
use super::table::Table;
use crate::classify::journal::{self, Journal, JournalError, JournalSettings, journal_of};
use crate::classify::page;
use crate::classify::result::FileResult;
use crate::classify::stamp::Stamp;
use crate::files::{Claims, OutFile, Part, remove_leftovers};

/// Which tables are written, where, and in which format.
#[derive(Clone, Debug)]
pub struct TablePlan {
    /// The table of files comes first.
    tables: Vec<PlannedTable>,
    /// The page to look at, if there will be one.
    page: Option<PathBuf>,
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
    /// A table has the format that the ending of its name stands for. A name without an ending is
    /// CSV, or JSON Lines for embeddings. `format`, if given, holds for the table of files. A NumPy
    /// matrix of embeddings has the paths of its rows in a file beside it ([`names_of`]).
    ///
    /// # Errors
    /// [`OutputError::Ending`], [`OutputError::NoVectors`], [`OutputError::OnlyClips`],
    /// [`OutputError::OnlyVectors`] and
    /// [`OutputError::NotBuilt`].
    pub fn new(
        out: &Path,
        format: Option<Format>,
        timeline: Option<&Path>,
        embeddings: Option<&Path>,
        schema: Schema,
    ) -> Result<Self, OutputError> {
        let table = |path: &Path, content, format| PlannedTable {
            path: path.to_owned(),
            content,
            format,
        };
        let format = format.map_or_else(|| by_name(out, Format::Csv), Ok)?;
        if !format.holds(Content::Files) {
            let path = out.to_owned();
            return Err(OutputError::OnlyClips { path, format });
        }
        let mut tables = vec![table(out, Content::Files, format)];
        if let Some(path) = timeline {
            tables.push(table(path, Content::Clips, by_name(path, Format::Csv)?));
        }
        if let Some(table) = tables.iter().find(|table| !table.format.has_columns()) {
            return Err(OutputError::OnlyVectors {
                path: table.path.clone(),
                format: table.format,
            });
        }
        if let Some(path) = embeddings {
            let format = by_name(path, Format::Jsonl)?;
            if !format.has_vectors() {
                let path = path.to_owned();
                return Err(OutputError::NoVectors { path, format });
            }
            tables.push(table(path, Content::Embeddings, format));
            if format == Format::Npy {
                tables.push(table(&names_of(path), Content::Embeddings, Format::Names));
            }
        }
        if let Some(table) = tables.iter().find(|table| !table.format.is_built()) {
            return Err(OutputError::NotBuilt {
                path: table.path.clone(),
                format: table.format,
            });
        }
        Ok(Self {
            tables,
            page: None,
            schema,
        })
    }

    /// Plans a page beside the tables, which [`crate::classify::write_page`] writes: it is another
    /// file than they are.
    pub fn with_page(self, page: Option<PathBuf>) -> Self {
        Self { page, ..self }
    }

    fn all_exist(&self) -> bool {
        self.tables.iter().all(|table| table.path.exists())
    }

    /// Returns whether a format must know the number of rows beforehand.
    fn counts_rows(&self) -> bool {
        self.tables.iter().any(|table| table.format == Format::Npy)
    }

    /// Returns whether every table streams.
    fn streams(&self) -> bool {
        self.tables.iter().all(|table| table.format.streams())
    }

    /// Checks that the tables, the journal and the page may be written: each is a new file or one that this
    /// program wrote, no two are the same file, and none is one of `inputs`.
    ///
    /// # Errors
    /// [`OutputError::Claim`].
    pub fn claim<'a>(&self, inputs: impl IntoIterator<Item = &'a Path>) -> Result<(), OutputError> {
        let mut claims = Claims::default();
        inputs.into_iter().for_each(|input| claims.input(input));
        // Whether the table before is there, and ours.
        let mut ours = false;
        for PlannedTable { path, format, .. } in &self.tables {
            let is = match format {
                Format::Names if ours => names::BESIDE_OURS,
                format => format.ours(),
            };
            claims.output(path, is)?;
            ours = path.metadata().is_ok_and(|file| file.len() > 0);
        }
        claims.output(&journal_of(&self.tables[0].path), journal::OURS)?;
        if let Some(path) = &self.page {
            claims.output(path, page::OURS)?;
        }
        Ok(())
    }

    /// Removes what a killed run left of tables that it was writing.
    fn remove_leftovers(&self) {
        for table in &self.tables {
            remove_leftovers(&table.path);
        }
    }
}

fn by_name(path: &Path, without: Format) -> Result<Format, OutputError> {
    match (Format::of(path), path.extension()) {
        (Some(format), _) => Ok(format),
        (None, None) => Ok(without),
        (None, Some(ending)) => Err(OutputError::Ending {
            path: path.to_owned(),
            ending: ending.to_string_lossy().into_owned(),
        }),
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
    /// Damaged lines of the journal.
    damaged: u64,
}

impl ResultTables {
    /// Resumes from what an earlier run left, or starts. `fresh` drops what an earlier run left.
    /// Also returns the files that are done, and their versions when they were read.
    ///
    /// # Errors
    /// [`OutputError`]; [`JournalError::Settings`] if the earlier run had other settings;
    /// [`OutputError::Claim`] if a file is there that this program did not write.
    pub fn open(
        plan: TablePlan,
        settings: &JournalSettings,
        fresh: bool,
    ) -> Result<(Self, HashMap<PathBuf, Option<Stamp>>), OutputError> {
        plan.claim(iter::empty())?;
        let journal_path = journal_of(&plan.tables[0].path);
        let mut journal = Journal::open(&journal_path)?;
        // Nobody else writes these tables: the journal is locked.
        plan.remove_leftovers();
        let state = match fresh {
            true => None,
            false => journal::read(&journal_path, Some(settings))?,
        };
        let damaged = state.as_ref().map_or(0, |state| state.damaged);
        let (tables, failed, done) = match state {
            Some(state) => {
                journal.resume(&state)?;
                // A kill may have cut the tables off, and they may be gone: the journal has every
                // row.
                let (tables, failed) = OpenTables::rebuild(&plan, &journal_path)?;
                (tables, failed, state.files)
            }
            None => {
                journal.start(settings)?;
                (OpenTables::create(&plan)?, 0, HashMap::new())
            }
        };
        let tables = Self {
            journal,
            journal_path,
            tables,
            plan,
            failed,
            damaged,
        };
        Ok((tables, done))
    }

    /// Returns the number of damaged lines that the journal had. Their files are not done.
    pub fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Returns the path of the journal.
    pub fn journal(&self) -> &Path {
        &self.journal_path
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

    /// Ends a run that saw `seen` files. Rebuilds the tables, in the order of paths, if `rebuild`
    /// (for the order, or because a later row replaced an earlier one), if a format does not
    /// stream, or if a table was removed. Returns how many files failed, over all runs.
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

    /// Ends a run that was stopped: the same run goes on from its journal. Tables whose format does
    /// not stream are left as they are.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn stop(mut self) -> Result<(), OutputError> {
        self.journal.check_exists()?;
        self.tables.finish()
    }
}

/// Writes the tables of a journal, in the order of paths. Returns how many of the files failed.
///
/// # Errors
/// [`OutputError`].
pub fn write_tables(plan: &TablePlan, journal: &Path) -> Result<usize, OutputError> {
    plan.claim(iter::empty())?;
    let rows = match plan.counts_rows() {
        true => Some(count_read(journal)?),
        false => None,
    };
    let (mut tables, parts) = OpenTables::create_parts(plan, |_| true, rows)?;
    let failed = tables.fill(journal, true)?;
    tables.finish()?;
    for (path, part) in parts {
        part.commit().map_err(OutputError::write(&path))?;
    }
    Ok(failed)
}

/// Returns how many files of a journal could be read: those that have an embedding.
fn count_read(journal: &Path) -> Result<u64, JournalError> {
    let mut read = 0;
    journal::rows(journal, false, |result| {
        read += u64::from(!result.outcome.is_failed());
        Ok::<_, JournalError>(())
    })?;
    Ok(read)
}

/// Tables that rows are added to.
struct OpenTables(Vec<(PathBuf, Table<'static>)>);

/// Files that take the place of tables, with the tables' paths.
type Parts = Vec<(PathBuf, Part)>;

impl OpenTables {
    /// Starts the tables that stream, in place of old ones.
    fn create(plan: &TablePlan) -> Result<Self, OutputError> {
        let mut all = Vec::new();
        for table in plan.tables.iter().filter(|table| table.format.streams()) {
            let file = OutFile::create(&table.path);
            all.push(open(table, file, &plan.schema, None)?);
        }
        Ok(Self(all))
    }

    /// Starts the tables whose formats are `wanted`, beside the old ones. `rows` is the number of
    /// embeddings, where it is known.
    fn create_parts(
        plan: &TablePlan,
        wanted: fn(Format) -> bool,
        rows: Option<u64>,
    ) -> Result<(Self, Parts), OutputError> {
        let (mut all, mut parts) = (Vec::new(), Vec::new());
        for table in plan.tables.iter().filter(|table| wanted(table.format)) {
            let created = Part::create(&table.path);
            let (part, file) = created.map_err(OutputError::write(&table.path))?;
            parts.push((table.path.clone(), part));
            all.push(open(table, Ok(file), &plan.schema, rows)?);
        }
        Ok((Self(all), parts))
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

    /// Rebuilds the tables that stream from a journal, and leaves them open for more rows. Also
    /// returns how many of the files failed.
    fn rebuild(plan: &TablePlan, journal: &Path) -> Result<(Self, usize), OutputError> {
        let (mut tables, parts) = Self::create_parts(plan, Format::streams, None)?;
        let failed = tables.fill(journal, false)?;
        for (path, part) in parts {
            part.publish().map_err(OutputError::write(&path))?;
        }
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

/// Starts a table in `file`.
fn open(
    table: &PlannedTable,
    file: io::Result<OutFile>,
    schema: &Schema,
    rows: Option<u64>,
) -> Result<(PathBuf, Table<'static>), OutputError> {
    let PlannedTable {
        path,
        content,
        format,
    } = table;
    let open = |file| {
        let file = BufWriter::new(file);
        Table::with_rows(file, *content, *format, schema.clone(), rows)
    };
    let opened = file.and_then(open).map_err(OutputError::write(path))?;
    Ok((path.clone(), opened))
}
