//! Reads lists of files: plain text, playlists, and what `find -print0` writes.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use encoding_rs_io::DecodeReaderBytesBuilder;
use percent_encoding::percent_decode_str;

use super::discover::Input;
use super::shard::Shard;

/// Why an address in a list gives no row.
const ADDRESS: &str = "an address, not a file";

/// The first line of an extended playlist. Lines that begin with `#` are comments in it.
const PLAYLIST: &[u8] = b"#EXTM3U";

/// A list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What messages call it.
    pub name: PathBuf,
    /// Whether each name ends with a zero byte, and not with the line.
    pub zero: bool,
    /// The folder that names in a playlist are relative to. Those in other lists are relative to
    /// the working folder.
    pub folder: Option<PathBuf>,
}

/// Returns the files of `shard` that `text` names. They may have any extension.
///
/// The text may be UTF-16 if it begins with a byte order mark. Otherwise names are bytes, as the
/// system has them. A list that begins with `#EXTM3U` is a playlist: `#` begins a comment, and
/// `file://` an address.
///
/// A read error ends the list and is returned as an unreadable input of the list's name.
pub fn listed(
    text: impl Read + Send,
    list: List,
    shard: Shard,
) -> impl Iterator<Item = Input> + Send {
    let decoded = DecodeReaderBytesBuilder::new()
        .bom_sniffing(!list.zero)
        .utf8_passthru(true)
        .strip_bom(!list.zero)
        .build(text);
    let end = if list.zero { 0 } else { b'\n' };
    let mut lines = BufReader::new(decoded).split(end);
    let mut first = true;
    let mut playlist = false;
    let mut broken = false;
    std::iter::from_fn(move || {
        loop {
            let mut line = match lines.next()? {
                _ if broken => return None,
                Ok(line) => line,
                Err(e) => {
                    broken = true;
                    return Some(Input::Unreadable(list.name.clone(), e.to_string()));
                }
            };
            if !list.zero && line.last() == Some(&b'\r') {
                line.pop();
            }
            if std::mem::take(&mut first) && !list.zero {
                playlist = line.starts_with(PLAYLIST) || is_playlist(&list.name);
            }
            if playlist {
                line.truncate(line.trim_ascii_end().len());
            }
            if line.is_empty() || (playlist && line.starts_with(b"#")) {
                continue;
            }
            if !list.zero && is_address(&line) {
                let text = String::from_utf8_lossy(&line).into_owned();
                return Some(Input::Unreadable(text.into(), ADDRESS.to_owned()));
            }
            let path = match list.zero {
                true => path(line),
                false => entry(line, list.folder.as_deref().filter(|_| playlist)),
            };
            if shard.has(&path) {
                return Some(Input::File(path));
            }
        }
    })
}

/// Returns whether a list is a playlist by its name.
fn is_playlist(name: &Path) -> bool {
    let extension = name.extension().unwrap_or_default();
    ["m3u", "m3u8"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}

/// Returns whether a line is an address on the network.
fn is_address(line: &[u8]) -> bool {
    ["http://", "https://", "ftp://"].iter().any(|scheme| {
        let begin = line.get(..scheme.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(scheme.as_bytes()))
    })
}

/// Returns the path of a line. One that is relative lies in `folder`.
fn entry(line: Vec<u8>, folder: Option<&Path>) -> PathBuf {
    if let Some(address) = std::str::from_utf8(&line).ok().and_then(|line| {
        let scheme = line
            .get(..7)
            .filter(|s| s.eq_ignore_ascii_case("file://"))?;
        let rest = &line[scheme.len()..];
        // `file://localhost/..` and `file:///..` are the same.
        Some(rest.strip_prefix("localhost").unwrap_or(rest))
    }) {
        return path(percent_decode_str(address).collect());
    }
    match folder {
        Some(folder) => folder.join(path(line)),
        None => path(line),
    }
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
    use std::io;

    use super::*;

    /// Gives one line, and then an error for every further read.
    fn broken() -> impl Read {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no medium"))
            }
        }
        b"a.wav\n".chain(Fails)
    }

    fn plain(zero: bool) -> List {
        List {
            name: "list".into(),
            zero,
            folder: Some("music".into()),
        }
    }

    fn paths(text: &[u8], zero: bool) -> Vec<PathBuf> {
        listed(text, plain(zero), Shard::default())
            .map(|input| input.path().to_owned())
            .collect()
    }

    /// The list ends at its first error, and no shard loses the error.
    #[test]
    fn a_broken_list_ends_in_every_shard() {
        for number in 1..=3 {
            let shard = Shard::new(number, 3).unwrap();
            let inputs: Vec<Input> = listed(broken(), plain(false), shard).collect();
            let (last, files) = inputs.split_last().unwrap();
            assert!(matches!(last, Input::Unreadable(path, _) if path == Path::new("list")));
            assert_eq!(files.len(), usize::from(shard.has("a.wav".as_ref())));
        }
    }

    #[test]
    fn marks_ends_of_lines_and_encodings() {
        let want = [PathBuf::from("ä 1.mp3"), PathBuf::from("#2.mp3")];
        let text = "ä 1.mp3\r\n\r\n#2.mp3";
        assert_eq!(paths(text.as_bytes(), false), want);
        assert_eq!(paths(format!("\u{feff}{text}").as_bytes(), false), want);
        let words = || format!("\u{feff}{text}").encode_utf16().collect::<Vec<_>>();
        let little: Vec<u8> = words().iter().flat_map(|w| w.to_le_bytes()).collect();
        let big: Vec<u8> = words().iter().flat_map(|w| w.to_be_bytes()).collect();
        assert_eq!(paths(&little, false), want);
        assert_eq!(paths(&big, false), want);
        assert_eq!(
            paths(b"a\nb.mp3\0c.mp3\0", true),
            [PathBuf::from("a\nb.mp3"), PathBuf::from("c.mp3")]
        );
    }

    #[test]
    fn playlists() {
        let text = b"#EXTM3U\n#EXTINF:123,Somebody - Something\na/b.mp3\n/c.mp3\n\
            file:///d%20e%C3%A4.mp3\nfile://localhost/f.mp3\n# no\n";
        let want = ["music/a/b.mp3", "/c.mp3", "/d eä.mp3", "/f.mp3"];
        assert_eq!(paths(text, false), want.map(PathBuf::from));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_text_stay_what_they_are() {
        use std::os::unix::ffi::OsStrExt;
        let found = paths(b"\xe4.mp3\n", false);
        assert_eq!(found[0].as_os_str().as_bytes(), b"\xe4.mp3");
    }
}
