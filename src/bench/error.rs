//! Why a benchmark gave no figures.

use std::io;
use std::path::PathBuf;

use crate::frontend::FrontEndError;
use crate::gpu::GpuError;

/// Why a benchmark gave no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The front end cannot run the shape on this device, or it failed while it ran.
    #[error(transparent)]
    FrontEnd(#[from] FrontEndError),
    /// The device failed.
    #[error(transparent)]
    Gpu(#[from] GpuError),
    /// Burn failed.
    #[error("burn: {0}")]
    Burn(String),
    /// A process can have one global subscriber for tracing spans, and this process has one.
    #[error("no trace: this process already has a subscriber for tracing spans")]
    Tracing,
    /// An implementation does not match the CPU reference. Its time would mean nothing.
    #[error(
        "{implementation} does not match the CPU reference on {shape} and was not timed: {difference}"
    )]
    Wrong {
        /// The implementation: `sonoprint` for our own, else the name of a baseline.
        implementation: String,
        /// The id of the shape or layer.
        shape: String,
        /// What differs, and by how much.
        difference: String,
    },
    /// A record could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file holds something other than a record of `sonoprint bench`.
    #[error("{} is not a record of sonoprint bench: {source}", path.display())]
    NotARecord {
        /// The file.
        path: PathBuf,
        /// Where the JSON differs from a record.
        source: serde_json::Error,
    },
    /// A record or a trace could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}
