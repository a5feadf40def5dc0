//! The CPU implementation against the definition.

use super::ConvMaxShape;
use crate::model::ops::conv::tests::noise;

/// Calls `each(output, place, input, weight)` with the indices of every product of the definition.
fn products(s: &ConvMaxShape, mut each: impl FnMut(usize, usize, usize, usize)) {
    let ([rows, bands], [frames, width]) = (s.input, s.kernel);
    for n in 0..s.n {
        for c in 0..s.channels {
            for (t, place) in (0..s.frames()).flat_map(|t| (0..s.places()).map(move |p| (t, p))) {
                for (i, j) in (0..frames).flat_map(|i| (0..width).map(move |j| (i, j))) {
                    let y = (t + i).wrapping_sub(s.padding.0);
                    if y < rows {
                        each(
                            (n * s.channels + c) * s.frames() + t,
                            place,
                            (n * rows + y) * bands + place + j,
                            (c * frames + i) * width + j,
                        );
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

/// The shapes of the network, and others: filters that fill the image, one filter, one place,
/// padding beyond the filter, more places than two vectors hold.
fn shapes() -> Vec<ConvMaxShape> {
    let shape = |n, input, channels, kernel, padding| ConvMaxShape {
        n,
        input,
        channels,
        kernel,
        padding,
    };
    vec![
        shape(1, [187, 96], 31, [7, 38], (3, 3)),
        shape(2, [20, 96], 17, [7, 67], (3, 3)),
        shape(1, [187, 96], 9, [128, 1], (63, 64)),
        shape(1, [40, 96], 20, [64, 1], (31, 32)),
        shape(3, [33, 96], 26, [32, 1], (15, 16)),
        shape(1, [9, 96], 204, [7, 67], (3, 3)),
        shape(1, [1, 1], 1, [1, 1], (0, 0)),
        shape(2, [5, 7], 3, [5, 7], (0, 0)),
        shape(2, [3, 4], 10, [2, 3], (4, 5)),
        shape(1, [4, 33], 5, [3, 1], (0, 2)),
        shape(1, [4, 40], 8, [1, 7], (1, 0)),
        shape(2, [6, 131], 7, [2, 2], (1, 1)),
        shape(0, [6, 9], 2, [2, 2], (1, 1)),
        shape(2, [6, 9], 0, [2, 2], (1, 1)),
    ]
}

#[test]
fn forward_and_gradients_are_those_of_the_definition() {
    for s in shapes() {
        let (x, weight) = (
            noise(s.n * s.image_len(), 1),
            noise(s.channels * s.taps(), 2),
        );
        let count = s.output().iter().product::<usize>();
        let mut sums = vec![0.0f64; count * s.places()];
        products(&s, |o, place, i, w| {
            sums[o * s.places() + place] += f64::from(x[i]) * f64::from(weight[w]);
        });
        let largest: Vec<f64> = sums
            .chunks(s.places())
            .map(|row| row.iter().fold(f64::NEG_INFINITY, |m, &s| m.max(s)))
            .collect();
        let out = s.forward(&x, &weight);
        close(&out, &largest);
        let (same, places) = s.forward_with_places(&x, &weight);
        assert_eq!(out, same);
        let scale = largest.iter().fold(1e-3f64, |m, w| m.max(w.abs()));
        for (i, &place) in places.iter().enumerate() {
            let sum = sums[i * s.places() + place as usize];
            assert!(largest[i] - sum < 1e-5 * scale, "{s:?}, {i}: place {place}");
        }
        let gradient = noise(count, 3);
        let mut data = vec![0.0f64; x.len()];
        let mut weights = vec![0.0f64; weight.len()];
        products(&s, |o, place, i, w| {
            if place == places[o] as usize {
                data[i] += f64::from(weight[w]) * f64::from(gradient[o]);
                weights[w] += f64::from(x[i]) * f64::from(gradient[o]);
            }
        });
        close(&s.backward_data(&weight, &places, &gradient), &data);
        close(&s.backward_weight(&x, &places, &gradient), &weights);
    }
}

/// The first of equal sums is the maximum, within a vector and between vectors.
#[test]
fn the_first_of_equal_sums_counts() {
    let s = ConvMaxShape {
        n: 1,
        input: [2, 100],
        channels: 2,
        kernel: [1, 1],
        padding: (0, 0),
    };
    let mut x = vec![0.0; 200];
    // The first frame has its largest values at 37 and later, the second has equal values only.
    for at in [37, 38, 52, 70, 99] {
        x[at] = 2.0;
    }
    let (out, places) = s.forward_with_places(&x, &[1.0, -1.0]);
    assert_eq!(out, [2.0, 0.0, 0.0, 0.0]);
    assert_eq!(places, [37.0, 0.0, 0.0, 0.0]);
}

/// The number of threads does not change the order of sums.
#[test]
fn the_number_of_threads_changes_nothing() {
    let s = ConvMaxShape {
        n: 3,
        input: [40, 50],
        channels: 23,
        kernel: [5, 9],
        padding: (2, 2),
    };
    let (x, weight) = (noise(3 * s.image_len(), 1), noise(23 * s.taps(), 2));
    let gradient = noise(s.output().iter().product(), 3);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let (out, places) = s.forward_with_places(&x, &weight);
            let data = s.backward_data(&weight, &places, &gradient);
            let weights = s.backward_weight(&x, &places, &gradient);
            (out, places, data, weights)
        })
    };
    assert!(run(1) == run(2) && run(1) == run(7));
}
