//! Other ways to the same decibels, on the same device and the same clips.

mod burns;
mod host;
mod shaders;

use std::time::Duration;

use super::catalog::Shape;
use super::measure::BenchError;
use crate::frontend::config::{Compression, Framing, Range, Rows};
use crate::gpu::Compute;

/// One of them, ready to run.
pub(super) trait Baseline {
    /// For tables.
    fn name(&self) -> &'static str;
    /// Decibels of all clips: how long it took.
    fn decibels(&mut self) -> Result<Duration, BenchError>;
    /// `[frame][row]` of the first clip, as the last run left them.
    fn first(&mut self) -> Result<Vec<f32>, BenchError>;
    /// Pictures of all clips, if it makes them: how long it took.
    fn features(&mut self) -> Option<Result<Duration, BenchError>> {
        None
    }
    /// `[channel][y][x]` of the first clip, made now, if it makes pictures.
    fn first_picture(&mut self) -> Option<Result<Vec<f32>, BenchError>> {
        None
    }
}

/// Whether the rivals speak of this shape: they know linear rows from the clip's first sample on.
pub(super) fn comparable(shape: &Shape) -> bool {
    let s = &shape.front_end;
    s.rows == Rows::Linear
        && s.framing == Framing::Start
        && s.compression == Compression::Masked
        && s.image().range == Range::MinMax
}

/// All that can run this shape here.
pub(super) fn all(
    compute: &Compute,
    shape: &Shape,
    clips: &[Vec<f32>],
) -> Result<Vec<Box<dyn Baseline>>, BenchError> {
    let mut all: Vec<Box<dyn Baseline>> =
        vec![Box::new(burns::BurnSignalStft::new(compute, shape, clips))];
    if let Compute::Gpu(gpu) = compute {
        all.push(Box::new(host::Host::new(shape, clips)?));
        all.extend(
            shaders::NaiveStft::new(gpu, shape, clips).map(|r| Box::new(r) as Box<dyn Baseline>),
        );
        all.extend(
            shaders::MultiPassStft::new(gpu, shape, clips)
                .map(|r| Box::new(r) as Box<dyn Baseline>),
        );
    }
    Ok(all)
}
