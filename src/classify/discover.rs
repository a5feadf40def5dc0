//! Which files the paths on the command line mean.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::audio::is_audio_path;

/// A file to classify, or a place that could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A file. Those named on the command line are taken whatever their extension.
    File(PathBuf),
    /// A folder or link that could not be followed, and why.
    Unreadable(PathBuf, String),
}

/// Why nothing can be classified.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// A path on the command line does not exist.
    #[error("no such file or folder: {0}")]
    NoSuchPath(PathBuf),
    /// The folders hold no audio.
    #[error("no audio files in {0} (looked for {extensions})", extensions = crate::audio::EXTENSIONS.join(", "))]
    NoAudio(String),
}

/// All files under `paths`, folders in depth and in the order of their names; links are followed, loops are not.
///
/// # Errors
/// If a path does not exist, or there is not a single audio file.
pub fn discover(paths: &[PathBuf]) -> Result<Vec<Found>, DiscoverError> {
    let mut found = Vec::new();
    for path in paths {
        if !path.exists() {
            return Err(DiscoverError::NoSuchPath(path.clone()));
        }
        if path.is_dir() {
            walk(path, &mut found);
        } else {
            found.push(Found::File(path.clone()));
        }
    }
    if found.is_empty() {
        let names: Vec<_> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(DiscoverError::NoAudio(names.join(", ")));
    }
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<Found>) {
    for entry in WalkDir::new(folder).follow_links(true).sort_by_file_name() {
        match entry {
            Ok(e) if e.file_type().is_file() && is_audio_path(e.path()) => {
                found.push(Found::File(e.into_path()));
            }
            Ok(_) => {}
            Err(e) => {
                let path = e.path().unwrap_or(folder).to_owned();
                let why = if e.loop_ancestor().is_some() {
                    "a link that leads back to its own folder".into()
                } else {
                    e.io_error()
                        .map_or_else(|| e.to_string(), ToString::to_string)
                };
                found.push(Found::Unreadable(path, why));
            }
        }
    }
}
