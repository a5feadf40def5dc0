//! The WGSL of the operation, and its launches as data. Nothing here needs a device.

use serde::Serialize;

use super::shape::ConvMaxShape;
use crate::gpu::kernel::{KernelSource, fold, render};

/// What a kernel computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MaxPass {
    /// The maxima.
    Forward,
    /// The gradient of the image.
    BackwardData,
    /// The gradient of the weights.
    BackwardWeight,
}

/// Everything that the WGSL of a kernel depends on. The fields are the variables of the templates.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct MaxSource {
    #[serde(skip)]
    pass: MaxPass,
    /// The tensors are of f16, which the adapter must support. Sums are of f32 in any case.
    #[serde(skip)]
    pub half: bool,
    /// The forward pass also writes the places of the maxima.
    pub with_places: bool,
    /// The height and width of the filters.
    kh: usize,
    kw: usize,
    /// The tile of one invocation: frames and places.
    r: usize,
    p: usize,
    /// Rows of eight invocations per workgroup.
    tall: usize,
}

/// Invocations in a row of a workgroup: the width of the vectors that software adapters compute in.
const LANES: usize = 8;
/// Rows of invocations per workgroup on a card, whose subgroups are wider.
const TALL: usize = 8;
/// The most multiply-adds per row of the image, each of which is one line of source.
const MAX_LINES: usize = 2048;

/// The templates, by the names under which they include each other.
const TEMPLATES: [(&str, &str); 4] = [
    (
        MaxPass::Forward.template(),
        include_str!("../../../../shaders/ops/conv2d_max.wgsl"),
    ),
    (
        MaxPass::BackwardData.template(),
        include_str!("../../../../shaders/ops/conv2d_max_backward_data.wgsl"),
    ),
    (
        MaxPass::BackwardWeight.template(),
        include_str!("../../../../shaders/ops/conv2d_max_backward_weight.wgsl"),
    ),
    (
        "conv2d_max_shape.wgsl",
        include_str!("../../../../shaders/ops/conv2d_max_shape.wgsl"),
    ),
];

impl MaxPass {
    const fn template(self) -> &'static str {
        match self {
            Self::Forward => "conv2d_max.wgsl",
            Self::BackwardData => "conv2d_max_backward_data.wgsl",
            Self::BackwardWeight => "conv2d_max_backward_weight.wgsl",
        }
    }
}

impl KernelSource for MaxSource {
    fn wgsl(&self) -> String {
        render(&TEMPLATES, self.pass.template(), self.half, self)
    }

    fn workgroup_size(&self) -> [u32; 3] {
        let [lanes, tall] = [LANES, self.tall].map(|n| n as u32);
        match self.pass {
            MaxPass::Forward => [lanes, tall, 1],
            MaxPass::BackwardData | MaxPass::BackwardWeight => [lanes * tall, 1, 1],
        }
    }
}

/// A kernel and what it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaxLaunch {
    /// The kernel's source.
    pub source: MaxSource,
    /// Workgroups in x, y and z.
    pub groups: [u32; 3],
    /// The uniform: `Shape` of `shaders/ops/conv2d_max_shape.wgsl`.
    pub uniforms: [u32; 8],
}

impl MaxLaunch {
    /// Returns whether the kernels are made for these shapes.
    pub fn fits(s: &ConvMaxShape) -> bool {
        let [n, channels, frames] = s.output();
        let tensors = [
            n * s.image_len(),
            n * channels * frames,
            channels * s.taps(),
        ];
        let small = tensors.iter().all(|&len| len <= i32::MAX as usize);
        small && s.kernel[1] * 4 <= MAX_LINES && !tensors.contains(&0)
    }

    /// Plans a pass over tensors of f32.
    ///
    /// The tensors of the forward pass are x and weight with their rows filled up to multiples of
    /// four, the result, and the places if `with_places`. Those of [`MaxPass::BackwardData`] are
    /// weight, places, gradient and result; of [`MaxPass::BackwardWeight`] x, places, gradient and
    /// result.
    pub fn new(pass: MaxPass, s: &ConvMaxShape, software: bool, with_places: bool) -> Self {
        let tall = if software { 1 } else { TALL };
        let [kh, kw] = s.kernel;
        let (r, p) = tile(s);
        let source = MaxSource {
            pass,
            half: false,
            with_places,
            kh,
            kw,
            r,
            p,
            tall,
        };
        let invocations = LANES * tall;
        let groups = match pass {
            MaxPass::Forward => s.n * s.channels.div_ceil(LANES) * s.frames().div_ceil(r * tall),
            MaxPass::BackwardData => (s.n * s.input[0]).div_ceil(invocations),
            MaxPass::BackwardWeight => s.channels * s.taps().div_ceil(invocations),
        };
        let [x, y] = fold(groups);
        let uniforms = [
            s.n,
            s.input[0],
            s.input[1],
            s.channels,
            s.frames(),
            s.places(),
            s.padding.0,
            x as usize,
        ];
        Self {
            source,
            groups: [x, y, 1],
            uniforms: uniforms.map(|n| n as u32),
        }
    }
}

/// Returns the tile of one invocation: frames and places.
///
/// A row of a wide filter is reused at many places, a narrow one in many frames. More sums than
/// these do not fit into the registers.
fn tile(s: &ConvMaxShape) -> (usize, usize) {
    let width = s.kernel[1];
    let (frames, places) = match width {
        1 => (16, 8),
        2..8 => (4, 8),
        _ => (1, 16),
    };
    let frames = frames.min(s.kernel[0]).min(s.frames());
    let lines = MAX_LINES / (frames * width);
    (frames, places.min(lines / 4 * 4).max(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSES: [MaxPass; 3] = [
        MaxPass::Forward,
        MaxPass::BackwardData,
        MaxPass::BackwardWeight,
    ];

    fn shape(channels: usize, kernel: [usize; 2]) -> ConvMaxShape {
        ConvMaxShape {
            n: 32,
            input: [187, 96],
            channels,
            kernel,
            padding: (3, 3),
        }
    }

    /// The f32 sources need nothing beyond WebGPU's base: no feature, at most 256 invocations per
    /// workgroup, and at most 65 535 workgroups per dimension.
    #[test]
    fn sources_keep_to_webgpus_base() {
        for kernel in [[7, 38], [7, 67], [128, 1], [5, 3], [1, 96]] {
            for (pass, software) in PASSES.into_iter().flat_map(|p| [(p, true), (p, false)]) {
                let launch = MaxLaunch::new(pass, &shape(204, kernel), software, true);
                let text = launch.source.wgsl();
                assert!(!text.contains("enable ") && !text.contains("requires "));
                assert!(launch.source.workgroup_size().iter().product::<u32>() <= 256);
                assert!(launch.groups.iter().all(|&n| (1..=65_535).contains(&n)));
                assert!(text.lines().count() < 2 * MAX_LINES);
            }
        }
    }

    /// The sizes of images, batches and filter banks are uniforms.
    #[test]
    fn a_source_serves_many_sizes() {
        for pass in PASSES {
            let source = |channels, n| {
                let s = ConvMaxShape {
                    n,
                    ..shape(channels, [7, 38])
                };
                MaxLaunch::new(pass, &s, true, false).source
            };
            assert_eq!(source(31, 1), source(204, 10));
        }
    }

    /// Kernels with more lines than a driver compiles in a reasonable time are not made.
    #[test]
    fn very_wide_filters_do_not_fit() {
        let wide = |bands| ConvMaxShape {
            input: [10, 2000],
            ..shape(1, [1, bands])
        };
        assert!(MaxLaunch::fits(&wide(512)) && !MaxLaunch::fits(&wide(513)));
        let (frames, places) = tile(&wide(512));
        assert!(frames * places * 512 <= MAX_LINES);
    }
}
