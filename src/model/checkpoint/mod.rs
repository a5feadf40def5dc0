//! The checkpoint: its header, its file, and its export to other programs.

mod export;
mod file;
mod header;

pub use file::Checkpoint;
pub use header::{CheckpointError, Header};
