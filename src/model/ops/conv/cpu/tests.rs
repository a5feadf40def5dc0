//! The CPU implementation against the definition.

use super::Geometry;

fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..len).map(|_| next()).collect()
}

/// Calls `each(output, input, weight)` with the indices of every product of the definition.
fn products(g: &Geometry, mut each: impl FnMut(usize, usize, usize)) {
    let ([channels, height, width], [oh, ow]) = (g.input, g.output());
    for n in 0..g.n {
        for o in 0..g.channels {
            for (y, x) in (0..oh).flat_map(|y| (0..ow).map(move |x| (y, x))) {
                for c in 0..channels {
                    for ky in 0..g.kernel[0] {
                        for kx in 0..g.kernel[1] {
                            let iy = (y * g.stride[0] + ky).wrapping_sub(g.padding[0].0);
                            let ix = (x * g.stride[1] + kx).wrapping_sub(g.padding[1].0);
                            if iy < height && ix < width {
                                each(
                                    ((n * g.channels + o) * oh + y) * ow + x,
                                    ((n * channels + c) * height + iy) * width + ix,
                                    ((o * channels + c) * g.kernel[0] + ky) * g.kernel[1] + kx,
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}

#[track_caller]
fn close(got: &[f32], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    let scale = want.iter().fold(1e-3f64, |m, w| m.max(w.abs()));
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!((f64::from(*g) - w).abs() < 1e-5 * scale, "{i}: {g} for {w}");
    }
}

#[test]
fn forward_and_gradients_are_those_of_the_definition() {
    for (n, input, channels, kernel, stride, padding) in [
        (1, [1, 1, 1], 1, [1, 1], [1, 1], [(0, 0), (0, 0)]),
        (2, [4, 17, 23], 24, [3, 3], [2, 2], [(1, 1), (1, 1)]),
        (3, [5, 16, 9], 7, [3, 3], [1, 1], [(1, 1), (1, 1)]),
        (33, [3, 6, 5], 2, [1, 1], [2, 2], [(0, 0), (0, 0)]),
        (1, [130, 8, 9], 65, [2, 2], [1, 1], [(0, 0), (0, 0)]),
        (2, [64, 90, 70], 3, [3, 3], [1, 1], [(0, 0), (0, 0)]),
        (2, [2, 4, 3], 3, [4, 3], [3, 2], [(0, 0), (2, 2)]),
        (2, [1, 2, 2], 1, [3, 5], [2, 3], [(2, 2), (4, 4)]),
        (2, [3, 9, 7], 5, [4, 2], [1, 1], [(1, 2), (0, 1)]),
        (1, [2, 40, 3], 4, [16, 1], [1, 1], [(7, 8), (0, 0)]),
        (2, [2, 5, 6], 3, [3, 3], [2, 2], [(0, 1), (3, 0)]),
        (3, [5, 30, 1], 4, [7, 1], [2, 1], [(3, 2), (0, 0)]),
    ] {
        let g = Geometry {
            n,
            input,
            channels,
            kernel,
            stride,
            padding,
        };
        let (x, weight) = (
            noise(n * g.image_len(), 1),
            noise(channels * g.patch_len(), 2),
        );
        let out = n * channels * g.pixels();
        let gradient = noise(out, 3);
        let mut forward = vec![0.0f64; out];
        let mut data = vec![0.0f64; x.len()];
        let mut weights = vec![0.0f64; weight.len()];
        products(&g, |o, i, w| {
            forward[o] += f64::from(x[i]) * f64::from(weight[w]);
            data[i] += f64::from(weight[w]) * f64::from(gradient[o]);
            weights[w] += f64::from(x[i]) * f64::from(gradient[o]);
        });
        for g in [g, g.without_columns()] {
            close(&g.forward(&x, &weight, |_, _| {}), &forward);
            close(&g.backward_data(&weight, &gradient), &data);
            close(&g.backward_weight(&x, &gradient), &weights);
        }
    }
}

/// Images of one column are handled as images of one row, with the same number of outputs.
#[test]
fn one_column_is_one_row() {
    let g = Geometry {
        n: 2,
        input: [3, 20, 1],
        channels: 4,
        kernel: [7, 1],
        stride: [2, 3],
        padding: [(3, 2), (0, 0)],
    };
    assert_eq!(
        (g.output(), g.without_columns().output()),
        ([10, 1], [1, 10])
    );
    let padded = Geometry {
        padding: [(3, 2), (1, 0)],
        ..g
    };
    assert_eq!(padded.without_columns(), padded);
}

/// The number of threads does not change the order of sums.
#[test]
fn the_number_of_threads_changes_nothing() {
    let g = Geometry {
        n: 5,
        input: [8, 40, 30],
        channels: 12,
        kernel: [3, 3],
        stride: [2, 2],
        padding: [(1, 1); 2],
    };
    let (x, weight) = (noise(5 * g.image_len(), 1), noise(12 * g.patch_len(), 2));
    let gradient = noise(5 * 12 * g.pixels(), 3);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            (
                g.forward(&x, &weight, |_, _| {}),
                g.backward_data(&weight, &gradient),
                g.backward_weight(&x, &gradient),
            )
        })
    };
    assert!(run(1) == run(2) && run(1) == run(7));
}
