//! A task's arithmetic on tensors: probabilities and loss.

use burn::tensor::activation::{log_sigmoid, log_softmax, sigmoid, softmax};
use burn::tensor::{FloatDType, Tensor};

use super::spec::{CalibratedTask, Task};

impl Task {
    /// Returns probabilities, `[n, classes]`, for logits of the same shape. They are computed in
    /// f32, also for logits of f16.
    pub fn probabilities(self, logits: Tensor<2>) -> Tensor<2> {
        let logits = logits.cast(FloatDType::F32);
        match self {
            Self::SingleLabel => softmax(logits, 1),
            Self::MultiLabel => sigmoid(logits),
        }
    }

    /// Returns the loss of logits against targets, both `[n, classes]`, summed over the `n` clips:
    /// `[1]`.
    ///
    /// - [`Task::SingleLabel`]: cross-entropy with a distribution over the classes.
    /// - [`Task::MultiLabel`]: binary cross-entropy with a target of 0 to 1 per class, the mean
    ///   over the classes, as in PyTorch's `BCEWithLogitsLoss`. The mean keeps the loss of a clip,
    ///   and with it the learning rate, independent of the number of classes.
    ///
    /// Targets must be on the logits' autodiff device, if they have one (see [`Tensor::autodiff`]).
    pub fn loss(self, logits: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        match self {
            Self::SingleLabel => (log_softmax(logits, 1) * targets).sum().neg(),
            Self::MultiLabel => {
                // -(t log s(x) + (1 - t) log s(-x)), with log s(-x) = log s(x) - x. Neither term
                // overflows.
                let classes = logits.dims()[1] as f64;
                let terms = logits.clone() * (targets.neg() + 1.0) - log_sigmoid(logits);
                terms.sum() / classes
            }
        }
    }
}

impl CalibratedTask {
    /// Returns the task's probabilities, `[n, classes]`, for logits of the same shape, which are
    /// divided by the temperature first. They are computed in f32, also for logits of f16.
    pub fn probabilities(self, logits: Tensor<2>) -> Tensor<2> {
        let Self { task, temperature } = self;
        if temperature == 1.0 {
            return task.probabilities(logits);
        }
        task.probabilities(logits.cast(FloatDType::F32) / temperature)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::Task;

    fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
        tensor.into_data().try_to_vec().unwrap()
    }

    #[track_caller]
    fn assert_close(got: &[f32], want: &[f64]) {
        assert_eq!(got.len(), want.len());
        for (&g, &w) in got.iter().zip(want) {
            assert!((f64::from(g) - w).abs() < 1e-6, "{got:?} for {want:?}");
        }
    }

    #[test]
    fn probabilities_are_softmax_or_sigmoid() {
        let logits = || Tensor::<2>::from_floats([[0.0, 1.0], [2.0, -1.0]], &Device::flex());
        // e / (1 + e), e^3 / (1 + e^3).
        let single = values(Task::SingleLabel.probabilities(logits()));
        assert_close(
            &single,
            &[0.268_941_421, 0.731_058_579, 0.952_574_127, 0.047_425_873],
        );
        // 1 / (1 + e^-x).
        let multi = values(Task::MultiLabel.probabilities(logits()));
        assert_close(&multi, &[0.5, 0.731_058_579, 0.880_797_078, 0.268_941_421]);
    }

    #[test]
    fn extreme_logits_have_finite_losses() {
        for task in [Task::SingleLabel, Task::MultiLabel] {
            let device = Device::flex().autodiff();
            let logits = Tensor::<2>::from_floats([[1e4, -1e4]], &device).require_grad();
            let targets = Tensor::<2>::from_floats([[0.0, 1.0]], &device);
            let loss = task.loss(logits.clone(), targets);
            let gradients = loss.backward();
            let gradient = values(logits.grad(&gradients).unwrap());
            assert!(values(loss.inner())[0] >= 1e4);
            assert!(gradient.iter().all(|g| g.is_finite()), "{gradient:?}");
        }
    }

    /// The loss sums over clips, and its gradient is `probabilities - targets`, per class for
    /// binary cross-entropy.
    #[test]
    fn losses_and_gradients_are_those_of_the_formulas() {
        let (rows, targets) = ([[0.0, 1.0], [2.0, -1.0]], [[0.0, 1.0], [0.25, 0.75]]);
        // -ln softmax: ln(1 + e) - 1, and 0.25 ln(1 + e^-3) + 0.75 (ln(1 + e^-3) + 3).
        let single = 0.313_261_688 + (0.048_587_352 + 2.25);
        // ln(1 + e^x) - t x per class: the mean over classes.
        let multi = (std::f64::consts::LN_2
            + 0.313_261_688
            + (2.126_928_011 - 0.5)
            + (0.313_261_688 + 0.75))
            / 2.0;
        for (task, loss, classes) in [
            (Task::SingleLabel, single, 1.0),
            (Task::MultiLabel, multi, 2.0),
        ] {
            let device = Device::flex().autodiff();
            let logits = Tensor::<2>::from_floats(rows, &device).require_grad();
            let result = task.loss(logits.clone(), Tensor::from_floats(targets, &device));
            let gradients = result.backward();
            assert_close(&values(result.inner()), &[loss]);
            let plain = Tensor::<2>::from_floats(rows, &Device::flex());
            let want: Vec<f64> = values(task.probabilities(plain))
                .into_iter()
                .zip(targets.as_flattened())
                .map(|(p, &t)| (f64::from(p) - t) / classes)
                .collect();
            assert_close(&values(logits.grad(&gradients).unwrap()), &want);
        }
    }
}
