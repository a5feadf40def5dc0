//! Vectors that a map is made of.

use rand_chacha::rand_core::Rng;

use crate::model::Task;
use crate::rng;

/// The longest vector of which principal components are computed; longer ones are folded first.
pub(super) const MAX_LEN: usize = 512;
/// Probabilities are taken as at least this far from 0 and 1: logits of those would be infinite.
const LEAST: f64 = 1e-4;

/// Returns the logits of probabilities, up to a constant: differences between small probabilities
/// count as much as those between large ones.
pub(super) fn logits(probabilities: &[f32], task: Task) -> Vec<f32> {
    let clamped = probabilities
        .iter()
        .map(|&p| f64::from(p).clamp(LEAST, 1.0 - LEAST));
    let logits: Vec<f64> = match task {
        Task::SingleLabel => clamped.map(f64::ln).collect(),
        Task::MultiLabel => clamped.map(|p| (p / (1.0 - p)).ln()).collect(),
    };
    // A softmax does not tell the sum of its logits.
    let mean = match task {
        Task::SingleLabel => logits.iter().sum::<f64>() / logits.len().max(1) as f64,
        Task::MultiLabel => 0.0,
    };
    logits.iter().map(|&x| (x - mean) as f32).collect()
}

/// Returns an embedding of length 1, so that distances are those of the angles between embeddings.
/// One of more than [`MAX_LEN`] numbers is folded to that many, with seeded random signs, which
/// keeps distances nearly as they are.
pub(super) fn direction(embedding: &[f32]) -> Vec<f32> {
    let mut out: Vec<f64> = match embedding.len() {
        ..=MAX_LEN => embedding.iter().map(|&x| f64::from(x)).collect(),
        _ => {
            let mut signs = rng::stream(42, "page");
            let mut out = vec![0.0; MAX_LEN];
            for (i, &x) in embedding.iter().enumerate() {
                let sign = if signs.next_u32() & 1 == 0 { 1.0 } else { -1.0 };
                out[i % MAX_LEN] += sign * f64::from(x);
            }
            out
        }
    };
    let length = out.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        out.iter_mut().for_each(|x| *x /= length);
    }
    out.into_iter().map(|x| x as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logits_of_certainty_are_finite_and_do_not_depend_on_a_common_factor() {
        for task in [Task::SingleLabel, Task::MultiLabel] {
            assert!(logits(&[0.0, 1.0], task).iter().all(|x| x.is_finite()));
        }
        let (a, b) = (
            logits(&[0.2, 0.4], Task::SingleLabel),
            logits(&[0.1, 0.2], Task::SingleLabel),
        );
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(logits(&[], Task::SingleLabel).is_empty());
    }

    #[test]
    fn directions_have_length_one_also_when_they_are_folded() {
        for len in [3, 512, 5000] {
            let embedding: Vec<f32> = (0..len).map(|i| (i as f32 * 0.7).sin()).collect();
            let direction = direction(&embedding);
            assert_eq!(direction.len(), len.min(MAX_LEN));
            let square: f32 = direction.iter().map(|x| x * x).sum();
            assert!((square - 1.0).abs() < 1e-4, "{square}");
        }
        assert_eq!(direction(&[0.0, 0.0]), [0.0, 0.0]);
    }
}
