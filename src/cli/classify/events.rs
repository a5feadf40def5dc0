//! Events for programs that watch a run: a JSON object per line. `docs/EVENTS.md` describes them.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use serde::Serialize;

use crate::classify::{Content, FileResult, Format, Schema, Summary, Table};
use crate::cli::words::{self, Listener, Verbosity};
use crate::files::{Claims, Ours, OutFile, text_of_path};

/// The version of the events. A change that readers must know of raises it; new events and new
/// fields do not.
const VERSION: u32 = 1;

/// Where events go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTarget {
    /// stderr, which then has nothing else.
    Stderr,
    /// A file descriptor that the process was started with.
    Descriptor(i32),
    /// A file, which is replaced.
    File(PathBuf),
}

impl FromStr for EventTarget {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("fd:") {
            None if text == "-" => Ok(Self::Stderr),
            None => Ok(Self::File(text.into())),
            Some("2") => Ok(Self::Stderr),
            Some(number) => match number.parse() {
                Ok(number) if number > 2 => Ok(Self::Descriptor(number)),
                _ => Err("a descriptor is fd:2 (stderr), fd:3 or more".into()),
            },
        }
    }
}

impl fmt::Display for EventTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stderr => f.write_str("-"),
            Self::Descriptor(number) => write!(f, "fd:{number}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

/// Files of events are recognized by their first one.
const OURS: Ours = Ours {
    what: "a file of events",
    is: |head| {
        let mut first = ["started", "note", "finished"].iter();
        first.any(|kind| head.starts_with(&format!("{{\"event\":\"{kind}\"")))
    },
};

impl EventTarget {
    /// Opens the target. Must be called before the process opens anything else: a descriptor's
    /// number would then be that file's.
    pub fn open<'a>(&self, inputs: impl Iterator<Item = &'a Path>) -> anyhow::Result<Sink> {
        match self {
            Self::Stderr => Ok(Box::new(io::stderr())),
            Self::Descriptor(number) => {
                descriptor(*number).with_context(|| format!("cannot write events to fd:{number}"))
            }
            Self::File(path) => {
                let mut claims = Claims::default();
                inputs.for_each(|input| claims.input(input));
                claims.output(path, OURS)?;
                let file = OutFile::create(path);
                let file = file.with_context(|| format!("cannot write {}", path.display()))?;
                Ok(Box::new(file))
            }
        }
    }
}

#[cfg(unix)]
fn descriptor(number: i32) -> io::Result<Sink> {
    use std::os::fd::FromRawFd;

    // The link is there if the descriptor is open.
    std::fs::symlink_metadata(format!("/dev/fd/{number}"))?;
    // SAFETY: the descriptor is open, and it is no other file of this process, which has opened none
    // so far. Whoever started the process passed it on for this use.
    #[allow(unsafe_code, reason = "a number on the command line has no owner yet")]
    let file = unsafe { std::fs::File::from_raw_fd(number) };
    Ok(Box::new(file))
}

#[cfg(not(unix))]
fn descriptor(_: i32) -> io::Result<Sink> {
    let why = "this system does not pass descriptors on by number";
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

type Sink = Box<dyn Write + Send>;

/// An event. The order of the fields is that of the line.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event<'a> {
    /// The model is loaded, and files are read from here on.
    Started {
        version: u32,
        sonoprint: &'a str,
        pid: u32,
        model: &'a str,
        fingerprint: &'a str,
        device: &'a str,
        out: Option<&'a str>,
        /// Files that an earlier run has done.
        done_before: usize,
        total: Option<u64>,
    },
    /// At most once a second.
    Progress(Progress),
    /// A line for people.
    Note { message: &'a str },
    /// The last event.
    Finished {
        exit_code: u8,
        reason: Reason,
        #[serde(flatten)]
        counts: Counts,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
    },
}

/// How far a run is.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Progress {
    /// Files of this run that are done, those that failed included.
    pub done: u64,
    pub failed: u64,
    /// Files of this run; `None` until all are found.
    pub total: Option<u64>,
    pub files_per_second: f64,
    /// `None` until all are found.
    pub seconds_left: Option<f64>,
}

/// Why a run ended.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// Every file was read, or is a failed row.
    Done,
    /// By a signal. The same command goes on.
    Stopped,
    /// By an error, which the message names.
    Failed,
}

/// What a run did.
#[derive(Clone, Copy, Default, Serialize)]
pub struct Counts {
    pub ok: usize,
    /// Those of the files `ok` that have no label.
    pub unsure: usize,
    pub failed: usize,
    pub clips: usize,
    pub audio_seconds: f64,
    pub seconds: f64,
}

impl Counts {
    /// Returns the counts of a run.
    pub fn new(summary: &Summary, unsure: usize) -> Self {
        Self {
            ok: summary.ok,
            unsure,
            failed: summary.failed,
            clips: summary.clips,
            audio_seconds: summary.audio_seconds,
            seconds: summary.elapsed.as_secs_f64(),
        }
    }
}

/// Writes events, unless there is no target. A reader that goes away does not end the run.
#[derive(Clone, Default)]
pub struct Events(Option<Arc<Mutex<Option<Sink>>>>);

impl Events {
    /// Returns events that go to `target`, if there is one, and with them the lines for people.
    pub fn new<'a>(
        target: Option<&EventTarget>,
        inputs: impl Iterator<Item = &'a Path>,
    ) -> anyhow::Result<Self> {
        let Some(target) = target else {
            return Ok(Self(None));
        };
        let sink = target.open(inputs)?;
        let events = Self(Some(Arc::new(Mutex::new(Some(sink)))));
        let notes = events.clone();
        words::listen(Listener {
            has_stderr: *target == EventTarget::Stderr,
            // A failed file has its row, and the last error is in `finished`.
            hear: Box::new(move |kind, line| {
                if matches!(kind, Verbosity::Notes | Verbosity::Details) {
                    notes.send(&Event::Note { message: line });
                }
            }),
        });
        Ok(events)
    }

    /// Whether events are written.
    pub fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    /// Writes the first event.
    pub fn started(
        &self,
        model: &str,
        schema: &Schema,
        device: &str,
        out: Option<&Path>,
        done: usize,
    ) {
        let out = out.map(text_of_path);
        self.send(&Event::Started {
            version: VERSION,
            sonoprint: env!("CARGO_PKG_VERSION"),
            pid: std::process::id(),
            model,
            fingerprint: &schema.model,
            device,
            out: out.as_deref(),
            done_before: done,
            total: None,
        });
    }

    /// Writes an event.
    pub fn send(&self, event: &Event<'_>) {
        if let Ok(line) = serde_json::to_vec(event) {
            self.write(line);
        }
    }

    /// Writes a line, in one call.
    fn write(&self, mut line: Vec<u8>) {
        let Some(sink) = &self.0 else { return };
        line.push(b'\n');
        let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = sink.as_mut().is_some_and(|s| s.write_all(&line).is_err());
        if gone {
            *sink = None;
        }
    }

    /// Writes the last event.
    pub fn finish(
        &self,
        exit_code: u8,
        reason: Reason,
        counts: Counts,
        message: Option<&str>,
        hint: Option<&str>,
    ) {
        self.send(&Event::Finished {
            exit_code,
            reason,
            counts,
            message,
            hint,
        });
        if let Some(sink) = &self.0 {
            *sink.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }
}

/// Writes results as events `row`, which hold the rows of a table in JSON Lines.
pub struct RowEvents {
    events: Events,
    table: Table<'static>,
    line: Line,
}

impl RowEvents {
    /// Starts; `None` if no events are wanted.
    pub fn new(events: &Events, schema: &Schema) -> io::Result<Option<Self>> {
        if !events.are_wanted() {
            return Ok(None);
        }
        let line = Line::default();
        let schema = schema.clone();
        Ok(Some(Self {
            events: events.clone(),
            table: Table::new(line.clone(), Content::Files, Format::Jsonl, schema)?,
            line,
        }))
    }

    /// Writes a result.
    pub fn result(&mut self, result: &FileResult) -> io::Result<()> {
        self.table.write(result)?;
        let mut row = self.line.0.lock().unwrap_or_else(PoisonError::into_inner);
        let event = [br#"{"event":"row","row":"#, row.as_slice(), b"}"].concat();
        row.clear();
        self.events.write(event);
        Ok(())
    }
}

/// The bytes of one row.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<Vec<u8>>>);

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Behind a row stands the end of its line.
        line.extend(bytes.iter().filter(|&&b| b != b'\n'));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
