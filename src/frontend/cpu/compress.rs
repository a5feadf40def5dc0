//! Power to value, for all compressions. CPU implementation of `compress` in
//! `shaders/frontend/stft_common.wgsl`.

use crate::frontend::config::Compression;
use crate::frontend::spectrogram::NO_VALUE;

/// Decibels per doubling of power.
const DB_PER_LOG2: f32 = 10.0 * std::f32::consts::LOG10_2;

/// Replaces the powers in `cells` by their values, [`NO_VALUE`] included.
pub fn compress(compression: Compression, cells: &mut [f32]) {
    // The choice is made outside the loops, so that the compiler can use vectors in them.
    let decibels = |cells: &mut [f32], amin: f32| {
        for v in cells {
            let p = v.max(amin);
            *v = if p < f32::MIN_POSITIVE {
                NO_VALUE
            } else {
                log2(p) * DB_PER_LOG2
            };
        }
    };
    match compression {
        Compression::Masked => decibels(cells, 0.0),
        Compression::Floor { amin } => decibels(cells, amin as f32),
        Compression::Log { scale } => {
            let scale = scale as f32;
            for v in cells {
                // Near silence the sum is exact to within f32's rounding of 1. Adding 1 / scale to
                // the power and log10(scale) to the logarithm would cancel there instead.
                let p = (scale * *v).max(0.0).min(f32::MAX);
                *v = log2(1.0 + p) * std::f32::consts::LOG10_2;
            }
        }
    }
}

/// Returns the value of silence, which is also what SpecAugment writes over the cells it masks.
pub fn silence(compression: Compression) -> f32 {
    let mut cell = [0.0];
    compress(compression, &mut cell);
    cell[0]
}

/// Returns the binary logarithm of a normal positive number, with an error of at most 3e-7 or,
/// above 2, one unit in the last place. It has no call and no branch, so that the compiler can use
/// vectors.
///
/// The number is halved until it lies in sqrt(1/2)..sqrt(2), where ln(m) = 2 atanh((m - 1) / (m +
/// 1)).
fn log2(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let halvings = x.to_bits().wrapping_sub(SQRT_HALF) as i32 >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((halvings << 23) as u32));
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    // 2 / ln 2 times 1, 1/3, 1/5, 1/7, 1/9.
    let series =
        2.885_39 + z * (0.961_796_7 + z * (0.577_078_04 + z * (0.412_198_6 + z * 0.320_598_9)));
    halvings as f32 + s * series
}

#[cfg(test)]
pub(in crate::frontend) mod tests {
    use super::*;

    #[test]
    fn log2_is_the_logarithm() {
        let mut worst = 0.0f64;
        for bits in (f32::MIN_POSITIVE.to_bits()..f32::MAX.to_bits()).step_by(9_973) {
            let x = f32::from_bits(bits);
            let want = f64::from(x).log2();
            worst = worst.max((f64::from(log2(x)) - want).abs() / want.abs().max(2.0));
        }
        assert!(worst < 1.5e-7, "{worst}");
        assert_eq!([1.0, 2.0, 0.25, 1e-10f32].map(log2)[..3], [0.0, 1.0, -2.0]);
    }

    /// Every compression, for tests of both implementations.
    pub(in crate::frontend) const ALL: [Compression; 5] = [
        Compression::Masked,
        Compression::Floor { amin: 1e-10 },
        Compression::Log { scale: 10_000.0 },
        Compression::Log { scale: 1.0 },
        Compression::Log { scale: 1e-3 },
    ];

    /// Returns zero and powers of all magnitudes that audio has.
    pub(in crate::frontend) fn powers() -> Vec<f32> {
        let magnitudes = (-36 * 8..=24 * 8).map(|e| 10f32.powf(e as f32 / 8.0));
        std::iter::once(0.0).chain(magnitudes).collect()
    }

    /// Holds `got` against `compression` of `power` in f64. `tolerance` is the error of the binary
    /// logarithm that is allowed, relative above 1 and absolute below.
    pub(in crate::frontend) fn assert_near_f64(
        compression: Compression,
        power: f32,
        got: f32,
        tolerance: f64,
    ) {
        let p = f64::from(power);
        let (want, per_log2) = match compression {
            Compression::Masked if power == 0.0 => (f64::from(NO_VALUE), 0.0),
            Compression::Masked => (10.0 * p.log10(), 3.010_3),
            // The floor is a number of f32.
            Compression::Floor { amin } => (10.0 * p.max(f64::from(amin as f32)).log10(), 3.010_3),
            Compression::Log { scale } => ((scale * p).ln_1p() / 10f64.ln(), 0.301_03),
        };
        let off = (f64::from(got) - want).abs();
        let allowed = tolerance * want.abs().max(per_log2);
        assert!(
            off <= allowed,
            "{compression:?} of {power:e}: {got} for {want}"
        );
    }

    #[test]
    fn values_are_those_of_f64() {
        for compression in ALL {
            let mut cells = powers();
            compress(compression, &mut cells);
            for (power, got) in powers().into_iter().zip(cells) {
                assert_near_f64(compression, power, got, 3e-7);
            }
        }
        assert_eq!(silence(Compression::Log { scale: 1e4 }), 0.0);
        assert_eq!(silence(Compression::Masked), NO_VALUE);
    }
}
