//! What a file's name says: whether a folder walk takes it for audio, and whether it is hidden.

use std::ffi::OsStr;
use std::path::Path;

/// Extensions of files that a decoder here reads, in lower case and without the dot. The contents
/// may still be something else, and a video is read for its sound.
pub const EXTENSIONS: &[&str] = &[
    "3g2", "3ga", "3gp", "3gpp", "aac", "adts", "aif", "aifc", "aiff", "alac", "au", "bwf", "f4a",
    "f4b", "fla", "flac", "m4a", "m4b", "m4p", "m4r", "m4v", "mov", "mp1", "mp2", "mp3", "mp4",
    "mpa", "mpga", "oga", "ogg", "oggflac", "ogx", "opus", "qt", "rf64", "snd", "wav", "wave",
];

/// Extensions of audio that no decoder here reads. A folder walk takes such files too: each becomes
/// a failed row that names the format, and nothing is passed over without a word.
pub const UNREADABLE: &[&str] = &[
    "8svx", "aa", "aa3", "aax", "ac3", "ac4", "adx", "amb", "amr", "ape", "apl", "asf", "at3",
    "awb", "caf", "caff", "dff", "dsd", "dsf", "dts", "dtshd", "eac3", "ec3", "gsm", "iff", "it",
    "kar", "la", "mid", "midi", "mka", "mlp", "mo3", "mod", "mp+", "mpc", "mpp", "nist", "ofr",
    "ofs", "oma", "pac", "qcp", "ra", "ram", "rm", "rmi", "s3m", "sd2", "shn", "sid", "sph", "spx",
    "svx", "tak", "tta", "voc", "vox", "vqf", "w64", "weba", "webm", "wma", "wv", "wvc", "xm",
];

/// Folders in which macOS keeps its own data about files on other systems' disks.
const SYSTEM_FOLDERS: &[&str] = &["__MACOSX"];

/// What the extension of a name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// One of [`EXTENSIONS`].
    Audio,
    /// One of [`UNREADABLE`].
    UnreadableAudio,
    /// Anything else.
    Other,
}

/// Returns what the extension of `path`, in any case, says. The file is not opened.
pub fn name_kind(path: &Path) -> NameKind {
    let Some(extension) = path.extension().and_then(OsStr::to_str) else {
        return NameKind::Other;
    };
    let is_in = |list: &[&str]| list.iter().any(|e| e.eq_ignore_ascii_case(extension));
    if is_in(EXTENSIONS) {
        NameKind::Audio
    } else if is_in(UNREADABLE) {
        NameKind::UnreadableAudio
    } else {
        NameKind::Other
    }
}

/// Returns whether a folder walk takes `path` for audio, readable or not.
///
/// ```
/// use std::path::Path;
/// use sonoprint::audio::is_audio_path;
///
/// assert!(is_audio_path(Path::new("a/B.Flac")) && is_audio_path(Path::new("c.wma")));
/// assert!(!is_audio_path(Path::new("cover.jpg")) && !is_audio_path(Path::new(".wav")));
/// ```
pub fn is_audio_path(path: &Path) -> bool {
    name_kind(path) != NameKind::Other
}

/// Returns whether the file or folder `name` is hidden: its name begins with a dot, as that of
/// macOS's AppleDouble files (`._song.mp3`) does, or it is a folder of the system (`__MACOSX`).
pub fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".") || SYSTEM_FOLDERS.iter().any(|s| name == *s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extension_is_in_both_lists() {
        let all: Vec<_> = EXTENSIONS.iter().chain(UNREADABLE).collect();
        let mut unique = all.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
        assert!(all.iter().all(|e| e.to_lowercase() == **e));
    }

    #[test]
    fn hidden_names() {
        for hidden in [".git", "._song.mp3", ".AppleDouble", "__MACOSX"] {
            assert!(is_hidden(OsStr::new(hidden)), "{hidden}");
        }
        for seen in ["song.mp3", "a.b", "__macosx.mp3"] {
            assert!(!is_hidden(OsStr::new(seen)), "{seen}");
        }
    }
}
