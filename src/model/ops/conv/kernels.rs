//! The WGSL convolutions as data: which text, how many workgroups, which numbers. Nothing here needs a device.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use super::cpu::Geometry;
use crate::gpu::kernel::{KernelSource, fold, real};

/// How the kernels are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Implicit matrix products whose tiles go through workgroup memory: for cards.
    Tiled,
    /// No barriers, and large tiles in registers: for software adapters.
    Direct,
}

/// A kernel and what it runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The kernel.
    pub text: Kernel,
    /// Workgroups.
    pub groups: [u32; 3],
    /// The uniform: `Shape` of the shader.
    pub words: [u32; 12],
}

/// All that a kernel's text depends on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Kernel {
    file: &'static str,
    /// Tensors are of f16, which the adapter must have; sums are of f32 still.
    half: bool,
    tiled: bool,
    bias: bool,
    rectify: bool,
    sum: bool,
    kh: usize,
    kw: usize,
    sy: usize,
    sx: usize,
    py: usize,
    px: usize,
    /// Pixels down and across, channels that are written and channels out, of an invocation.
    ty: usize,
    tx: usize,
    tc: usize,
    to: usize,
    /// Sums of a workgroup each way, and how many products deep its tiles are.
    side: usize,
    deep: usize,
}

const FORWARD: &str = "conv2d_forward.wgsl";
const BACKWARD_DATA: &str = "conv2d_backward_data.wgsl";
const BACKWARD_WEIGHT: &str = "conv2d_backward_weight.wgsl";
const TEXTS: [(&str, &str); 5] = [
    (
        FORWARD,
        include_str!("../../../../shaders/ops/conv2d_forward.wgsl"),
    ),
    (
        BACKWARD_DATA,
        include_str!("../../../../shaders/ops/conv2d_backward_data.wgsl"),
    ),
    (
        BACKWARD_WEIGHT,
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

/// A tile of [`Kind::Direct`], rows, columns and channels: more would be faster by a third and take the driver three times as long to compile.
const TILE: [usize; 3] = [4, 8, 8];
/// The same of a forward pass with a stride, which sees more of the picture.
const STRIDED: [usize; 3] = [4, 4, 8];
/// Channels out and in, and pixels across, of [`Kind::Direct`]'s gradient of the weights.
const WEIGHT_TILE: [usize; 3] = [8, 4, 8];
/// The same of kernels with few taps, whose values serve fewer products.
const FEW_TAPS: [usize; 3] = [8, 8, 8];
/// Invocations that keep the threads of a software adapter busy.
const BUSY: usize = 256;
/// A workgroup of [`Kind::Direct`]: the width of the vectors that software adapters compute in.
const LANES: usize = 8;
/// Sums each way of a workgroup of [`Kind::Tiled`], and products between two barriers.
const SIDE: usize = 64;
const DEEP: usize = 16;
/// Workgroups that keep a card busy.
const MANY_GROUPS: usize = 512;

impl KernelSource for Kernel {
    fn wgsl(&self) -> String {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, text) in TEXTS {
            templates.add_template(name, text).expect("a template");
        }
        let template = templates.get_template(self.file).expect("one of TEXTS");
        let text = template.render(Serde(self)).expect("nothing undefined");
        real(self.half).to_owned() + &text
    }

    fn workgroup(&self) -> [u32; 3] {
        match (self.sum, self.tiled) {
            (true, _) => [64, 1, 1],
            (false, true) => [16, 16, 1],
            (false, false) => [LANES as u32, 1, 1],
        }
    }
}

impl Kernel {
    fn new(file: &'static str, g: &Geometry, kind: Kind) -> Self {
        let ([kh, kw], [sy, sx], [py, px]) = (g.kernel, g.stride, g.padding);
        Self {
            file,
            tiled: kind == Kind::Tiled,
            kh,
            kw,
            sy,
            sx,
            py,
            px,
            sum: false,
            ..Self::sum()
        }
    }

    /// The pass that adds parts: one text for every convolution.
    fn sum() -> Self {
        Self {
            file: BACKWARD_WEIGHT,
            half: false,
            tiled: false,
            bias: false,
            rectify: false,
            sum: true,
            kh: 1,
            kw: 1,
            sy: 1,
            sx: 1,
            py: 0,
            px: 0,
            ty: 1,
            tx: 1,
            tc: 1,
            to: 1,
            side: SIDE,
            deep: DEEP,
        }
    }

    /// A tile that is no larger than what there is: rows, columns, channels. In [`Kind::Tiled`] it is no part of the text.
    fn fit(&mut self, most: [usize; 3], sides: [usize; 3]) {
        if !self.tiled {
            let [ty, tx, tc] = [0, 1, 2].map(|i| within(most[i], sides[i]));
            (self.ty, self.tx, self.tc) = (ty, tx, tc);
        }
    }
}

impl Launch {
    /// The same on tensors of f16.
    pub fn of_half(mut self, half: bool) -> Self {
        self.text.half = half;
        self
    }

    /// `forward`: tensors x, weight, result and, with `bias`, the bias.
    pub fn forward(g: &Geometry, kind: Kind, bias: bool, rectify: bool) -> Self {
        let mut text = Kernel::new(FORWARD, g, kind);
        (text.bias, text.rectify) = (bias, rectify);
        let [height, width] = g.output();
        text.fit(
            if g.stride == [1, 1] { TILE } else { STRIDED },
            [height, width, g.channels],
        );
        match kind {
            Kind::Tiled => Self::tiled(text, g, g.channels, g.n * height * width, 1),
            Kind::Direct => {
                let tiles = height.div_ceil(text.ty) * width.div_ceil(text.tx);
                let blocks = g.channels.div_ceil(text.tc);
                Self::direct(text, g, g.n * blocks * tiles, [1, 0, 0])
            }
        }
    }

    /// `backward_data`: tensors gradient, weight, result.
    pub fn backward_data(g: &Geometry, kind: Kind) -> Self {
        let mut text = Kernel::new(BACKWARD_DATA, g, kind);
        let [channels, height, width] = g.input;
        text.fit(TILE, [height, width, channels]);
        // With a stride, tiles begin at multiples of it.
        let whole = |tile: usize, full: usize, stride: usize| match stride {
            1 => tile,
            _ => full.div_ceil(stride) * stride,
        };
        match kind {
            Kind::Tiled => Self::tiled(text, g, channels, g.n * height * width, 1),
            Kind::Direct => {
                text.ty = whole(text.ty, TILE[0], g.stride[0]);
                text.tx = whole(text.tx, TILE[1], g.stride[1]);
                let tiles = height.div_ceil(text.ty) * width.div_ceil(text.tx);
                let blocks = channels.div_ceil(text.tc);
                Self::direct(text, g, g.n * blocks * tiles, [1, 0, 0])
            }
        }
    }

    /// `backward_weight`: tensors x, gradient, and the parts of both results, which [`Self::sum`] adds; and how many parts.
    pub fn backward_weight(g: &Geometry, kind: Kind) -> (Self, usize) {
        let mut text = Kernel::new(BACKWARD_WEIGHT, g, kind);
        let [height, width] = g.output();
        if kind == Kind::Direct {
            let few = g.kernel.iter().product::<usize>() <= 4;
            let [to, tc, tx] = if few { FEW_TAPS } else { WEIGHT_TILE };
            text.to = within(to, g.channels);
            text.tc = within(tc, g.input[0]);
            text.tx = within(tx, width);
        }
        match kind {
            Kind::Tiled => {
                let columns = g.input[0] * g.kernel[0] * g.kernel[1] + 1;
                let tiles = columns.div_ceil(SIDE) * g.channels.div_ceil(SIDE);
                let most = (g.n * height * width).div_ceil(DEEP * 16);
                let parts = (MANY_GROUPS / tiles).clamp(1, most.max(1));
                (Self::tiled(text, g, g.channels, columns, parts), parts)
            }
            Kind::Direct => {
                let tiles = g.input[0].div_ceil(text.tc) * g.channels.div_ceil(text.to);
                let wanted = BUSY.div_ceil((tiles * g.n).max(1));
                // Bands of few rows spend their time on rows that both see.
                let band = height.div_ceil(wanted).max(height.min(8));
                let bands = height.div_ceil(band);
                let parts = g.n * bands;
                let share = [parts, band, bands];
                (Self::direct(text, g, parts * tiles, share), parts)
            }
        }
    }

    /// Adds `parts` of `count` numbers each: tensors parts and result.
    pub fn sum(parts: usize, count: usize) -> Self {
        let text = Kernel::sum();
        let [x, y] = fold(count.div_ceil(64));
        let mut words = [0; 12];
        words[..3].copy_from_slice(&[count as u32, parts as u32, x]);
        Self {
            text,
            groups: [x, y, 1],
            words,
        }
    }

    fn tiled(text: Kernel, g: &Geometry, rows: usize, columns: usize, parts: usize) -> Self {
        let down = rows.div_ceil(SIDE);
        let [x, y] = fold(columns.div_ceil(SIDE) * down);
        let words = words(g, x, [down, parts, 0, 0]);
        Self {
            text,
            groups: [x, y, parts as u32],
            words,
        }
    }

    fn direct(text: Kernel, g: &Geometry, invocations: usize, share: [usize; 3]) -> Self {
        let [x, y] = fold(invocations.div_ceil(LANES));
        let [parts, band, bands] = share;
        Self {
            text,
            groups: [x, y, 1],
            words: words(g, x, [0, parts, band, bands]),
        }
    }
}

/// `most`, or where that is too large the largest power of two that is not: few texts for many sizes.
fn within(most: usize, side: usize) -> usize {
    match side {
        0 => 1,
        _ if most <= side => most,
        _ => 1 << side.ilog2(),
    }
}

fn words(g: &Geometry, across: u32, [down, parts, band, bands]: [usize; 4]) -> [u32; 12] {
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
        parts,
        band,
        bands,
    ]
    .map(|n| n as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geometry(n: usize, input: [usize; 3], channels: usize, kernel: usize) -> Geometry {
        Geometry {
            n,
            input,
            channels,
            kernel: [kernel; 2],
            stride: [1, 1],
            padding: [0, 0],
        }
    }

    /// The default variant asks for nothing beyond WebGPU's base: no feature is enabled, 256 invocations and 16 KiB of
    /// workgroup memory at most, 65 535 workgroups a dimension.
    #[test]
    fn texts_keep_to_webgpus_base() {
        for g in [
            geometry(1, [4, 720, 720], 32, 3),
            geometry(4, [64, 43, 43], 64, 2),
        ] {
            for kind in [Kind::Tiled, Kind::Direct] {
                let all = [
                    Launch::forward(&g, kind, true, true),
                    Launch::backward_data(&g, kind),
                    Launch::backward_weight(&g, kind).0,
                    Launch::sum(7, 1 << 23),
                ];
                for launch in all {
                    let text = launch.text.wgsl();
                    assert!(
                        !text.contains("enable ") && !text.contains("requires "),
                        "{text}"
                    );
                    assert!(launch.text.workgroup().iter().product::<u32>() <= 256);
                    assert!(launch.groups.iter().all(|&n| (1..=65_535).contains(&n)));
                    assert_eq!(text.contains("workgroupBarrier"), launch.text.tiled);
                    const { assert!(2 * SIDE * DEEP * 4 <= 16 << 10) };
                }
            }
        }
    }

    /// Sizes of pictures and batches are numbers, not text: one kernel is compiled for all.
    #[test]
    fn a_text_serves_many_sizes() {
        for kind in [Kind::Tiled, Kind::Direct] {
            let text = |n, side| {
                Launch::forward(&geometry(n, [64, side, side], 64, 3), kind, true, false).text
            };
            assert_eq!(text(1, 43), text(33, 89));
        }
    }

    /// Every row of every picture is in one part.
    #[test]
    fn parts_cover_the_pictures() {
        for (n, side) in [(1, 180), (33, 9), (4, 5), (2, 720)] {
            let g = geometry(n, [4, side, side], 32, 3);
            let (launch, parts) = Launch::backward_weight(&g, Kind::Direct);
            let [.., band, bands] = launch.words.map(|w| w as usize);
            assert_eq!(parts, n * bands);
            assert!(
                band * bands >= side - 2 && band * (bands - 1) < side - 2,
                "{band} {bands}"
            );
        }
    }
}
