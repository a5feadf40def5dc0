//! The convolution as a Burn operation with its gradients: [`super::cpu`] on the `cpu` device,
//! [`super::gpu`] on a GPU.

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

use super::geometry::Geometry;
use super::source::ConvKernel;
use crate::model::ops::flex::{tensor, values};

pub(super) use burn::backend::Dispatch;

/// What defines a convolution besides its tensors.
#[derive(Clone, Copy, Debug)]
pub struct ConvSettings {
    /// As [`Geometry::stride`].
    pub stride: [usize; 2],
    /// As [`Geometry::padding`].
    pub padding: [(usize, usize); 2],
    /// The kernel on a GPU. The `cpu` device ignores it.
    pub kernel: ConvKernel,
}

/// The shapes are `[n, in, height, width]` of `x`, `[out, in, height, width]` of `weight` and
/// `[out]` of `bias`.
#[backend_extension(Flex, Cube, Fusion, Autodiff)]
pub trait ConvOps: Backend {
    /// Convolves.
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_plain(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self>;

    /// Convolves and adds `bias`.
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self>;

    /// Convolves, adds `bias` and applies a ReLU. Not differentiable.
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_bias_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self>;

    /// Computes the gradient of `x`, which has the given shape. Not differentiable.
    #[fusion(dtype = gradient, shape = Shape::from(*shape))]
    fn conv_backward_data(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> FloatTensor<Self>;

    /// Computes the gradients of the weights, which have the given shape, and of the bias. Not
    /// differentiable.
    #[fusion(meta = |_: &TensorSpec, gradient: &TensorSpec, shape: &[usize; 4], _: &ConvSettings| (
        TensorSpec::new(Shape::from(*shape), gradient.dtype),
        TensorSpec::new(Shape::new([shape[0]]), gradient.dtype),
    ))]
    fn conv_backward_weight(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

fn out_shape(x: &Shape, weight: &Shape, settings: &ConvSettings) -> Shape {
    let geometry = geometry(x.dims(), weight.dims(), settings);
    let [height, width] = geometry.output();
    Shape::new([geometry.n, geometry.channels, height, width])
}

/// Returns the geometry of tensors of these shapes.
///
/// # Panics
/// If `x` and `weight` disagree about the channels.
pub(super) fn geometry(x: [usize; 4], weight: [usize; 4], settings: &ConvSettings) -> Geometry {
    assert_eq!(x[1], weight[1], "image and kernel have as many channels");
    Geometry {
        n: x[0],
        input: [x[1], x[2], x[3]],
        channels: weight[0],
        kernel: [weight[2], weight[3]],
        stride: settings.stride,
        padding: settings.padding,
    }
}

fn forward_on_cpu(
    [x, weight]: [FlexTensor; 2],
    settings: &ConvSettings,
    finish: impl Fn(usize, &mut [f32]) + Sync,
) -> FlexTensor {
    let [x, weight] = [x, weight].map(|t| t.to_contiguous());
    let geometry = geometry(x.shape().dims(), weight.shape().dims(), settings);
    let [height, width] = geometry.output();
    let geometry = geometry.without_columns();
    let out = geometry.forward(values(&x), values(&weight), finish);
    tensor(out, [geometry.n, geometry.channels, height, width])
}

impl ConvOps for Flex {
    fn conv_plain(x: FlexTensor, weight: FlexTensor, settings: ConvSettings) -> FlexTensor {
        forward_on_cpu([x, weight], &settings, |_, _| {})
    }

    fn conv_bias(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        settings: ConvSettings,
    ) -> FlexTensor {
        let bias = bias.to_contiguous();
        let bias = values(&bias);
        forward_on_cpu([x, weight], &settings, |channel, row| {
            row.iter_mut().for_each(|v| *v += bias[channel]);
        })
    }

    fn conv_bias_relu(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        settings: ConvSettings,
    ) -> FlexTensor {
        let bias = bias.to_contiguous();
        let bias = values(&bias);
        forward_on_cpu([x, weight], &settings, |channel, row| {
            let bias = bias[channel];
            row.iter_mut().for_each(|v| *v = (*v + bias).max(0.0));
        })
    }

    fn conv_backward_data(
        weight: FlexTensor,
        gradient: FlexTensor,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> FlexTensor {
        let [weight, gradient] = [weight, gradient].map(|t| t.to_contiguous());
        let geometry = geometry(shape, weight.shape().dims(), &settings).without_columns();
        tensor(
            geometry.backward_data(values(&weight), values(&gradient)),
            shape,
        )
    }

    fn conv_backward_weight(
        x: FlexTensor,
        gradient: FlexTensor,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> (FlexTensor, FlexTensor) {
        let [x, gradient] = [x, gradient].map(|t| t.to_contiguous());
        let geometry = geometry(x.shape().dims(), shape, &settings).without_columns();
        let weight = geometry.backward_weight(values(&x), values(&gradient));
        let bias = geometry.backward_bias(values(&gradient));
        (tensor(weight, shape), tensor(bias, [shape[0]]))
    }
}

/// What the forward pass saves for the backward pass.
#[derive(Clone, Debug)]
struct SavedForBackward {
    x: (NodeId, [usize; 4]),
    weight: (NodeId, [usize; 4]),
    settings: ConvSettings,
}

/// The graph node of a convolution. Its N parents are x, weight and maybe the bias.
#[derive(Debug)]
struct Conv;

impl<B: ConvOps, const N: usize> Backward<B, N> for Conv {
    type State = SavedForBackward;

    fn backward(
        self,
        ops: Ops<SavedForBackward, N>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let SavedForBackward {
            x: (x, x_shape),
            weight: (weight, weight_shape),
            settings,
        } = ops.state;
        let gradient = gradients.consume::<B>(&ops.node);
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        let mut parents = ops.parents.into_iter().map(|node| node.map(|n| n.id));
        let mut parent = || parents.next().flatten();
        let (for_x, for_weight, for_bias) = (parent(), parent(), parent());
        if let Some(node) = for_x {
            let out = B::conv_backward_data(weight, gradient.clone(), x_shape, settings);
            gradients.register::<B>(node, out);
        }
        if for_weight.is_some() || for_bias.is_some() {
            let (weight, bias) = B::conv_backward_weight(x, gradient, weight_shape, settings);
            if let Some(node) = for_weight {
                gradients.register::<B>(node, weight);
            }
            if let Some(node) = for_bias {
                gradients.register::<B>(node, bias);
            }
        }
    }
}

/// Records `out` in the graph as the convolution of `inputs`: x, weight and maybe the bias.
fn track<B: ConvOps, C: CheckpointStrategy, const N: usize>(
    inputs: [&FloatTensor<Autodiff<B, C>>; N],
    settings: ConvSettings,
    out: FloatTensor<B>,
) -> FloatTensor<Autodiff<B, C>> {
    let nodes = inputs.map(|input| input.node());
    let prepared = Backward::<B, N>::prepare::<C>(Conv, nodes);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(mut prepared) => {
            let mut save = |input: &FloatTensor<Autodiff<B, C>>| {
                (prepared.checkpoint(input), input.primitive().shape().dims())
            };
            let saved = SavedForBackward {
                x: save(inputs[0]),
                weight: save(inputs[1]),
                settings,
            };
            prepared.finish(saved, out)
        }
        OpsKind::UnTracked(prepared) => prepared.finish(out),
    }
}

impl<B: ConvOps, C: CheckpointStrategy> ConvOps for Autodiff<B, C> {
    fn conv_plain(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self> {
        let out = B::conv_plain(x.primitive().clone(), weight.primitive().clone(), settings);
        track::<B, C, 2>([&x, &weight], settings, out)
    }

    fn conv_bias(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self> {
        let [for_x, for_weight, for_bias] = [&x, &weight, &bias].map(|t| t.primitive().clone());
        let out = B::conv_bias(for_x, for_weight, for_bias, settings);
        track::<B, C, 3>([&x, &weight, &bias], settings, out)
    }

    fn conv_bias_relu(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        settings: ConvSettings,
    ) -> FloatTensor<Self> {
        let [x, weight, bias] = [x, weight, bias].map(|t| t.primitive().clone());
        FloatTensor::<Self>::new(B::conv_bias_relu(x, weight, bias, settings))
    }

    fn conv_backward_data(
        weight: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> FloatTensor<Self> {
        let [weight, gradient] = [weight, gradient].map(|t| t.primitive().clone());
        FloatTensor::<Self>::new(B::conv_backward_data(weight, gradient, shape, settings))
    }

    fn conv_backward_weight(
        x: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [x, gradient] = [x, gradient].map(|t| t.primitive().clone());
        let (weight, bias) = B::conv_backward_weight(x, gradient, shape, settings);
        (
            FloatTensor::<Self>::new(weight),
            FloatTensor::<Self>::new(bias),
        )
    }
}
