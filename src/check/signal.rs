//! The inputs of the comparisons.

use burn::tensor::{Device, Tensor, TensorData};

/// Returns reproducible values in -1..1.
pub(super) fn white(len: usize, seed: u32) -> Vec<f32> {
    let hash = |i: usize| (i as u32 ^ seed.wrapping_mul(0x9e37_79b9)).wrapping_mul(2_654_435_761);
    let value = |i: usize| (hash(i) >> 8) as f32 / (1 << 23) as f32 - 1.0;
    (0..len).map(value).collect()
}

/// Returns reproducible values in -1..1 as a tensor.
pub(super) fn noise<const D: usize>(shape: [usize; D], seed: u32, device: &Device) -> Tensor<D> {
    let values = white(shape.iter().product(), seed);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// Samples of a stretch that is loud or quiet.
const STRETCH: usize = 5000;

/// Returns a clip: a rising tone with noise, which is 80 dB quieter in every other stretch.
pub(super) fn clip(samples: usize, seed: u32) -> Vec<f32> {
    let noise = white(samples, seed);
    let loud = |i: usize| [0.8, 8e-5][i / STRETCH % 2];
    let tone = |i: usize| {
        let turns = (0.01 + 0.002 * f64::from(seed) + 0.1 * i as f64 / samples as f64) * i as f64;
        (std::f64::consts::TAU * turns.fract()).sin() as f32
    };
    (0..samples)
        .map(|i| loud(i) * (tone(i) + 0.1 * noise[i]))
        .collect()
}
