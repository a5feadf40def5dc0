//! Addresses of files, seen from a page.

use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What an address need not escape (RFC 3986: unreserved characters).
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Makes addresses of files relative to the folder of a page.
pub(super) struct Links {
    /// The page's folder.
    folder: PathBuf,
}

impl Links {
    /// Takes the path of a page.
    pub(super) fn from(page: &Path) -> Self {
        Self {
            folder: plain(page.parent().unwrap_or(Path::new(""))),
        }
    }

    /// Returns the address of a file.
    pub(super) fn to(&self, file: &Path) -> String {
        let file = plain(file);
        let (mut from, mut to) = (self.folder.components(), file.components());
        // Another drive of Windows is not below this one.
        if self.folder.components().next() != file.components().next() {
            return format!("file:///{}", escaped(to));
        }
        let (mut rest_from, mut rest_to) = (from.clone(), to.clone());
        while let (Some(a), Some(b)) = (from.next(), to.next())
            && a == b
        {
            (rest_from, rest_to) = (from.clone(), to.clone());
        }
        format!("{}{}", "../".repeat(rest_from.count()), escaped(rest_to))
    }
}

/// Returns an absolute path without `.` and `..`, as a browser resolves them: without a look at the
/// disk.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).or_else(|_| std::env::current_dir());
    let mut out = PathBuf::new();
    for part in absolute.unwrap_or_else(|_| path.to_owned()).components() {
        match part {
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            part => out.push(part),
        }
    }
    out
}

fn escaped<'a>(parts: impl Iterator<Item = Component<'a>>) -> String {
    let names = parts.filter(|part| !matches!(part, Component::RootDir));
    let names = names.map(|part| match part {
        // `C:` is the host's own name of a drive.
        Component::Prefix(drive) => drive.as_os_str().to_string_lossy().into_owned(),
        part => percent_encode(part.as_os_str().as_encoded_bytes(), ESCAPED).to_string(),
    });
    names.collect::<Vec<_>>().join("/")
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn addresses_are_relative_to_the_page_and_escaped() {
        for (page, file, want) in [
            ("/a/p.html", "/a/b/c.mp3", "b/c.mp3"),
            ("/a/x/y/p.html", "/a/b/c.mp3", "../../b/c.mp3"),
            ("/p.html", "/c.mp3", "c.mp3"),
            ("/a/../b/p.html", "/b/./c/../d.mp3", "d.mp3"),
            ("p.html", "music/c.mp3", "music/c.mp3"),
            ("p.html", "../c.mp3", "../c.mp3"),
            ("/a/p.html", "/a/javascript:x.mp3", "javascript%3Ax.mp3"),
            (
                "/a/p.html",
                "/a/100% #1?\"<b>&'.mp3",
                "100%25%20%231%3F%22%3Cb%3E%26%27.mp3",
            ),
            ("/a/p.html", "/a/\u{fc}.mp3", "%C3%BC.mp3"),
        ] {
            assert_eq!(Links::from(page.as_ref()).to(file.as_ref()), want);
        }
        let latin = Path::new(OsStr::from_bytes(b"/a/caf\xe9.mp3"));
        assert_eq!(Links::from("/a/p.html".as_ref()).to(latin), "caf%E9.mp3");
    }
}
