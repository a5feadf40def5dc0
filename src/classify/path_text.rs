//! Paths in JSON, which is UTF-8 and paths need not be.

use std::path::{Path, PathBuf};

/// A path as text, and in hexadecimal if the text does not say all.
#[cfg(unix)]
pub(super) fn written(path: &Path) -> (String, Option<String>) {
    use std::os::unix::ffi::OsStrExt;
    let text = path.to_string_lossy().into_owned();
    let hex = || {
        path.as_os_str()
            .as_bytes()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    };
    let bytes = path.to_str().is_none().then(hex);
    (text, bytes)
}

#[cfg(unix)]
pub(super) fn unwritten(text: String, bytes: Option<String>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let Some(hex) = bytes else {
        return Some(text.into());
    };
    let byte = |i: usize| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    Some(std::ffi::OsString::from_vec(bytes?).into())
}

#[cfg(not(unix))]
pub(super) fn written(path: &Path) -> (String, Option<String>) {
    (path.to_string_lossy().into_owned(), None)
}

#[cfg(not(unix))]
pub(super) fn unwritten(text: String, _: Option<String>) -> Option<PathBuf> {
    Some(text.into())
}
