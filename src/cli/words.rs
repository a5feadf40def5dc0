//! Printing that survives a reader who is gone.
//!
//! `println!` and `eprintln!` panic if their stream fails: a closed pipe, a full disk. Commands
//! print through these functions instead.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use crate::audio::LeftOut;

/// Writes a line to stdout.
///
/// # Errors
/// If stdout fails. A broken pipe is the reader's choice to stop: [`super::run`] exits successfully
/// on it.
pub fn print_line(line: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Writes a line to stdout and ignores failures: a run of hours must not end because a pipe was
/// closed.
pub fn print_line_lossy(line: impl Display) {
    let _ = print_line(line);
}

/// Writes a line to stderr and ignores failures: stderr is for people, and nobody may be there.
pub fn note(line: impl Display) {
    // One write: lines of several processes do not mix.
    let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Says what a walk left out, if anything.
pub fn note_left_out(left_out: &LeftOut) {
    let lines = left_out.lines();
    if !lines.is_empty() {
        let flag = match left_out.hidden() {
            0 => "",
            _ => " (--hidden takes them)",
        };
        note(format_args!("left out: {}{flag}", lines.join("; ")));
    }
}

/// Whether an output is stdout.
pub fn is_stdout(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Writes bytes to stdout.
///
/// # Errors
/// As [`print_line`].
pub fn print_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(bytes)?;
    stdout.flush()
}
