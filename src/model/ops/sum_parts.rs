//! Adds the parts of a sum on a GPU (`shaders/ops/sum_parts.wgsl`).
//!
//! Kernels that reduce over a batch write one part per workgroup, and this pass adds the parts.
//! Without atomics the order of the sum is fixed, and the result is the same bits each time.

use burn::tensor::{DType, Shape};
use burn_cubecl::tensor::CubeTensor;

use crate::gpu::kernel::{KernelSource, empty_of, fold, is_half, launch, real_alias};

/// Invocations per workgroup.
const WORKGROUP: u32 = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct SumSource {
    /// The result is of f16.
    half: bool,
}

impl KernelSource for SumSource {
    fn wgsl(&self) -> String {
        let body = include_str!("../../../shaders/ops/sum_parts.wgsl");
        real_alias(self.half).to_owned() + body
    }

    fn workgroup_size(&self) -> [u32; 3] {
        [WORKGROUP, 1, 1]
    }
}

/// Returns the sum over the first dimension of `parts`, an f32 tensor `[count, ..shape]`, as a
/// tensor of `shape` and `dtype`.
pub fn sum_parts(
    parts: &CubeTensor,
    count: usize,
    shape: impl Into<Shape>,
    dtype: DType,
) -> CubeTensor {
    let shape: Shape = shape.into();
    let len = shape.num_elements();
    let total = empty_of(parts, shape, dtype);
    let [x, y] = fold(len.div_ceil(WORKGROUP as usize));
    let source = SumSource {
        half: is_half(&total),
    };
    let uniforms = [len as u32, count as u32, x, 0];
    launch(source, [x, y, 1], &[parts, &total], &uniforms);
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The f32 source needs nothing beyond WebGPU's base.
    #[test]
    fn the_source_keeps_to_webgpus_base() {
        let source = SumSource { half: false };
        assert!(!source.wgsl().contains("enable "));
        assert!(source.workgroup_size().iter().product::<u32>() <= 256);
        let [x, y] = fold((1usize << 23).div_ceil(WORKGROUP as usize));
        assert!([x, y].iter().all(|n| (1..=65_535).contains(n)));
    }
}
