//! Reading result tables back, row by row: [`TableReader`].
//!
//! A table of any size takes the memory of a row, or of a page per column in Parquet.

mod cells;
mod csv;
mod jsonl;
#[cfg_attr(not(feature = "parquet"), path = "no_parquet.rs")]
mod parquet;
mod reader;
mod row;
mod source;

pub use reader::{TableReadError, TableReader};
pub use row::{RowLabels, RowStatus, TableRow};
