//! Classifying files: find them, decode ahead, pack clips of several files into batches, keep a journal, write a row a
//! file.

mod classifier;
mod decode;
mod discover;
pub mod journal;
mod output;
mod pipeline;
mod row;
mod shard;

pub use classifier::{Asked, Classifier, ClassifyError};
pub use decode::Stamp;
pub use discover::{DiscoverError, Found, discover, listed};
pub use output::{Embeddings, Format, Rows, Schema, Timeline};
pub use pipeline::{Options, Summary, classify};
pub use row::{Answer, Outcome, Row, Stretch, ranked};
pub use shard::Shard;
