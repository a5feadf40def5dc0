//! A dataset: audio files with their labels, often a folder that holds a folder per class.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::error::{DatasetError, Result};
use crate::audio::{is_audio_path, is_hidden};
use crate::files::text_of_path;

/// One audio file and its labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to [`Dataset::root`]. In a folder that holds a folder per class,
    /// its first part is the class folder.
    pub path: PathBuf,
    /// Indices into [`Dataset::classes`], ascending, at least one. In a folder that holds a folder
    /// per class, exactly one.
    pub labels: Vec<usize>,
}

impl Entry {
    /// Returns the path as split files write it on every system: with `/` between its parts.
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
    /// ignored.
    ///
    /// # Errors
    /// `NoFolder`, `NoClasses`, `OneClass`, `EmptyClass`, `NotUtf8` and `Io` of [`DatasetError`].
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
        check_folder(root)?;
        let classes = class_names(root)?;
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
            let files = audio_files(root, &root.join(name))?;
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
        Ok(Self {
            root: root.to_owned(),
            classes,
            entries,
            source: LabelSource::Folders,
        })
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

/// Returns the names of the folders in `root`, sorted, without hidden ones.
fn class_names(root: &Path) -> Result<Vec<String>> {
    let io = |source| DatasetError::Io {
        path: root.to_owned(),
        source,
    };
    let mut names = Vec::new();
    for item in fs::read_dir(root).map_err(io)? {
        let item = item.map_err(io)?;
        if !item.path().is_dir() {
            continue;
        }
        match item.file_name().into_string() {
            Ok(name) if is_hidden(name.as_ref()) => {}
            Ok(name) => names.push(name),
            Err(_) => return Err(DatasetError::NotUtf8 { path: item.path() }),
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns the audio files at any depth below `folder`, which is in `root`, unsorted and relative to
/// `root`. Skips hidden ones.
pub(super) fn audio_files(root: &Path, folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let walk = WalkDir::new(folder).follow_links(true).into_iter();
    for item in walk.filter_entry(|item| item.depth() == 0 || !is_hidden(item.file_name())) {
        let item = item.map_err(|e| DatasetError::Io {
            path: e.path().unwrap_or(folder).to_owned(),
            source: e.into(),
        })?;
        if !item.file_type().is_file() || !is_audio_path(item.path()) {
            continue;
        }
        let path = item.path().strip_prefix(root).unwrap_or(item.path());
        files.push(path.to_owned());
    }
    Ok(files)
}

/// Returns a path in a dataset as split files and reports write it: with `/` between its parts, or
/// as [`text_of_path`] escapes one that is not UTF-8.
pub(super) fn key(path: &Path) -> String {
    match path.to_str() {
        Some(_) => {
            let parts: Vec<_> = path.iter().map(|p| p.to_string_lossy()).collect();
            text_of_path(Path::new(&parts.join("/")))
        }
        None => text_of_path(path),
    }
}
