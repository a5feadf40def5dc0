//! A table: what it holds, and the format it is written in.

use std::io::{self, Write};

use super::format::Format;
use super::row_writer::{Header, RowWriter};
use super::schema::{Content, Schema};
use crate::classify::result::FileResult;

/// A table that is being written. Formats that stream are flushed after every file, so that a
/// reader sees its rows at once.
///
/// ```
/// use sonoprint::classify::{Content, FileResult, Format, Outcome, Schema, Table};
/// use sonoprint::model::Task;
///
/// let schema = Schema {
///     classes: vec!["blues".into()],
///     top: 1,
///     model: "0123456789ab".into(),
///     rule: Task::SingleLabel.into(),
/// };
/// let mut csv = Vec::new();
/// let mut table = Table::new(&mut csv, Content::Files, Format::Csv, schema)?;
/// let outcome = Outcome::Failed { reason: "empty".into(), message: "the file is empty".into() };
/// table.write(&FileResult { path: "a.wav".into(), stamp: None, outcome })?;
/// table.finish()?;
/// assert!(csv.starts_with(b"path,status,genre,confidence,"));
/// # Ok::<_, std::io::Error>(())
/// ```
pub struct Table<'w> {
    content: Content,
    schema: Schema,
    writer: Box<dyn RowWriter + 'w>,
}

impl<'w> Table<'w> {
    /// Starts a table. `schema.top` is limited to the number of classes.
    ///
    /// # Errors
    /// The error of `out`; `Unsupported` if this build cannot write the format
    /// ([`Format::is_built`]), or the format does not hold the content ([`Format::holds`]).
    pub fn new(
        out: impl Write + Send + 'w,
        content: Content,
        format: Format,
        schema: Schema,
    ) -> io::Result<Self> {
        Self::with_rows(out, content, format, schema, None)
    }

    /// As [`Table::new`], for a table whose number of rows is known. A NumPy matrix needs it.
    pub(super) fn with_rows(
        out: impl Write + Send + 'w,
        content: Content,
        format: Format,
        mut schema: Schema,
        rows: Option<u64>,
    ) -> io::Result<Self> {
        if format == Format::Audacity && !format.holds(content) {
            let why = format!("{format} tables hold clips only");
            return Err(io::Error::new(io::ErrorKind::Unsupported, why));
        }
        schema.top = schema.top.clamp(1, schema.classes.len().max(1));
        let header = Header {
            columns: content.columns(&schema),
            model: schema.model.clone(),
            rows,
        };
        let open = format.opener();
        Ok(Self {
            content,
            schema,
            writer: open(Box::new(out), header)?,
        })
    }

    /// Writes the rows of a file: one, or one per clip, or none.
    ///
    /// # Errors
    /// The error of the output: a full disk, for example.
    pub fn write(&mut self, result: &FileResult) -> io::Result<()> {
        for cells in self.content.rows(&self.schema, result) {
            self.writer.row(cells)?;
        }
        self.writer.flush()
    }

    /// Writes the end of the table.
    ///
    /// # Errors
    /// As [`Table::write`].
    pub fn finish(self) -> io::Result<()> {
        self.writer.finish()
    }
}
