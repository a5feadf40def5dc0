//! The last layer of a network, fitted on features that do not change.
//!
//! The loss is convex, so L-BFGS finds the only minimum, and no learning rate has to be chosen.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{GradientsParams, LBFGSConfig, LineSearchFn};
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::Task;

/// Iterations of L-BFGS at most. A few dozen are usual.
const ITERATIONS: usize = 300;
/// A feature that varies less than this, as a fraction of the one that varies most, counts as
/// constant: dividing by such a spread would only enlarge rounding errors.
const LEAST_SPREAD: f64 = 1e-5;

/// Features of clips and their targets, in rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Examples {
    /// `[n, width]`.
    pub(super) features: Vec<f32>,
    /// Length of a row of `features`.
    pub(super) width: usize,
    /// `[n, classes]`, each from 0 to 1.
    pub(super) targets: Vec<f32>,
    /// Length of a row of `targets`.
    pub(super) classes: usize,
}

impl Examples {
    /// Returns no examples.
    pub(super) fn new(classes: usize) -> Self {
        Self {
            classes,
            ..Self::default()
        }
    }

    /// Adds rows of features of `width` numbers, with their targets.
    pub(super) fn add(&mut self, features: Vec<f32>, width: usize, targets: Vec<f32>) {
        self.width = width;
        self.features.extend(features);
        self.targets.extend(targets);
    }

    /// Returns the number of rows.
    pub(super) fn len(&self) -> usize {
        self.targets.len() / self.classes.max(1)
    }

    fn features(&self, device: &Device) -> Tensor<2> {
        let data = TensorData::new(self.features.clone(), [self.len(), self.width]);
        Tensor::from_data(data, device)
    }

    fn targets(&self, device: &Device) -> Tensor<2> {
        let data = TensorData::new(self.targets.clone(), [self.len(), self.classes]);
        Tensor::from_data(data, device)
    }

    /// Returns the mean and the spread (standard deviation) of each feature; the spread of a
    /// constant one is 0.
    fn moments(&self) -> (Vec<f64>, Vec<f64>) {
        let n = self.len().max(1) as f64;
        let mut mean = vec![0.0; self.width];
        for row in self.features.chunks(self.width) {
            for (mean, &x) in mean.iter_mut().zip(row) {
                *mean += f64::from(x) / n;
            }
        }
        let mut spread = vec![0.0; self.width];
        for row in self.features.chunks(self.width) {
            for ((spread, mean), &x) in spread.iter_mut().zip(&mean).zip(row) {
                *spread += (f64::from(x) - mean).powi(2) / n;
            }
        }
        for spread in &mut spread {
            *spread = spread.sqrt();
        }
        let most = spread.iter().copied().fold(0.0, f64::max);
        for spread in &mut spread {
            if *spread <= LEAST_SPREAD * most {
                *spread = 0.0;
            }
        }
        (mean, spread)
    }
}

/// Fits a linear layer to `examples`: minimizes the mean of [`Task::loss`] plus `l2 / 2` times the
/// sum of the squared weights of the standardized features (Hastie, Tibshirani and Friedman, "The
/// Elements of Statistical Learning", 4.4 and 3.4.1). The bias is free.
///
/// Returns the layer for features as they are, on the `cpu` device. Constant features get no
/// weight.
pub(super) fn fit(task: Task, examples: &Examples, l2: f64) -> Linear {
    let cpu = Device::flex();
    let device = cpu.clone().autodiff();
    let Examples { width, classes, .. } = *examples;
    let (mean, spread) = examples.moments();
    let row = |values: Vec<f64>| {
        let values: Vec<f32> = values.into_iter().map(|v| v as f32).collect();
        Tensor::<2>::from_data(TensorData::new(values, [1, width]), &cpu)
    };
    let inverse: Vec<f64> = (spread.iter())
        .map(|&s| if s > 0.0 { 1.0 / s } else { 0.0 })
        .collect();
    let standard = (examples.features(&cpu) - row(mean.clone())) * row(inverse.clone());
    let (standard, targets) = (standard.autodiff(), examples.targets(&cpu).autodiff());
    let n = examples.len().max(1) as f64;
    let zeros = |shape: [usize; 2]| TensorData::new(vec![0.0f32; shape[0] * shape[1]], shape);
    let layer = Linear {
        weight: Param::from_data(zeros([width, classes]), &device),
        bias: Some(Param::from_data(
            TensorData::new(vec![0.0f32; classes], [classes]),
            &device,
        )),
    };
    let loss = |layer: Linear| {
        let logits = layer.forward(standard.clone());
        let squares = layer.weight.val().powi_scalar(2).sum();
        let loss = task.loss(logits, targets.clone()) / n + squares * (l2 / 2.0);
        let gradients = GradientsParams::from_grads(loss.backward(), &layer);
        (loss.into_scalar::<f64>(), gradients)
    };
    let mut optimizer = LBFGSConfig::new()
        .with_max_iter(ITERATIONS)
        .with_history_size(10)
        .with_tolerance_grad(1e-6)
        .with_tolerance_change(1e-10)
        .with_line_search_fn(LineSearchFn::StrongWolfe)
        .init();
    let (layer, _) = optimizer.step(1.0, layer, loss);
    let layer = layer.valid();
    let weight: Vec<f32> = values(layer.weight.val());
    let bias: Vec<f32> = values(layer.bias.expect("made with a bias").val());
    unstandardized(&weight, &bias, &mean, &inverse, &cpu)
}

/// Moves the standardization of the features into the layer.
fn unstandardized(
    weight: &[f32],
    bias: &[f32],
    mean: &[f64],
    inverse: &[f64],
    device: &Device,
) -> Linear {
    let classes = bias.len();
    let mut shift: Vec<f64> = bias.iter().map(|&b| f64::from(b)).collect();
    let mut out = Vec::with_capacity(weight.len());
    for ((row, mean), inverse) in weight.chunks(classes).zip(mean).zip(inverse) {
        for (shift, &w) in shift.iter_mut().zip(row) {
            let w = f64::from(w) * inverse;
            *shift -= w * mean;
            out.push(w as f32);
        }
    }
    let shift: Vec<f32> = shift.into_iter().map(|b| b as f32).collect();
    Linear {
        weight: Param::from_data(TensorData::new(out, [mean.len(), classes]), device),
        bias: Some(Param::from_data(TensorData::new(shift, [classes]), device)),
    }
}

/// Returns the mean of [`Task::loss`] over `examples`.
pub(super) fn loss(task: Task, layer: &Linear, examples: &Examples) -> f64 {
    let cpu = Device::flex();
    let logits = layer.forward(examples.features(&cpu));
    let sum: f32 = task.loss(logits, examples.targets(&cpu)).into_scalar();
    f64::from(sum) / examples.len().max(1) as f64
}

/// Returns the share of examples whose largest logit is that of one of their classes, whose target
/// is 1.
pub(super) fn accuracy(layer: &Linear, examples: &Examples) -> f64 {
    let cpu = Device::flex();
    let predicted = layer.forward(examples.features(&cpu)).argmax(1);
    let right = examples.targets(&cpu).gather(1, predicted);
    let sum: f32 = right.sum().into_scalar();
    f64::from(sum) / examples.len().max(1) as f64
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data().try_to_vec();
    data.expect("f32 on the host")
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::{Examples, fit, loss, values};
    use crate::model::Task;

    /// Six clips of three features, of which the last is constant.
    fn examples(targets: [[f32; 2]; 6]) -> Examples {
        let features = [
            [1.0, 20.0, 5.0],
            [2.0, 10.0, 5.0],
            [3.0, 40.0, 5.0],
            [4.0, 15.0, 5.0],
            [5.0, 60.0, 5.0],
            [6.0, 30.0, 5.0],
        ];
        Examples {
            features: features.concat(),
            width: 3,
            targets: targets.concat(),
            classes: 2,
        }
    }

    /// The gradient of the penalized loss is zero at the layer that was found: its two parts, each
    /// computed here in f64, cancel.
    #[test]
    fn the_layer_is_the_minimum() {
        let single = [
            [1.0, 0.0],
            [1.0, 0.0],
            [0.0, 1.0],
            [1.0, 0.0],
            [0.0, 1.0],
            [0.0, 1.0],
        ];
        let multi = [
            [1.0, 0.0],
            [1.0, 1.0],
            [0.0, 1.0],
            [0.0, 0.0],
            [0.0, 1.0],
            [1.0, 1.0],
        ];
        for (task, targets) in [(Task::SingleLabel, single), (Task::MultiLabel, multi)] {
            let (examples, l2) = (examples(targets), 0.1);
            let layer = fit(task, &examples, l2);
            let weight = values(layer.weight.val());
            let logits = layer.forward(examples.features(&Device::flex()));
            let probabilities = values(task.probabilities(logits));
            let (mean, spread) = examples.moments();
            assert_eq!(spread[2], 0.0, "constant");
            assert_eq!(weight[4..], [0.0, 0.0], "{task:?}: no weight");
            // The multi-label loss is a mean over the classes.
            let share = if task == Task::MultiLabel { 0.5 } else { 1.0 };
            for class in 0..2 {
                for feature in 0..2 {
                    let slope: f64 = (0..6)
                        .map(|i| {
                            let x = f64::from(examples.features[3 * i + feature]);
                            let error = probabilities[2 * i + class] - targets[i][class];
                            f64::from(error) * (x - mean[feature]) / spread[feature]
                        })
                        .sum();
                    let standard = f64::from(weight[2 * feature + class]) * spread[feature];
                    let gradient = share * slope / 6.0 + l2 * standard;
                    assert!(gradient.abs() < 5e-5, "{task:?}: {gradient}");
                }
            }
            let looser = loss(task, &fit(task, &examples, 1e-3), &examples);
            assert!(looser < loss(task, &layer, &examples), "less penalty");
        }
    }
}
