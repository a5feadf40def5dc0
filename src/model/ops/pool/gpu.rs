//! The pass of [`super::cpu`] in WGSL (`shaders/ops/prelu_pool_*.wgsl`), on tensors of Burn's.

use burn::backend::TensorMetadata;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::op::PoolOps;
use crate::gpu::kernel::{KernelSource, empty, empty_of, fold, is_half, launch, real};
use crate::model::ops::conv::sum_parts;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Pass {
    way: Way,
    /// Tensors are of f16.
    half: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Way {
    Forward,
    Backward,
}

impl KernelSource for Pass {
    fn wgsl(&self) -> String {
        let text = match self.way {
            Way::Forward => include_str!("../../../../shaders/ops/prelu_pool_forward.wgsl"),
            Way::Backward => include_str!("../../../../shaders/ops/prelu_pool_backward.wgsl"),
        };
        let shape = include_str!("../../../../shaders/ops/prelu_pool_shape.wgsl");
        [real(self.half), shape, text].concat()
    }

    fn workgroup(&self) -> [u32; 3] {
        match self.way {
            Way::Forward => [64, 1, 1],
            Way::Backward => [8, 1, 1],
        }
    }
}

/// A pass over `tensors`, of the first one's type.
fn run(way: Way, [across, down]: [u32; 2], tensors: &[&CubeTensor], words: [usize; 8]) {
    let half = is_half(tensors[0]);
    let words = words.map(|n| n as u32);
    launch(Pass { way, half }, [across, down, 1], tensors, &words);
}

/// Invocations that keep a device busy.
const BUSY: usize = 4096;

impl PoolOps for CubeBackend {
    fn prelu_pool(x: CubeTensor, bias: CubeTensor, slope: CubeTensor) -> CubeTensor {
        let [x, bias, slope] = [x, bias, slope].map(into_contiguous);
        let [n, channels, height, width] = x.shape().dims::<4>();
        let shape = Shape::new([n, channels, height / 2, width / 2]);
        let count = shape.num_elements();
        let out = empty(&x, shape);
        let [across, down] = fold(count.div_ceil(64));
        let words = [count, channels, height, width, across as usize, 0, 0, 0];
        let tensors = [&x, &bias, &slope, &out];
        run(Way::Forward, [across, down], &tensors, words);
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
        let wanted = BUSY.div_ceil(planes.max(1)).clamp(1, rows.max(1));
        let band = rows.div_ceil(wanted).max(1);
        let parts = rows.div_ceil(band).max(1);
        let for_x = empty(&x, x.shape());
        let [for_bias, for_slope] = [0, 1].map(|_| empty_of(&x, [n * parts, channels], DType::F32));
        let [across, down] = fold((planes * parts).div_ceil(8));
        let words = [
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
        run(Way::Backward, [across, down], &tensors, words);
        let [bias, slope] =
            [for_bias, for_slope].map(|of| sum_parts(&of, n * parts, [channels], x.dtype));
        (for_x, bias, slope)
    }
}
