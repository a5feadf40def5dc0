//! The checkpoint: its header, its file, and its export to other programs.

mod export;
mod file;
mod header;

#[doc(hidden)]
pub use export::{CHECKPOINT_OURS, EXAMPLE_OURS};
pub use file::Checkpoint;
pub use header::{CheckpointError, Header};
