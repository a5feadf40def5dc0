//! Playlists: extended M3U in UTF-8.

use std::io;
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::files::Ours;

/// The first lines of a playlist, by which one of ours is recognized.
const START: &str = "#EXTM3U\n#sonoprint\n";

/// How a playlist is recognized that this program wrote.
pub(crate) const OURS: Ours = Ours {
    what: "a playlist",
    is: |head| head.starts_with(START),
};

/// What stands in an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Writes the entries of playlists in one folder.
#[derive(Debug)]
pub struct M3u8 {
    /// Without links, so that `..` leads up from it.
    folder: PathBuf,
    /// The folder of the last entry, and the same without links.
    last: Option<(PathBuf, PathBuf)>,
}

impl M3u8 {
    /// Returns what a playlist of this title begins with.
    pub fn start(title: &str) -> String {
        format!("{START}#PLAYLIST:{}\n", one_line(title))
    }

    /// Writes for playlists in `folder`, which exists.
    ///
    /// # Errors
    /// If the folder cannot be found.
    pub fn new(folder: &Path) -> io::Result<Self> {
        let folder = match folder.as_os_str().is_empty() {
            true => Path::new("."),
            false => folder,
        };
        Ok(Self {
            folder: folder.canonicalize()?,
            last: None,
        })
    }

    /// Returns the lines of a track: its length in seconds (-1 if it is not known) and its name
    /// without extension, and its path relative to the folder.
    ///
    /// A path that is not UTF-8, or that a line cannot hold, is an address: `file://` with its
    /// bytes in percent signs, which players and `classify --files-from` read.
    pub fn entry(&mut self, path: &Path, seconds: Option<f64>) -> String {
        let seconds = seconds.map_or(-1, |seconds| seconds.round() as i64);
        let name = path.file_stem().unwrap_or(path.as_os_str());
        let name = one_line(&name.to_string_lossy());
        format!("#EXTINF:{seconds},{name}\n{}\n", self.line(path))
    }

    fn line(&mut self, path: &Path) -> String {
        let whole = self.whole(path);
        let relative = pathdiff::diff_paths(&whole, &self.folder);
        let text = relative.as_deref().unwrap_or(&whole).to_str();
        match text.filter(|text| fits_in_line(text)) {
            // A comment, an address or a drive begins like this.
            Some(text) if cfg!(windows) => text.replace('\\', "/"),
            Some(text) if text.starts_with('#') || text.contains(':') => format!("./{text}"),
            Some(text) => text.to_owned(),
            None => {
                let bytes = whole.as_os_str().as_encoded_bytes();
                format!("file://{}", percent_encode(bytes, PLAIN))
            }
        }
    }

    /// Returns the path from the root of the system, its folder without links if it is there.
    fn whole(&mut self, path: &Path) -> PathBuf {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let (Some(folder), Some(name)) = (absolute.parent(), absolute.file_name()) else {
            return absolute;
        };
        match &self.last {
            Some((last, real)) if last == folder => real.join(name),
            _ => {
                let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
                let whole = real.join(name);
                self.last = Some((folder.to_owned(), real));
                whole
            }
        }
    }
}

/// Whether players read a line as it is: they take spaces off its ends.
fn fits_in_line(text: &str) -> bool {
    text.trim() == text && !text.contains(char::is_control)
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn entries_are_relative_unless_a_line_cannot_hold_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let lists = root.join("lists");
        std::fs::create_dir_all(root.join("music/a")).unwrap();
        std::fs::create_dir(&lists).unwrap();
        std::os::unix::fs::symlink("music", root.join("link")).unwrap();
        let mut playlist = M3u8::new(&lists).unwrap();
        let mut line = |name: &[u8]| {
            let path = root.join(OsStr::from_bytes(name));
            let entry = playlist.entry(&path, Some(2.5));
            entry
                .lines()
                .nth(1)
                .unwrap()
                .replace(root.to_str().unwrap(), "ROOT")
        };
        for (name, wanted) in [
            (&b"music/a/x y.mp3"[..], "../music/a/x y.mp3"),
            (b"link/b.mp3", "../music/b.mp3"),
            (b"lists/#1.mp3", "./#1.mp3"),
            (b"lists/c:d.mp3", "./c:d.mp3"),
            (b"gone/c.mp3", "../gone/c.mp3"),
            (b"music/caf\xe9.mp3", "file://ROOT/music/caf%E9.mp3"),
            (b"music/two\nlines", "file://ROOT/music/two%0Alines"),
            (b"music/end ", "file://ROOT/music/end%20"),
        ] {
            assert_eq!(line(name), wanted);
        }
        let entry = playlist.entry(Path::new("/x/a\nb.c.mp3"), None);
        assert!(
            entry.starts_with("#EXTINF:-1,a b.c\nfile:///x/a%0Ab.c.mp3"),
            "{entry}"
        );
    }
}
