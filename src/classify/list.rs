//! Reads lists of files: plain text, playlists, and what `find -print0` writes.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};
use encoding_rs_io::DecodeReaderBytesBuilder;
use percent_encoding::percent_decode_str;

use super::discover::Input;
use super::shard::Shard;

/// The first line of an extended playlist. Lines that begin with `#` are comments in it.
const PLAYLIST: &[u8] = b"#EXTM3U";

/// Extensions of playlists, with or without that line.
const PLAYLISTS: [&str; 2] = ["m3u", "m3u8"];

/// A list of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// What messages call it. A name that ends with `.m3u` or `.m3u8` is that of a playlist.
    pub name: PathBuf,
    /// Whether each name ends with a zero byte, and not with the line.
    pub zero: bool,
    /// The folder that names in a playlist are relative to. Those in other lists are relative to
    /// the working folder.
    pub folder: Option<PathBuf>,
}

impl List {
    fn is_playlist(&self) -> bool {
        let extension = self.name.extension().and_then(|e| e.to_str());
        extension.is_some_and(|e| PLAYLISTS.iter().any(|p| p.eq_ignore_ascii_case(e)))
    }
}

/// Returns the files of `shard` that `text` names. They may have any extension.
///
/// The text may be UTF-16, with a byte order mark or without. Otherwise names are bytes, as the
/// system has them. A list that begins with `#EXTM3U`, or is called `.m3u` or `.m3u8`, is a
/// playlist: `#` begins a comment, and `file://` an address. If a playlist's name is not that of a
/// file, it is read without spaces around it, with `/` for `\`, as Windows-1252, or as part of an
/// address (`%20`), and the first that is a file is taken.
///
/// A read error or a zero byte in a name ends the list, and is returned as an unreadable input of
/// the list's name.
pub fn listed(
    mut text: impl Read + Send,
    list: List,
    shard: Shard,
) -> impl Iterator<Item = Input> + Send {
    // Two bytes show UTF-16 without a mark, because names begin with a letter or a slash.
    let mut head = Vec::new();
    let begin = text.by_ref().take(2).read_to_end(&mut head).err();
    let encoding = utf_16(&head).filter(|_| !list.zero);
    let decoded = DecodeReaderBytesBuilder::new()
        .encoding(encoding)
        .bom_override(true)
        .bom_sniffing(!list.zero)
        .utf8_passthru(true)
        .strip_bom(!list.zero)
        .build(std::io::Cursor::new(head).chain(text));
    let end = if list.zero { 0 } else { b'\n' };
    let mut lines = begin
        .map(Err)
        .into_iter()
        .chain(BufReader::new(decoded).split(end));
    let mut first = true;
    let mut playlist = !list.zero && list.is_playlist();
    let mut broken = false;
    std::iter::from_fn(move || {
        loop {
            let line = match lines.next()? {
                _ if broken => return None,
                Ok(line) if line.contains(&0) => Err("a name in it has a zero byte".to_owned()),
                Ok(line) => Ok(line),
                Err(e) => Err(e.to_string()),
            };
            let mut line = match line {
                Ok(line) => line,
                Err(why) => {
                    broken = true;
                    return Some(Input::Unreadable(list.name.clone(), why));
                }
            };
            if !list.zero && line.last() == Some(&b'\r') {
                line.pop();
            }
            if std::mem::take(&mut first) && !list.zero {
                playlist |= line.trim_ascii_end().starts_with(PLAYLIST);
            }
            let is_left_out = match playlist {
                true => line.starts_with(b"#") || line.trim_ascii().is_empty(),
                false => line.is_empty(),
            };
            if is_left_out {
                continue;
            }
            let input = match playlist {
                true => entry(&line, list.folder.as_deref()),
                false => Input::File(path(line)),
            };
            if shard.has(input.path()) {
                return Some(input);
            }
        }
    })
}

/// Returns which UTF-16 a text without a mark is in, by its first character, if it is in any.
fn utf_16(head: &[u8]) -> Option<&'static Encoding> {
    match *head {
        [letter, 0] if letter.is_ascii_graphic() => Some(UTF_16LE),
        [0, letter] if letter.is_ascii_graphic() => Some(UTF_16BE),
        _ => None,
    }
}

/// Returns the file of a line of a playlist in `folder`.
fn entry(line: &[u8], folder: Option<&Path>) -> Input {
    let in_folder = |bytes: Vec<u8>| match folder {
        Some(folder) => folder.join(path(bytes)),
        None => path(bytes),
    };
    let trimmed = line.trim_ascii();
    if let Some((scheme, rest)) = scheme(trimmed) {
        if !scheme.eq_ignore_ascii_case("file") {
            return Input::Unreadable(path(line.to_vec()), "an address, and not a file".into());
        }
        // `file://localhost/..` and `file:///..` are the same.
        let rest = rest.strip_prefix("localhost").unwrap_or(rest);
        return Input::File(path(percent_decode_str(rest).collect()));
    }
    let unescaped = |bytes: &[u8]| -> Option<Vec<u8>> {
        let text = std::str::from_utf8(bytes).ok()?;
        Some(percent_decode_str(text).collect())
    };
    let slashes = |bytes: &[u8]| -> Vec<u8> {
        let slash = |&b: &u8| if b == b'\\' { b'/' } else { b };
        bytes.iter().map(slash).collect()
    };
    let (western, _) = WINDOWS_1252.decode_without_bom_handling(trimmed);
    let first = in_folder(line.to_vec());
    let others = [
        Some(trimmed.to_vec()),
        Some(slashes(trimmed)),
        Some(western.as_bytes().to_vec()),
        Some(slashes(western.as_bytes())),
        unescaped(trimmed),
    ];
    let mut all = std::iter::once(first.clone()).chain(others.into_iter().flatten().map(in_folder));
    Input::File(all.find(|path| path.is_file()).unwrap_or(first))
}

/// Returns the scheme of an address and what follows its `://`.
fn scheme(line: &[u8]) -> Option<(&str, &str)> {
    let (scheme, rest) = std::str::from_utf8(line).ok()?.split_once("://")?;
    let is_scheme = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    is_scheme.then_some((scheme, rest))
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

    #[test]
    fn utf_16_without_a_mark_is_seen() {
        let words = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        let want = ["/a.mp3", "\u{4e2d}.mp3"].map(PathBuf::from);
        let words = words("/a.mp3\r\n\u{4e2d}.mp3\r\n");
        let little: Vec<u8> = words.iter().flat_map(|w| w.to_le_bytes()).collect();
        let big: Vec<u8> = words.iter().flat_map(|w| w.to_be_bytes()).collect();
        assert_eq!(paths(&little, false), want);
        assert_eq!(paths(&big, false), want);
    }

    /// A list that `find -print0` wrote, read as lines, would be one long name.
    #[test]
    fn zero_bytes_end_a_list_of_lines() {
        let inputs: Vec<Input> =
            listed(&b"abc.mp3\0d.mp3\0"[..], plain(false), Shard::default()).collect();
        assert!(matches!(&inputs[..], [Input::Unreadable(path, _)] if path == Path::new("list")));
    }

    #[test]
    fn playlists_by_name_hold_what_other_systems_write() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("music")).unwrap();
        let file = |name: &str| {
            let path = folder.path().join("music").join(name);
            std::fs::write(&path, b"").unwrap();
            path
        };
        let want = [
            file("a.mp3"),
            file("b c.mp3"),
            file("\u{e4}.mp3"),
            file("100%25.mp3"),
        ];
        let list = List {
            name: "list.M3U".into(),
            zero: false,
            folder: Some(folder.path().into()),
        };
        let text = b"music\\a.mp3\r\n \r\n# no\r\nmusic/b%20c.mp3 \r\nmusic\\\xe4.mp3\r\n\
            music/100%25.mp3\r\nmusic\\gone.mp3\r\nhttps://example.org/d.mp3\r\n";
        let inputs: Vec<Input> = listed(&text[..], list, Shard::default()).collect();
        let (found, rest) = inputs.split_at(want.len());
        assert_eq!(found, want.map(Input::File));
        assert_eq!(rest[0], Input::File(folder.path().join("music\\gone.mp3")));
        assert!(matches!(&rest[1], Input::Unreadable(_, why) if why.contains("address")));
        assert_eq!(rest.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_text_stay_what_they_are() {
        use std::os::unix::ffi::OsStrExt;
        let found = paths(b"\xe4.mp3\n", false);
        assert_eq!(found[0].as_os_str().as_bytes(), b"\xe4.mp3");
    }
}
