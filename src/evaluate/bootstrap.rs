//! The bootstrap: the interval of a figure by drawing the files again and again, with replacement
//! (Efron 1979).

use rayon::prelude::*;

use crate::rng::{below, stream};

/// Number of samples.
const SAMPLES: usize = 1000;

/// Draws as many files as there are, with replacement, 1000 times, and returns the figure of each
/// sample. `figure` gets how often each file was drawn; a sample for which it returns `None` is
/// left out.
pub(super) fn samples<T: Send>(
    files: usize,
    seed: u64,
    figure: impl Fn(&[u32]) -> Option<T> + Sync,
) -> Vec<T> {
    let sample = |number: usize| {
        let mut rng = stream(seed, &format!("bootstrap sample {number}"));
        let mut times = vec![0u32; files];
        for _ in 0..files {
            times[below(&mut rng, files as u64) as usize] += 1;
        }
        figure(&times)
    };
    (0..SAMPLES).into_par_iter().filter_map(sample).collect()
}

/// Returns the 95 % interval of a figure, the 2.5 and 97.5 percentiles of its samples. `None` if
/// there are none.
pub(super) fn interval(mut samples: Vec<f64>) -> Option<(f64, f64)> {
    samples.sort_by(f64::total_cmp);
    let last = samples.len().checked_sub(1)?;
    let at = |share: f64| samples[(share * last as f64).round() as usize];
    Some((at(0.025), at(0.975)))
}

#[cfg(test)]
mod tests {
    use super::{interval, samples};

    #[test]
    fn percentiles_are_those_of_the_samples_that_have_a_figure() {
        let all: Vec<f64> = (0..=1000).map(f64::from).rev().collect();
        assert_eq!(interval(all), Some((25.0, 975.0)));
        assert_eq!(interval(vec![0.5]), Some((0.5, 0.5)));
        assert_eq!(interval(Vec::new()), None);
        let drawn = samples(4, 1, |times| Some(times.iter().sum::<u32>()));
        assert_eq!(drawn, [4; 1000]);
        assert!(samples(4, 1, |times| (times[0] > 0).then_some(())).len() < 1000);
        assert_eq!(
            samples(4, 2, |t| Some(t.to_vec())),
            samples(4, 2, |t| Some(t.to_vec()))
        );
    }
}
