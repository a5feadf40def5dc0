//! The operation and its gradients in WGSL (`shaders/ops/conv2d_max*.wgsl`), on Burn's tensors.

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, Shape, Slice};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::op::{ConvMaxOps, ConvMaxSettings, shape};
use super::source::{MaxLaunch, MaxPass};
use crate::gpu::kernel::{empty, empty_of, is_half, launch};

/// Runs a pass. The first tensor decides whether it computes on f16 or f32.
fn run(mut pass: MaxLaunch, tensors: &[&CubeTensor]) {
    pass.source.half = is_half(tensors[0]);
    launch(pass.source, pass.groups, tensors, &pass.uniforms);
}

/// Fills the rows of `tensor`, `[n, 1, rows, width]`, up to a multiple of four with zeros.
fn fill_rows(tensor: CubeTensor) -> CubeTensor {
    let shape = tensor.shape();
    let [n, _, rows, width] = shape.dims::<4>();
    if width % 4 == 0 {
        return into_contiguous(tensor);
    }
    let filled = Shape::new([n, 1, rows, width.next_multiple_of(4)]);
    let device = tensor.device.clone();
    let dtype = tensor.dtype.into();
    let filled = CubeBackend::float_zeros(filled, &device, dtype);
    let slices = shape.iter().map(|&n| Slice::from(0..n));
    into_contiguous(CubeBackend::float_slice_assign(
        filled,
        &slices.collect::<Vec<_>>(),
        tensor,
    ))
}

fn forward(
    x: CubeTensor,
    weight: CubeTensor,
    settings: ConvMaxSettings,
    with_places: bool,
) -> (CubeTensor, Option<CubeTensor>) {
    let s = shape(x.shape().dims(), weight.shape().dims(), settings);
    let x = fill_rows(x);
    // The kernel loads the weights of filters of one band one by one.
    let weight = match s.kernel[1] {
        1 => into_contiguous(weight),
        _ => fill_rows(weight),
    };
    let out = empty(&x, s.output());
    let places = with_places.then(|| empty_of(&x, s.output(), DType::F32));
    let mut tensors = vec![&x, &weight, &out];
    tensors.extend(&places);
    let pass = MaxLaunch::new(MaxPass::Forward, &s, settings.software, with_places);
    run(pass, &tensors);
    (out, places)
}

impl ConvMaxOps for CubeBackend {
    fn conv_max(x: CubeTensor, weight: CubeTensor, settings: ConvMaxSettings) -> CubeTensor {
        forward(x, weight, settings, false).0
    }

    fn conv_max_with_places(
        x: CubeTensor,
        weight: CubeTensor,
        settings: ConvMaxSettings,
    ) -> (CubeTensor, CubeTensor) {
        let (out, places) = forward(x, weight, settings, true);
        (out, places.expect("places were asked for"))
    }

    fn conv_max_backward_data(
        weight: CubeTensor,
        places: CubeTensor,
        gradient: CubeTensor,
        of_x: [usize; 4],
        settings: ConvMaxSettings,
    ) -> CubeTensor {
        let [weight, places, gradient] = [weight, places, gradient].map(into_contiguous);
        let s = shape(of_x, weight.shape().dims(), settings);
        let out = empty(&gradient, of_x);
        let pass = MaxLaunch::new(MaxPass::BackwardData, &s, settings.software, false);
        run(pass, &[&weight, &places, &gradient, &out]);
        out
    }

    fn conv_max_backward_weight(
        x: CubeTensor,
        places: CubeTensor,
        gradient: CubeTensor,
        of_weight: [usize; 4],
        settings: ConvMaxSettings,
    ) -> CubeTensor {
        let [x, places, gradient] = [x, places, gradient].map(into_contiguous);
        let s = shape(x.shape().dims(), of_weight, settings);
        let out = empty(&gradient, of_weight);
        let pass = MaxLaunch::new(MaxPass::BackwardWeight, &s, settings.software, false);
        run(pass, &[&x, &places, &gradient, &out]);
        out
    }
}
