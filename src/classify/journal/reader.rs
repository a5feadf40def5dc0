//! Reading a journal.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use super::error::JournalError;
use super::line::{Line, Parsed};
use super::settings::{JournalSettings, VERSION};
use crate::classify::result::FileResult;
use crate::classify::stamp::Stamp;

/// What a journal holds.
pub struct JournalState {
    /// What its rows were made with. Their version is [`VERSION`], whatever that of the file is.
    pub settings: JournalSettings,
    /// The files that are done, and their versions when they were read. The last row of a file
    /// counts.
    pub files: HashMap<PathBuf, Option<Stamp>>,
    /// Number of files that the last complete run saw; `None` if rows were added since, or no run
    /// reached its end.
    pub ended: Option<u64>,
    /// Number of lines whose checksum does not match. Their files are not in [`Self::files`], or
    /// with an earlier version only.
    pub damaged: u64,
    /// Length of the complete lines, bytes.
    pub(super) len: u64,
}

/// Reads a journal and checks that a run with `settings`, if given, may add rows to it. Returns
/// `None` if there is no journal, or an empty one.
///
/// # Errors
/// [`JournalError`].
pub fn read(
    path: &Path,
    settings: Option<&JournalSettings>,
) -> Result<Option<JournalState>, JournalError> {
    let mut lines = match Lines::open(path) {
        Ok(Some(lines)) => lines,
        Ok(None) => return Ok(None),
        Err(JournalError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(e) => return Err(e),
    };
    if let Some(difference) = settings.and_then(|run| lines.settings.difference(run)) {
        return Err(JournalError::Settings {
            path: path.to_owned(),
            difference,
        });
    }
    let mut files = HashMap::new();
    let mut ended = None;
    let mut damaged_at_end = 0;
    while let Some(row) = lines.next_row()? {
        match row {
            // A run that did not know of the damage did not do those files again.
            Row::End { files, damaged } => {
                ended = (damaged >= lines.damaged).then_some(files);
                damaged_at_end = lines.damaged;
            }
            Row::File(result) => {
                files.insert(result.path, result.stamp);
                ended = None;
            }
        }
    }
    // A damaged line may have been a row.
    if lines.damaged > damaged_at_end {
        ended = None;
    }
    Ok(Some(JournalState {
        damaged: lines.damaged,
        len: lines.text.len,
        settings: lines.settings,
        files,
        ended,
    }))
}

/// Returns what the rows of a journal were made with. `None` if there is no journal, or an empty
/// one.
///
/// # Errors
/// [`JournalError`].
pub fn settings(path: &Path) -> Result<Option<JournalSettings>, JournalError> {
    match Lines::open(path) {
        Ok(lines) => Ok(lines.map(|lines| lines.settings)),
        Err(JournalError::Read { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Calls `each` with the rows of a journal. If several rows are about one file, only the last one
/// counts. The order is that of the paths if `sorted`, or else that of the journal.
///
/// # Errors
/// [`JournalError`], or what `each` returns.
pub fn rows<E: From<JournalError>>(
    path: &Path,
    sorted: bool,
    mut each: impl FnMut(FileResult) -> Result<(), E>,
) -> Result<(), E> {
    let Some(mut lines) = Lines::open(path)? else {
        return Ok(());
    };
    // First where each file's last row is, then the rows: their results would not all fit into
    // memory.
    let mut places: HashMap<PathBuf, Place> = HashMap::new();
    loop {
        let place = lines.text.place();
        match lines.next_row()? {
            None => break,
            Some(Row::File(result)) => {
                places.insert(result.path, place);
            }
            Some(Row::End { .. }) => {}
        }
    }
    let mut places: Vec<(PathBuf, Place)> = places.into_iter().collect();
    if sorted {
        places.sort_by(|(a, _), (b, _)| a.cmp(b));
    } else {
        places.sort_by_key(|(_, place)| place.offset);
    }
    for (_, place) in places {
        lines.text.seek(place)?;
        match lines.next_row()? {
            Some(Row::File(result)) => each(result)?,
            _ => return Err(lines.text.damaged().into()),
        }
    }
    Ok(())
}

/// A line after the first one.
enum Row {
    File(FileResult),
    End { files: u64, damaged: u64 },
}

/// The lines of a journal.
struct Lines<'a> {
    settings: JournalSettings,
    /// Whether each line has a checksum.
    checked: bool,
    /// Damaged lines so far.
    damaged: u64,
    text: TextLines<'a>,
}

impl<'a> Lines<'a> {
    /// Opens a journal and reads its first line. Returns `None` if the run was killed before that
    /// line was out.
    fn open(path: &'a Path) -> Result<Option<Self>, JournalError> {
        let file = File::open(path).map_err(|e| JournalError::read(path, e))?;
        let mut text = TextLines::new(path, file);
        let Some(line) = text.next_line(false)? else {
            return Ok(None);
        };
        match line {
            Parsed::Line(Line::Settings(settings)) if (1..=VERSION).contains(&settings.journal) => {
                Ok(Some(Self {
                    checked: settings.journal > 1,
                    settings: JournalSettings {
                        journal: VERSION,
                        ..settings
                    },
                    damaged: 0,
                    text,
                }))
            }
            _ => Err(text.damaged()),
        }
    }

    /// Returns the next row. Passes over damaged lines.
    fn next_row(&mut self) -> Result<Option<Row>, JournalError> {
        loop {
            let Some(line) = self.text.next_line(self.checked)? else {
                return Ok(None);
            };
            match line {
                Parsed::Damaged => self.damaged += 1,
                Parsed::Foreign | Parsed::Line(Line::Settings(_)) => {
                    return Err(self.text.damaged());
                }
                Parsed::Line(Line::End { files, damaged }) => {
                    return Ok(Some(Row::End { files, damaged }));
                }
                Parsed::Line(Line::File(line)) => {
                    let result = line.into_result(self.settings.classes.len());
                    let result = result.ok_or_else(|| self.text.damaged())?;
                    return Ok(Some(Row::File(result)));
                }
            }
        }
    }
}

/// Where a line starts.
#[derive(Clone, Copy)]
struct Place {
    /// Offset in the file, bytes.
    offset: u64,
    /// Number of lines before it.
    lines: usize,
}

/// The complete lines of a file.
struct TextLines<'a> {
    path: &'a Path,
    reader: BufReader<File>,
    text: Vec<u8>,
    /// Number of complete lines so far.
    number: usize,
    /// Length of the complete lines so far, bytes.
    len: u64,
    /// What was read so far, bytes: `len`, and a line that was cut off.
    position: u64,
}

impl<'a> TextLines<'a> {
    fn new(path: &'a Path, file: File) -> Self {
        Self {
            path,
            reader: BufReader::new(file),
            text: Vec::new(),
            number: 0,
            len: 0,
            position: 0,
        }
    }

    /// Returns the next line; `None` at the end, or at a line that was cut off.
    fn next_line(&mut self, checked: bool) -> Result<Option<Parsed>, JournalError> {
        self.text.clear();
        let read = self.reader.read_until(b'\n', &mut self.text);
        let read = read.map_err(|e| JournalError::read(self.path, e))?;
        self.position += read as u64;
        if self.text.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.number += 1;
        self.len = self.position;
        Ok(Some(Line::parse(&self.text, checked)))
    }

    fn place(&self) -> Place {
        Place {
            offset: self.len,
            lines: self.number,
        }
    }

    /// Continues at a place, which this file gave. Keeps the buffer where it can.
    fn seek(&mut self, place: Place) -> Result<(), JournalError> {
        let by = place.offset as i64 - self.position as i64;
        let moved = self.reader.seek_relative(by);
        moved.map_err(|e| JournalError::read(self.path, e))?;
        self.number = place.lines;
        (self.len, self.position) = (place.offset, place.offset);
        Ok(())
    }

    fn damaged(&self) -> JournalError {
        JournalError::Damaged {
            path: self.path.to_owned(),
            line: self.number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::journal::Journal;
    use crate::classify::result::{Outcome, Prediction};

    fn result(path: &str, probabilities: &[f32]) -> FileResult {
        FileResult {
            path: path.into(),
            stamp: None,
            outcome: Outcome::Ok(Prediction {
                probabilities: probabilities.to_vec(),
                seconds: 30.0,
                clips: 1,
                silent: 0,
                padded: false,
                damaged: None,
                embedding: Vec::new(),
                timeline: Vec::new(),
            }),
        }
    }

    /// Writes a journal of `results`, and then `rest`.
    fn journal(results: &[FileResult], rest: &str) -> tempfile::TempPath {
        let file = tempfile::NamedTempFile::new().unwrap().into_temp_path();
        let mut journal = Journal::open(&file).unwrap();
        journal.start(&JournalSettings::plain()).unwrap();
        for result in results {
            journal.row(result).unwrap();
        }
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + rest).unwrap();
        file
    }

    fn all_rows(path: &Path, sorted: bool) -> Result<Vec<FileResult>, JournalError> {
        let mut all = Vec::new();
        rows(path, sorted, |result| {
            all.push(result);
            Ok::<_, JournalError>(())
        })?;
        Ok(all)
    }

    #[test]
    fn the_last_row_of_a_file_counts_and_a_cut_line_does_not() {
        let (b, a) = (result("b.wav", &[0.25, 0.75]), result("a.wav", &[1.0, 0.0]));
        let again = result("b.wav", &[0.5, 0.5]);
        let file = journal(&[b, a.clone(), again.clone()], r#"{"file":{"path":"c"#);
        let state = read(&file, Some(&JournalSettings::plain()))
            .unwrap()
            .unwrap();
        assert_eq!((state.files.len(), state.ended), (2, None));
        let complete = std::fs::read_to_string(&file).unwrap().rfind('\n').unwrap() + 1;
        assert_eq!(state.len, complete as u64);
        assert_eq!(all_rows(&file, false).unwrap(), [a.clone(), again.clone()]);
        assert_eq!(all_rows(&file, true).unwrap(), [a, again]);
    }

    #[test]
    fn a_row_needs_a_probability_per_class() {
        let good = result("a.wav", &[0.5, 0.5]);
        for probabilities in [&[][..], &[1.0], &[0.25, 0.25, 0.5]] {
            let file = journal(&[good.clone(), result("b.wav", probabilities)], "");
            for found in [read(&file, None).err(), all_rows(&file, true).err()] {
                assert!(matches!(found, Some(JournalError::Damaged { line: 3, .. })));
            }
        }
    }

    #[test]
    fn a_missing_journal_is_no_error_to_read_but_has_no_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("none.journal");
        assert!(read(&path, None).unwrap().is_none());
        let error = all_rows(&path, false).unwrap_err();
        assert!(matches!(error, JournalError::Read { .. }), "{error}");
    }
}
