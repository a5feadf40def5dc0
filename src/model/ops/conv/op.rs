//! The convolution as an operation of Burn's, with its gradients: [`super::cpu`] on the `cpu` device, [`super::gpu`] on a GPU.

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

use super::cpu::Geometry;
use super::kernels::Kind;
use crate::model::ops::flex::{tensor, values};

pub(super) use burn::backend::Dispatch;

/// What a convolution is besides its tensors.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    pub stride: [usize; 2],
    pub padding: [usize; 2],
    /// Which kernels, on a GPU.
    pub kind: Kind,
}

/// `x` is `[n, in, height, width]`, `weight` `[out, in, kernel, kernel]`, `bias` `[out]`.
#[backend_extension(Flex, Cube, Fusion, Autodiff)]
pub trait ConvOps: Backend {
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_plain(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self>;

    /// Plus `bias`.
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self>;

    /// Plus `bias`, and no less than zero. Not differentiable.
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_bias_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self>;

    /// The gradient of `x`, whose shape is `of`. Not differentiable.
    #[fusion(dtype = gradient, shape = Shape::from(*of))]
    fn conv_backward_data(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        of: [usize; 4],
        settings: Settings,
    ) -> FloatTensor<Self>;

    /// The gradients of the weights, whose shape is `of`, and of the bias. Not differentiable.
    #[fusion(meta = |_: &TensorSpec, gradient: &TensorSpec, of: &[usize; 4], _: &Settings| (
        TensorSpec::new(Shape::from(*of), gradient.dtype),
        TensorSpec::new(Shape::new([of[0]]), gradient.dtype),
    ))]
    fn conv_backward_weight(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        of: [usize; 4],
        settings: Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn out_shape(x: &Shape, weight: &Shape, settings: &Settings) -> Shape {
    let geometry = geometry(x.dims(), weight.dims(), settings);
    let [height, width] = geometry.output();
    Shape::new([geometry.n, geometry.channels, height, width])
}

/// Of tensors of these shapes.
pub(super) fn geometry(x: [usize; 4], weight: [usize; 4], settings: &Settings) -> Geometry {
    assert_eq!(
        x[1], weight[1],
        "the kernel reads the channels that there are"
    );
    Geometry {
        n: x[0],
        input: [x[1], x[2], x[3]],
        channels: weight[0],
        kernel: [weight[2], weight[3]],
        stride: settings.stride,
        padding: settings.padding,
    }
}

fn on_cpu(
    [x, weight]: [FlexTensor; 2],
    settings: &Settings,
    last: impl Fn(usize, &mut [f32]) + Sync,
) -> FlexTensor {
    let [x, weight] = [x, weight].map(|t| t.to_contiguous());
    let geometry = geometry(x.shape().dims(), weight.shape().dims(), settings);
    let out = geometry.forward(values(&x), values(&weight), last);
    let [height, width] = geometry.output();
    tensor(out, [geometry.n, geometry.channels, height, width])
}

impl ConvOps for Flex {
    fn conv_plain(x: FlexTensor, weight: FlexTensor, settings: Settings) -> FlexTensor {
        on_cpu([x, weight], &settings, |_, _| {})
    }

    fn conv_bias(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        settings: Settings,
    ) -> FlexTensor {
        let bias = bias.to_contiguous();
        let bias = values(&bias);
        on_cpu([x, weight], &settings, |channel, row| {
            row.iter_mut().for_each(|v| *v += bias[channel]);
        })
    }

    fn conv_bias_relu(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        settings: Settings,
    ) -> FlexTensor {
        let bias = bias.to_contiguous();
        let bias = values(&bias);
        on_cpu([x, weight], &settings, |channel, row| {
            let bias = bias[channel];
            row.iter_mut().for_each(|v| *v = (*v + bias).max(0.0));
        })
    }

    fn conv_backward_data(
        weight: FlexTensor,
        gradient: FlexTensor,
        of: [usize; 4],
        settings: Settings,
    ) -> FlexTensor {
        let [weight, gradient] = [weight, gradient].map(|t| t.to_contiguous());
        let geometry = geometry(of, weight.shape().dims(), &settings);
        tensor(
            geometry.backward_data(values(&weight), values(&gradient)),
            of,
        )
    }

    fn conv_backward_weight(
        x: FlexTensor,
        gradient: FlexTensor,
        of: [usize; 4],
        settings: Settings,
    ) -> (FlexTensor, FlexTensor) {
        let [x, gradient] = [x, gradient].map(|t| t.to_contiguous());
        let geometry = geometry(x.shape().dims(), of, &settings);
        let weight = geometry.backward_weight(values(&x), values(&gradient));
        let bias = geometry.backward_bias(values(&gradient));
        (tensor(weight, of), tensor(bias, [of[0]]))
    }
}

/// What the backward pass needs beside x and the weights.
#[derive(Clone, Debug)]
struct Kept {
    x: (NodeId, [usize; 4]),
    weight: (NodeId, [usize; 4]),
    settings: Settings,
}

/// With N of x, weight, bias.
#[derive(Debug)]
struct Conv;

impl<B: ConvOps> Backward<B, 2> for Conv {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 2>, to: &mut Gradients, from: &mut Checkpointer) {
        let gradient = to.consume::<B>(&ops.node);
        let [x, weight] = ops.parents.map(|node| node.map(|n| n.id));
        backward::<B>(gradient, [x, weight, None], &ops.state, to, from);
    }
}

impl<B: ConvOps> Backward<B, 3> for Conv {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 3>, to: &mut Gradients, from: &mut Checkpointer) {
        let gradient = to.consume::<B>(&ops.node);
        let parents = ops.parents.map(|node| node.map(|n| n.id));
        backward::<B>(gradient, parents, &ops.state, to, from);
    }
}

fn backward<B: ConvOps>(
    gradient: FloatTensor<B>,
    [for_x, for_weight, for_bias]: [Option<NodeId>; 3],
    kept: &Kept,
    to: &mut Gradients,
    from: &mut Checkpointer,
) {
    let x: FloatTensor<B> = from.retrieve_node_output(kept.x.0);
    let weight: FloatTensor<B> = from.retrieve_node_output(kept.weight.0);
    if let Some(node) = for_x {
        let out = B::conv_backward_data(weight, gradient.clone(), kept.x.1, kept.settings);
        to.register::<B>(node, out);
    }
    if for_weight.is_some() || for_bias.is_some() {
        let (weight, bias) = B::conv_backward_weight(x, gradient, kept.weight.1, kept.settings);
        if let Some(node) = for_weight {
            to.register::<B>(node, weight);
        }
        if let Some(node) = for_bias {
            to.register::<B>(node, bias);
        }
    }
}

/// `out` as what the graph knows to come from x, weight and, of three, bias.
fn tracked<B: ConvOps, C: CheckpointStrategy, const N: usize>(
    x: &FloatTensor<Autodiff<B, C>>,
    weight: &FloatTensor<Autodiff<B, C>>,
    kind: OpsKind<Conv, B, Kept, C, N>,
    out: FloatTensor<B>,
    settings: Settings,
) -> FloatTensor<Autodiff<B, C>>
where
    Conv: Backward<B, N, State = Kept>,
{
    let shapes = [x, weight].map(|t| t.primitive().shape().dims());
    match kind {
        OpsKind::Tracked(mut prepared) => {
            let kept = Kept {
                x: (prepared.checkpoint(x), shapes[0]),
                weight: (prepared.checkpoint(weight), shapes[1]),
                settings,
            };
            prepared.finish(kept, out)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    }
}

impl<B: ConvOps, C: CheckpointStrategy> ConvOps for Autodiff<B, C> {
    fn conv_plain(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self> {
        let [for_x, for_weight] = [&x, &weight].map(|t| t.primitive().clone());
        let out = B::conv_plain(for_x, for_weight, settings);
        let prepared = Backward::<B, 2>::prepare::<C>(Conv, [x.node(), weight.node()]);
        let kind = prepared.compute_bound().stateful();
        tracked(&x, &weight, kind, out, settings)
    }

    fn conv_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self> {
        let [for_x, for_weight, for_bias] = [&x, &weight, &bias].map(|t| t.primitive().clone());
        let out = B::conv_bias(for_x, for_weight, for_bias, settings);
        let nodes = [x.node(), weight.node(), bias.node()];
        let prepared = Backward::<B, 3>::prepare::<C>(Conv, nodes);
        let kind = prepared.compute_bound().stateful();
        tracked(&x, &weight, kind, out, settings)
    }

    fn conv_bias_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: Settings,
    ) -> FloatTensor<Self> {
        let [x, weight, bias] = [x, weight, bias].map(|t| t.primitive().clone());
        FloatTensor::<Self>::new(B::conv_bias_relu(x, weight, bias, settings))
    }

    fn conv_backward_data(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        of: [usize; 4],
        settings: Settings,
    ) -> FloatTensor<Self> {
        let [weight, gradient] = [weight, gradient].map(|t| t.primitive().clone());
        FloatTensor::<Self>::new(B::conv_backward_data(weight, gradient, of, settings))
    }

    fn conv_backward_weight(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        of: [usize; 4],
        settings: Settings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [x, gradient] = [x, gradient].map(|t| t.primitive().clone());
        let (weight, bias) = B::conv_backward_weight(x, gradient, of, settings);
        (
            FloatTensor::<Self>::new(weight),
            FloatTensor::<Self>::new(bias),
        )
    }
}
