//! Finds the files that a list of paths stands for, while they are read.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::glob::Glob;
use super::shard::Shard;
use crate::audio::{EXTENSIONS, LeftOut, is_audio_path, is_hidden};

/// A file to classify, or a place that could not be searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file. Files that are named one by one may have any extension.
    File(PathBuf),
    /// A folder or link that could not be followed, and why.
    Unreadable(PathBuf, String),
}

impl Input {
    /// Returns the path of the file or place.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Unreadable(path, _) => path,
        }
    }
}

/// Why there is nothing to classify.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// A path does not exist.
    #[error("no such file or folder: {0}")]
    NoSuchPath(PathBuf),
    /// The folders hold no audio.
    #[error("no audio files in {0} (looked for {known})", known = EXTENSIONS.join(", "))]
    NoAudio(String),
}

/// How folders are searched.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// The part of the files that is taken.
    pub shard: Shard,
    /// Whether hidden files and folders are searched too ([`is_hidden`]).
    pub hidden: bool,
    /// Take only files that match one of these, if there are any.
    pub include: Vec<Glob>,
    /// Leave out files and folders that match one of these. Such folders are not entered.
    pub exclude: Vec<Glob>,
    /// How deep folders are searched: 1 is the files in a folder, without subfolders.
    pub max_depth: Option<usize>,
    /// Whether files may come in any order. A folder's names are then not sorted, and not held in
    /// memory.
    pub any_order: bool,
    /// What was left out so far.
    pub left_out: Arc<LeftOut>,
}

impl Search {
    /// Returns the same search, which counts anew what it leaves out.
    pub fn again(&self) -> Self {
        Self {
            left_out: Arc::default(),
            ..self.clone()
        }
    }

    /// Returns whether a file or folder of the folder `root` is taken, and counts it if not.
    fn takes(&self, entry: &DirEntry, root: &Path) -> bool {
        if entry.depth() == 0 {
            return true;
        }
        if !self.hidden && is_hidden(entry.file_name()) {
            self.left_out.add_hidden();
            return false;
        }
        if self.exclude.is_empty() && self.include.is_empty() {
            return true;
        }
        let is_folder = entry.file_type().is_dir();
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
        let any = |globs: &[Glob]| globs.iter().any(|glob| glob.is_match(path, is_folder));
        if any(&self.exclude) {
            self.left_out.add_excluded();
            return false;
        }
        let is_included = is_folder || self.include.is_empty() || any(&self.include);
        // What is not audio is counted as that.
        if !is_included && is_audio_path(path) {
            self.left_out.add_not_included();
            return false;
        }
        true
    }
}

/// Finds the files under `paths`, one at a time. Folders are searched depth first, in the order of
/// names. Links are followed, but not in a loop. A file is returned once, even if two of the paths
/// lead to it by the same name. A path that is given is taken whatever it is called.
///
/// # Errors
/// [`DiscoverError::NoSuchPath`] if a path does not exist.
pub fn discover(
    paths: &[PathBuf],
    search: &Search,
) -> Result<impl Iterator<Item = Input> + Send + use<>, DiscoverError> {
    if let Some(missing) = paths.iter().find(|p| p.symlink_metadata().is_err()) {
        return Err(DiscoverError::NoSuchPath(missing.clone()));
    }
    let paths = paths.to_vec();
    let search = search.clone();
    let mut searched: Vec<PathBuf> = Vec::new();
    Ok(paths.into_iter().flat_map(move |path| {
        let before = searched.clone();
        searched.push(path.clone());
        let is_new = move |f: &Input| !before.iter().any(|root| f.path().starts_with(root));
        let inputs: Box<dyn Iterator<Item = Input> + Send> = if path.is_dir() {
            Box::new(walk(path, search.clone()))
        } else {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            let mine = search.shard.has(&name);
            Box::new(mine.then_some(Input::File(path)).into_iter())
        };
        inputs.filter(is_new)
    }))
}

/// A pipe, a socket or a device: reading one might block forever.
const NOT_A_FILE: &str = "not a regular file";

fn walk(folder: PathBuf, search: Search) -> impl Iterator<Item = Input> + Send {
    let deepest = search.max_depth.unwrap_or(usize::MAX);
    let mut walk = WalkDir::new(&folder).follow_links(true).max_depth(deepest);
    if !search.any_order {
        walk = walk.sort_by_file_name();
    }
    let Search {
        shard, left_out, ..
    } = search.clone();
    let root = folder.clone();
    walk.into_iter()
        .filter_entry(move |entry| search.takes(entry, &root))
        .filter_map(move |entry| {
            let input = match entry {
                Ok(e) if e.file_type().is_dir() => {
                    if e.depth() == deepest {
                        left_out.add_too_deep();
                    }
                    return None;
                }
                Ok(e) if !is_audio_path(e.path()) => {
                    left_out.add_other(e.path());
                    return None;
                }
                Ok(e) if e.file_type().is_file() => Input::File(e.into_path()),
                Ok(e) => Input::Unreadable(e.into_path(), NOT_A_FILE.into()),
                Err(e) => {
                    let path = e.path().unwrap_or(&folder).to_owned();
                    let why = if e.loop_ancestor().is_some() {
                        "a link that leads back to its own folder".into()
                    } else {
                        e.io_error()
                            .map_or_else(|| e.to_string(), ToString::to_string)
                    };
                    Input::Unreadable(path, why)
                }
            };
            let relative = input.path().strip_prefix(&folder).unwrap_or(input.path());
            shard.has(relative).then_some(input)
        })
}
