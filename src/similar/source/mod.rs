//! Formats that tables of embeddings are read from.

mod jsonl;
mod lines;
mod npy;
#[cfg(feature = "parquet")]
mod parquet;

use std::ops::Range;
use std::path::Path;

use super::error::SimilarError;
use super::gather::{Each, Flow};
use crate::classify::Format;

/// A table in some format. Its parts are read on several threads at once.
pub(super) trait Source: Send + Sync {
    /// Returns the rows of each part. The first part begins with row 0, and none is missing.
    fn parts(&self) -> &[Range<u64>];

    /// Returns the fingerprint of the checkpoint, if the table has it.
    fn model(&self) -> Option<&str> {
        None
    }

    /// Calls `each` with the embeddings of a part, in order.
    fn vectors(&self, part: usize, each: Each<'_>) -> Flow;

    /// Calls `each` with the number and the path of every row of a part, in order. A path is text
    /// as [`text_of_path`](crate::files::text_of_path) writes it.
    fn paths(&self, part: usize, each: &mut dyn FnMut(u64, &str)) -> Result<(), SimilarError>;
}

/// Opens a table in the format that the ending of its name stands for.
pub(super) fn open(path: &Path) -> Result<Box<dyn Source>, SimilarError> {
    match Format::of(path) {
        Some(Format::Jsonl) => Ok(Box::new(jsonl::JsonLines::open(path)?)),
        Some(Format::Npy) => Ok(Box::new(npy::Npy::open(path)?)),
        #[cfg(feature = "parquet")]
        Some(Format::Parquet) => Ok(Box::new(parquet::Parquet::open(path)?)),
        #[cfg(not(feature = "parquet"))]
        Some(Format::Parquet) => Err(SimilarError::NotBuilt(path.to_owned())),
        _ => Err(SimilarError::Ending(path.to_owned())),
    }
}
