//! Networks that read pictures, and the file that holds one with everything needed to use it.

mod checkpoint;
mod compact;
pub(crate) mod conv;
mod deeppixel;
mod export;
mod flex;
mod header;
mod network;
mod norm;
mod pool;
mod spec;

pub use checkpoint::Checkpoint;
pub use compact::Compact;
pub use deeppixel::DeepPixel;
pub use header::{CheckpointError, Header};
pub use network::Network;
pub use spec::{ModelError, NetworkKind, NetworkSpec};
