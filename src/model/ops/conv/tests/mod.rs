//! Our convolution against the CPU reference, Burn's `flex` backend and finite differences.

mod kernels;
mod layers;

use std::sync::OnceLock;

use burn::tensor::{Device, Tensor, TensorData};

use crate::gpu::{Compute, DeviceChoice};

/// Opens the software adapter, once per process.
pub fn software() -> Device {
    static ONE: OnceLock<Compute> = OnceLock::new();
    let open = || {
        Compute::open(&DeviceChoice::Software)
            .expect("tests need a software adapter: apt-get install mesa-vulkan-drivers")
            .compute
    };
    ONE.get_or_init(open).burn()
}

/// Returns `len` reproducible values in -1..1.
pub fn noise(len: usize, seed: u32) -> Vec<f32> {
    let hash = |i: usize| (i as u32 ^ seed.wrapping_mul(0x9e37)).wrapping_mul(2_654_435_761) >> 8;
    (0..len)
        .map(|i| hash(i) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// Makes a tensor of `values`.
pub fn on<const D: usize>(device: &Device, values: &[f32], shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}

/// Asserts that two tensors differ by at most 1e-5 of the largest value.
#[track_caller]
pub fn close<const D: usize>(what: &str, got: Tensor<D>, want: &[f32]) {
    let got: Vec<f32> = got.into_data().try_to_vec().unwrap();
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = want.iter().fold(1e-3f32, |m, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= 1e-5 * scale,
            "{what} {i}: {g} for {w}, of {scale}"
        );
    }
}
