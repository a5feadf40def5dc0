//! The launches of the convolutions as data: which source, how many workgroups, which uniforms.
//! Nothing here needs a device.

use super::geometry::Geometry;
use super::source::{ConvKernel, ConvPass, ConvSource, DIRECT_WORKGROUP, TILE_DEPTH, TILE_SIDE};
use crate::gpu::kernel::fold;

/// A kernel and what it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The kernel's source.
    pub source: ConvSource,
    /// Workgroups in x, y and z.
    pub groups: [u32; 3],
    /// The uniform: `Shape` of `shaders/ops/conv2d_shape.wgsl`.
    pub uniforms: [u32; 16],
}

/// A tile of [`ConvKernel::Direct`]: rows, columns and channels. A larger tile would be faster by a
/// third, and the driver would take three times as long to compile it.
const TILE: [usize; 3] = [4, 8, 8];
/// The same for a forward pass with a stride, which reads more of the image.
const STRIDED_TILE: [usize; 3] = [4, 4, 8];
/// The tile of the gradient of the weights: channels out, channels in, and pixels across.
const WEIGHT_TILE: [usize; 3] = [8, 4, 8];
/// The same for kernels with few taps, whose values serve fewer products.
const FEW_TAPS_TILE: [usize; 3] = [8, 8, 8];
/// A kernel with at most this many taps gets [`FEW_TAPS_TILE`].
const FEW_TAPS: usize = 4;
/// Invocations that keep the threads of a software adapter busy.
const MIN_INVOCATIONS: usize = 256;
/// Workgroups that keep a card busy.
const MIN_GROUPS: usize = 512;

/// Places in [`Launch::uniforms`].
const GROUPS_ACROSS: usize = 7;
const FIRST_ROW: usize = 12;

/// How a sum over the images is split into parts.
#[derive(Clone, Copy)]
struct Split {
    /// All parts.
    parts: usize,
    /// Rows of an image per part.
    band: usize,
    /// Parts per image.
    bands: usize,
}

impl Split {
    /// One part, for passes that do not sum over the images.
    const NONE: Self = Self {
        parts: 1,
        band: 0,
        bands: 0,
    };
}

impl Launch {
    /// Returns the same launch for tensors of f16 if `half`.
    pub fn with_half(mut self, half: bool) -> Self {
        self.source.half = half;
        self
    }

    /// Returns the launch as dispatches of about `most` multiply-adds at most, of the
    /// `multiply_adds` that all of it computes. Each workgroup is in one of them.
    pub fn dispatches(self, multiply_adds: u64, most: u64) -> Vec<Self> {
        let [x, y, z] = self.groups;
        let groups = x as usize * y as usize;
        let wanted = multiply_adds.div_ceil(most);
        let rows = usize::try_from(wanted).unwrap_or(groups).min(groups);
        if wanted <= 1 {
            return vec![self];
        }
        let across = groups.div_ceil(rows).min(x as usize);
        let row = |first: usize| {
            let mut uniforms = self.uniforms;
            uniforms[GROUPS_ACROSS] = across as u32;
            uniforms[FIRST_ROW] = first as u32;
            Self {
                groups: [across as u32, 1, z],
                uniforms,
                ..self.clone()
            }
        };
        (0..groups.div_ceil(across)).map(row).collect()
    }

    /// Plans the convolution, with a bias if `bias`, and then a ReLU if `rectify`.
    ///
    /// The tensors are x, weight, result and, with `bias`, the bias.
    pub fn forward(g: &Geometry, kernel: ConvKernel, bias: bool, rectify: bool) -> Self {
        let mut source = ConvSource::new(ConvPass::Forward, g, kernel);
        (source.bias, source.rectify) = (bias, rectify);
        let [height, width] = g.output();
        let tile = match g.stride {
            [1, 1] => TILE,
            _ => STRIDED_TILE,
        };
        match kernel {
            ConvKernel::Tiled => Self::tiled(source, g, g.channels, g.n * height * width, 1),
            ConvKernel::Direct => {
                fit_tile(&mut source, tile, [height, width, g.channels]);
                Self::direct_images(source, g, [height, width, g.channels])
            }
        }
    }

    /// Plans the gradient of the input.
    ///
    /// The tensors are gradient, weight and result.
    pub fn backward_data(g: &Geometry, kernel: ConvKernel) -> Self {
        let mut source = ConvSource::new(ConvPass::BackwardData, g, kernel);
        let [channels, height, width] = g.input;
        // With a stride, tiles begin at multiples of it.
        let whole = |tile: usize, full: usize, stride: usize| match stride {
            1 => tile,
            _ => full.div_ceil(stride) * stride,
        };
        match kernel {
            ConvKernel::Tiled => Self::tiled(source, g, channels, g.n * height * width, 1),
            ConvKernel::Direct => {
                fit_tile(&mut source, TILE, [height, width, channels]);
                source.ty = whole(source.ty, TILE[0], g.stride[0]);
                source.tx = whole(source.tx, TILE[1], g.stride[1]);
                Self::direct_images(source, g, [height, width, channels])
            }
        }
    }

    /// Plans the gradients of the weights and the bias, and returns the number of parts.
    ///
    /// The tensors are x, gradient, and the parts of both results, which
    /// [`sum_parts`](crate::model::ops::sum_parts) adds.
    pub fn backward_weight(g: &Geometry, kernel: ConvKernel) -> (Self, usize) {
        let mut source = ConvSource::new(ConvPass::BackwardWeight, g, kernel);
        let [height, width] = g.output();
        match kernel {
            ConvKernel::Tiled => {
                let columns = g.patch_len() + 1;
                let tiles = columns.div_ceil(TILE_SIDE) * g.channels.div_ceil(TILE_SIDE);
                let most = (g.n * height * width).div_ceil(TILE_DEPTH * 16);
                let parts = (MIN_GROUPS / tiles).clamp(1, most.max(1));
                (Self::tiled(source, g, g.channels, columns, parts), parts)
            }
            ConvKernel::Direct => {
                let [to, tc, tx] = match g.taps() <= FEW_TAPS {
                    true => FEW_TAPS_TILE,
                    false => WEIGHT_TILE,
                };
                source.to = largest_tile(to, g.channels);
                source.tc = largest_tile(tc, g.input[0]);
                source.tx = largest_tile(tx, width);
                let tiles = g.input[0].div_ceil(source.tc) * g.channels.div_ceil(source.to);
                let wanted = MIN_INVOCATIONS.div_ceil((tiles * g.n).max(1));
                // Bands of few rows would spend their time on rows that two of them read.
                let band = height.div_ceil(wanted).max(height.min(8));
                let bands = height.div_ceil(band);
                let parts = g.n * bands;
                let split = Split { parts, band, bands };
                (Self::direct(source, g, parts * tiles, split), parts)
            }
        }
    }

    /// Plans [`ConvKernel::Tiled`] for a matrix of `rows` by `columns` sums.
    fn tiled(source: ConvSource, g: &Geometry, rows: usize, columns: usize, parts: usize) -> Self {
        let down = rows.div_ceil(TILE_SIDE);
        let [x, y] = fold(columns.div_ceil(TILE_SIDE) * down);
        let split = Split {
            parts,
            ..Split::NONE
        };
        Self {
            source,
            groups: [x, y, parts as u32],
            uniforms: uniforms(g, x, down, split),
        }
    }

    /// Plans [`ConvKernel::Direct`] for a pass that writes images of the given height, width and
    /// channels.
    fn direct_images(source: ConvSource, g: &Geometry, sizes: [usize; 3]) -> Self {
        let [height, width, channels] = sizes;
        let tiles = height.div_ceil(source.ty) * width.div_ceil(source.tx);
        let blocks = channels.div_ceil(source.tc);
        Self::direct(source, g, g.n * blocks * tiles, Split::NONE)
    }

    fn direct(source: ConvSource, g: &Geometry, invocations: usize, split: Split) -> Self {
        let [x, y] = fold(invocations.div_ceil(DIRECT_WORKGROUP));
        Self {
            source,
            groups: [x, y, 1],
            uniforms: uniforms(g, x, 0, split),
        }
    }
}

/// Sets the tile of a source: at most `max` rows, columns and channels, and no more than `sizes`
/// has.
fn fit_tile(source: &mut ConvSource, max: [usize; 3], sizes: [usize; 3]) {
    [source.ty, source.tx, source.tc] = [0, 1, 2].map(|i| largest_tile(max[i], sizes[i]));
}

/// Returns `max`, or if `size` is smaller the largest power of two that fits into it. Few tiles
/// mean few sources for many sizes.
fn largest_tile(max: usize, size: usize) -> usize {
    match size {
        0 => 1,
        _ if max <= size => max,
        _ => 1 << size.ilog2(),
    }
}

/// Returns `Shape` of `shaders/ops/conv2d_shape.wgsl`.
fn uniforms(g: &Geometry, across: u32, down: usize, split: Split) -> [u32; 16] {
    let ([channels, height, width], [out_height, out_width]) = (g.input, g.output());
    [
        g.n,
        channels,
        height,
        width,
        g.channels,
        out_height,
        out_width,
        across as usize,
        down,
        split.parts,
        split.band,
        split.bands,
        0,
        0,
        0,
        0,
    ]
    .map(|n| n as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::kernel::KernelSource;

    const KERNELS: [ConvKernel; 2] = [ConvKernel::Tiled, ConvKernel::Direct];

    fn geometry(n: usize, input: [usize; 3], channels: usize, kernel: usize) -> Geometry {
        Geometry {
            n,
            input,
            channels,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: [(0, 0); 2],
        }
    }

    /// The f32 sources need nothing beyond WebGPU's base: no feature, at most 256 invocations and
    /// 16 KiB of memory per workgroup, and at most 65 535 workgroups per dimension.
    #[test]
    fn sources_keep_to_webgpus_base() {
        for g in [
            geometry(1, [4, 720, 720], 32, 3),
            geometry(4, [64, 43, 43], 64, 2),
        ] {
            for kernel in KERNELS {
                let all = [
                    Launch::forward(&g, kernel, true, true),
                    Launch::backward_data(&g, kernel),
                    Launch::backward_weight(&g, kernel).0,
                ];
                for launch in all {
                    let text = launch.source.wgsl();
                    assert!(
                        !text.contains("enable ") && !text.contains("requires "),
                        "{text}"
                    );
                    assert!(launch.source.workgroup_size().iter().product::<u32>() <= 256);
                    assert!(launch.groups.iter().all(|&n| (1..=65_535).contains(&n)));
                    assert_eq!(text.contains("workgroupBarrier"), launch.source.tiled);
                    const { assert!(2 * TILE_SIDE * TILE_DEPTH * 4 <= 16 << 10) };
                }
            }
        }
    }

    /// The sizes of images and batches are uniforms, so that one kernel is compiled for all sizes.
    #[test]
    fn a_source_serves_many_sizes() {
        for kernel in KERNELS {
            let source = |n, side| {
                let g = geometry(n, [64, side, side], 64, 3);
                Launch::forward(&g, kernel, true, false).source
            };
            assert_eq!(source(1, 43), source(33, 89));
        }
    }

    /// A large pass becomes several dispatches, which together have each workgroup once.
    #[test]
    fn large_passes_are_split() {
        const MOST: u64 = 1 << 34;
        // The second convolution of deeppixel.
        for (n, few) in [(1, true), (32, false)] {
            let g = geometry(n, [32, 359, 359], 64, 3);
            for kernel in KERNELS {
                let whole = Launch::forward(&g, kernel, true, false);
                let [x, y, z] = whole.groups;
                let parts = whole.clone().dispatches(g.multiply_adds(), MOST);
                assert_eq!(parts.len() == 1, few, "{kernel:?}");
                let mut next = 0;
                for part in &parts {
                    let across = part.uniforms[GROUPS_ACROSS];
                    assert_eq!(part.uniforms[FIRST_ROW] * across, next);
                    let [width, height, depth] = part.groups;
                    assert_eq!((width, depth), (across, z));
                    next += width * height;
                }
                assert!((x * y..x * y + x).contains(&next), "{next} of {x} x {y}");
                let share = g.multiply_adds() / parts.len() as u64;
                assert!(share <= MOST);
            }
        }
    }

    /// Each row of each image is in exactly one part.
    #[test]
    fn parts_cover_the_images() {
        for (n, side) in [(1, 180), (33, 9), (4, 5), (2, 720)] {
            let g = geometry(n, [4, side, side], 32, 3);
            let (launch, parts) = Launch::backward_weight(&g, ConvKernel::Direct);
            let [band, bands] = [10, 11].map(|i| launch.uniforms[i] as usize);
            assert_eq!(parts, n * bands);
            assert!(
                band * bands >= side - 2 && band * (bands - 1) < side - 2,
                "{band} {bands}"
            );
        }
    }
}
