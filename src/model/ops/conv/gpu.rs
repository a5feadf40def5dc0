//! The convolution and its gradients in WGSL (`shaders/ops/conv2d_*.wgsl`), on Burn's tensors.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::geometry::Geometry;
use super::launch::Launch;
use super::op::{ConvOps, ConvSettings, geometry};
use crate::gpu::kernel::{empty, empty_of, is_half, launch};
use crate::model::ops::sum_parts::sum_parts;

/// The most multiply-adds of one dispatch. Windows resets a GPU whose dispatch takes two seconds. A
/// slow integrated GPU, with 3e10 multiply-adds per second, takes half a second for these. Unit
/// tests split small passes, too.
const MAX_MULTIPLY_ADDS: u64 = if cfg!(test) { 1 << 18 } else { 1 << 34 };

/// Runs a pass over `geometry`. The first two tensors decide whether it computes on f16 or f32.
fn run(pass: Launch, geometry: &Geometry, tensors: &[&CubeTensor]) {
    let pass = pass.with_half(is_half(tensors[0]));
    for part in pass.dispatches(geometry.multiply_adds(), MAX_MULTIPLY_ADDS) {
        launch(part.source, part.groups, tensors, &part.uniforms);
    }
}

fn forward(
    [x, weight]: [CubeTensor; 2],
    bias: Option<CubeTensor>,
    rectify: bool,
    settings: &ConvSettings,
) -> CubeTensor {
    let [x, weight] = [x, weight].map(into_contiguous);
    let bias = bias.map(into_contiguous);
    let geometry = geometry(x.shape().dims(), weight.shape().dims(), settings);
    let [height, width] = geometry.output();
    let out = empty(&x, [geometry.n, geometry.channels, height, width]);
    let mut tensors = vec![&x, &weight, &out];
    tensors.extend(&bias);
    let geometry = geometry.without_columns();
    let pass = Launch::forward(&geometry, settings.kernel, bias.is_some(), rectify);
    run(pass, &geometry, &tensors);
    out
}

impl ConvOps for CubeBackend {
    fn conv_plain(x: CubeTensor, weight: CubeTensor, settings: ConvSettings) -> CubeTensor {
        forward([x, weight], None, false, &settings)
    }

    fn conv_bias(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        settings: ConvSettings,
    ) -> CubeTensor {
        forward([x, weight], Some(bias), false, &settings)
    }

    fn conv_bias_relu(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        settings: ConvSettings,
    ) -> CubeTensor {
        forward([x, weight], Some(bias), true, &settings)
    }

    fn conv_backward_data(
        weight: CubeTensor,
        gradient: CubeTensor,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> CubeTensor {
        let [weight, gradient] = [weight, gradient].map(into_contiguous);
        let geometry = geometry(shape, weight.shape().dims(), &settings).without_columns();
        let out = empty(&gradient, shape);
        let pass = Launch::backward_data(&geometry, settings.kernel);
        run(pass, &geometry, &[&gradient, &weight, &out]);
        out
    }

    fn conv_backward_weight(
        x: CubeTensor,
        gradient: CubeTensor,
        shape: [usize; 4],
        settings: ConvSettings,
    ) -> (CubeTensor, CubeTensor) {
        let [x, gradient] = [x, gradient].map(into_contiguous);
        let geometry = geometry(x.shape().dims(), shape, &settings).without_columns();
        let (pass, parts) = Launch::backward_weight(&geometry, settings.kernel);
        let len = shape.iter().product::<usize>();
        let [weight, bias] = [len, shape[0]].map(|len| empty_of(&x, [parts, len], DType::F32));
        run(pass, &geometry, &[&x, &gradient, &weight, &bias]);
        let weight = sum_parts(&weight, parts, shape, x.dtype);
        let bias = sum_parts(&bias, parts, [shape[0]], x.dtype);
        (weight, bias)
    }
}
