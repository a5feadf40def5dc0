//! A label track for Audacity: a line per clip with its start and end in seconds and its label,
//! between tabs. It has no header and no place for a path, and is about one audio file.

use std::io::{self, Write};

use super::row_writer::{Header, RowWriter, Sink};
use super::schema::Cell;
use crate::files::Ours;

/// Recognized by three decimals in both times. Audacity writes six, so that a track which somebody
/// changed there and exported is not ours.
pub(super) const OURS: Ours = Ours {
    what: "a label track",
    is: |head| {
        let text = String::from_utf8_lossy(&head.start);
        let mut lines: Vec<&str> = text.split('\n').collect();
        // The last line is empty, or was cut off.
        lines.pop();
        !lines.is_empty() && lines.iter().all(|line| is_label(line))
    },
};

fn is_label(line: &str) -> bool {
    let is_time = |text: &str| {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let parts = text.split_once('.');
        parts.is_some_and(|(whole, rest)| digits(whole) && digits(rest) && rest.len() == 3)
    };
    let mut parts = line.splitn(3, '\t');
    let times = [parts.next(), parts.next()];
    times.iter().all(|time| time.is_some_and(is_time)) && parts.next().is_some()
}

/// Starts a label track.
pub(super) fn open(sink: Sink<'_>, header: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let column = |name: &str| header.columns.iter().position(|(column, _)| column == name);
    Ok(Box::new(Labels {
        label: column("tags").or(column("genre")).unwrap_or(LABEL),
        path: None,
        sink,
    }))
}

/// The first columns of clips.
const PATH: usize = 0;
const START: usize = 1;
const END: usize = 2;
const LABEL: usize = 3;

struct Labels<'w> {
    /// The column of the label. A single label has its probability behind it.
    label: usize,
    /// The audio file.
    path: Option<String>,
    sink: Sink<'w>,
}

impl RowWriter for Labels<'_> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        let time = |i: usize| match cells.get(i) {
            Some(Cell::Double(seconds)) => *seconds,
            _ => 0.0,
        };
        let label = match (cells.get(self.label), cells.get(self.label + 1)) {
            (Some(Cell::Texts(tags)), _) => tags.join(", "),
            (Some(Cell::Text(genre)), Some(Cell::Float(p))) => {
                format!("{genre} {:.0}%", 100.0 * p)
            }
            _ => "unsure".to_owned(),
        };
        if let Some(Cell::Text(path)) = cells.get(PATH) {
            let first = self.path.get_or_insert_with(|| path.clone());
            if first != path {
                let why = format!("a label track is about one file, and not {first} and {path}");
                return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
            }
        }
        // No label spans lines or fields.
        let label = label.replace(char::is_control, " ");
        let (start, end) = (time(START), time(END));
        let line = format!("{start:.3}\t{end:.3}\t{label}\n");
        self.sink.write_all(line.as_bytes())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.sink.flush()
    }
}
