//! The checkpoint: its header, the file, and exports to other programs.

mod export;
mod file;
mod header;

pub use file::Checkpoint;
pub use header::{CheckpointError, Header};
