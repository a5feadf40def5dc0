//! Reads the labels of files from a CSV file.

use std::path::{Path, PathBuf};

use super::names::tidy;
use super::sets::LabelSets;
use crate::dataset::error::Result;
use crate::dataset::folder::{key, path_of_key};
use crate::dataset::rows::{Rows, tidy_path};

/// Names of the column with the labels.
const LABELS: [&str; 5] = ["labels", "label", "tags", "genres", "genre"];

/// Reads the file at `path`. Paths in it are relative to `root`, or absolute and below it.
pub(super) fn read(root: &Path, path: &Path) -> Result<LabelSets> {
    let mut rows = Rows::open(path)?;
    let (file_column, label_column) = (rows.column(&["file", "path"])?, rows.column(&LABELS)?);
    let mut sets = LabelSets::new();
    while let Some((line, row)) = rows.next_row()? {
        let field = &row[file_column];
        if field.trim().is_empty() {
            return Err(rows.wrong(line, "the file has no name".into()));
        }
        let file = file_of(root, field);
        let labels = row[label_column].split(['|', ';']).map(tidy);
        let labels = labels.filter(|label| !label.is_empty());
        sets.entry(file).or_default().extend(labels);
    }
    Ok(sets)
}

/// Returns the key of the file that `field` names: as it is, or else tidied.
fn file_of(root: &Path, field: &str) -> String {
    let below = |text: &str| -> PathBuf {
        let path = path_of_key(text);
        path.strip_prefix(root).map(Path::to_owned).unwrap_or(path)
    };
    let exact = below(field);
    match root.join(&exact).is_file() {
        true => key(&exact),
        false => key(&below(&tidy_path(field))),
    }
}
