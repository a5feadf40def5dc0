//! Burn's tensors on the `cpu` device as slices, for our operations there.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::tensor::{Shape, TensorData};
use burn_flex::FlexTensor;

/// Returns the values of a contiguous tensor.
///
/// # Panics
/// If the tensor is not contiguous or not of f32.
pub fn values(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice().expect("contiguous and of f32")
}

/// Makes a tensor of `values`.
pub fn tensor(values: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

/// Returns the inputs that a forward pass saved, as contiguous tensors.
pub fn saved<const N: usize>(inputs: [NodeId; N], from: &mut Checkpointer) -> [FlexTensor; N] {
    inputs.map(|input| {
        let tensor: FlexTensor = from.retrieve_node_output(input);
        tensor.to_contiguous()
    })
}

/// Asserts that two tensors differ by at most `within` times the second's largest value.
#[cfg(test)]
#[track_caller]
pub fn close<const D: usize>(
    ours: burn::tensor::Tensor<D>,
    burns: burn::tensor::Tensor<D>,
    within: f32,
) {
    let difference: f32 = (ours - burns.clone()).abs().max().into_scalar();
    let scale: f32 = burns.abs().max().into_scalar();
    assert!(
        difference <= within * scale.max(1e-3),
        "{difference} of {scale}"
    );
}
