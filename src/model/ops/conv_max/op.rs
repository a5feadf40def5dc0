//! The operation on the `cpu` device with its gradients, on Burn's tensors.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn_flex::FlexTensor;

use super::shape::ConvMaxShape;
use crate::model::ops::flex::{saved, tensor, values};

pub(super) use burn::backend::Dispatch;

#[backend_extension(Flex, Autodiff)]
pub trait CpuConvMax: Backend {
    /// Computes [`conv_max`](super::conv_max).
    fn cpu_conv_max(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: (usize, usize),
    ) -> FloatTensor<Self>;
}

fn shape(x: &FlexTensor, weight: &FlexTensor, padding: (usize, usize)) -> ConvMaxShape {
    let [x, weight] = [x, weight].map(|t| t.layout().shape().dims());
    ConvMaxShape::new(x, weight, padding)
}

impl CpuConvMax for Flex {
    fn cpu_conv_max(x: FlexTensor, weight: FlexTensor, padding: (usize, usize)) -> FlexTensor {
        let [x, weight] = [x, weight].map(|t| t.to_contiguous());
        let shape = shape(&x, &weight, padding);
        let out = shape.forward(values(&x), values(&weight));
        tensor(out, shape.output())
    }
}

/// What the forward pass saves for the backward pass.
#[derive(Clone, Debug)]
struct SavedForBackward {
    /// x and weight.
    inputs: [NodeId; 2],
    shape: ConvMaxShape,
    /// The places of the maxima.
    places: Arc<[u32]>,
}

/// The graph node of the operation. Its parents are x and weight.
#[derive(Debug)]
struct ConvMax;

impl Backward<Flex, 2> for ConvMax {
    type State = SavedForBackward;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [for_x, for_weight] = ops.parents;
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let SavedForBackward {
            inputs,
            shape: s,
            places,
        } = ops.state;
        let [x, weight] = saved(inputs, checkpointer);
        let gradient = values(&gradient);
        if let Some(node) = for_x {
            let out = s.backward_data(values(&weight), &places, gradient);
            let out = tensor(out, x.layout().shape().clone());
            gradients.register::<Flex>(node.id, out);
        }
        if let Some(node) = for_weight {
            let out = s.backward_weight(values(&x), &places, gradient);
            let out = tensor(out, weight.layout().shape().clone());
            gradients.register::<Flex>(node.id, out);
        }
    }
}

impl<C: CheckpointStrategy> CpuConvMax for Autodiff<Flex, C> {
    fn cpu_conv_max(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        padding: (usize, usize),
    ) -> FloatTensor<Self> {
        let inputs = [&x, &weight].map(|t| t.primitive().clone());
        let prepared = ConvMax.prepare::<C>([x.node(), weight.node()]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let [for_x, for_weight] = inputs.map(|t| t.to_contiguous());
                let shape = shape(&for_x, &for_weight, padding);
                let (out, places) = shape.forward_with_places(values(&for_x), values(&for_weight));
                let saved = SavedForBackward {
                    inputs: [prepared.checkpoint(&x), prepared.checkpoint(&weight)],
                    shape,
                    places: places.into(),
                };
                prepared.finish(saved, tensor(out, shape.output()))
            }
            OpsKind::UnTracked(prepared) => {
                let [x, weight] = inputs;
                prepared.finish(Flex::cpu_conv_max(x, weight, padding))
            }
        }
    }
}
