//! What stands behind the seed network's convolutions, on the CPU, in one pass: bias, parametric ReLU (He et al. 2015) and
//! 2x2 max-pooling; and its gradients. Planes (one channel of one image) side by side on all cores.

use rayon::prelude::*;

/// Of one channel: what is added, and the factor of what is negative (1: none).
#[derive(Clone, Copy)]
pub struct Channel {
    bias: f32,
    slope: f32,
}

impl Channel {
    /// The channels' biases, and their slopes if there are any.
    pub fn all(bias: &[f32], slope: Option<&[f32]>) -> Vec<Self> {
        let slope = |c: usize| slope.map_or(1.0, |s| s[c]);
        let channel = |(c, &bias): (usize, &f32)| Self {
            bias,
            slope: slope(c),
        };
        bias.iter().enumerate().map(channel).collect()
    }

    fn value(self, x: f32) -> f32 {
        let x = x + self.bias;
        if x > 0.0 { x } else { x * self.slope }
    }
}

/// Height and width of a plane, and of what is left of it: a last odd row or column is left out.
#[derive(Clone, Copy)]
pub struct Sides {
    /// Of the input.
    pub input: [usize; 2],
}

impl Sides {
    /// Height and width of the output.
    pub fn output(self) -> [usize; 2] {
        self.input.map(|side| side / 2)
    }

    fn planes(self) -> [usize; 2] {
        [self.input, self.output()].map(|[h, w]| (h * w).max(1))
    }

    /// The four inputs of output `x` in row `y`, first row first.
    fn window(self, y: usize, x: usize) -> [usize; 4] {
        let at = 2 * y * self.input[1] + 2 * x;
        [at, at + 1, at + self.input[1], at + self.input[1] + 1]
    }
}

/// `[n, channels, height, width]` to `[n, channels, height / 2, width / 2]`.
pub fn forward(x: &[f32], channels: &[Channel], sides: Sides) -> Vec<f32> {
    let [from, to] = sides.planes();
    let [height, width] = sides.output();
    let images = x.len() / from;
    let mut out = vec![0.0; images * height * width];
    let planes = out.par_chunks_mut(to).zip(x.par_chunks(from));
    planes.enumerate().for_each(|(i, (out, x))| {
        let channel = channels[i % channels.len()];
        for (y, row) in out.chunks_mut(width.max(1)).enumerate() {
            let (above, below) = x[2 * y * sides.input[1]..].split_at(sides.input[1]);
            let pairs = above.chunks_exact(2).zip(below.chunks_exact(2));
            for (out, (a, b)) in row.iter_mut().zip(pairs) {
                let [a, b] = [a, b].map(|p| channel.value(p[0]).max(channel.value(p[1])));
                *out = a.max(b);
            }
        }
    });
    out
}

/// The gradients of [`forward`]'s `x`, biases and slopes, given that of its result. Of equals in a window the first gets
/// all.
pub fn backward(x: &[f32], channels: &[Channel], gradient: &[f32], sides: Sides) -> [Vec<f32>; 3] {
    let [from, to] = sides.planes();
    let [height, width] = sides.output();
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
                    let window = sides.window(y, column);
                    let values = window.map(|at| channel.value(x[at]));
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
