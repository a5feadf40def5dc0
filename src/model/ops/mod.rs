//! Operations of our own for the networks, on the CPU and in WGSL, with their gradients.

pub(crate) mod conv;
#[allow(dead_code, reason = "musicnn will call it")]
pub(crate) mod conv_max;
mod flex;
pub(crate) mod norm;
pub(crate) mod pool;
mod sum_parts;
