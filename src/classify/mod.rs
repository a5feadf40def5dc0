//! Classifying files: find them, decode ahead, pack clips of several files into batches, keep a journal, write a row a
//! file.

mod cells;
mod classifier;
mod decode;
mod discover;
pub mod journal;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
#[cfg(not(feature = "parquet"))]
#[path = "no_parquet.rs"]
mod parquet;
mod path_text;
mod pipeline;
mod row;
mod shard;

pub use cells::Content;
pub use classifier::{Asked, Classifier, ClassifyError};
pub use decode::Stamp;
pub use discover::{DiscoverError, Found, discover, listed};
pub use output::{Format, Schema, Table};
pub use pipeline::{Options, Summary, classify};
pub use row::{Answer, Outcome, Row, Stretch, ranked};
pub use shard::Shard;
