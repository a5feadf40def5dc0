//! Paths as text, which is UTF-8 while paths need not be.
//!
//! Every table, list and the journal write a path in the same way: as it is if it is UTF-8, and otherwise
//! as `bytes:` with its bytes in ASCII, `\\xff` for those that ASCII does not have. Python turns
//! that back with `text[6:].encode().decode("unicode_escape").encode("latin-1")`.

use std::path::{Path, PathBuf};

/// What begins the text of a path that is not UTF-8.
const BYTES: &str = "bytes:";

/// Returns a path as text, from which [`path_of_text`] makes the same path.
///
/// ```
/// # #[cfg(unix)] {
/// use std::ffi::OsStr;
/// use std::os::unix::ffi::OsStrExt;
/// use std::path::Path;
/// use sonoprint::files::{path_of_text, text_of_path};
///
/// let path = Path::new(OsStr::from_bytes(b"caf\xe9.mp3"));
/// assert_eq!(text_of_path(path), r"bytes:caf\xe9.mp3");
/// assert_eq!(path_of_text(r"bytes:caf\xe9.mp3").as_deref(), Some(path));
/// # }
/// ```
pub fn text_of_path(path: &Path) -> String {
    match path.to_str() {
        // A path that begins like an escaped one is escaped too.
        Some(text) if !text.starts_with(BYTES) => text.to_owned(),
        _ => {
            let bytes = path.as_os_str().as_encoded_bytes();
            format!("{BYTES}{}", bytes.escape_ascii())
        }
    }
}

/// Returns the path that [`text_of_path`] wrote; `None` if the text is none that it writes.
pub fn path_of_text(text: &str) -> Option<PathBuf> {
    match text.strip_prefix(BYTES) {
        Some(escaped) => path(unescape(escaped)?),
        None => Some(text.into()),
    }
}

/// Undoes [`slice::escape_ascii`].
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut letters = text.bytes();
    while let Some(letter) = letters.next() {
        bytes.push(match letter {
            b'\\' => match letters.next()? {
                b'x' => {
                    let digits = [letters.next()?, letters.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                b't' => b'\t',
                b'r' => b'\r',
                b'n' => b'\n',
                quoted @ (b'\'' | b'"' | b'\\') => quoted,
                _ => return None,
            },
            letter => letter,
        });
    }
    Some(bytes)
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

/// Other systems' paths are text, or close to it.
#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(Into::into)
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn every_path_comes_back() {
        let all: Vec<u8> = (1..=255).collect();
        let paths: [&[u8]; 6] = [
            b"a/b.mp3",
            "gr\u{fc}n".as_bytes(),
            b"bytes:x",
            b"\xff\\x41\n'\"",
            b"back\\slash",
            &all,
        ];
        for bytes in paths {
            let path = Path::new(OsStr::from_bytes(bytes));
            let text = text_of_path(path);
            assert_eq!(path_of_text(&text).as_deref(), Some(path), "{text}");
        }
        assert_eq!(text_of_path(Path::new("gr\u{fc}n")), "gr\u{fc}n");
        for wrong in [r"bytes:\", r"bytes:\xf", r"bytes:\q", r"bytes:\xgg"] {
            assert_eq!(path_of_text(wrong), None);
        }
    }
}
