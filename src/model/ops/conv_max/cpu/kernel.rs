//! The inner loops, in vectors of the widest kind that the processor has.
//!
//! Neighboring places along frequency lie side by side in vectors, and several filters share each
//! vector of the image. The sums never leave the registers: the maximum is taken there.

use macerator::{AutoArch, Scalar, Simd, Vector, WithSimd};

use crate::model::ops::conv_max::shape::ConvMaxShape;

/// A vector of f32.
type Values<S> = Vector<S, f32>;

/// Vectors side by side per filter. With [`max_filters`] filters they fill the registers.
const VECTORS: usize = 2;

/// Values that may be read beyond the end of the last image: less than [`VECTORS`] of the widest
/// vectors.
pub const SLACK: usize = VECTORS * 16;

/// Returns the most filters of a [`Group`] on this processor.
pub fn max_filters() -> usize {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;
        fn with_simd<S: Simd>(self) -> usize {
            f32::lanes::<S>()
        }
    }
    match AutoArch::new().dispatch(Lanes) {
        16 => 9,
        // NEON has as many registers as AVX-512.
        4 if cfg!(target_arch = "aarch64") => 9,
        _ => 6,
    }
}

/// A few filters on one image.
pub struct Group<'a> {
    /// All shapes.
    pub shape: ConvMaxShape,
    /// The values of the image, and [`SLACK`] more.
    pub image: &'a [f32],
    /// The filters of the group: 1 to [`max_filters`].
    pub filters: usize,
    /// Their weights, `[tap][filter]`.
    pub weight: &'a [f32],
    /// The maxima, `[filter][frame]`.
    pub out: &'a mut [f32],
    /// The places of the maxima, `[filter][frame]`, if they are wanted.
    pub places: Option<&'a mut [f32]>,
}

impl Group<'_> {
    /// Computes the maxima.
    ///
    /// The first of equal values is the maximum.
    pub fn run(self) {
        AutoArch::new().dispatch(self);
    }

    #[inline(always)]
    fn run_on<S: Simd, const FILTERS: usize>(mut self) {
        let (frames, places) = (self.shape.frames(), self.shape.places());
        let side = VECTORS * f32::lanes::<S>();
        self.out.fill(f32::NEG_INFINITY);
        for first in (0..places).step_by(side) {
            // Sums beyond the last place do not count.
            let limit = |v: usize| {
                let lane = |i: usize| first + v * f32::lanes::<S>() + i < places;
                load_with::<S>(|i| {
                    if lane(i) {
                        f32::INFINITY
                    } else {
                        f32::NEG_INFINITY
                    }
                })
            };
            let limits: [Values<S>; VECTORS] = std::array::from_fn(limit);
            for t in 0..frames {
                let sums = self.sums::<S, FILTERS>(t, first);
                for (f, sums) in sums.into_iter().enumerate() {
                    let sums: [Values<S>; VECTORS] =
                        std::array::from_fn(|v| sums[v].min(limits[v]));
                    let largest = sums.into_iter().reduce(|a, b| a.max(b));
                    let largest = largest.map_or(f32::NEG_INFINITY, Vector::reduce_max);
                    self.keep(f * frames + t, largest, first, bytemuck::cast_slice(&sums));
                }
            }
        }
    }

    /// Keeps the largest of `sums`, which are those of the places from `first` on, if it is larger
    /// than what is kept for output `at`.
    #[inline(always)]
    fn keep(&mut self, at: usize, largest: f32, first: usize, sums: &[f32]) {
        let kept = &mut self.out[at];
        if let Some(places) = self.places.as_mut().filter(|_| largest > *kept) {
            let place = sums.iter().position(|&s| s == largest).unwrap_or(0);
            places[at] = (first + place) as f32;
        }
        *kept = kept.max(largest);
    }

    /// Computes the sums of all filters at frame `t`, for the places from `first` on.
    #[inline(always)]
    fn sums<S: Simd, const FILTERS: usize>(
        &self,
        t: usize,
        first: usize,
    ) -> [[Values<S>; VECTORS]; FILTERS] {
        let mut sums = [[0f32.splat::<S>(); VECTORS]; FILTERS];
        let ([_, bands], [_, width]) = (self.shape.input, self.shape.kernel);
        let lanes = f32::lanes::<S>();
        let (inside, row) = self.shape.inside(t);
        let weight = &self.weight[inside.start * width * FILTERS..inside.end * width * FILTERS];
        for (i, weight) in weight.chunks_exact(width * FILTERS).enumerate() {
            let row = &self.image[(row + i) * bands + first..][..width - 1 + VECTORS * lanes];
            let taps = weight.chunks_exact(FILTERS);
            for (weight, x) in taps.zip(row.windows(VECTORS * lanes)) {
                let x: [Values<S>; VECTORS] = std::array::from_fn(|v| load(&x[v * lanes..]));
                for (sums, &weight) in sums.iter_mut().zip(weight) {
                    let weight = weight.splat::<S>();
                    for (sum, x) in sums.iter_mut().zip(x) {
                        *sum = x.mul_add(weight, *sum);
                    }
                }
            }
        }
        sums
    }
}

/// Returns the first values of `x` as a vector.
#[inline(always)]
fn load<S: Simd>(x: &[f32]) -> Values<S> {
    let x = &x[..f32::lanes::<S>()];
    bytemuck::pod_read_unaligned(bytemuck::cast_slice(x))
}

/// Returns the vector of the values of `lane`.
#[inline(always)]
fn load_with<S: Simd>(lane: impl Fn(usize) -> f32) -> Values<S> {
    let mut values = 0f32.splat::<S>();
    let lanes: &mut [f32] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut values));
    for (i, value) in lanes.iter_mut().enumerate() {
        *value = lane(i);
    }
    values
}

impl WithSimd for Group<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self) {
        match self.filters {
            1 => self.run_on::<S, 1>(),
            2 => self.run_on::<S, 2>(),
            3 => self.run_on::<S, 3>(),
            4 => self.run_on::<S, 4>(),
            5 => self.run_on::<S, 5>(),
            6 => self.run_on::<S, 6>(),
            7 => self.run_on::<S, 7>(),
            8 => self.run_on::<S, 8>(),
            9 => self.run_on::<S, 9>(),
            more => unreachable!("{more} filters in a group"),
        }
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use macerator::Arch;

    use super::*;
    use crate::model::ops::conv::tests::noise;

    /// Older processors compute the same with their narrower vectors.
    #[test]
    #[allow(
        unsafe_code,
        reason = "instruction sets below the detected one are there, too"
    )]
    fn every_instruction_set_gives_the_same() {
        let shape = ConvMaxShape {
            n: 1,
            input: [20, 70],
            channels: 9,
            kernel: [4, 3],
            padding: (1, 2),
        };
        let image = noise(shape.image_len() + SLACK, 1);
        let weight = noise(9 * shape.taps(), 2);
        let run = |arch: Arch, filters: usize| {
            let len = filters * shape.frames();
            let (mut out, mut places) = (vec![0.0; len], vec![0.0; len]);
            let group = Group {
                shape,
                image: &image,
                filters,
                weight: &weight[..filters * shape.taps()],
                out: &mut out,
                places: Some(&mut places),
            };
            // SAFETY: every level includes those below it, and `Arch::detect` found the highest.
            unsafe { arch.dispatch(group) };
            (out, places)
        };
        let best = Arch::detect();
        for arch in [Arch::Scalar, Arch::V2, Arch::V3] {
            if arch as u8 > best as u8 {
                continue;
            }
            for filters in 1..=9 {
                let (got, want) = (run(arch, filters), run(best, filters));
                assert_eq!(got.1, want.1, "{arch:?}");
                for (got, want) in got.0.iter().zip(&want.0) {
                    assert!((got - want).abs() < 1e-5, "{arch:?}: {got} for {want}");
                }
            }
        }
    }
}
