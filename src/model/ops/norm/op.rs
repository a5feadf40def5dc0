//! The normalization of [`super::cpu`] as a Burn operation with its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn::tensor::Shape;
use burn_flex::FlexTensor;

use super::cpu;
use crate::model::ops::flex::{saved, tensor, values};

pub(super) use burn::backend::Dispatch;

#[backend_extension(Flex, Autodiff)]
pub trait CpuNorm: Backend {
    /// Computes the mean and variance of each channel of `x`, `[n, channels, height, width]`:
    /// `[2, channels]`. Not differentiable.
    fn cpu_moments(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// Normalizes `x` by `moments`, which get no gradient. `learned` says whether they are those of
    /// `x`: its gradient depends on that.
    fn cpu_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        epsilon: f64,
        rectify: bool,
        learned: bool,
    ) -> FloatTensor<Self>;
}

impl CpuNorm for Flex {
    fn cpu_moments(x: FlexTensor) -> FlexTensor {
        let [_, channels, height, width] = x.layout().shape().dims::<4>();
        let moments = cpu::moments(values(&x.to_contiguous()), channels, height * width);
        tensor(moments, Shape::new([2, channels]))
    }

    fn cpu_norm(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        moments: FlexTensor,
        epsilon: f64,
        rectify: bool,
        _learned: bool,
    ) -> FlexTensor {
        let shape = x.layout().shape().clone();
        let [_, _, height, width] = shape.dims::<4>();
        let [x, gamma, beta, moments] = [x, gamma, beta, moments].map(|t| t.to_contiguous());
        let affine = (values(&gamma), values(&beta));
        let plane = height * width;
        let out = cpu::forward(
            values(&x),
            affine,
            values(&moments),
            plane,
            epsilon,
            rectify,
        );
        tensor(out, shape)
    }
}

/// What the forward pass saves for the backward pass.
#[derive(Clone, Debug)]
struct SavedForBackward {
    /// x, gamma and beta.
    inputs: [NodeId; 3],
    moments: FlexTensor,
    epsilon: f64,
    rectify: bool,
    learned: bool,
}

/// The graph node of a normalization. Its parents are x, gamma and beta.
#[derive(Debug)]
struct Norm;

impl Backward<Flex, 3> for Norm {
    type State = SavedForBackward;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let parents = ops.parents;
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let SavedForBackward {
            inputs,
            moments,
            epsilon,
            rectify,
            learned,
        } = ops.state;
        let [x, gamma, beta] = saved(inputs, checkpointer);
        let shape = x.layout().shape().clone();
        let [_, channels, height, width] = shape.dims::<4>();
        let [for_x, for_gamma, for_beta] = cpu::backward(
            values(&x),
            (values(&gamma), values(&beta)),
            values(&moments.to_contiguous()),
            values(&gradient),
            height * width,
            epsilon,
            rectify,
            learned,
        );
        let per_channel = Shape::new([channels]);
        let all = [
            (for_x, shape),
            (for_gamma, per_channel.clone()),
            (for_beta, per_channel),
        ];
        for (parent, (out, shape)) in parents.into_iter().zip(all) {
            if let Some(node) = parent {
                gradients.register::<Flex>(node.id, tensor(out, shape));
            }
        }
    }
}

impl<C: CheckpointStrategy> CpuNorm for Autodiff<Flex, C> {
    fn cpu_moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
        FloatTensor::<Self>::new(Flex::cpu_moments(x.primitive().clone()))
    }

    fn cpu_norm(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        epsilon: f64,
        rectify: bool,
        learned: bool,
    ) -> FloatTensor<Self> {
        let moments = moments.primitive().clone();
        let out = Flex::cpu_norm(
            x.primitive().clone(),
            gamma.primitive().clone(),
            beta.primitive().clone(),
            moments.clone(),
            epsilon,
            rectify,
            learned,
        );
        let prepared = Norm
            .prepare::<C>([x.node(), gamma.node(), beta.node()])
            .compute_bound()
            .stateful();
        match prepared {
            OpsKind::Tracked(mut prepared) => {
                let inputs = [
                    prepared.checkpoint(&x),
                    prepared.checkpoint(&gamma),
                    prepared.checkpoint(&beta),
                ];
                let saved = SavedForBackward {
                    inputs,
                    moments,
                    epsilon,
                    rectify,
                    learned,
                };
                prepared.finish(saved, out)
            }
            OpsKind::UnTracked(prepared) => prepared.finish(out),
        }
    }
}
