//! The pass of [`super::cpu`] as an operation of Burn's, with its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn::tensor::Shape;
use burn_flex::FlexTensor;

use super::cpu::{self, Channel, Sides};
use crate::model::flex::{kept, tensor, values};

pub(super) use burn::backend::Dispatch;

#[backend_extension(Flex, Autodiff)]
pub trait CpuPool: Backend {
    /// `x`, `[n, channels, height, width]`, plus `bias`, `[channels]`, negative values times `slope`, `[channels]`, and the
    /// largest of every 2x2.
    fn cpu_prelu_pool(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

impl CpuPool for Flex {
    fn cpu_prelu_pool(x: FlexTensor, bias: FlexTensor, slope: FlexTensor) -> FlexTensor {
        let [n, channels, height, width] = x.layout().shape().dims::<4>();
        let [x, bias, slope] = [x, bias, slope].map(|t| t.to_contiguous());
        let sides = Sides {
            input: [height, width],
        };
        let affine = Channel::all(values(&bias), Some(values(&slope)));
        let out = cpu::forward(values(&x), &affine, sides);
        let [height, width] = sides.output();
        tensor(out, Shape::new([n, channels, height, width]))
    }
}

#[derive(Debug)]
struct Pool;

impl Backward<Flex, 3> for Pool {
    /// x, bias, slope.
    type State = [NodeId; 3];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let parents = ops.parents;
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let [x, bias, slope] = kept(ops.state, checkpointer);
        let shape = x.layout().shape().clone();
        let [_, channels, height, width] = shape.dims::<4>();
        let affine = Channel::all(values(&bias), Some(values(&slope)));
        let sides = Sides {
            input: [height, width],
        };
        let [for_x, for_bias, for_slope] =
            cpu::backward(values(&x), &affine, values(&gradient), sides);
        let per_channel = Shape::new([channels]);
        let all = [
            (for_x, shape),
            (for_bias, per_channel.clone()),
            (for_slope, per_channel),
        ];
        for (parent, (out, shape)) in parents.into_iter().zip(all) {
            if let Some(node) = parent {
                gradients.register::<Flex>(node.id, tensor(out, shape));
            }
        }
    }
}

impl<C: CheckpointStrategy> CpuPool for Autodiff<Flex, C> {
    fn cpu_prelu_pool(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        slope: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let out = Flex::cpu_prelu_pool(
            x.primitive().clone(),
            bias.primitive().clone(),
            slope.primitive().clone(),
        );
        let prepared = Pool
            .prepare::<C>([x.node(), bias.node(), slope.node()])
            .compute_bound()
            .stateful();
        match prepared {
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
}
