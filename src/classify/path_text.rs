//! Paths in JSON, which is UTF-8 while paths need not be.

use std::path::{Path, PathBuf};

/// Returns a path as text, and its bytes in hexadecimal if the text is lossy.
#[cfg(unix)]
pub(super) fn encode_path(path: &Path) -> (String, Option<String>) {
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

/// Returns the path that [`encode_path`] encoded; `None` if the hexadecimal is invalid.
#[cfg(unix)]
pub(super) fn decode_path(text: String, bytes: Option<String>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    let Some(hex) = bytes else {
        return Some(text.into());
    };
    let byte = |i: usize| u8::from_str_radix(hex.get(i..i + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    Some(std::ffi::OsString::from_vec(bytes?).into())
}

/// Returns a path as text. Other systems' paths are text, or close to it.
#[cfg(not(unix))]
pub(super) fn encode_path(path: &Path) -> (String, Option<String>) {
    (path.to_string_lossy().into_owned(), None)
}

/// Returns the path that [`encode_path`] encoded.
#[cfg(not(unix))]
pub(super) fn decode_path(text: String, _: Option<String>) -> Option<PathBuf> {
    Some(text.into())
}
