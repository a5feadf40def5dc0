//! Which files the paths on the command line mean, as they are found.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::Shard;
use crate::audio::is_audio_path;

/// A file to classify, or a place that could not be looked into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file. Those named on the command line are taken whatever their extension.
    File(PathBuf),
    /// A folder or link that could not be followed, and why.
    Unreadable(PathBuf, String),
}

impl Input {
    /// Where.
    pub fn path(&self) -> &Path {
        match self {
            Self::File(path) | Self::Unreadable(path, _) => path,
        }
    }
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

/// The files of `shard` under `paths`, found as one goes on: folders in depth and in the order of their names; links are
/// followed, loops are not. A file is named once, even if two of the paths lead to it by the same name.
///
/// # Errors
/// If a path does not exist.
pub fn discover(
    paths: &[PathBuf],
    shard: Shard,
) -> Result<impl Iterator<Item = Input> + Send + use<>, DiscoverError> {
    if let Some(missing) = paths.iter().find(|p| p.symlink_metadata().is_err()) {
        return Err(DiscoverError::NoSuchPath(missing.clone()));
    }
    let paths = paths.to_vec();
    let mut roots: Vec<PathBuf> = Vec::new();
    Ok(paths.into_iter().flat_map(move |path| {
        let known = roots.clone();
        roots.push(path.clone());
        let again = move |f: &Input| !known.iter().any(|root| f.path().starts_with(root));
        let walk: Box<dyn Iterator<Item = Input> + Send> = if path.is_dir() {
            Box::new(walk(path, shard))
        } else {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            let mine = shard.has(&name);
            Box::new(mine.then_some(Input::File(path)).into_iter())
        };
        walk.filter(again)
    }))
}

/// A pipe, a socket, a device: reading one might wait for ever.
const NOT_A_FILE: &str = "not a regular file";

fn walk(folder: PathBuf, shard: Shard) -> impl Iterator<Item = Input> + Send {
    let walk = WalkDir::new(&folder).follow_links(true).sort_by_file_name();
    walk.into_iter().filter_map(move |entry| {
        let found = match entry {
            Ok(e) if e.file_type().is_dir() || !is_audio_path(e.path()) => return None,
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
        let relative = found.path().strip_prefix(&folder).unwrap_or(found.path());
        shard.has(relative).then_some(found)
    })
}

/// The files that `list` names, one a line, or with a zero byte behind each; taken whatever their extension. An error of
/// the list ends it and is told as an unreadable place.
pub fn listed(
    list: impl BufRead + Send,
    name: PathBuf,
    zero: bool,
    shard: Shard,
) -> impl Iterator<Item = Input> + Send {
    let end = if zero { 0 } else { b'\n' };
    let lines = list.split(end).map(move |line| match line {
        Ok(mut line) => {
            if !zero && line.last() == Some(&b'\r') {
                line.pop();
            }
            Input::File(path(line))
        }
        Err(e) => Input::Unreadable(name.clone(), e.to_string()),
    });
    lines
        .filter(|f| !f.path().as_os_str().is_empty())
        .filter(move |f| shard.has(f.path()))
        .scan(false, |broken, found| {
            let before = *broken;
            *broken |= matches!(found, Input::Unreadable(..));
            (!before).then_some(found)
        })
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    std::ffi::OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}
