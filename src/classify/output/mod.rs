//! Result tables: which columns they have ([`Content`]), in which formats they are written
//! ([`Format`]), and how the tables of a run are kept on disk beside its journal
//! ([`ResultTables`]).
//!
//! A new format is one file with a [`RowWriter`](row_writer::RowWriter), and one row in
//! `format.rs`.

mod audacity;
mod csv;
mod error;
mod format;
mod jsonl;
mod names;
pub(crate) mod npy;
mod npy_header;
#[cfg_attr(not(feature = "parquet"), path = "no_parquet.rs")]
pub(crate) mod parquet;
mod row_writer;
mod schema;
mod table;
mod tables;

pub use error::OutputError;
pub use format::Format;
pub use names::names_of;
pub(crate) use row_writer::{Header, RowWriter};
pub(crate) use schema::{Cell, ColumnType};
pub use schema::{Content, Schema};
pub use table::Table;
pub use tables::{ResultTables, TablePlan, write_tables};
