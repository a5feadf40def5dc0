//! The operation as one of Burn's with its gradients: [`super::cpu`] on the `cpu` device,
//! [`super::gpu`] on a GPU.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::autodiff::{Autodiff, NodeId};
use burn::backend::fusion::custom::TensorSpec;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Shape};
use burn_flex::FlexTensor;

use super::shape::ConvMaxShape;
use crate::model::ops::flex::{tensor, values};

pub(super) use burn::backend::Dispatch;

/// What defines the operation besides its tensors.
#[derive(Clone, Copy, Debug)]
pub struct ConvMaxSettings {
    /// As [`ConvMaxShape::padding`].
    pub padding: (usize, usize),
    /// The device is a software adapter. The `cpu` device ignores it.
    pub software: bool,
}

/// The shapes are `[n, 1, frames, bands]` of `x`, `[channels, 1, frames, bands]` of `weight`, and
/// `[n, channels, frames]` of the result, its gradient, and the places of the maxima.
///
/// Places are numbers of bands, as f32.
#[backend_extension(Flex, Cube, Fusion, Autodiff)]
pub trait ConvMaxOps: Backend {
    /// Computes [`conv_max`](super::conv_max).
    #[fusion(dtype = x, shape = out_shape(x, weight, settings))]
    fn conv_max(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvMaxSettings,
    ) -> FloatTensor<Self>;

    /// Computes the same, and the places of the maxima. Not differentiable.
    #[fusion(meta = |x: &TensorSpec, weight: &TensorSpec, settings: &ConvMaxSettings| {
        let shape = out_shape(&x.shape, &weight.shape, settings);
        (TensorSpec::new(shape.clone(), x.dtype), TensorSpec::new(shape, DType::F32))
    })]
    fn conv_max_with_places(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvMaxSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);

    /// Computes the gradient of `x`, which has the given shape. Not differentiable.
    #[fusion(dtype = gradient, shape = Shape::from(*shape))]
    fn conv_max_backward_data(
        weight: FloatTensor<Self>,
        places: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvMaxSettings,
    ) -> FloatTensor<Self>;

    /// Computes the gradient of the weights, which have the given shape. Not differentiable.
    #[fusion(dtype = gradient, shape = Shape::from(*shape))]
    fn conv_max_backward_weight(
        x: FloatTensor<Self>,
        places: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvMaxSettings,
    ) -> FloatTensor<Self>;
}

fn out_shape(x: &Shape, weight: &Shape, settings: &ConvMaxSettings) -> Shape {
    Shape::new(shape(x.dims(), weight.dims(), *settings).output())
}

/// Returns the shapes of the operation from those of x and the weights.
pub(super) fn shape(x: [usize; 4], weight: [usize; 4], settings: ConvMaxSettings) -> ConvMaxShape {
    ConvMaxShape::new(x, weight, settings.padding)
}

impl ConvMaxOps for Flex {
    fn conv_max(x: FlexTensor, weight: FlexTensor, settings: ConvMaxSettings) -> FlexTensor {
        let [x, weight] = [x, weight].map(|t| t.to_contiguous());
        let s = shape(x.shape().dims(), weight.shape().dims(), settings);
        tensor(s.forward(values(&x), values(&weight)), s.output())
    }

    fn conv_max_with_places(
        x: FlexTensor,
        weight: FlexTensor,
        settings: ConvMaxSettings,
    ) -> (FlexTensor, FlexTensor) {
        let [x, weight] = [x, weight].map(|t| t.to_contiguous());
        let s = shape(x.shape().dims(), weight.shape().dims(), settings);
        let (out, places) = s.forward_with_places(values(&x), values(&weight));
        (tensor(out, s.output()), tensor(places, s.output()))
    }

    fn conv_max_backward_data(
        weight: FlexTensor,
        places: FlexTensor,
        gradient: FlexTensor,
        of_x: [usize; 4],
        settings: ConvMaxSettings,
    ) -> FlexTensor {
        let [weight, places, gradient] = [weight, places, gradient].map(|t| t.to_contiguous());
        let s = shape(of_x, weight.shape().dims(), settings);
        let out = s.backward_data(values(&weight), values(&places), values(&gradient));
        tensor(out, of_x)
    }

    fn conv_max_backward_weight(
        x: FlexTensor,
        places: FlexTensor,
        gradient: FlexTensor,
        of_weight: [usize; 4],
        settings: ConvMaxSettings,
    ) -> FlexTensor {
        let [x, places, gradient] = [x, places, gradient].map(|t| t.to_contiguous());
        let s = shape(x.shape().dims(), of_weight, settings);
        let out = s.backward_weight(values(&x), values(&places), values(&gradient));
        tensor(out, of_weight)
    }
}

/// What the forward pass saves for the backward pass.
#[derive(Clone, Debug)]
struct SavedForBackward<T> {
    x: (NodeId, [usize; 4]),
    weight: (NodeId, [usize; 4]),
    places: T,
    settings: ConvMaxSettings,
}

/// The graph node of the operation. Its parents are x and weight.
#[derive(Debug)]
struct ConvMax;

impl<B: ConvMaxOps> Backward<B, 2> for ConvMax {
    type State = SavedForBackward<FloatTensor<B>>;

    fn backward(
        self,
        ops: Ops<Self::State, 2>,
        gradients: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let [for_x, for_weight] = ops.parents;
        let gradient = gradients.consume::<B>(&ops.node);
        let SavedForBackward {
            x: (x, of_x),
            weight: (weight, of_weight),
            places,
            settings,
        } = ops.state;
        let x: FloatTensor<B> = checkpointer.retrieve_node_output(x);
        let weight: FloatTensor<B> = checkpointer.retrieve_node_output(weight);
        if let Some(node) = for_x {
            let (places, gradient) = (places.clone(), gradient.clone());
            let out = B::conv_max_backward_data(weight, places, gradient, of_x, settings);
            gradients.register::<B>(node.id, out);
        }
        if let Some(node) = for_weight {
            let out = B::conv_max_backward_weight(x, places, gradient, of_weight, settings);
            gradients.register::<B>(node.id, out);
        }
    }
}

impl<B: ConvMaxOps, C: CheckpointStrategy> ConvMaxOps for Autodiff<B, C> {
    fn conv_max(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvMaxSettings,
    ) -> FloatTensor<Self> {
        let [for_x, for_weight] = [&x, &weight].map(|t| t.primitive().clone());
        let prepared = Backward::<B, 2>::prepare::<C>(ConvMax, [x.node(), weight.node()]);
        match prepared.compute_bound().stateful() {
            OpsKind::Tracked(mut prepared) => {
                let mut save = |input: &FloatTensor<Self>| {
                    (prepared.checkpoint(input), input.primitive().shape().dims())
                };
                let (x, weight) = (save(&x), save(&weight));
                let (out, places) = B::conv_max_with_places(for_x, for_weight, settings);
                let saved = SavedForBackward {
                    x,
                    weight,
                    places,
                    settings,
                };
                prepared.finish(saved, out)
            }
            OpsKind::UnTracked(prepared) => {
                prepared.finish(B::conv_max(for_x, for_weight, settings))
            }
        }
    }

    fn conv_max_with_places(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        settings: ConvMaxSettings,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [x, weight] = [x, weight].map(|t| t.primitive().clone());
        let (out, places) = B::conv_max_with_places(x, weight, settings);
        (
            FloatTensor::<Self>::new(out),
            FloatTensor::<Self>::new(places),
        )
    }

    fn conv_max_backward_data(
        weight: FloatTensor<Self>,
        places: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvMaxSettings,
    ) -> FloatTensor<Self> {
        let [weight, places, gradient] = [weight, places, gradient].map(|t| t.primitive().clone());
        let out = B::conv_max_backward_data(weight, places, gradient, shape, settings);
        FloatTensor::<Self>::new(out)
    }

    fn conv_max_backward_weight(
        x: FloatTensor<Self>,
        places: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        shape: [usize; 4],
        settings: ConvMaxSettings,
    ) -> FloatTensor<Self> {
        let [x, places, gradient] = [x, places, gradient].map(|t| t.primitive().clone());
        let out = B::conv_max_backward_weight(x, places, gradient, shape, settings);
        FloatTensor::<Self>::new(out)
    }
}
