//! Temperature scaling (Guo et al. 2017, "On calibration of modern neural networks"): logits are
//! divided by one number, so that a confidence of 0.7 is right seven times of ten.

use super::evaluation::EvaluatedClip;
use super::metrics::calibration_error;
use crate::model::Task;

/// The temperatures that are tried lie between this one and its inverse.
const LOWEST: f64 = 0.05;
/// With fewer files, the temperature would follow chance.
pub const MIN_FILES: usize = 20;

/// Returns the probabilities that `probabilities` of one clip become when its logits are divided by
/// `temperature`.
pub fn cooled(task: Task, probabilities: &[f32], temperature: f64) -> Vec<f64> {
    let least = f64::from(f32::MIN_POSITIVE);
    match task {
        Task::SingleLabel => {
            let logits = probabilities.iter().map(|&p| f64::from(p).max(least).ln());
            let powers: Vec<f64> = logits.map(|l| (l / temperature).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.into_iter().map(|p| p / sum).collect()
        }
        Task::MultiLabel => {
            let cool = |&p: &f32| {
                let p = f64::from(p).clamp(1e-12, 1.0 - 1e-12);
                let logit = (p / (1.0 - p)).ln() / temperature;
                1.0 / (1.0 + (-logit).exp())
            };
            probabilities.iter().map(cool).collect()
        }
    }
}

/// Returns the temperature under which the files' probabilities, each the mean over the file's
/// clips, have the smallest mean cross-entropy. `clips` were evaluated at a temperature of 1, the
/// clips of a file in a row. `None` if there are fewer than [`MIN_FILES`] files.
pub fn fit_temperature(task: Task, clips: &[EvaluatedClip]) -> Option<f64> {
    let files: Vec<&[EvaluatedClip]> = clips.chunk_by(|a, b| a.file == b.file).collect();
    if files.len() < MIN_FILES {
        return None;
    }
    let loss = |log: f64| -> f64 { files.iter().map(|f| file_loss(task, f, log.exp())).sum() };
    Some(minimum(loss, LOWEST.ln(), -LOWEST.ln()).exp())
}

/// Returns the expected calibration error of `clips`, by clip, after their logits are divided by
/// `temperature`. With the inverse of a checkpoint's temperature, that is the error without it.
pub fn cooled_error(task: Task, clips: &[EvaluatedClip], temperature: f64) -> f64 {
    let rows = clips.iter();
    let rows: Vec<Vec<f64>> = rows
        .map(|clip| cooled(task, &clip.probabilities, temperature))
        .collect();
    let labels: Vec<Vec<usize>> = clips.iter().map(|clip| clip.labels.clone()).collect();
    calibration_error(task, &rows, &labels)
}

/// Returns the cross-entropy of a file at a temperature, in nats.
fn file_loss(task: Task, clips: &[EvaluatedClip], temperature: f64) -> f64 {
    let mut mean = vec![0.0; clips[0].probabilities.len()];
    for clip in clips {
        let cooled = cooled(task, &clip.probabilities, temperature);
        for (mean, p) in mean.iter_mut().zip(cooled) {
            *mean += p / clips.len() as f64;
        }
    }
    let nats = |p: f64| -p.max(f64::from(f32::MIN_POSITIVE)).ln();
    match task {
        Task::SingleLabel => nats(clips[0].labels.first().map_or(1.0, |&truth| mean[truth])),
        Task::MultiLabel => {
            let labels = &clips[0].labels;
            let of_class = |(class, &p): (usize, &f64)| match labels.contains(&class) {
                true => nats(p),
                false => nats(1.0 - p),
            };
            mean.iter().enumerate().map(of_class).sum()
        }
    }
}

/// Returns where `f`, which falls and then rises, is smallest between two ends, by golden sections.
fn minimum(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    let golden = (5f64.sqrt() - 1.0) / 2.0;
    let mut left = high - golden * (high - low);
    let mut right = low + golden * (high - low);
    let (mut at_left, mut at_right) = (f(left), f(right));
    while high - low > 1e-4 {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - golden * (high - low);
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + golden * (high - low);
            at_right = f(right);
        }
    }
    (low + high) / 2.0
}

#[cfg(test)]
mod tests {
    use super::{cooled, cooled_error, fit_temperature, minimum};
    use crate::evaluate::EvaluatedClip;
    use crate::model::Task;

    #[test]
    fn cooling_divides_logits() {
        // Logits 0 and 2 at temperature 2 are 0 and 1.
        let e = std::f64::consts::E;
        let p = (e * e / (1.0 + e * e)) as f32;
        let single = cooled(Task::SingleLabel, &[1.0 - p, p], 2.0);
        assert!((single[1] - e / (1.0 + e)).abs() < 1e-6, "{single:?}");
        // A logit of 2 at temperature 2 is 1.
        let multi = cooled(Task::MultiLabel, &[p], 2.0);
        assert!((multi[0] - e / (1.0 + e)).abs() < 1e-6, "{multi:?}");
        // Certainty stays finite.
        for task in [Task::SingleLabel, Task::MultiLabel] {
            assert!(
                cooled(task, &[1.0, 0.0], 0.05)
                    .iter()
                    .all(|p| p.is_finite())
            );
        }
    }

    #[test]
    fn the_minimum_is_found() {
        assert!((minimum(|x| (x - 0.7).powi(2), -3.0, 3.0) - 0.7).abs() < 1e-3);
    }

    /// Predictions of 0.9 of which six of ten are right ask for the temperature that makes them
    /// 0.6: ln 9 / ln 1.5.
    #[test]
    fn confidence_becomes_the_share_of_right_answers() {
        let clip = |file: usize| EvaluatedClip {
            file,
            start: 0,
            labels: vec![usize::from(file % 10 >= 6)],
            probabilities: vec![0.9, 0.1],
        };
        let clips: Vec<_> = (0..40).map(clip).collect();
        let temperature = fit_temperature(Task::SingleLabel, &clips).unwrap();
        let want = 9f64.ln() / 1.5f64.ln();
        assert!((temperature / want - 1.0).abs() < 1e-3, "{temperature}");
        assert_eq!(fit_temperature(Task::SingleLabel, &clips[..19]), None);
        // 0.9 is said and 0.6 is right; at that temperature, 0.6 is said.
        let error = |temperature| cooled_error(Task::SingleLabel, &clips, temperature);
        assert!((error(1.0) - 0.3).abs() < 1e-6 && error(temperature) < 1e-3);
    }
}
