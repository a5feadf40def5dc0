//! How long passes take on the GPU.

mod clock;
mod passes;

pub use clock::{Clock, Times};
pub use passes::PassTime;
pub(super) use passes::Passes;
