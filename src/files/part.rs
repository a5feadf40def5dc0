//! Replacing a file as a whole.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::attributes::copy_attributes;
use super::fault;
use super::out_file::OutFile;

/// How often a new name is tried for a file beside another.
const NAMES: usize = 1000;

/// The longest name in bytes that a part has whole.
const LONGEST: usize = 220;

/// A file that is written beside another and takes its place at the end. It is removed if it does
/// not.
///
/// Its name is that of the other file between a dot and the number of the process, `.part`. Its
/// mode is that of the other file, or of any new file. A link is followed: the file that it leads
/// to is replaced.
#[derive(Debug)]
pub struct Part {
    target: PathBuf,
    beside: PathBuf,
    handle: OutFile,
    published: bool,
}

impl Part {
    /// Starts to replace the file at `path`. Also returns the new file.
    ///
    /// # Errors
    /// The system's error, as of every function here.
    pub fn create(path: &Path) -> io::Result<(Self, OutFile)> {
        let target = match path.is_symlink() {
            true => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            false => path.to_owned(),
        };
        let name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        for _ in 0..NAMES {
            let beside = target.with_file_name(part_name(name));
            let file = match OutFile::create_new(&beside) {
                // A killed process of the same number left it.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            let part = |handle| Self {
                target: target.clone(),
                beside: beside.clone(),
                handle,
                published: false,
            };
            let part = part(file.try_clone()?);
            if let Ok(old) = std::fs::metadata(&target) {
                std::fs::set_permissions(&beside, old.permissions())?;
            }
            return Ok((part, file));
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    /// Returns the path of the new file, until it takes the place of the old one.
    pub fn path(&self) -> &Path {
        &self.beside
    }

    /// Gives the new file what belongs to the old one beside its content: owner, mode and extended
    /// attributes, and with `times` the times of the last change and the last access.
    ///
    /// The new file must not be written to any more.
    pub fn keep_attributes(&self, times: bool) -> io::Result<()> {
        copy_attributes(&self.target, &self.beside, times)
    }

    /// Waits until the new file is on the disk, and puts it in the place of the old one. A loss of
    /// power leaves the old file or the new one.
    pub fn commit(self) -> io::Result<()> {
        self.handle.sync()?;
        self.publish()
    }

    /// Puts the new file in the place of the old one, without waiting for the disk.
    pub fn publish(mut self) -> io::Result<()> {
        fault::pass(|| std::fs::rename(&self.beside, &self.target))?;
        self.published = true;
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.published {
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

/// Replaces the file at `path` by `bytes`. A kill or a loss of power leaves the old file or the new
/// one.
///
/// # Errors
/// The system's error.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (part, mut file) = Part::create(path)?;
    file.write_all(bytes)?;
    part.commit()
}

/// As [`replace`], without waiting for the disk: for many small files that are made again easily.
///
/// # Errors
/// The system's error.
pub fn write_beside(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (part, mut file) = Part::create(path)?;
    file.write_all(bytes)?;
    part.publish()
}

/// Removes what killed processes left of the files that were to replace the one at `path`. No other
/// process may be writing it.
pub fn remove_leftovers(path: &Path) {
    let Some(name) = path.file_name() else { return };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return;
    };
    let start = start_of_name(name);
    for entry in entries.flatten() {
        let found = entry.file_name();
        let found = found.as_encoded_bytes();
        let middle = found
            .strip_prefix(start.as_encoded_bytes())
            .and_then(|rest| rest.strip_suffix(b".part"));
        if middle.is_some_and(|m| m.iter().all(|b| b.is_ascii_digit() || *b == b'-')) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

fn part_name(name: &OsStr) -> OsString {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let (process, count) = (std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let mut part = start_of_name(name);
    part.push(format!("{process}-{count}.part"));
    part
}

/// Returns what the names of all parts of a file begin with. File systems limit names to 255 bytes,
/// so the end of a long one is left out, and its checksum stands for it.
fn start_of_name(name: &OsStr) -> OsString {
    let mut start = OsString::from(".");
    match name.len() <= LONGEST {
        true => start.push(name),
        false => {
            let text = name.to_string_lossy();
            let end = text.floor_char_boundary(LONGEST - 20);
            let sum = crc32fast::hash(name.as_encoded_bytes());
            start.push(format!("{}-{sum:08x}", &text[..end]));
        }
    }
    start.push(".");
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_part_is_published_or_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        replace(&path, b"old").unwrap();
        let (part, mut file) = Part::create(&path).unwrap();
        file.write_all(b"new").unwrap();
        drop(part);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a.csv"]);
        let (part, mut file) = Part::create(&path).unwrap();
        part.publish().unwrap();
        // The file stays open for more.
        file.write_all(b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        std::fs::write(folder.path().join(".a.csv.77-3.part"), b"").unwrap();
        std::fs::write(folder.path().join(".a.csv.mine.part"), b"").unwrap();
        remove_leftovers(&path);
        assert_eq!(names(folder.path()), [".a.csv.mine.part", "a.csv"]);
    }

    #[test]
    fn a_long_name_has_a_part_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("\u{e9}".repeat(125));
        replace(&path, b"old").unwrap();
        let (part, _file) = Part::create(&path).unwrap();
        std::mem::forget(part);
        assert_eq!(names(folder.path()).len(), 2);
        remove_leftovers(&path);
        assert_eq!(names(folder.path()), ["\u{e9}".repeat(125)]);
    }

    #[cfg(unix)]
    #[test]
    fn the_file_behind_a_link_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&path, b"old").unwrap();
        std::os::unix::fs::symlink("a", &link).unwrap();
        replace(&link, b"new").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }
}
