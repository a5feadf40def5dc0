//! A dataset: audio files with their labels, often a folder that holds a folder per class.

use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};
use std::{fs, io};

use walkdir::{DirEntry, WalkDir};

use super::error::{DatasetError, Result};
use crate::audio::{LeftOut, is_audio_path, is_hidden};
use crate::files::{path_of_text, text_of_path};

/// One audio file and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to [`Dataset::root`]. In a folder that holds a folder per class, its first part
    /// is the class folder.
    pub path: PathBuf,
    /// Indices into [`Dataset::classes`], ascending, at least one. In a folder that holds a folder
    /// per class, exactly one.
    pub labels: Vec<usize>,
}

impl Entry {
    /// Returns the path as split files write it on every system: with `/` between its parts, and
    /// escaped if it is not UTF-8 ([`text_of_path`]).
    pub fn key(&self) -> String {
        key(&self.path)
    }
}

/// The labeled audio files of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// Class names, sorted by their bytes. This is the order of a network's outputs.
    pub classes: Vec<String>,
    /// Files in an order that is the same on every file system: by class, then by [`Entry::key`],
    /// or by key alone if the labels do not come from folders.
    pub entries: Vec<Entry>,
    /// Where the labels come from.
    pub source: LabelSource,
    /// Whether hidden files and folders were taken ([`is_hidden`]).
    pub hidden: bool,
}

/// Where the labels of a dataset come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelSource {
    /// The folder that a file is in.
    Folders,
    /// A CSV file.
    Csv(PathBuf),
    /// The genres in the files' own tags.
    Tags,
}

impl Dataset {
    /// Lists `root`: every folder in `root` is a class, and every audio file at any depth below a
    /// class folder is an entry of that class.
    ///
    /// [`is_audio_path`] decides by name what is audio; no file is opened. Hidden files and folders
    /// are skipped ([`is_hidden`]), symbolic links are followed, and files directly in `root` are
    /// left out. [`Dataset::labeled`] says what was left out.
    ///
    /// # Errors
    /// `NoFolder`, `NoClasses`, `OneClass`, `EmptyClass` and `Io` of [`DatasetError`].
    ///
    /// ```
    /// use std::path::Path;
    /// use sonoprint::dataset::Dataset;
    ///
    /// let data = Dataset::scan(Path::new("data/clips"))?;
    /// assert!(data.classes.iter().any(|class| class == "jazz"));
    /// assert!(data.entries.iter().any(|file| file.key() == "jazz/jazz.00014.flac"));
    /// # Ok::<(), sonoprint::dataset::DatasetError>(())
    /// ```
    pub fn scan(root: &Path) -> Result<Self> {
        Ok(Self::scan_with(root, &Walk::default())?.0)
    }

    /// Lists `root` as [`Dataset::scan`] does. Also returns the keys of the audio files directly in
    /// `root`, which have no class.
    pub(super) fn scan_with(root: &Path, walk: &Walk) -> Result<(Self, Vec<String>)> {
        check_folder(root)?;
        let TopLevel { classes, loose } = top_level(root, walk)?;
        match classes.as_slice() {
            [] => {
                return Err(DatasetError::NoClasses {
                    path: root.to_owned(),
                });
            }
            [only] => {
                return Err(DatasetError::OneClass {
                    class: only.clone(),
                });
            }
            _ => {}
        }
        let mut entries = Vec::new();
        for (class, name) in classes.iter().enumerate() {
            let files = walk.audio_files(root, &root.join(path_of_key(name)))?;
            if files.is_empty() {
                return Err(DatasetError::EmptyClass {
                    class: name.clone(),
                });
            }
            let mut files: Vec<Entry> = (files.into_iter())
                .map(|path| Entry {
                    path,
                    labels: vec![class],
                })
                .collect();
            files.sort_by_cached_key(Entry::key);
            entries.append(&mut files);
        }
        let data = Self {
            root: root.to_owned(),
            classes,
            entries,
            source: LabelSource::Folders,
            hidden: walk.hidden,
        };
        Ok((data, loose))
    }

    /// Returns whether any file has several labels.
    pub fn has_several_labels(&self) -> bool {
        self.entries.iter().any(|entry| entry.labels.len() > 1)
    }

    /// Returns the labels of an entry as text, with `|` between them.
    pub fn label_text(&self, entry: &Entry) -> String {
        let names = entry.labels.iter().map(|&i| self.classes[i].as_str());
        names.collect::<Vec<_>>().join("|")
    }

    /// Returns the full path of an entry.
    pub fn path(&self, entry: &Entry) -> PathBuf {
        self.root.join(&entry.path)
    }
}

/// Checks that `root` is a folder.
pub(super) fn check_folder(root: &Path) -> Result<()> {
    if root.is_dir() {
        return Ok(());
    }
    Err(DatasetError::NoFolder {
        path: root.to_owned(),
    })
}

/// What a dataset's folder holds directly.
struct TopLevel {
    /// Names of the folders, sorted.
    classes: Vec<String>,
    /// Keys of the audio files, sorted.
    loose: Vec<String>,
}

/// Lists what is in `root` itself, and counts what is neither a class nor audio.
fn top_level(root: &Path, walk: &Walk) -> Result<TopLevel> {
    let io = |source| DatasetError::Io {
        path: root.to_owned(),
        source,
    };
    let (mut classes, mut loose) = (Vec::new(), Vec::new());
    for item in fs::read_dir(root).map_err(io)? {
        let name = item.map_err(io)?.file_name();
        let path = Path::new(&name);
        if !walk.hidden && is_hidden(&name) {
            walk.left_out.add_hidden();
        } else if root.join(path).is_dir() {
            classes.push(key(path));
        } else if is_audio_path(path) {
            loose.push(key(path));
        } else {
            walk.left_out.add_other(path);
        }
    }
    classes.sort_unstable();
    loose.sort_unstable();
    Ok(TopLevel { classes, loose })
}

/// How a dataset's folder is searched, and what was left out so far.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Whether hidden files and folders are taken ([`is_hidden`]).
    pub hidden: bool,
    pub left_out: LeftOut,
}

impl Walk {
    /// Returns the audio files at any depth below `folder`, which is in `root`, unsorted and
    /// relative to `root`. Links that lead nowhere, pipes and devices are among them: reading them
    /// says what is wrong.
    pub(super) fn audio_files(&self, root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
        let is_seen = |item: &DirEntry| {
            let seen = self.hidden || item.depth() == 0 || !is_hidden(item.file_name());
            if !seen {
                self.left_out.add_hidden();
            }
            seen
        };
        let mut files = Vec::new();
        let walk = WalkDir::new(folder).follow_links(true).into_iter();
        for item in walk.filter_entry(is_seen) {
            let path = match item {
                Ok(item) if item.file_type().is_dir() => continue,
                Ok(item) => item.into_path(),
                Err(e) => match e.path() {
                    Some(path) if is_dangling(path) => path.to_owned(),
                    path => {
                        return Err(DatasetError::Io {
                            path: path.unwrap_or(folder).to_owned(),
                            source: e.into(),
                        });
                    }
                },
            };
            match is_audio_path(&path) {
                true => files.push(path.strip_prefix(root).unwrap_or(&path).to_owned()),
                false => self.left_out.add_other(&path),
            }
        }
        Ok(files)
    }
}

/// Returns whether `path` is a link to nothing.
fn is_dangling(path: &Path) -> bool {
    path.is_symlink()
        && path
            .metadata()
            .is_err_and(|e| e.kind() == io::ErrorKind::NotFound)
}

/// Returns the text of a path in a dataset: `/` between its parts, and escaped as
/// [`text_of_path`] does if it is not UTF-8.
pub(super) fn key(path: &Path) -> String {
    let whole: PathBuf = (path.components())
        .filter(|part| *part != Component::CurDir)
        .collect();
    match MAIN_SEPARATOR {
        '/' => text_of_path(&whole),
        separator => text_of_path(&whole).replace(separator, "/"),
    }
}

/// Returns the path that [`key`] wrote.
pub(super) fn path_of_key(key: &str) -> PathBuf {
    path_of_text(key).unwrap_or_else(|| key.into())
}
