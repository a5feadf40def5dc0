//! The passes on the CPU: one file a shader, same name, same inputs, same outputs.
//!
//! These are what the `cpu` device runs, and what tests hold the shaders against. They are themselves held against an
//! O(N^2) f64 transform and against the real libraries' output.

pub mod rgba;
pub mod stft;

/// Marks a cell without a value in a spectrogram: a power of zero under [`Compression::Masked`].
///
/// [`Compression::Masked`]: super::config::Compression::Masked
pub const NO_VALUE: f32 = -3.0e38;
