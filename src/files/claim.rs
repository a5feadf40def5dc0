//! Which files a command may write.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// How much of a file's start is looked at, bytes.
const HEAD: u64 = 64 << 10;
/// The most links that lead from one to the next.
const MAX_LINKS: usize = 40;

/// Why a command may not write a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The output is no file, and cannot be replaced or resumed.
    #[error("cannot write {path}: it is {kind}, not a regular file")]
    Special {
        /// Path of the output.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// There is a file, and this program did not write it.
    #[error("{path} exists, and it is not {what} that sonoprint wrote")]
    Foreign {
        /// Path of the output.
        path: PathBuf,
        /// What would be written.
        what: &'static str,
    },
    /// The output is an input.
    #[error("the output {output} is the input {input}")]
    Input {
        /// Path of the output.
        output: PathBuf,
        /// Path of the input.
        input: PathBuf,
    },
    /// Two outputs are the same file.
    #[error("the outputs {first} and {second} are the same file")]
    Same {
        /// Path of an output.
        first: PathBuf,
        /// Path of the other.
        second: PathBuf,
    },
    /// The file that is there cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Path of the output.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
}

/// How a kind of file that this program writes is recognized.
#[derive(Clone, Copy, Debug)]
pub struct Ours {
    /// The kind, with its article: "a table".
    pub what: &'static str,
    /// Whether a file is of this kind, and this program wrote it. An empty file is not asked about.
    pub is: fn(&Head) -> bool,
}

/// What an output is recognized by.
#[derive(Debug)]
pub struct Head {
    /// The first 64 KiB.
    pub start: Vec<u8>,
    /// The last 64 KiB.
    pub end: Vec<u8>,
}

impl Head {
    /// Whether the file starts with `text`, or is a part of it that a kill left.
    pub fn starts_with(&self, text: &str) -> bool {
        let len = self.start.len().min(text.len());
        self.start[..len] == text.as_bytes()[..len]
    }

    /// Whether the last 64 KiB contain `text`.
    pub fn end_contains(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.end.windows(text.len()).any(|window| window == text)
    }

    fn read(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let (mut start, mut end) = (Vec::new(), Vec::new());
        file.by_ref().take(HEAD).read_to_end(&mut start)?;
        let len = file.metadata()?.len();
        file.seek(SeekFrom::Start(len.saturating_sub(HEAD)))?;
        file.take(HEAD).read_to_end(&mut end)?;
        Ok(Self { start, end })
    }
}

/// The inputs and outputs of a command. No output is an input, another output, a special file, or a
/// file of another program.
#[derive(Debug, Default)]
pub struct Claims {
    inputs: Vec<Place>,
    outputs: Vec<Place>,
}

impl Claims {
    /// Adds a file that the command reads.
    pub fn input(&mut self, path: &Path) {
        self.inputs.push(Place::of(path));
    }

    /// Adds a file that the command writes.
    ///
    /// # Errors
    /// [`ClaimError`] if it may not.
    pub fn output(&mut self, path: &Path, ours: Ours) -> Result<(), ClaimError> {
        let place = Place::of(path);
        if let Some(input) = self.inputs.iter().find(|input| input.is(&place)) {
            return Err(ClaimError::Input {
                output: path.to_owned(),
                input: input.path.clone(),
            });
        }
        if let Some(first) = self.outputs.iter().find(|output| output.is(&place)) {
            return Err(ClaimError::Same {
                first: first.path.clone(),
                second: path.to_owned(),
            });
        }
        check(path, ours)?;
        self.outputs.push(place);
        Ok(())
    }
}

/// Checks that what is at `path`, if anything, is a file that this program wrote, or an empty one.
fn check(path: &Path, ours: Ours) -> Result<(), ClaimError> {
    // Nothing is there, or nothing can be known: the write says more.
    let Ok(metadata) = std::fs::metadata(path) else {
        return Ok(());
    };
    if !metadata.is_file() {
        return Err(ClaimError::Special {
            path: path.to_owned(),
            kind: kind(&metadata),
        });
    }
    if metadata.len() == 0 {
        return Ok(());
    }
    let head = Head::read(path).map_err(|source| ClaimError::Read {
        path: path.to_owned(),
        source,
    })?;
    match (ours.is)(&head) {
        true => Ok(()),
        false => Err(ClaimError::Foreign {
            path: path.to_owned(),
            what: ours.what,
        }),
    }
}

fn kind(metadata: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
    }
    match metadata.is_dir() {
        true => "a folder",
        false => "a device",
    }
}

/// Where a path leads, whatever way it takes.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    /// The path without links.
    real: PathBuf,
    /// Device and number of the file, which hard links share.
    number: Option<(u64, u64)>,
}

impl Place {
    fn of(path: &Path) -> Self {
        let mut real = path.to_owned();
        // The last link may lead to a file that does not exist yet.
        for _ in 0..MAX_LINKS {
            let Ok(to) = std::fs::read_link(&real) else {
                break;
            };
            real = real.parent().unwrap_or(Path::new("")).join(to);
        }
        let real = real.canonicalize().unwrap_or_else(|_| {
            let folder = real.parent().filter(|p| !p.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize();
            match (folder, real.file_name()) {
                (Ok(folder), Some(name)) => folder.join(name),
                _ => real.clone(),
            }
        });
        Self {
            path: path.to_owned(),
            real,
            number: number(path),
        }
    }

    fn is(&self, other: &Self) -> bool {
        self.real == other.real || (self.number.is_some() && self.number == other.number)
    }
}

#[cfg(unix)]
fn number(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn number(_: &Path) -> Option<(u64, u64)> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    const TEXT: Ours = Ours {
        what: "a text",
        is: |head| head.starts_with("ours:"),
    };

    #[test]
    fn inputs_other_outputs_and_foreign_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, text) in [
            ("in", "ours: 1"),
            ("ours", "ours: 2"),
            ("cut", "our"),
            ("no", "x"),
        ] {
            std::fs::write(at(name), text).unwrap();
        }
        std::fs::write(at("empty"), "").unwrap();
        std::fs::hard_link(at("in"), at("hard")).unwrap();
        std::os::unix::fs::symlink("in", at("soft")).unwrap();
        std::os::unix::fs::symlink("new", at("to-new")).unwrap();
        let mut claims = Claims::default();
        claims.input(&at("in"));
        for name in ["in", "hard", "soft", "./in"] {
            let refused = claims.output(&at(name), TEXT);
            assert!(matches!(refused, Err(ClaimError::Input { .. })), "{name}");
        }
        for name in ["ours", "cut", "empty", "new"] {
            claims.output(&at(name), TEXT).unwrap();
        }
        for name in ["ours", "./ours", "to-new"] {
            let refused = claims.output(&at(name), TEXT);
            assert!(matches!(refused, Err(ClaimError::Same { .. })), "{name}");
        }
        let refused = claims.output(&at("no"), TEXT);
        assert!(matches!(refused, Err(ClaimError::Foreign { .. })));
        for special in ["/dev/full", "/"] {
            let refused = claims.output(special.as_ref(), TEXT);
            assert!(
                matches!(refused, Err(ClaimError::Special { .. })),
                "{special}"
            );
        }
    }
}
