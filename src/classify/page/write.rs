//! Writing a page.

use std::path::Path;

use super::collect::Collected;
use super::error::PageError;
use super::info::PageInfo;
use super::link::Links;
use super::render::render;
use crate::files::replace;

/// Writes the page of a journal, and replaces an earlier one. The rows are read one at a time; the
/// page's table and map hold at most [`super::MAX_TRACKS`] of them, drawn at random by their paths.
///
/// Players have addresses relative to the page's folder.
///
/// # Errors
/// [`PageError`].
pub fn write_page(info: &PageInfo, journal: &Path, page: &Path) -> Result<(), PageError> {
    let collected = Collected::read(journal, &info.settings)?;
    let html = render(info, &collected, &Links::from(page));
    replace(page, html.as_bytes()).map_err(|source| PageError::Write {
        path: page.to_owned(),
        source,
    })
}
