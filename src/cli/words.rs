//! Printing that survives a reader who is gone, and how much is said on stderr.
//!
//! `println!` and `eprintln!` panic if their stream fails: a closed pipe, a full disk. Commands
//! print through these functions instead.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI8, Ordering};

use crate::audio::LeftOut;

/// What is said on stderr, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// The error that ends the command: `-qq`.
    Error = -2,
    /// Also the files that failed: `-q`.
    Failures = -1,
    /// Also notes on what happens.
    Notes = 0,
    /// Also statistics: `-v`.
    Details = 1,
}

static VERBOSITY: AtomicI8 = AtomicI8::new(Verbosity::Notes as i8);

/// Sets what is said on stderr from here on.
pub fn set_verbosity(verbosity: Verbosity) {
    VERBOSITY.store(verbosity as i8, Ordering::Relaxed);
}

/// Whether lines of this kind are said.
pub fn says(kind: Verbosity) -> bool {
    VERBOSITY.load(Ordering::Relaxed) >= kind as i8
}

/// Takes a line and its kind.
type Hear = dyn Fn(Verbosity, &str) + Send + Sync;

/// A program that reads the lines too.
pub struct Listener {
    /// What is done with a line.
    pub hear: Box<Hear>,
    /// Whether stderr is the listener's: no line is printed there.
    pub has_stderr: bool,
}

static LISTENER: OnceLock<Listener> = OnceLock::new();

/// Passes the lines for stderr to a listener, from here on. Only the first listener counts.
pub fn listen(listener: Listener) {
    let _ = LISTENER.set(listener);
}

/// Whether stderr has lines for people.
pub fn stderr_is_for_people() -> bool {
    LISTENER.get().is_none_or(|listener| !listener.has_stderr)
}

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
    say(Verbosity::Notes, line);
}

/// As [`note`], for statistics that few people want.
pub fn note_detail(line: impl Display) {
    say(Verbosity::Details, line);
}

/// As [`note`], for a file that failed.
pub fn note_failure(line: impl Display) {
    say(Verbosity::Failures, line);
}

/// As [`note`], for the error that ends the command.
pub fn note_error(line: impl Display) {
    say(Verbosity::Error, line);
}

fn say(kind: Verbosity, line: impl Display) {
    if !says(kind) {
        return;
    }
    let line = line.to_string();
    if let Some(listener) = LISTENER.get() {
        (listener.hear)(kind, &line);
    }
    if stderr_is_for_people() {
        // One write: lines of several processes do not mix.
        let _ = io::stderr().write_all(format!("{line}\n").as_bytes());
    }
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
