//! Operations of our own for the networks, on the CPU and in WGSL, with their gradients.

pub(crate) mod conv;
pub(crate) mod conv_max;
mod flex;
pub(crate) mod norm;
pub(crate) mod pool;
pub(crate) mod product;
mod sum_parts;
