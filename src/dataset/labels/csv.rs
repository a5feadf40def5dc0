//! Reads the labels of files from a CSV file.

use std::path::Path;

use super::names::tidy;
use super::sets::LabelSets;
use crate::dataset::error::Result;
use crate::dataset::rows::{Rows, file_key};

/// Names of the column with the labels.
const LABELS: [&str; 5] = ["labels", "label", "tags", "genres", "genre"];

/// Reads the file at `path`. Paths in it are relative to `root`, or absolute and below it.
pub(super) fn read(root: &Path, path: &Path) -> Result<LabelSets> {
    let mut rows = Rows::open(path)?;
    let (file_column, label_column) = (rows.column(&["file", "path"])?, rows.column(&LABELS)?);
    let mut sets = LabelSets::new();
    while let Some((line, row)) = rows.next_row()? {
        let field = &row[file_column];
        if field.is_empty() {
            return Err(rows.wrong(line, "the file has no name".into()));
        }
        let below = Path::new(field).strip_prefix(root).ok();
        let file = file_key(below.and_then(Path::to_str).unwrap_or(field));
        let labels = row[label_column].split(['|', ';']).map(tidy);
        let labels = labels.filter(|label| !label.is_empty());
        sets.entry(file).or_default().extend(labels);
    }
    Ok(sets)
}
