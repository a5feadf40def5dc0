//! Other implementations of the front end, for the same clips on the same device.

mod baseline;
mod buffers;
mod burn_signal;
mod multi_pass;
mod naive;
mod realfft;

use super::catalog::Shape;
use super::error::BenchError;
use crate::frontend::config::{Compression, Framing, Output, Range, Rows};
use crate::gpu::Compute;

pub(super) use baseline::Baseline;

/// Whether the baselines compute what `shape` asks for: decibels of linear bins, from the first
/// sample of the clip on, as an image over the clip's own range.
pub(super) fn comparable(shape: &Shape) -> bool {
    let s = &shape.front_end;
    s.rows == Rows::Linear
        && s.framing == Framing::Start
        && s.compression == Compression::Masked
        && matches!(s.output, Output::Image(image) if image.range == Range::MinMax)
}

/// Prepares all baselines that can run `shape` on this device.
pub(super) fn all(
    compute: &Compute,
    shape: &Shape,
    clips: &[Vec<f32>],
) -> Result<Vec<Box<dyn Baseline>>, BenchError> {
    let burn_signal = burn_signal::BurnSignalStft::new(compute, shape, clips);
    let mut all: Vec<Box<dyn Baseline>> = vec![Box::new(burn_signal)];
    if let Compute::Gpu(gpu) = compute {
        all.push(Box::new(realfft::RealFftStft::new(shape, clips)?));
        if let Some(naive) = naive::NaiveStft::new(gpu, shape, clips) {
            all.push(Box::new(naive));
        }
        if let Some(multi_pass) = multi_pass::MultiPassStft::new(gpu, shape, clips) {
            all.push(Box::new(multi_pass));
        }
    }
    Ok(all)
}
