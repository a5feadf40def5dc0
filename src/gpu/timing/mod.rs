//! How long passes take on the GPU.

mod clock;
mod passes;
pub(super) mod recording;
mod timestamps;

pub use clock::{Clock, Times};
pub use recording::PassTime;
