//! A table of embeddings, whatever its format.

use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::SimilarError;
use super::source::{self, Source};

/// A table of paths and embeddings on disk. Its rows are read in blocks when they are needed.
pub struct EmbeddingTable {
    path: PathBuf,
    source: Box<dyn Source>,
    rows: u64,
    dim: usize,
}

/// Consecutive rows of a table.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Number of the first row, from 0.
    pub first: u64,
    /// Number of rows.
    pub rows: usize,
    /// `[rows][dim]`; `None` for rows without an embedding.
    pub values: Option<&'a [f32]>,
}

impl EmbeddingTable {
    /// Opens a table that `classify` wrote: Parquet, JSON Lines or `.npy`, by the ending of its
    /// name.
    ///
    /// # Errors
    /// [`SimilarError`].
    pub fn open(path: &Path) -> Result<Self, SimilarError> {
        let source = source::open(path)?;
        let mut dim = 0;
        for part in 0..source.parts().len() {
            let flow = source.vectors(part, &mut |chunk| {
                dim = chunk.dim;
                Ok(match dim {
                    0 => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                })
            })?;
            if flow.is_break() {
                break;
            }
        }
        if dim == 0 {
            return Err(SimilarError::Empty(path.to_owned()));
        }
        Ok(Self {
            path: path.to_owned(),
            rows: source.parts().last().map_or(0, |part| part.end),
            source,
            dim,
        })
    }

    /// Returns the path of the table.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the number of rows.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Returns the length of an embedding, at least 1.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Returns the fingerprint of the model that made the embeddings. Only Parquet has it.
    pub fn model(&self) -> Option<&str> {
        self.source.model()
    }

    /// Calls `each` with every row, in blocks of at most 1024, on all cores. States are made by
    /// `new` and joined by `merge`. Blocks come in no order.
    ///
    /// # Errors
    /// [`SimilarError`].
    pub fn scan<S: Send>(
        &self,
        new: impl Fn() -> S + Sync + Send,
        each: impl Fn(&mut S, Block<'_>) + Sync + Send,
        merge: impl Fn(S, S) -> S + Sync + Send,
    ) -> Result<S, SimilarError> {
        let parts = (0..self.source.parts().len()).into_par_iter();
        parts
            .try_fold(&new, |mut state, part| {
                self.blocks(part, |block| each(&mut state, block))?;
                Ok::<_, SimilarError>(state)
            })
            .try_reduce(&new, |a, b| Ok(merge(a, b)))
    }

    /// Returns the embeddings of consecutive rows, `[rows][dim]`. A row without one is not a
    /// number in each place.
    ///
    /// # Errors
    /// [`SimilarError`].
    pub fn vectors(&self, rows: Range<u64>) -> Result<Vec<f32>, SimilarError> {
        let dim = self.dim;
        let len = rows.end.saturating_sub(rows.start) as usize * dim;
        let parts: Vec<usize> = self.parts_of(&rows).collect();
        let found: Result<Vec<Vec<f32>>, SimilarError> = parts
            .into_par_iter()
            .map(|part| {
                let mut values = Vec::new();
                self.blocks(part, |block| {
                    let skipped = rows.start.saturating_sub(block.first) as usize;
                    let end = rows.end.saturating_sub(block.first) as usize;
                    let (from, to) = (skipped.min(block.rows), end.min(block.rows));
                    match block.values {
                        Some(all) => values.extend_from_slice(&all[from * dim..to * dim]),
                        None => values.resize(values.len() + (to - from) * dim, f32::NAN),
                    }
                })?;
                Ok(values)
            })
            .collect();
        let mut values = Vec::with_capacity(len);
        found?
            .iter()
            .for_each(|part| values.extend_from_slice(part));
        Ok(values)
    }

    /// Returns the paths of some rows, as [`text_of_path`](crate::files::text_of_path) writes
    /// them. `rows` are sorted.
    ///
    /// # Errors
    /// [`SimilarError`].
    pub fn paths(&self, rows: &[u64]) -> Result<HashMap<u64, String>, SimilarError> {
        let of = |part: &Range<u64>| {
            let start = rows.partition_point(|&row| row < part.start);
            let end = rows.partition_point(|&row| row < part.end);
            &rows[start..end]
        };
        let parts = self.source.parts().par_iter().enumerate();
        let found: Result<Vec<Vec<(u64, String)>>, SimilarError> = parts
            .filter(|(_, part)| !of(part).is_empty())
            .map(|(number, part)| {
                let mut wanted = of(part).iter().peekable();
                let mut found = Vec::new();
                self.source.paths(number, &mut |row, path| {
                    if wanted.next_if(|&&wanted| wanted == row).is_some() {
                        found.push((row, path.to_owned()));
                    }
                    while wanted.next_if(|&&wanted| wanted <= row).is_some() {}
                })?;
                Ok(found)
            })
            .collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Calls `each` with the number and the path of every row, on all cores and in no order, and
    /// collects what it returns in the order of the rows.
    pub(super) fn search_paths<T: Send>(
        &self,
        each: impl Fn(u64, &str) -> Option<T> + Sync,
    ) -> Result<Vec<T>, SimilarError> {
        let parts = (0..self.source.parts().len()).into_par_iter();
        let found: Result<Vec<Vec<T>>, SimilarError> = parts
            .map(|part| {
                let mut found = Vec::new();
                self.source
                    .paths(part, &mut |row, path| found.extend(each(row, path)))?;
                Ok(found)
            })
            .collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// Returns the parts that have any of `rows`.
    fn parts_of(&self, rows: &Range<u64>) -> impl Iterator<Item = usize> {
        let parts = self.source.parts().iter().enumerate();
        let rows = rows.clone();
        parts
            .filter(move |(_, part)| part.start < rows.end && rows.start < part.end)
            .map(|(number, _)| number)
    }

    /// Calls `each` with the blocks of a part, in order.
    fn blocks(&self, part: usize, mut each: impl FnMut(Block<'_>)) -> Result<(), SimilarError> {
        let mut first = self.source.parts()[part].start;
        let flow = self.source.vectors(part, &mut |chunk| {
            if chunk.dim != 0 && chunk.dim != self.dim {
                return Err(SimilarError::Dimension {
                    path: self.path.clone(),
                    row: first,
                    found: chunk.dim,
                    expected: self.dim,
                });
            }
            each(Block {
                first,
                rows: chunk.rows,
                values: (chunk.dim != 0).then_some(chunk.values),
            });
            first += chunk.rows as u64;
            Ok(ControlFlow::Continue(()))
        });
        flow.map(|_| ())
    }
}
