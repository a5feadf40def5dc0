//! Classifying files: find them, decode ahead, pack clips of several files into batches, keep a journal, write a row a
//! file.

mod decode;
mod discover;
pub mod journal;
mod output;
mod path_text;
mod pipeline;
mod row;
mod shard;

pub use decode::Stamp;
pub use discover::{DiscoverError, Input, discover, listed};
pub use output::{Content, Format, Schema, Table};
pub use pipeline::{Options, Summary, classify};
pub use row::{ClipPrediction, FileResult, Outcome, Prediction, ranked};
pub use shard::Shard;
