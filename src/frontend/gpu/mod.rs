//! The front end on the GPU: the passes of `shaders/frontend`, their plan, buffers and pipelines.

pub mod autotune;
mod batch;
mod buffers;
mod front_end;
mod kernel_cache;
pub mod kernels;
mod passes;
mod pipelines;
pub mod plan;

pub use front_end::GpuFrontEnd;
