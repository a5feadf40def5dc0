//! NumPy's `.npy`, with the paths of its rows in a text file beside it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use super::Source;
use super::lines::{Lines, PART_ROWS};
use crate::classify::names_of;
use crate::classify::npy::NpyHeader;
use crate::similar::error::SimilarError;
use crate::similar::gather::{CHUNK_ROWS, Chunk, Each, Flow, proceed};

/// The longest header that is read, bytes: NumPy's own limit is 10 000.
const MAX_HEADER: u64 = 64 << 10;

pub(super) struct Npy {
    path: PathBuf,
    /// The paths.
    names: Lines,
    parts: Vec<Range<u64>>,
    dim: usize,
    /// Offset of the values, bytes.
    data: u64,
    number: Number,
}

/// The type of the values, little endian.
#[derive(Clone, Copy)]
enum Number {
    F32,
    F64,
}

impl Number {
    fn size(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    fn read(self, bytes: &[u8], values: &mut Vec<f32>) {
        values.clear();
        match self {
            Self::F32 => {
                let (all, _) = bytes.as_chunks();
                values.extend(all.iter().map(|&value| f32::from_le_bytes(value)));
            }
            Self::F64 => {
                let (all, _) = bytes.as_chunks();
                values.extend(all.iter().map(|&value| f64::from_le_bytes(value) as f32));
            }
        }
    }
}

impl Npy {
    pub(super) fn open(path: &Path) -> Result<Self, SimilarError> {
        let read = SimilarError::read(path);
        let wrong = |why: String| SimilarError::not_a_table(path, why);
        let file = File::open(path).map_err(&read)?;
        let len = file.metadata().map_err(&read)?.len();
        let mut start = Vec::new();
        file.take(MAX_HEADER)
            .read_to_end(&mut start)
            .map_err(&read)?;
        let header = NpyHeader::parse(&start);
        let header = header.ok_or_else(|| wrong("it has no header of a .npy array".into()))?;
        let data = header.data;
        let number = match header.descr.as_str() {
            "<f4" => Number::F32,
            "<f8" => Number::F64,
            other => return Err(wrong(format!("its values are {other}, and not <f4"))),
        };
        let &[rows, columns] = header.shape.as_slice() else {
            let axes = header.shape.len();
            return Err(wrong(format!("it has {axes} axes, and not 2")));
        };
        if header.fortran_order {
            return Err(wrong("its values are in Fortran's order".into()));
        }
        let size = rows
            .checked_mul(columns)
            .and_then(|n| n.checked_mul(number.size())?.checked_add(data));
        if size != Some(len) {
            let why = format!("a matrix of {rows} x {columns} does not have {len} bytes");
            return Err(wrong(why));
        }
        let names = Lines::open(&names_of(path))?;
        if names.rows() != rows {
            let (name, lines) = (names_of(path), names.rows());
            let name = name.display();
            return Err(wrong(format!(
                "it has {rows} rows, and {name} {lines} lines"
            )));
        }
        let starts = (0..rows).step_by(PART_ROWS as usize);
        Ok(Self {
            path: path.to_owned(),
            names,
            parts: starts
                .map(|start| start..rows.min(start + PART_ROWS))
                .collect(),
            dim: usize::try_from(columns).unwrap_or(usize::MAX),
            data,
            number,
        })
    }
}

impl Source for Npy {
    fn parts(&self) -> &[Range<u64>] {
        &self.parts
    }

    fn vectors(&self, part: usize, each: Each<'_>) -> Flow {
        let read = SimilarError::read(&self.path);
        let rows = self.parts[part].clone();
        let row_bytes = self.dim as u64 * self.number.size();
        let mut file = File::open(&self.path).map_err(&read)?;
        let start = SeekFrom::Start(self.data + rows.start * row_bytes);
        file.seek(start).map_err(&read)?;
        let (mut bytes, mut values) = (Vec::new(), Vec::new());
        for first in rows.clone().step_by(CHUNK_ROWS) {
            let count = CHUNK_ROWS.min((rows.end - first) as usize);
            bytes.resize(count * row_bytes as usize, 0);
            file.read_exact(&mut bytes).map_err(&read)?;
            self.number.read(&bytes, &mut values);
            proceed!(each(Chunk {
                rows: count,
                dim: self.dim,
                values: &values,
            }));
        }
        Ok(ControlFlow::Continue(()))
    }

    fn paths(&self, part: usize, each: &mut dyn FnMut(u64, &str)) -> Result<(), SimilarError> {
        self.names.each(part, |row, line| {
            each(row, &String::from_utf8_lossy(line));
            Ok(true)
        })
    }
}
