//! What the operations of our own on the `cpu` device have in common: Burn's tensors there as slices.

use burn::tensor::{Shape, TensorData};
use burn_flex::FlexTensor;

/// The values of a contiguous tensor.
///
/// # Panics
/// If it is not contiguous.
pub fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("contiguous")
}

/// A tensor of `values`.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
