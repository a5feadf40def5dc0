//! Patterns of names, as ripgrep's `--glob` and `.gitignore` have them.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};

/// A pattern of names: `*.mp3`, `live/**`, `*[Kk]araoke*`, `{a,b}.wav`, `drafts/`.
///
/// A pattern without a slash is about the name of a file or folder, at any depth. A pattern with a
/// slash is about the whole path below the folder that is searched, in which `*` stops at a slash
/// and `**` does not. A slash at the end limits the pattern to folders. Case counts.
///
/// ```
/// use std::path::Path;
///
/// use sonoprint::classify::Glob;
///
/// let matches = |glob: &str, path: &str| {
///     glob.parse::<Glob>().unwrap().is_match(Path::new(path), false)
/// };
/// assert!(matches("*.mp3", "a/b/c.mp3") && !matches("*.mp3", "c.MP3"));
/// assert!(matches("a/*.mp3", "a/c.mp3") && !matches("a/*.mp3", "a/b/c.mp3"));
/// assert!(matches("/*.mp3", "c.mp3") && matches("**/b/*", "a/b/c.mp3"));
/// assert!("a{".parse::<Glob>().is_err());
/// ```
#[derive(Clone, Debug)]
pub struct Glob {
    text: String,
    matcher: GlobMatcher,
    /// Whether it is about the path, and not only the name.
    of_path: bool,
    folders_only: bool,
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{glob}' is no pattern of names: {why}")]
pub struct GlobError {
    /// The text.
    pub glob: String,
    /// What is wrong.
    pub why: String,
}

impl Glob {
    /// Returns whether the pattern is about a file or folder. `path` is relative to the folder that
    /// is searched.
    pub fn is_match(&self, path: &Path, is_folder: bool) -> bool {
        if self.folders_only && !is_folder {
            return false;
        }
        match (self.of_path, path.file_name()) {
            (true, _) => self.matcher.is_match(path),
            (false, Some(name)) => self.matcher.is_match(name),
            (false, None) => false,
        }
    }
}

impl FromStr for Glob {
    type Err = GlobError;

    fn from_str(text: &str) -> Result<Self, GlobError> {
        let error = |why: String| GlobError {
            glob: text.to_owned(),
            why,
        };
        let pattern = text.strip_suffix('/').unwrap_or(text);
        let folders_only = pattern.len() < text.len();
        let of_path = pattern.contains('/');
        let pattern = pattern.strip_prefix("./").unwrap_or(pattern);
        let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
        if pattern.is_empty() {
            return Err(error("it is empty".into()));
        }
        let built = GlobBuilder::new(pattern).literal_separator(true).build();
        let glob = built.map_err(|e| error(e.kind().to_string()))?;
        Ok(Self {
            text: text.to_owned(),
            matcher: glob.compile_matcher(),
            of_path,
            folders_only,
        })
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
