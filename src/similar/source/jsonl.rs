//! JSON Lines: an object with `path` and `embedding` per line.

use std::borrow::Cow;
use std::ops::{ControlFlow, Range};
use std::path::Path;

use serde::Deserialize;

use super::Source;
use super::lines::Lines;
use crate::similar::error::SimilarError;
use crate::similar::gather::{Each, Flow, Gather};

pub(super) struct JsonLines(Lines);

impl JsonLines {
    pub(super) fn open(path: &Path) -> Result<Self, SimilarError> {
        Lines::open(path).map(Self)
    }

    fn parse<'a, T: Deserialize<'a>>(&self, row: u64, line: &'a [u8]) -> Result<T, SimilarError> {
        serde_json::from_slice(line).map_err(|e| {
            let why = format!("line {}: {e}", row + 1);
            SimilarError::not_a_table(self.0.path(), why)
        })
    }
}

#[derive(Deserialize)]
struct VectorOfRow {
    embedding: Option<Vec<Option<f32>>>,
}

#[derive(Deserialize)]
struct PathOfRow<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
}

impl Source for JsonLines {
    fn parts(&self) -> &[Range<u64>] {
        self.0.parts()
    }

    fn vectors(&self, part: usize, each: Each<'_>) -> Flow {
        let mut gather = Gather::new(each);
        let (mut vector, mut stopped) = (Vec::new(), false);
        self.0.each(part, |row, line| {
            let parsed: VectorOfRow = self.parse(row, line)?;
            vector.clear();
            let values = parsed.embedding.unwrap_or_default();
            vector.extend(values.into_iter().map(|value| value.unwrap_or(f32::NAN)));
            stopped = gather.push(&vector)?.is_break();
            Ok::<_, SimilarError>(!stopped)
        })?;
        match stopped {
            true => Ok(ControlFlow::Break(())),
            false => gather.flush(),
        }
    }

    fn paths(&self, part: usize, each: &mut dyn FnMut(u64, &str)) -> Result<(), SimilarError> {
        self.0.each(part, |row, line| {
            let parsed: PathOfRow<'_> = self.parse(row, line)?;
            each(row, &parsed.path);
            Ok(true)
        })
    }
}
