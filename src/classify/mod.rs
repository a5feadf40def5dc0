//! Classifying files: [`discover()`] finds them, [`classify`] decodes them ahead, packs clips of
//! several files into batches and gives one [`FileResult`] per file, [`ResultTables`] keeps a
//! [`journal`] and writes tables. [`ResultStream`] is the same pipeline as an iterator.
//!
//! Files import each other in one direction: `shard`, `stamp` and `result` at the bottom, then
//! `discover`, `decode`, `pipeline` and `stream`; `journal`, `output` and `merge` on the other side.

mod decode;
mod discover;
pub mod journal;
mod list;
mod merge;
mod output;
mod pipeline;
mod result;
mod shard;
mod stamp;
mod stream;

pub use discover::{DiscoverError, Input, Search, discover};
pub use list::{List, listed};
pub use merge::{MergeError, check_output, check_parts, merge};
pub use output::{
    Content, Format, OutputError, ResultTables, Schema, Table, TablePlan, write_tables,
};
pub use pipeline::{Options, Summary, classify};
pub use result::{ClipPrediction, FileResult, Outcome, Prediction, ranked};
pub use shard::{Shard, ShardError};
pub use stamp::Stamp;
pub use stream::{Order, ResultStream};

pub use crate::files::{path_of_text, text_of_path};
