//! Networks that read pictures, and the file that holds one with everything needed to use it.

mod checkpoint;
mod network;
mod networks;
pub(crate) mod ops;
mod spec;

pub use checkpoint::{Checkpoint, CheckpointError, Header};
pub use network::Network;
pub use networks::{Compact, DeepPixel};
pub use spec::{ModelError, NetworkKind, NetworkSpec};
