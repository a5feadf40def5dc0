//! Classifying files: [`discover()`] finds them, [`classify`] decodes them ahead, packs clips of
//! several files into batches and gives one [`FileResult`] per file, [`ResultTables`] keeps a
//! [`journal`] and writes tables. [`ResultStream`] is the same pipeline as an iterator.
//!
//! Files import each other in one direction: `shard`, `glob`, `stamp` and `result` at the bottom, then
//! `discover`, `share`, `decode`, `options`, `pipeline` and `stream`; `journal`, `page`, `output` and `merge` on
//! the other side.

mod decode;
mod discover;
mod glob;
pub mod journal;
mod list;
pub(crate) mod m3u8;
mod merge;
mod options;
mod output;
mod page;
mod pipeline;
mod playlists;
mod result;
mod rows;
mod shard;
mod share;
mod stamp;
mod stream;

pub use discover::{DiscoverError, Input, Search, discover};
pub use glob::{Glob, GlobError};
pub use list::{List, listed};
pub use m3u8::M3u8;
pub use merge::{MergeError, check_output, check_parts, merge};
pub use options::{Options, Summary};
#[cfg(feature = "parquet")]
pub(crate) use output::parquet::MODEL_KEY as PARQUET_MODEL_KEY;
pub(crate) use output::{Cell, ColumnType, Header, RowWriter, npy};
pub use output::{
    Content, Format, OutputError, ResultTables, Schema, Table, TablePlan, names_of, write_tables,
};
pub use page::{MAX_FAILURES, MAX_TRACKS, PageError, PageInfo, write_page};
pub use pipeline::classify;
pub use playlists::{PlaylistCounts, Playlists};
pub use result::{ClipPrediction, FileResult, Outcome, Prediction, ranked};
pub use rows::{RowLabels, RowStatus, TableReadError, TableReader, TableRow};
pub use shard::{Shard, ShardError};
pub use stamp::Stamp;
pub use stream::{Order, ResultStream};

pub use crate::files::{path_of_text, text_of_path};
