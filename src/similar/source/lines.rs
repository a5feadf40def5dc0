//! Text files of one row per line, in parts.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::similar::error::SimilarError;

/// Rows per part.
pub(super) const PART_ROWS: u64 = 8192;
/// The longest line, bytes: far more than an embedding takes.
const MAX_LINE: u64 = 16 << 20;
/// Bytes that are searched for line ends at once.
const BUFFER: usize = 1 << 20;

/// A file of lines whose parts are found by their offsets.
pub(super) struct Lines {
    path: PathBuf,
    parts: Vec<Range<u64>>,
    /// Offset of each part's first line, bytes.
    offsets: Vec<u64>,
}

impl Lines {
    /// Reads the file once to find its parts.
    pub(super) fn open(path: &Path) -> Result<Self, SimilarError> {
        let file = File::open(path).map_err(SimilarError::read(path))?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let (mut rows, mut position, mut ended) = (0, 0, true);
        let mut offsets = Vec::new();
        loop {
            let bytes = reader.fill_buf().map_err(SimilarError::read(path))?;
            let Some(&last) = bytes.last() else { break };
            if offsets.is_empty() {
                offsets.push(0);
            }
            for end in memchr::memchr_iter(b'\n', bytes) {
                rows += 1;
                if rows % PART_ROWS == 0 {
                    offsets.push(position + end as u64 + 1);
                }
            }
            ended = last == b'\n';
            position += bytes.len() as u64;
            let len = bytes.len();
            reader.consume(len);
        }
        rows += u64::from(!ended);
        let starts = (0..rows).step_by(PART_ROWS as usize);
        Ok(Self {
            path: path.to_owned(),
            parts: starts
                .map(|start| start..rows.min(start + PART_ROWS))
                .collect(),
            offsets,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn parts(&self) -> &[Range<u64>] {
        &self.parts
    }

    /// Returns the number of lines.
    pub(super) fn rows(&self) -> u64 {
        self.parts.last().map_or(0, |part| part.end)
    }

    /// Calls `each` with the number and the bytes of every line of a part, without its end.
    pub(super) fn each<E: From<SimilarError>>(
        &self,
        part: usize,
        mut each: impl FnMut(u64, &[u8]) -> Result<bool, E>,
    ) -> Result<(), E> {
        let read = SimilarError::read(&self.path);
        let mut file = File::open(&self.path).map_err(&read)?;
        file.seek(SeekFrom::Start(self.offsets[part]))
            .map_err(&read)?;
        let mut reader = BufReader::with_capacity(BUFFER, file);
        let mut line = Vec::new();
        for row in self.parts[part].clone() {
            line.clear();
            let mut limited = reader.by_ref().take(MAX_LINE);
            limited.read_until(b'\n', &mut line).map_err(&read)?;
            if line.len() as u64 == MAX_LINE {
                let why = format!("line {} is longer than {MAX_LINE} bytes", row + 1);
                return Err(SimilarError::not_a_table(&self.path, why).into());
            }
            if line.last() == Some(&b'\n') {
                line.pop();
            }
            if !each(row, &line)? {
                break;
            }
        }
        Ok(())
    }
}
