//! Bias, parametric ReLU and pooling as one Burn operation with its gradients: [`super::cpu`] on
//! the `cpu` device, [`super::gpu`] on a GPU.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::Shape;
use burn_flex::FlexTensor;

use super::cpu::{self, Channel, PlaneSize};
use crate::model::ops::flex::{tensor, values};

pub(super) use burn::backend::Dispatch;

#[backend_extension(Flex, Cube, Fusion, Autodiff)]
pub trait PoolOps: Backend {
    /// Adds `bias`, `[channels]`, to `x`, `[n, channels, height, width]`, multiplies negative sums
    /// by `slope`, `[channels]`, and takes the largest value of every 2x2 window.
    #[fusion(dtype = x, shape = halved(x))]
    fn prelu_pool(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    /// Computes the gradients of x, bias and slope. Not differentiable.
    #[fusion(meta = |x: &TensorSpec, bias: &TensorSpec, slope: &TensorSpec, _: &TensorSpec| (
        x.clone(), bias.clone(), slope.clone(),
    ))]
    fn prelu_pool_backward(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

fn halved(x: &Shape) -> Shape {
    let [n, channels, height, width] = x.dims::<4>();
    Shape::new([n, channels, height / 2, width / 2])
}

fn plane_size(x: &FlexTensor) -> PlaneSize {
    let [_, _, height, width] = x.shape().dims::<4>();
    PlaneSize {
        input: [height, width],
    }
}

impl PoolOps for Flex {
    fn prelu_pool(x: FlexTensor, bias: FlexTensor, slope: FlexTensor) -> FlexTensor {
        let [x, bias, slope] = [x, bias, slope].map(|t| t.to_contiguous());
        let channels = Channel::all(values(&bias), values(&slope));
        let out = cpu::forward(values(&x), &channels, plane_size(&x));
        tensor(out, halved(&x.shape()))
    }

    fn prelu_pool_backward(
        x: FlexTensor,
        bias: FlexTensor,
        slope: FlexTensor,
        gradient: FlexTensor,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let [x, bias, slope, gradient] = [x, bias, slope, gradient].map(|t| t.to_contiguous());
        let channels = Channel::all(values(&bias), values(&slope));
        let [for_x, for_bias, for_slope] =
            cpu::backward(values(&x), &channels, values(&gradient), plane_size(&x));
        (
            tensor(for_x, x.shape()),
            tensor(for_bias, bias.shape()),
            tensor(for_slope, slope.shape()),
        )
    }
}

/// The graph node of the operation. Its parents are x, bias and slope.
#[derive(Debug)]
struct Pool;

impl<B: PoolOps> Backward<B, 3> for Pool {
    /// The saved x, bias and slope.
    type State = [NodeId; 3];

    fn backward(
        self,
        ops: Ops<[NodeId; 3], 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let gradient = gradients.consume::<B>(&ops.node);
        let [x, bias, slope] = ops
            .state
            .map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let (x, bias, slope) = B::prelu_pool_backward(x, bias, slope, gradient);
        for (parent, out) in ops.parents.into_iter().zip([x, bias, slope]) {
            if let Some(node) = parent {
                gradients.register::<B>(node.id, out);
            }
        }
    }
}

impl<B: PoolOps, C: CheckpointStrategy> PoolOps for Autodiff<B, C> {
    fn prelu_pool(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let out = B::prelu_pool(
            x.primitive().clone(),
            bias.primitive().clone(),
            slope.primitive().clone(),
        );
        let prepared = Backward::<B, 3>::prepare::<C>(Pool, [x.node(), bias.node(), slope.node()]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let inputs = [
                    prepared.checkpoint(&x),
                    prepared.checkpoint(&bias),
                    prepared.checkpoint(&slope),
                ];
                prepared.finish(inputs, out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }

    fn prelu_pool_backward(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let [x, bias, slope, gradient] = [x, bias, slope, gradient].map(|t| t.primitive().clone());
        let (x, bias, slope) = B::prelu_pool_backward(x, bias, slope, gradient);
        (
            FloatTensor::<Self>::new(x),
            FloatTensor::<Self>::new(bias),
            FloatTensor::<Self>::new(slope),
        )
    }
}
