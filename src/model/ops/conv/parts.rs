//! A convolution with a large kernel as one with a small kernel of more channels, for software
//! adapters.
//!
//! [`ConvKernel::Direct`](super::source::ConvKernel) has one line of source per tap. A large kernel
//! is cut into parts, and each part becomes a channel of its own, whose image is shifted to where
//! the part lies. Autodiff goes through these steps as through others.

use burn::tensor::Tensor;
use burn::tensor::ops::PadMode;

use super::geometry::Geometry;

/// How a kernel is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Height and width of a part.
    pub kernel: [usize; 2],
    /// Parts down and across. Together they may be larger than the kernel.
    count: [usize; 2],
}

/// The most taps of a part. Larger parts are hardly faster, and the driver takes long over them.
const MAX_TAPS: usize = 9;

impl Parts {
    /// Cuts a kernel into parts of at most [`MAX_TAPS`] taps, which are as wide as possible.
    pub fn new(kernel: [usize; 2]) -> Self {
        let across = kernel[1].div_ceil(MAX_TAPS);
        let width = kernel[1].div_ceil(across);
        let down = kernel[0].div_ceil(MAX_TAPS / width);
        Self {
            kernel: [kernel[0].div_ceil(down), width],
            count: [down, across],
        }
    }

    /// Returns the convolution of the parts, whose stride is one and which is not padded.
    pub fn geometry(&self, g: &Geometry) -> Geometry {
        let sizes = [0, 1].map(|i| g.output()[i] + self.kernel[i] - 1);
        Geometry {
            input: [
                self.count[0] * self.count[1] * g.input[0],
                sizes[0],
                sizes[1],
            ],
            kernel: self.kernel,
            padding: [(0, 0); 2],
            ..*g
        }
    }

    /// Returns the images of all parts as channels: `[n, parts * in, height, width]` of `x`,
    /// `[n, in, height, width]`.
    pub fn images(&self, x: Tensor<4>, g: &Geometry) -> Tensor<4> {
        let [(top, bottom), (left, right)] = g.padding;
        let [more_rows, more_columns] = self.excess(g);
        let padding = [(top, bottom + more_rows), (left, right + more_columns)];
        let x = x.pad(padding, PadMode::Constant(0.0));
        let [n, channels, ..] = x.dims();
        let [_, height, width] = self.geometry(g).input;
        let part = |i: usize| {
            let [y, x0] = [
                i / self.count[1] * self.kernel[0],
                i % self.count[1] * self.kernel[1],
            ];
            x.clone()
                .slice([0..n, 0..channels, y..y + height, x0..x0 + width])
        };
        Tensor::cat((0..self.count.iter().product()).map(part).collect(), 1)
    }

    /// Returns the kernels of all parts, `[out, parts * in, height, width]`, of `weight`,
    /// `[out, in, height, width]`.
    pub fn kernels(&self, weight: Tensor<4>, g: &Geometry) -> Tensor<4> {
        let [out, channels, ..] = weight.dims();
        let [more_rows, more_columns] = self.excess(g);
        let padding = [(0, more_rows), (0, more_columns)];
        let weight = weight.pad(padding, PadMode::Constant(0.0));
        let ([height, width], [down, across]) = (self.kernel, self.count);
        let parts: Tensor<6> = weight.reshape([out, channels, down, height, across, width]);
        let parts = parts.permute([0, 2, 4, 1, 3, 5]);
        parts.reshape([out, down * across * channels, height, width])
    }

    /// Returns the rows and columns by which the parts together are larger than the kernel.
    fn excess(&self, g: &Geometry) -> [usize; 2] {
        [0, 1].map(|i| self.count[i] * self.kernel[i] - g.kernel[i])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cover_the_kernel() {
        for (kernel, part, count) in [
            ([7, 38], [1, 8], [7, 5]),
            ([7, 67], [1, 9], [7, 8]),
            ([128, 1], [9, 1], [15, 1]),
            ([9, 4], [2, 4], [5, 1]),
            ([6, 6], [1, 6], [6, 1]),
        ] {
            let parts = Parts::new(kernel);
            assert_eq!(
                parts,
                Parts {
                    kernel: part,
                    count
                }
            );
        }
    }
}
