//! The convolution of [`super::cpu`] as an operation of Burn's, with its gradients.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, backend_extension};
use burn_flex::FlexTensor;

use super::Geometry;
use crate::model::flex::{tensor, values};

pub(super) use burn::backend::Dispatch;

#[backend_extension(Flex, Autodiff)]
pub trait CpuConv: Backend {
    /// `x` is `[n, in, height, width]`, `weight` `[out, in, kernel, kernel]`.
    fn cpu_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self>;

    /// The same plus `bias`, `[out]`, and no less than zero if `rectify`. Not differentiable.
    fn cpu_conv2d_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
        rectify: bool,
    ) -> FloatTensor<Self>;
}

impl CpuConv for Flex {
    fn cpu_conv2d(
        x: FlexTensor,
        weight: FlexTensor,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FlexTensor {
        let geometry = geometry(&x, &weight, stride, padding);
        let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
        let out = geometry.forward(values(&x), values(&weight), |_, _| {});
        let [height, width] = geometry.output();
        tensor(out, [geometry.n, geometry.channels, height, width])
    }

    fn cpu_conv2d_affine(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        stride: [usize; 2],
        padding: [usize; 2],
        rectify: bool,
    ) -> FlexTensor {
        let geometry = geometry(&x, &weight, stride, padding);
        let [x, weight, bias] = [x, weight, bias].map(|t| t.to_contiguous());
        let (bias, least) = (values(&bias), if rectify { 0.0 } else { f32::NEG_INFINITY });
        let out = geometry.forward(values(&x), values(&weight), |channel, row| {
            let bias = bias[channel];
            row.iter_mut().for_each(|v| *v = (*v + bias).max(least));
        });
        let [height, width] = geometry.output();
        tensor(out, [geometry.n, geometry.channels, height, width])
    }
}

/// What the backward pass needs beside the two inputs.
type Settings = ([usize; 2], [usize; 2]);

#[derive(Debug)]
struct Conv;

impl Backward<Flex, 2> for Conv {
    type State = (NodeId, NodeId, Settings);

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [for_x, for_weight] = ops.parents;
        let gradient = gradients.consume::<Flex>(&ops.node).to_contiguous();
        let (x, weight, (stride, padding)) = ops.state;
        let x: FlexTensor = checkpointer.retrieve_node_output(x);
        let weight: FlexTensor = checkpointer.retrieve_node_output(weight);
        let geometry = geometry(&x, &weight, stride, padding);
        if let Some(node) = for_x {
            let weight = weight.to_contiguous();
            let out = geometry.backward_data(values(&weight), values(&gradient));
            let [channels, height, width] = geometry.input;
            let out = tensor(out, [geometry.n, channels, height, width]);
            gradients.register::<Flex>(node.id, out);
        }
        if let Some(node) = for_weight {
            let x = x.to_contiguous();
            let out = geometry.backward_weight(values(&x), values(&gradient));
            let [height, width] = geometry.kernel;
            let shape = [geometry.channels, geometry.input[0], height, width];
            gradients.register::<Flex>(node.id, tensor(out, shape));
        }
    }
}

impl<C: CheckpointStrategy> CpuConv for Autodiff<Flex, C> {
    fn cpu_conv2d_affine(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
        rectify: bool,
    ) -> FloatTensor<Self> {
        let [x, weight, bias] = [x, weight, bias].map(|t| t.primitive().clone());
        let out = Flex::cpu_conv2d_affine(x, weight, bias, stride, padding, rectify);
        FloatTensor::<Self>::new(out)
    }

    fn cpu_conv2d(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> FloatTensor<Self> {
        let prepared = Conv
            .prepare::<C>([x.node(), weight.node()])
            .compute_bound()
            .stateful();
        match prepared {
            OpsKind::Tracked(mut prepared) => {
                let state = (
                    prepared.checkpoint(&x),
                    prepared.checkpoint(&weight),
                    (stride, padding),
                );
                let out = Flex::cpu_conv2d(
                    x.primitive().clone(),
                    weight.primitive().clone(),
                    stride,
                    padding,
                );
                prepared.finish(state, out)
            }
            OpsKind::UnTracked(prepared) => {
                let out = Flex::cpu_conv2d(
                    x.primitive().clone(),
                    weight.primitive().clone(),
                    stride,
                    padding,
                );
                prepared.finish(out)
            }
        }
    }
}

fn geometry(
    x: &FlexTensor,
    weight: &FlexTensor,
    stride: [usize; 2],
    padding: [usize; 2],
) -> Geometry {
    let [x, weight] = [x, weight].map(|t| t.layout().shape().dims::<4>());
    assert_eq!(
        x[1], weight[1],
        "the kernel reads the channels that there are"
    );
    Geometry {
        n: x[0],
        input: [x[1], x[2], x[3]],
        channels: weight[0],
        kernel: [weight[2], weight[3]],
        stride,
        padding,
    }
}
