//! From rows to tagged files.

use std::path::Path;
use std::time::SystemTime;

use super::change::{Changes, Mode, changes};
use super::error::TagError;
use super::field::Field;
use super::file::{TagFile, WriteOptions};
use super::undo::{UndoError, UndoTable};
use super::wanted::LabelRule;
use crate::classify::{RowStatus, TableRow};

/// How files are tagged.
#[derive(Clone, Debug, Default)]
pub struct TagOptions {
    /// Which labels are written.
    pub rule: LabelRule,
    /// What happens to fields that have values.
    pub mode: Mode,
    /// How files are written.
    pub write: WriteOptions,
}

/// What happened to a file.
#[derive(Debug)]
pub enum Tagged {
    /// Its fields were written, or would be.
    Written {
        /// What changed.
        changes: Changes,
        /// Whether the file is younger than the table, and was not tagged by this program: it may
        /// have other sound than the one that was classified.
        younger: bool,
    },
    /// It has everything already: a genre, or what would be written.
    Unchanged,
    /// The row has nothing to write: unsure, failed, excluded or below the minimum.
    NoLabel,
    /// The file was left as it was.
    Failed(TagError),
}

/// Tags files, and writes what it changes to an undo table first. Without a table, it only says
/// what it would do.
pub struct Tagger {
    options: TagOptions,
    undo: Option<UndoTable>,
    classified: Option<SystemTime>,
}

impl Tagger {
    /// Starts. `classified` is the time at which the files were classified, if it is known.
    pub fn new(
        options: TagOptions,
        undo: Option<UndoTable>,
        classified: Option<SystemTime>,
    ) -> Self {
        Self {
            options,
            undo,
            classified,
        }
    }

    /// Returns whether the file at `path` has fields that a row could fill. If its tags cannot be
    /// read, it has: the row's turn says why.
    pub fn needs(&self, path: &Path) -> bool {
        let rule = &self.options.rule;
        self.options.mode != Mode::Missing
            || rule.tags
            || TagFile::open(path).map_or(true, |file| !file.has_genre())
    }

    /// Tags the file of a row.
    ///
    /// # Errors
    /// If the undo table cannot be written. The file is as it was, and so should the others be.
    pub fn tag(&mut self, row: &TableRow) -> Result<Tagged, UndoError> {
        let wanted = self.options.rule.wanted(row);
        if row.status != RowStatus::Ok || wanted.is_empty() {
            return Ok(Tagged::NoLabel);
        }
        let file = match TagFile::open(&row.path) {
            Ok(file) => file,
            Err(e) => return Ok(Tagged::Failed(e)),
        };
        let fields = file.fields();
        let changes = changes(&fields, &file.kinds(), &wanted, self.options.mode);
        if changes.is_empty() {
            return Ok(Tagged::Unchanged);
        }
        let tagged = fields.keys().any(|key| key.field == Field::Scores);
        let younger = !tagged && self.classified < file.modified() && self.classified.is_some();
        let prepared = match file.prepare(&changes, self.options.write) {
            Ok(prepared) => prepared,
            Err(e) => return Ok(Tagged::Failed(e)),
        };
        if let Some(undo) = &mut self.undo {
            undo.add(&row.path, &changes)?;
            if let Err(e) = prepared.commit() {
                return Ok(Tagged::Failed(e));
            }
        }
        Ok(Tagged::Written { changes, younger })
    }
}
