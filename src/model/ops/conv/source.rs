//! The WGSL of the convolutions: Jinja templates, and the values that fill them in.

use serde::Serialize;

use super::geometry::Geometry;
use crate::gpu::kernel::{KernelSource, render};

/// How a kernel computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConvKernel {
    /// An implicit matrix product whose tiles go through workgroup memory: for cards.
    Tiled,
    /// Large tiles in registers, without barriers: for software adapters.
    Direct,
}

/// What a kernel computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConvPass {
    /// The convolution.
    Forward,
    /// The gradient of the input.
    BackwardData,
    /// The gradient of the weights.
    BackwardWeight,
}

/// Everything that the WGSL of a kernel depends on.
///
/// Most fields are the variables of the templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct ConvSource {
    #[serde(skip)]
    pass: ConvPass,
    /// The tensors are of f16, which the adapter must support. Sums are of f32 in any case.
    pub half: bool,
    pub tiled: bool,
    pub bias: bool,
    pub rectify: bool,
    /// The height and width of the kernel.
    kh: usize,
    kw: usize,
    /// The vertical and horizontal stride.
    sy: usize,
    sx: usize,
    /// The padding above and to the left. The shader needs no other size: what it reads outside
    /// the image is zero, and the output's size is a uniform.
    py: usize,
    px: usize,
    /// There is padding on some side.
    padded: bool,
    /// The tile of one invocation of [`ConvKernel::Direct`]: pixels down and across, channels that
    /// the pass writes (of the weights: channels in), and of the weights channels out.
    pub ty: usize,
    pub tx: usize,
    pub tc: usize,
    pub to: usize,
    /// The tile of one workgroup of [`ConvKernel::Tiled`]: sums each way, and products between two
    /// barriers.
    tile_side: usize,
    tile_depth: usize,
}

/// Invocations per workgroup of [`ConvKernel::Direct`]: the width of the vectors that software
/// adapters compute in.
pub const DIRECT_WORKGROUP: usize = 8;
/// Sums each way per workgroup of [`ConvKernel::Tiled`].
pub const TILE_SIDE: usize = 64;
/// Products between two barriers of [`ConvKernel::Tiled`].
pub const TILE_DEPTH: usize = 16;

/// The templates, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 5] = [
    (
        ConvPass::Forward.template(),
        include_str!("../../../../shaders/ops/conv2d_forward.wgsl"),
    ),
    (
        ConvPass::BackwardData.template(),
        include_str!("../../../../shaders/ops/conv2d_backward_data.wgsl"),
    ),
    (
        ConvPass::BackwardWeight.template(),
        include_str!("../../../../shaders/ops/conv2d_backward_weight.wgsl"),
    ),
    (
        "conv2d_product.wgsl",
        include_str!("../../../../shaders/ops/conv2d_product.wgsl"),
    ),
    (
        "conv2d_shape.wgsl",
        include_str!("../../../../shaders/ops/conv2d_shape.wgsl"),
    ),
];

impl ConvPass {
    const fn template(self) -> &'static str {
        match self {
            Self::Forward => "conv2d_forward.wgsl",
            Self::BackwardData => "conv2d_backward_data.wgsl",
            Self::BackwardWeight => "conv2d_backward_weight.wgsl",
        }
    }
}

impl ConvSource {
    /// Makes the source of a pass, without bias and with tiles of one value.
    pub fn new(pass: ConvPass, g: &Geometry, kernel: ConvKernel) -> Self {
        let ([kh, kw], [sy, sx], [(py, _), (px, _)]) = (g.kernel, g.stride, g.padding);
        Self {
            pass,
            half: false,
            tiled: kernel == ConvKernel::Tiled,
            bias: false,
            rectify: false,
            kh,
            kw,
            sy,
            sx,
            py,
            px,
            padded: g.padding.iter().any(|&sides| sides != (0, 0)),
            ty: 1,
            tx: 1,
            tc: 1,
            to: 1,
            tile_side: TILE_SIDE,
            tile_depth: TILE_DEPTH,
        }
    }
}

impl KernelSource for ConvSource {
    fn wgsl(&self) -> String {
        render(&TEMPLATES, self.pass.template(), self.half, self)
    }

    fn workgroup_size(&self) -> [u32; 3] {
        match self.tiled {
            true => [16, 16, 1],
            false => [DIRECT_WORKGROUP as u32, 1, 1],
        }
    }
}
