//! Nearest neighbors among embeddings: which tracks sound like which.
//!
//! [`EmbeddingTable`] is a table that `classify` wrote, read in blocks on all cores and never as a
//! whole. [`nearest`] compares each of its rows with some queries by the cosine of the angle
//! between them, without an index and without an error. [`write_matrix`] writes every row against
//! every other.
//!
//! Files import each other in one direction: `error`, `gather` and the formats in `source`, then
//! `table`, `search` and what is made of both.

mod error;
mod gather;
mod lookup;
mod matrix;
mod named;
mod neighbors;
mod search;
mod source;
mod table;

pub use error::SimilarError;
pub use lookup::find;
pub use matrix::write_matrix;
pub use named::{LeftOut, Named, for_each_row, named};
pub use neighbors::{NeighborTable, ours_matrix};
pub use search::{Nearest, Neighbor, Query, Rule, nearest};
pub use table::{Block, EmbeddingTable};
