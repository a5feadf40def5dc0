//! Bias, parametric ReLU (He et al. 2015) and 2x2 max-pooling in one pass on the CPU, and the
//! gradients.
//!
//! Planes (one channel of one image) run side by side on all cores.

use rayon::prelude::*;

/// The parameters of one channel.
#[derive(Clone, Copy)]
pub struct Channel {
    /// The value that is added.
    bias: f32,
    /// The factor of negative sums.
    slope: f32,
}

impl Channel {
    /// Joins the biases and slopes of all channels.
    pub fn all(bias: &[f32], slope: &[f32]) -> Vec<Self> {
        let channels = bias.iter().zip(slope);
        channels
            .map(|(&bias, &slope)| Self { bias, slope })
            .collect()
    }

    fn activate(self, x: f32) -> f32 {
        let x = x + self.bias;
        if x > 0.0 { x } else { x * self.slope }
    }
}

/// The size of a plane before pooling. Pooling drops a last odd row or column.
#[derive(Clone, Copy)]
pub struct PlaneSize {
    /// The height and width of the input.
    pub input: [usize; 2],
}

impl PlaneSize {
    /// Returns the height and width of the output.
    pub fn output(self) -> [usize; 2] {
        self.input.map(|side| side / 2)
    }

    /// Returns the number of values of an input plane and an output plane.
    fn lengths(self) -> [usize; 2] {
        [self.input, self.output()].map(|[h, w]| (h * w).max(1))
    }

    /// Returns the indices of the four inputs of output `x` in row `y`, row by row.
    fn window(self, y: usize, x: usize) -> [usize; 4] {
        let at = 2 * y * self.input[1] + 2 * x;
        [at, at + 1, at + self.input[1], at + self.input[1] + 1]
    }
}

/// Computes `[n, channels, height / 2, width / 2]` from `[n, channels, height, width]`.
pub fn forward(x: &[f32], channels: &[Channel], size: PlaneSize) -> Vec<f32> {
    let [from, to] = size.lengths();
    let [height, width] = size.output();
    let images = x.len() / from;
    let mut out = vec![0.0; images * height * width];
    let planes = out.par_chunks_mut(to).zip(x.par_chunks(from));
    planes.enumerate().for_each(|(i, (out, x))| {
        let channel = channels[i % channels.len()];
        for (y, row) in out.chunks_mut(width.max(1)).enumerate() {
            let (above, below) = x[2 * y * size.input[1]..].split_at(size.input[1]);
            let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
            for (out, (a, b)) in row.iter_mut().zip(pairs) {
                let [a, b] = [a, b].map(|p| channel.activate(p[0]).max(channel.activate(p[1])));
                *out = a.max(b);
            }
        }
    });
    out
}

/// Computes the gradients of the `x`, biases and slopes of [`forward`] from that of its result.
///
/// The first of equal values in a window gets the whole gradient.
pub fn backward(
    x: &[f32],
    channels: &[Channel],
    gradient: &[f32],
    size: PlaneSize,
) -> [Vec<f32>; 3] {
    let [from, to] = size.lengths();
    let [height, width] = size.output();
    let mut for_x = vec![0.0; x.len()];
    let planes = for_x.par_chunks_mut(from).zip(x.par_chunks(from));
    let sums: Vec<(f64, f64)> = planes
        .zip(gradient.par_chunks(to))
        .enumerate()
        .map(|(i, ((out, x), gradient))| {
            let channel = channels[i % channels.len()];
            let (mut for_bias, mut for_slope) = (0.0f64, 0.0f64);
            for y in 0..height {
                let (mut bias, mut slope) = (0.0f32, 0.0f32);
                for column in 0..width {
                    let window = size.window(y, column);
                    let values = window.map(|at| channel.activate(x[at]));
                    let mut best = 0;
                    for k in 1..4 {
                        best = if values[k] > values[best] { k } else { best };
                    }
                    let at = window[best];
                    let g = gradient[y * width + column];
                    let input = x[at] + channel.bias;
                    let (factor, negative) = match input > 0.0 {
                        true => (1.0, 0.0),
                        false => (channel.slope, input),
                    };
                    out[at] = g * factor;
                    bias += g * factor;
                    slope += g * negative;
                }
                for_bias += f64::from(bias);
                for_slope += f64::from(slope);
            }
            (for_bias, for_slope)
        })
        .collect();
    let (mut biases, mut slopes) = (vec![0.0f64; channels.len()], vec![0.0f64; channels.len()]);
    for (i, (bias, slope)) in sums.into_iter().enumerate() {
        biases[i % channels.len()] += bias;
        slopes[i % channels.len()] += slope;
    }
    let narrow = |sums: Vec<f64>| sums.into_iter().map(|v| v as f32).collect();
    [for_x, narrow(biases), narrow(slopes)]
}
