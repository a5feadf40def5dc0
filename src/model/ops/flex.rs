//! What the operations of our own on the `cpu` device have in common: Burn's tensors there as slices.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
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

/// What a forward pass kept of its inputs, contiguous.
pub fn kept<const N: usize>(inputs: [NodeId; N], from: &mut Checkpointer) -> [FlexTensor; N] {
    inputs.map(|input| {
        let tensor: FlexTensor = from.retrieve_node_output(input);
        tensor.to_contiguous()
    })
}

/// Holds two tensors together, within a share of the second's largest value.
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
