//! Timing the networks' convolutions, and a whole training step, with our kernels and with Burn's
//! in turns on the same device.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use super::burn_network::BurnNetwork;
use super::conv_max::MaxLayerTimes;
use super::error::BenchError;
use super::paired::{PairedTimes, TOLERANCE, noise};
use super::record::{Stat, json};
use super::roofline;
use crate::gpu::{Compute, DeviceTraits};
use crate::model::ops::conv::{self, ConvPlan};
use crate::model::{Network, NetworkKind, NetworkSpec, Task};

/// A convolution of a network, at the size that it has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// A stable name, for records and for choosing layers.
    pub id: &'static str,
    /// Batch size.
    pub n: usize,
    /// Channels, height and width of the input.
    pub input: [usize; 3],
    /// Channels of the output.
    pub channels: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// The stride in both directions.
    pub stride: usize,
    /// Rows of zeros above and below, and columns of zeros on both sides.
    pub padding: [usize; 2],
}

impl Layer {
    /// Returns the floating-point operations of the forward pass, which are those of each gradient:
    /// two per multiply-add.
    pub fn flops(&self) -> f64 {
        let [[channels, ..], kernel] = [self.input, [1, self.kernel[0], self.kernel[1]]];
        let out =
            |i: usize| (self.input[i] + 2 * self.padding[i - 1] - kernel[i]) / self.stride + 1;
        let pixels = self.n * out(1) * out(2);
        2.0 * (pixels * self.channels * channels * kernel[1] * kernel[2]) as f64
    }
}

const fn layer(
    id: &'static str,
    n: usize,
    input: [usize; 3],
    channels: usize,
    [side, stride, padding]: [usize; 3],
) -> Layer {
    Layer {
        id,
        n,
        input,
        channels,
        kernel: [side; 2],
        stride,
        padding: [padding; 2],
    }
}

/// A layer over time.
const fn tall(
    id: &'static str,
    n: usize,
    input: [usize; 3],
    channels: usize,
    kernel: [usize; 2],
) -> Layer {
    Layer {
        id,
        n,
        input,
        channels,
        kernel,
        stride: 1,
        padding: [(kernel[0] - 1) / 2, 0],
    }
}

/// The layers of `deeppixel` at 180x180 (batch 4) and at 720x720 (batch 1), those of `compact` at
/// 216x128 (batch 4), and those of the pruned `musicnn` over time (ten patches).
pub const LAYERS: [Layer; 19] = [
    layer("conv-180-1", 4, [4, 180, 180], 32, [3, 1, 0]),
    layer("conv-180-2", 4, [32, 89, 89], 64, [3, 1, 0]),
    layer("conv-180-3", 4, [64, 43, 43], 64, [3, 1, 0]),
    layer("conv-180-4", 4, [64, 20, 20], 128, [2, 1, 0]),
    layer("conv-180-5", 4, [128, 9, 9], 128, [2, 1, 0]),
    layer("conv-720-1", 1, [4, 720, 720], 32, [3, 1, 0]),
    layer("conv-720-2", 1, [32, 359, 359], 64, [3, 1, 0]),
    layer("conv-720-3", 1, [64, 178, 178], 64, [3, 1, 0]),
    layer("conv-720-4", 1, [64, 88, 88], 128, [2, 1, 0]),
    layer("conv-720-5", 1, [128, 43, 43], 128, [2, 1, 0]),
    layer("conv-default-stem", 4, [4, 128, 216], 24, [3, 2, 1]),
    layer("conv-default-halve", 4, [24, 64, 108], 32, [3, 2, 1]),
    layer("conv-default-keep", 4, [32, 32, 54], 32, [3, 1, 1]),
    layer("conv-default-shortcut", 4, [24, 64, 108], 32, [1, 2, 0]),
    layer("conv-default-halve-3", 4, [64, 16, 27], 128, [3, 2, 1]),
    layer("conv-default-keep-3", 4, [128, 8, 14], 128, [3, 1, 1]),
    tall("conv-musicnn-mid-1", 10, [65, 187, 1], 20, [7, 1]),
    tall("conv-musicnn-mid-2", 10, [21, 187, 1], 64, [7, 1]),
    tall("conv-musicnn-mid-3", 10, [64, 187, 1], 64, [7, 1]),
];

/// The id of the training step that [`step`] times.
pub const STEP: &str = "conv-step-180";

/// The times of a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerTimes {
    /// The id in [`LAYERS`].
    pub id: &'static str,
    /// Floating-point operations of each of the three passes.
    pub flops: f64,
    /// Whether the plan chooses our kernels. Otherwise both times are of Burn's kernels.
    pub ours: bool,
    /// The forward pass.
    pub forward: PairedTimes,
    /// The gradient of the input.
    pub backward_data: PairedTimes,
    /// The gradient of the weights.
    pub backward_weight: PairedTimes,
}

/// The results of a run of the convolution benchmark on one device.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvRecord {
    /// Name, driver and backend of the device.
    pub device: String,
    /// Whose kernels the plan chooses, in words.
    pub plan: String,
    /// GFLOPS of a kernel that only multiplies and adds.
    pub peak: f64,
    /// Runs behind each median.
    pub runs: usize,
    /// One entry per layer, in the order of [`LAYERS`].
    pub layers: Vec<LayerTimes>,
    /// One entry per layer, in the order of [`MAX_LAYERS`](super::MAX_LAYERS).
    pub max_layers: Vec<MaxLayerTimes>,
    /// A whole training step, if it was measured.
    pub step: Option<PairedTimes>,
}

impl ConvRecord {
    /// Returns the record as JSON.
    pub fn json(&self) -> String {
        json(self)
    }
}

/// Returns a record of this device, with its roofline and without layers.
///
/// # Errors
/// If the device fails.
pub fn conv_record(compute: &Compute, runs: usize) -> Result<ConvRecord, BenchError> {
    let (device, plan) = match compute {
        Compute::Cpu => ("cpu".into(), "ours, im2col and matrix products".into()),
        Compute::Gpu(gpu) => {
            let plan = ConvPlan::for_device(DeviceTraits::of(&gpu.info)).to_string();
            (gpu.describe(), plan)
        }
    };
    Ok(ConvRecord {
        device,
        plan,
        peak: roofline::multiply_add(compute, runs)?,
        runs,
        layers: Vec::new(),
        max_layers: Vec::new(),
        step: None,
    })
}

/// Times the three passes of one layer with our kernels and with Burn's in turns, after comparing
/// both with the CPU reference.
///
/// # Errors
/// [`BenchError::Wrong`] if our result differs from the reference, [`BenchError::Burn`] if Burn
/// fails.
pub fn conv(compute: &Compute, layer: &Layer, runs: usize) -> Result<LayerTimes, BenchError> {
    let device = compute.burn();
    let [rows, columns] = layer.padding;
    let conv = Conv2dConfig::new([layer.input[0], layer.channels], layer.kernel)
        .with_stride([layer.stride; 2])
        .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
        .with_bias(false)
        .init(&device);
    let [channels, height, width] = layer.input;
    let x = noise([layer.n, channels, height, width], 1, &device);
    let gradient = noise(conv.forward(x.clone()).dims(), 2, &device);
    let plan = conv::plan(&conv, &x);
    let cpu = Device::flex();
    let reference = (
        conv.clone().fork(&cpu),
        x.clone().to_device(&cpu),
        gradient.clone().to_device(&cpu),
    );
    let cpu_plan = conv::plan(&reference.0, &reference.1);
    let burn_plan = ConvPlan::Burn("the baseline");
    let measure = |name: &str, pass: Pass| -> Result<PairedTimes, BenchError> {
        let run = |plan: ConvPlan| -> Result<(Duration, Tensor<4>), BenchError> {
            let sync = || device.sync().map_err(|e| BenchError::Burn(e.to_string()));
            sync()?;
            let start = Instant::now();
            let out = pass(&conv, x.clone(), gradient.clone(), plan);
            sync()?;
            let time = start.elapsed();
            Ok((time, out))
        };
        // The first run of each compiles its kernels. Its result is compared.
        let (layer_on_cpu, x_on_cpu, gradient_on_cpu) = reference.clone();
        let want = pass(&layer_on_cpu, x_on_cpu, gradient_on_cpu, cpu_plan);
        let scale: f32 = want.clone().abs().max().into_scalar();
        let error = |plan: ConvPlan| -> Result<f32, BenchError> {
            let got = run(plan)?.1.to_device(&cpu);
            let difference: f32 = (got - want.clone()).abs().max().into_scalar();
            Ok(difference / scale)
        };
        let (our_error, burn_error) = (error(plan)?, error(burn_plan)?);
        if our_error.is_nan() || our_error > TOLERANCE {
            return Err(BenchError::Wrong {
                implementation: "sonoprint".into(),
                shape: layer.id.into(),
                difference: format!("{name} differs by {our_error} of the largest value"),
            });
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..runs {
            times[0].push(run(plan)?.0);
            times[1].push(run(burn_plan)?.0);
        }
        let [ours, burn] = times.map(Stat::of);
        Ok(PairedTimes {
            ours,
            burn,
            burn_error,
        })
    };
    Ok(LayerTimes {
        id: layer.id,
        flops: layer.flops(),
        ours: plan.is_ours(),
        forward: measure("forward", |conv, x, _, plan| {
            conv::forward_planned(conv, x, plan)
        })?,
        backward_data: measure("backward data", conv::backward_data)?,
        backward_weight: measure("backward weight", conv::backward_weight)?,
    })
}

/// One pass of a layer, given its input, the gradient of its output, and whose kernels run.
type Pass = fn(&Conv2d, Tensor<4>, Tensor<4>, ConvPlan) -> Tensor<4>;

/// Times a training step (forward, loss, backward, AdamW) of `deeppixel` at 180x180, batch 4, with
/// our convolutions and with Burn's.
///
/// # Errors
/// If the device or Burn fails.
pub fn step(compute: &Compute, runs: usize) -> Result<PairedTimes, BenchError> {
    let device = compute.burn();
    let spec = NetworkSpec {
        kind: NetworkKind::DeepPixel,
        classes: 10,
        input: [4, 180, 180],
        filters: None,
    };
    let ours = Network::new(&spec, 1, &device).map_err(|e| BenchError::Burn(e.to_string()))?;
    let burn = BurnNetwork::new(180, 10, &device);
    Ok(PairedTimes {
        ours: Stat::of(step_times(&device, ours, Network::forward, runs)?),
        burn: Stat::of(step_times(&device, burn, BurnNetwork::forward, runs)?),
        burn_error: 0.0,
    })
}

fn step_times<N: Module>(
    device: &Device,
    network: N,
    forward: impl Fn(&N, Tensor<4>) -> Tensor<2>,
    runs: usize,
) -> Result<Vec<Duration>, BenchError> {
    let burn = |e: &dyn std::fmt::Display| BenchError::Burn(e.to_string());
    let mut network = network.train();
    let mut optimizer = AdamWConfig::new().init();
    let shape = [4, 4, 180, 180];
    let noise = (0..shape.iter().product::<usize>()).map(|i| (i * 7919 % 1009) as f32 / 1009.0);
    let data = TensorData::new(noise.collect::<Vec<f32>>(), shape);
    let features = Tensor::<4>::from_data(data, device).autodiff();
    let targets: Vec<f32> = (0..40).map(|i| f32::from(i % 10 == i / 10)).collect();
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [4, 10]), device).autodiff();
    let mut times = Vec::new();
    // One more run warms up.
    for run in 0..=runs {
        device.sync().map_err(|e| burn(&e))?;
        let start = Instant::now();
        let logits = forward(&network, features.clone());
        let loss = Task::SingleLabel.loss(logits, targets.clone()) / 4.0;
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-4, network, gradients);
        device.sync().map_err(|e| burn(&e))?;
        if run > 0 {
            times.push(start.elapsed());
        }
    }
    Ok(times)
}
