//! A dataset as a folder that holds a folder per class.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::error::{DatasetError, Result};
use crate::audio::is_audio_path;

/// One audio file and its class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path relative to [`Dataset::root`]. Its first part is the class folder. Always UTF-8.
    pub path: PathBuf,
    /// Index into [`Dataset::classes`].
    pub class: usize,
}

impl Entry {
    /// Returns the path as split files write it on every system: with `/` between its parts.
    pub fn key(&self) -> String {
        let parts: Vec<_> = self.path.iter().map(|p| p.to_string_lossy()).collect();
        parts.join("/")
    }
}

/// The audio files of a folder that holds a folder per class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// The folder.
    pub root: PathBuf,
    /// Class names, sorted by their bytes. This is the order of a network's outputs.
    pub classes: Vec<String>,
    /// Files by class, then by [`Entry::key`]: the same order on every file system.
    pub entries: Vec<Entry>,
}

impl Dataset {
    /// Lists `root`: every folder in `root` is a class, and every audio file at any depth below a
    /// class folder is an entry of that class.
    ///
    /// [`is_audio_path`] decides by name what is audio; no file is opened. Names that begin with a
    /// dot are skipped, symbolic links are followed, and files directly in `root` are ignored.
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
        if !root.is_dir() {
            return Err(DatasetError::NoFolder {
                path: root.to_owned(),
            });
        }
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
            let mut files = class_files(root, name, class)?;
            if files.is_empty() {
                return Err(DatasetError::EmptyClass {
                    class: name.clone(),
                });
            }
            files.sort_by_cached_key(Entry::key);
            entries.append(&mut files);
        }
        Ok(Self {
            root: root.to_owned(),
            classes,
            entries,
        })
    }

    /// Returns the full path of an entry.
    pub fn path(&self, entry: &Entry) -> PathBuf {
        self.root.join(&entry.path)
    }
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
            Ok(name) if name.starts_with('.') => {}
            Ok(name) => names.push(name),
            Err(_) => return Err(DatasetError::NotUtf8 { path: item.path() }),
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Returns the audio files below the class folder `name`, unsorted.
fn class_files(root: &Path, name: &str, class: usize) -> Result<Vec<Entry>> {
    let folder = root.join(name);
    let mut files = Vec::new();
    let walk = WalkDir::new(&folder).follow_links(true).into_iter();
    for item in walk.filter_entry(|item| item.depth() == 0 || !is_hidden(item)) {
        let item = item.map_err(|e| DatasetError::Io {
            path: e.path().unwrap_or(&folder).to_owned(),
            source: e.into(),
        })?;
        if !item.file_type().is_file() || !is_audio_path(item.path()) {
            continue;
        }
        let path = item.path().strip_prefix(root).unwrap_or(item.path());
        if path.to_str().is_none() {
            return Err(DatasetError::NotUtf8 {
                path: path.to_owned(),
            });
        }
        files.push(Entry {
            path: path.to_owned(),
            class,
        });
    }
    Ok(files)
}

fn is_hidden(item: &DirEntry) -> bool {
    item.file_name().as_encoded_bytes().starts_with(b".")
}
