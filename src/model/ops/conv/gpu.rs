//! The convolution and its gradients in WGSL (`shaders/ops/conv2d_*.wgsl`), on tensors of Burn's.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::kernels::Launch;
use super::op::{ConvOps, Settings, geometry};
use crate::gpu::kernel::{empty, empty_of, is_half, launch};

impl Launch {
    /// On tensors whose first two are of one type; what the kernel is told to compute in follows from it.
    fn run(self, half: bool, tensors: &[&CubeTensor]) {
        let Self {
            text,
            groups,
            words,
        } = self.of_half(half);
        launch(text, groups, tensors, &words);
    }
}

fn forward(
    [x, weight]: [CubeTensor; 2],
    bias: Option<CubeTensor>,
    rectify: bool,
    settings: &Settings,
) -> CubeTensor {
    let [x, weight] = [x, weight].map(into_contiguous);
    let bias = bias.map(into_contiguous);
    let geometry = geometry(x.shape().dims(), weight.shape().dims(), settings);
    let [height, width] = geometry.output();
    let out = empty(&x, [geometry.n, geometry.channels, height, width]);
    let mut tensors = vec![&x, &weight, &out];
    tensors.extend(&bias);
    let pass = Launch::forward(&geometry, settings.kind, bias.is_some(), rectify);
    pass.run(is_half(&x), &tensors);
    out
}

/// The sum over the first dimension of `parts` (of f32), which has so many, in the order that they have, as `dtype`.
pub fn sum_parts(
    parts: &CubeTensor,
    count: usize,
    shape: impl Into<Shape>,
    dtype: DType,
) -> CubeTensor {
    let shape: Shape = shape.into();
    let pass = Launch::sum(count, shape.num_elements());
    let total = empty_of(parts, shape, dtype);
    pass.run(is_half(&total), &[parts, &total]);
    total
}

impl ConvOps for CubeBackend {
    fn conv_plain(x: CubeTensor, weight: CubeTensor, settings: Settings) -> CubeTensor {
        forward([x, weight], None, false, &settings)
    }

    fn conv_bias(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        settings: Settings,
    ) -> CubeTensor {
        forward([x, weight], Some(bias), false, &settings)
    }

    fn conv_bias_relu(
        x: CubeTensor,
        weight: CubeTensor,
        bias: CubeTensor,
        settings: Settings,
    ) -> CubeTensor {
        forward([x, weight], Some(bias), true, &settings)
    }

    fn conv_backward_data(
        weight: CubeTensor,
        gradient: CubeTensor,
        of: [usize; 4],
        settings: Settings,
    ) -> CubeTensor {
        let [weight, gradient] = [weight, gradient].map(into_contiguous);
        let geometry = geometry(of, weight.shape().dims(), &settings);
        let out = empty(&gradient, of);
        let pass = Launch::backward_data(&geometry, settings.kind);
        pass.run(is_half(&gradient), &[&gradient, &weight, &out]);
        out
    }

    fn conv_backward_weight(
        x: CubeTensor,
        gradient: CubeTensor,
        of: [usize; 4],
        settings: Settings,
    ) -> (CubeTensor, CubeTensor) {
        let [x, gradient] = [x, gradient].map(into_contiguous);
        let geometry = geometry(x.shape().dims(), of, &settings);
        let (pass, parts) = Launch::backward_weight(&geometry, settings.kind);
        let size = of.iter().product::<usize>();
        let split = [size, of[0]].map(|count| empty_of(&x, [parts, count], DType::F32));
        pass.run(is_half(&x), &[&x, &gradient, &split[0], &split[1]]);
        let [weight, bias] = split;
        let weight = sum_parts(&weight, parts, of, x.dtype);
        let bias = sum_parts(&bias, parts, [of[0]], x.dtype);
        (weight, bias)
    }
}
