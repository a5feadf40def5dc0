//! Finds rows by their paths.

use std::path::{Path, PathBuf};

use super::error::SimilarError;
use super::table::EmbeddingTable;
use crate::files::{path_of_text, text_of_path};

/// A path that is looked for.
struct Wanted {
    text: String,
    name: String,
    absolute: Option<PathBuf>,
}

impl Wanted {
    fn new(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default();
        Self {
            // What a table has is taken as it is, its escaped paths too.
            text: path
                .to_str()
                .map_or_else(|| text_of_path(path), str::to_owned),
            name: name.to_string_lossy().into_owned(),
            absolute: absolute(path),
        }
    }

    fn is(&self, text: &str) -> bool {
        if self.text == text {
            return true;
        }
        // Most paths end with another name, and need no closer look.
        let may_be = text.ends_with(&self.name) || text.starts_with("bytes:");
        may_be && path_of_text(text).and_then(|path| absolute(&path)) == self.absolute
    }
}

/// Returns a path from the root of the system, without `.` in it.
fn absolute(path: &Path) -> Option<PathBuf> {
    std::path::absolute(path).ok()
}

/// Returns the rows of `table` for each of `paths`: none, one, or several if the table has a path
/// twice. A path is as the table has it, or another way to the same file from the working folder.
///
/// # Errors
/// [`SimilarError`].
pub fn find(table: &EmbeddingTable, paths: &[PathBuf]) -> Result<Vec<Vec<u64>>, SimilarError> {
    let wanted: Vec<Wanted> = paths.iter().map(|path| Wanted::new(path)).collect();
    let found = table.search_paths(|row, text| {
        let hits = wanted
            .iter()
            .enumerate()
            .filter(|(_, wanted)| wanted.is(text));
        let numbers: Vec<usize> = hits.map(|(number, _)| number).collect();
        (!numbers.is_empty()).then_some((row, numbers))
    })?;
    let mut rows = vec![Vec::new(); paths.len()];
    for (row, numbers) in found {
        numbers
            .into_iter()
            .for_each(|number| rows[number].push(row));
    }
    Ok(rows)
}
