//! Gathers rows of a table into chunks.

use std::ops::ControlFlow;

use super::error::SimilarError;

/// The most rows of a chunk: with 200 numbers each, they fit into a core's cache.
pub(super) const CHUNK_ROWS: usize = 1024;

/// Consecutive rows of the same length.
pub(super) struct Chunk<'a> {
    pub(super) rows: usize,
    /// Length of each row; 0 for rows without an embedding.
    pub(super) dim: usize,
    /// `[rows][dim]`
    pub(super) values: &'a [f32],
}

/// Takes chunks until it breaks.
pub(super) type Each<'a> = &'a mut dyn FnMut(Chunk<'_>) -> Flow;

/// Whether there is interest in more.
pub(super) type Flow = Result<ControlFlow<()>, SimilarError>;

/// Returns from the caller with what is not `Ok(Continue)`.
macro_rules! proceed {
    ($flow:expr) => {
        if $flow?.is_break() {
            return Ok(std::ops::ControlFlow::Break(()));
        }
    };
}
pub(super) use proceed;

/// Rows that come one by one.
pub(super) struct Gather<'a> {
    each: Each<'a>,
    dim: usize,
    rows: usize,
    values: Vec<f32>,
}

impl<'a> Gather<'a> {
    pub(super) fn new(each: Each<'a>) -> Self {
        Self {
            each,
            dim: 0,
            rows: 0,
            values: Vec::new(),
        }
    }

    /// Adds a row; an empty one has no embedding.
    pub(super) fn push(&mut self, row: &[f32]) -> Flow {
        if row.len() != self.dim || self.rows == CHUNK_ROWS {
            proceed!(self.flush());
        }
        self.dim = row.len();
        self.rows += 1;
        self.values.extend_from_slice(row);
        Ok(ControlFlow::Continue(()))
    }

    /// Passes on what was gathered.
    pub(super) fn flush(&mut self) -> Flow {
        let flow = match self.rows {
            0 => Ok(ControlFlow::Continue(())),
            rows => (self.each)(Chunk {
                rows,
                dim: self.dim,
                values: &self.values,
            }),
        };
        self.rows = 0;
        self.values.clear();
        flow
    }
}
