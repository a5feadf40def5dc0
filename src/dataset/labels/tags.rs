//! Reads the labels of files from their own tags, with the crate lofty.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use lofty::config::ParseOptions;
use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::{ItemKey, Tag};
use rayon::prelude::*;

use super::names::genres;
use super::sets::{LabelSets, note};
use crate::dataset::error::Result;
use crate::dataset::folder::{Walk, key};

/// Reads the genres of every audio file in `root`, on all cores. Files without one have an empty
/// set; a note names those whose tags cannot be read.
pub(super) fn read(root: &Path, walk: &Walk, notes: &mut Vec<String>) -> Result<LabelSets> {
    let files = walk.audio_files(root, root)?;
    let read: Vec<_> = (files.par_iter())
        .map(|path| (key(path), file_genres(&root.join(path))))
        .collect();
    let mut sets = LabelSets::new();
    let mut unreadable = Vec::new();
    for (file, genres) in read {
        match genres {
            Some(genres) => {
                sets.insert(file, genres.into_iter().collect());
            }
            None => unreadable.push(file),
        }
    }
    unreadable.sort_unstable();
    note(notes, unreadable, "without readable tags");
    Ok(sets)
}

/// Returns the genres of a file, from the first of its tags that has any (a file may have an ID3v2
/// tag and an ID3v1 tag with a shorter copy of it). `None` if the tags cannot be read, as of
/// formats that have none.
fn file_genres(path: &Path) -> Option<Vec<String>> {
    let read = || {
        let options = ParseOptions::new()
            .read_properties(false)
            .read_cover_art(false);
        let probe = Probe::open(path).ok()?.guess_file_type().ok()?;
        let file = probe.options(options).read().ok()?;
        let of = |tag: &Tag| -> Vec<String> {
            tag.get_strings(ItemKey::Genre).flat_map(genres).collect()
        };
        let all = file.primary_tag().into_iter().chain(file.tags()).map(of);
        Some(all.into_iter().find(|g| !g.is_empty()).unwrap_or_default())
    };
    // A file's bytes may be anything, and no file ends the run.
    catch_unwind(AssertUnwindSafe(read)).ok().flatten()
}
