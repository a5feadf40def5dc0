//! Networks that read pictures, and the file that holds one with everything needed to use it.

mod checkpoint;
mod compact;
mod conv;
mod deeppixel;
mod export;
mod flex;
mod network;
mod norm;
mod pool;

pub use checkpoint::{Checkpoint, CheckpointError, Header};
pub use compact::Compact;
pub use deeppixel::DeepPixel;
pub use network::{ModelError, Network, NetworkKind, NetworkSpec};
