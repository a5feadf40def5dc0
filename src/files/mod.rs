//! Writing files: every file that the program writes goes through this module.
//!
//! [`OutFile`] is a file that rows are appended to. [`Part`] and [`replace`] write a file beside
//! the old one and rename it, so that a reader sees the old file or the complete new one.
//! [`Claims`] refuses to write over a file that is an input or that another program wrote.
//! [`fault`] lets a test fail any of the calls. [`text_of_path`] writes paths as text.

mod attributes;
mod claim;
pub mod fault;
mod out_file;
mod part;
mod path_text;

pub use claim::{ClaimError, Claims, Head, Ours};
pub use out_file::OutFile;
pub use part::{Part, remove_leftovers, replace, write_beside};
pub use path_text::{path_of_text, text_of_path};

use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Creates a folder and its missing parents.
///
/// # Errors
/// The system's error.
pub fn create_dir_all(path: &Path) -> io::Result<()> {
    fault::pass(|| std::fs::create_dir_all(path))
}

/// Returns the file of this name in `sonoprint` in the user's cache folder: `$XDG_CACHE_HOME`, else
/// `~/.cache`; on Windows `%LOCALAPPDATA%`. `None` if there is no such folder.
pub fn cache_file(name: &str) -> Option<PathBuf> {
    let set = |name| {
        let value = std::env::var_os(name).filter(|v| !v.is_empty());
        value.map(PathBuf::from)
    };
    let folder = set("XDG_CACHE_HOME")
        .filter(|p| p.is_absolute())
        .or_else(|| set("LOCALAPPDATA"))
        .or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(folder.join("sonoprint").join(name))
}

/// Appends a line to a file, which is created if it is missing.
///
/// # Errors
/// The system's error. A part of the line may be in the file then.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    // One write: a kill leaves a line whole, cut off, or not there.
    OutFile::append(path)?.write_all(format!("{line}\n").as_bytes())
}
