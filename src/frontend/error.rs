//! Why the front end fails.

use super::config::ConfigError;
use super::gpu::plan::PlanError;
use crate::gpu::GpuError;

/// Why no features or image could be made.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FrontEndError {
    /// The configuration is wrong in itself.
    #[error("front end: {0}")]
    Config(#[from] ConfigError),
    /// The configuration exceeds what this device can do.
    #[error("front end: {0}")]
    Plan(#[from] PlanError),
    /// f16 was asked for, and the named device does not compute in it.
    #[error("{0} does not compute in f16")]
    NoHalf(String),
    /// A clip does not have the configuration's length.
    #[error("a clip has {samples} samples, and the front end takes {expected}")]
    ClipLength {
        /// Samples of the clip.
        samples: usize,
        /// Samples per clip of the configuration.
        expected: usize,
    },
    /// There are augments, but not one per clip.
    #[error("{augments} augments for {clips} clips: there must be one per clip, or none")]
    Augments {
        /// Augments given.
        augments: usize,
        /// Clips given.
        clips: usize,
    },
    /// The device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
}
