//! Where the lines and the files of `bench` go.

use std::fmt::Display;
use std::io;
use std::path::Path;

use anyhow::ensure;

use crate::bench;
use crate::cli::words::{is_stdout, note, print_bytes, print_line, print_line_lossy};
use crate::files::{Claims, Ours};

/// Where the lines for people go.
pub enum Lines {
    /// To stdout.
    Stdout,
    /// To stdout, whose failure does not matter, because the results are also in a file.
    Lossy,
    /// To stderr, because a file goes to stdout.
    Stderr,
}

impl Lines {
    /// Checks that the files may be written, and returns where the lines go.
    pub fn of(files: &[(Option<&Path>, Ours)], input: Option<&Path>) -> anyhow::Result<Self> {
        let mut claims = Claims::default();
        input.iter().for_each(|path| claims.input(path));
        let mut named = Vec::new();
        for &(path, ours) in files {
            let Some(path) = path else { continue };
            if !is_stdout(path) {
                claims.output(path, ours)?;
            }
            named.push(path);
        }
        let printed = named.iter().filter(|path| is_stdout(path)).count();
        ensure!(printed < 2, "two files cannot both go to stdout");
        Ok(match (printed, named.is_empty()) {
            (1, _) => Self::Stderr,
            (_, true) => Self::Stdout,
            (_, false) => Self::Lossy,
        })
    }

    /// Prints a line.
    ///
    /// # Errors
    /// If stdout fails, and the results are nowhere else.
    pub fn print(&self, line: impl Display) -> io::Result<()> {
        match self {
            Self::Stdout => print_line(line)?,
            Self::Lossy => print_line_lossy(line),
            Self::Stderr => note(line),
        }
        Ok(())
    }

    /// Writes a file, or to stdout.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
        if is_stdout(path) {
            return Ok(print_bytes(bytes)?);
        }
        bench::write(path, bytes)?;
        Ok(self.print(format_args!("wrote {}", path.display()))?)
    }
}
