//! The passes of [`super::cpu`] in WGSL (`shaders/ops/prelu_pool_*.wgsl`), on Burn's tensors.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::op::PoolOps;
use crate::gpu::kernel::{KernelSource, empty, empty_of, fold, is_half, launch, real_alias};
use crate::model::ops::sum_parts::sum_parts;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct PoolSource {
    direction: Direction,
    /// The tensors are of f16.
    half: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Direction {
    Forward,
    Backward,
}

impl KernelSource for PoolSource {
    fn wgsl(&self) -> String {
        let body = match self.direction {
            Direction::Forward => include_str!("../../../../shaders/ops/prelu_pool_forward.wgsl"),
            Direction::Backward => include_str!("../../../../shaders/ops/prelu_pool_backward.wgsl"),
        };
        let shape = include_str!("../../../../shaders/ops/prelu_pool_shape.wgsl");
        [real_alias(self.half), shape, body].concat()
    }

    fn workgroup_size(&self) -> [u32; 3] {
        match self.direction {
            Direction::Forward => [64, 1, 1],
            Direction::Backward => [8, 1, 1],
        }
    }
}

/// Runs a pass. The first tensor decides whether it computes on f16 or f32. `uniforms` are `Shape`
/// of `shaders/ops/prelu_pool_shape.wgsl`.
fn run(
    direction: Direction,
    [across, down]: [u32; 2],
    tensors: &[&CubeTensor],
    uniforms: [usize; 8],
) {
    let half = is_half(tensors[0]);
    let source = PoolSource { direction, half };
    let uniforms = uniforms.map(|n| n as u32);
    launch(source, [across, down, 1], tensors, &uniforms);
}

/// Invocations that keep a device busy.
const MIN_INVOCATIONS: usize = 4096;

impl PoolOps for CubeBackend {
    fn prelu_pool(x: CubeTensor, bias: CubeTensor, slope: CubeTensor) -> CubeTensor {
        let [x, bias, slope] = [x, bias, slope].map(into_contiguous);
        let [n, channels, height, width] = x.shape().dims::<4>();
        let shape = Shape::new([n, channels, height / 2, width / 2]);
        let count = shape.num_elements();
        let out = empty(&x, shape);
        let [across, down] = fold(count.div_ceil(64));
        let uniforms = [count, channels, height, width, across as usize, 0, 0, 0];
        let tensors = [&x, &bias, &slope, &out];
        run(Direction::Forward, [across, down], &tensors, uniforms);
        out
    }

    fn prelu_pool_backward(
        x: CubeTensor,
        bias: CubeTensor,
        slope: CubeTensor,
        gradient: CubeTensor,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let [x, bias, slope, gradient] = [x, bias, slope, gradient].map(into_contiguous);
        let [n, channels, height, width] = x.shape().dims::<4>();
        let (planes, rows) = (n * channels, height / 2);
        let wanted = MIN_INVOCATIONS
            .div_ceil(planes.max(1))
            .clamp(1, rows.max(1));
        let band = rows.div_ceil(wanted).max(1);
        let parts = rows.div_ceil(band).max(1);
        let for_x = empty(&x, x.shape());
        let [for_bias, for_slope] = [0, 1].map(|_| empty_of(&x, [n * parts, channels], DType::F32));
        let [across, down] = fold((planes * parts).div_ceil(8));
        let uniforms = [
            planes,
            channels,
            height,
            width,
            across as usize,
            parts,
            band,
            0,
        ];
        let tensors = [&x, &bias, &slope, &gradient, &for_x, &for_bias, &for_slope];
        run(Direction::Backward, [across, down], &tensors, uniforms);
        let [bias, slope] =
            [for_bias, for_slope].map(|of| sum_parts(&of, n * parts, [channels], x.dtype));
        (for_x, bias, slope)
    }
}
