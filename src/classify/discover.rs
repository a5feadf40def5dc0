//! Finds the files that a list of paths stands for, while they are read.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::shard::Shard;
use crate::audio::is_audio_path;

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
    #[error("no audio files in {0} (looked for {extensions})", extensions = crate::audio::EXTENSIONS.join(", "))]
    NoAudio(String),
}

/// Finds the files of `shard` under `paths`, one at a time. Folders are searched depth first, in the order of
/// names. Links are followed, but not in a loop. A file is returned once, even if two of the paths lead to it by
/// the same name.
///
/// # Errors
/// [`DiscoverError::NoSuchPath`] if a path does not exist.
pub fn discover(
    paths: &[PathBuf],
    shard: Shard,
) -> Result<impl Iterator<Item = Input> + Send + use<>, DiscoverError> {
    if let Some(missing) = paths.iter().find(|p| p.symlink_metadata().is_err()) {
        return Err(DiscoverError::NoSuchPath(missing.clone()));
    }
    let paths = paths.to_vec();
    let mut searched: Vec<PathBuf> = Vec::new();
    Ok(paths.into_iter().flat_map(move |path| {
        let before = searched.clone();
        searched.push(path.clone());
        let is_new = move |f: &Input| !before.iter().any(|root| f.path().starts_with(root));
        let inputs: Box<dyn Iterator<Item = Input> + Send> = if path.is_dir() {
            Box::new(walk(path, shard))
        } else {
            let name = path.file_name().map(PathBuf::from).unwrap_or_default();
            let mine = shard.has(&name);
            Box::new(mine.then_some(Input::File(path)).into_iter())
        };
        inputs.filter(is_new)
    }))
}

/// A pipe, a socket or a device: reading one might block forever.
const NOT_A_FILE: &str = "not a regular file";

fn walk(folder: PathBuf, shard: Shard) -> impl Iterator<Item = Input> + Send {
    let walk = WalkDir::new(&folder).follow_links(true).sort_by_file_name();
    walk.into_iter().filter_map(move |entry| {
        let input = match entry {
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
        let relative = input.path().strip_prefix(&folder).unwrap_or(input.path());
        shard.has(relative).then_some(input)
    })
}

/// Returns the files of `shard` that `list` names, one per line, or each ended by a zero byte if `zero`. They may
/// have any extension. A read error ends the list and is returned as an unreadable input called `name`.
pub fn listed(
    list: impl BufRead + Send,
    name: PathBuf,
    zero: bool,
    shard: Shard,
) -> impl Iterator<Item = Input> + Send {
    let end = if zero { 0 } else { b'\n' };
    let inputs = list.split(end).map(move |line| match line {
        Ok(mut line) => {
            if !zero && line.last() == Some(&b'\r') {
                line.pop();
            }
            Input::File(path(line))
        }
        Err(e) => Input::Unreadable(name.clone(), e.to_string()),
    });
    inputs
        .scan(false, |broken, input| {
            let before = *broken;
            *broken |= matches!(input, Input::Unreadable(..));
            (!before).then_some(input)
        })
        .filter(move |input| match input {
            Input::File(path) => !path.as_os_str().is_empty() && shard.has(path),
            // The list is broken for every shard.
            Input::Unreadable(..) => true,
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

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read};

    use super::*;

    /// Gives one line, and then an error for every further read.
    struct Broken(bool);

    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, true) {
                return Err(io::Error::other("no medium"));
            }
            buffer[..6].copy_from_slice(b"a.wav\n");
            Ok(6)
        }
    }

    /// The list ends at its first error, and no shard loses the error.
    #[test]
    fn a_broken_list_ends_in_every_shard() {
        for number in 1..=3 {
            let shard = Shard::new(number, 3).unwrap();
            let list = BufReader::new(Broken(false));
            let inputs: Vec<Input> = listed(list, "list".into(), false, shard).collect();
            let (last, files) = inputs.split_last().unwrap();
            assert!(matches!(last, Input::Unreadable(path, _) if path == Path::new("list")));
            assert_eq!(files.len(), usize::from(shard.has("a.wav".as_ref())));
        }
    }
}
