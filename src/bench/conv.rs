//! Timing the networks' convolutions against Burn's own on the same device, in turns, and a whole training step with either.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

use super::burn_network::BurnNetwork;
use super::measure::BenchError;
use super::record::Stat;
use super::roofline;
use crate::gpu::{Compute, DeviceTraits};
use crate::model::ops::conv::{self, ConvPlan};
use crate::model::{Network, NetworkKind, NetworkSpec, Task};

/// A convolution of a network, at the size that it has there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Stable, for `--only`.
    pub id: &'static str,
    /// Pictures.
    pub n: usize,
    /// Channels, height and width of what it reads.
    pub input: [usize; 3],
    /// Channels that it writes.
    pub channels: usize,
    /// Subset of the kernel, stride and padding both ways.
    pub kernel: [usize; 3],
}

impl Layer {
    /// Floating-point operations of the result, and of each gradient: two a multiply-add.
    pub fn flops(&self) -> f64 {
        let [side, stride, padding] = self.kernel;
        let out = |n: usize| (n + 2 * padding - side) / stride + 1;
        let pixels = self.n * out(self.input[1]) * out(self.input[2]);
        2.0 * (pixels * self.channels * self.input[0] * side * side) as f64
    }
}

const fn layer(
    id: &'static str,
    n: usize,
    input: [usize; 3],
    channels: usize,
    kernel: [usize; 3],
) -> Layer {
    Layer {
        id,
        n,
        input,
        channels,
        kernel,
    }
}

/// The seed network's layers at 180x180, four pictures, and at 720x720, one; the default network's at 216x128, four.
pub const LAYERS: [Layer; 16] = [
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
];

/// Shares of the largest value that rounding may make.
pub const TOLERANCE: f32 = 1e-4;

/// What [`steps`] is called in `--only`.
pub const STEP: &str = "conv-step-180";

/// Ours and Burn's, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Both {
    /// Ours, or whatever the plan says.
    pub ours: Stat,
    /// Burn's own.
    pub burns: Stat,
    /// Burn's largest distance from the CPU twin, as a share of the largest value; beyond [`TOLERANCE`] its numbers are wrong.
    pub burns_off: f32,
}

impl Both {
    /// Burn's time over ours.
    pub fn ratio(&self) -> f64 {
        self.burns.median / self.ours.median
    }
}

/// A layer's times.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerTimes {
    /// Of [`LAYERS`].
    pub id: &'static str,
    /// Of each of the three.
    pub flops: f64,
    /// Whether the plan takes our kernels; otherwise both times are Burn's.
    pub ours: bool,
    /// The result.
    pub forward: Both,
    /// The gradient of what was read.
    pub backward_data: Both,
    /// The gradients of the weights.
    pub backward_weight: Both,
}

/// The device that is measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConvRecord {
    /// Name, driver and backend.
    pub device: String,
    /// Whose kernels, in words.
    pub plan: String,
    /// GFLOPS of a kernel that does nothing but multiply and add; `None` on the `cpu` device.
    pub peak: Option<f64>,
    /// Runs behind each median.
    pub runs: usize,
    /// In the order of [`LAYERS`].
    pub layers: Vec<LayerTimes>,
    /// A whole training step, if it was asked for.
    pub step: Option<Both>,
}

/// An empty record of this device.
///
/// # Errors
/// If the device fails.
pub fn conv_record(compute: &Compute, runs: usize) -> Result<ConvRecord, BenchError> {
    let (device, plan, peak) = match compute {
        Compute::Cpu => ("cpu".into(), "ours, im2col and products".into(), None),
        Compute::Gpu(gpu) => {
            let plan = ConvPlan::for_device(DeviceTraits::of(&gpu.info)).to_string();
            let peak = roofline::multiply_add(gpu, runs)?;
            (gpu.describe(), plan, Some(peak))
        }
    };
    Ok(ConvRecord {
        device,
        plan,
        peak,
        runs,
        layers: Vec::new(),
        step: None,
    })
}

/// Both ways of one layer, in turns, after they were held together.
///
/// # Errors
/// [`BenchError::Burn`] if they differ, or Burn fails.
pub fn conv(compute: &Compute, layer: &Layer, runs: usize) -> Result<LayerTimes, BenchError> {
    let device = compute.burn();
    let [side, stride, padding] = layer.kernel;
    let conv = Conv2dConfig::new([layer.input[0], layer.channels], [side, side])
        .with_stride([stride, stride])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_bias(false)
        .init(&device);
    let [channels, height, width] = layer.input;
    let noise = |shape: [usize; 4], seed: u32| {
        let hash = |i: usize| (i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 8;
        let value = |i: usize| hash(i) as f32 / (1 << 23) as f32 - 1.0;
        let values: Vec<f32> = (0..shape.iter().product()).map(value).collect();
        Tensor::<4>::from_data(TensorData::new(values, shape), &device)
    };
    let x = noise([layer.n, channels, height, width], 1);
    let gradient = noise(conv.forward(x.clone()).dims(), 2);
    let plan = conv::plan(&conv, &x);
    let cpu = Device::flex();
    let twin = (
        conv.clone().fork(&cpu),
        x.clone().to_device(&cpu),
        gradient.clone().to_device(&cpu),
    );
    let cpu_plan = conv::plan(&twin.0, &twin.1);
    let burn = ConvPlan::Burn("the baseline");
    let pass = |name: &str, which: Pass| -> Result<Both, BenchError> {
        let run = |plan: ConvPlan| -> Result<(Duration, Tensor<4>), BenchError> {
            let sync = || device.sync().map_err(|e| BenchError::Burn(e.to_string()));
            sync()?;
            let start = Instant::now();
            let out = which(&conv, x.clone(), gradient.clone(), plan);
            sync()?;
            let took = start.elapsed();
            Ok((took, out))
        };
        // The first of each compiles, and must be right.
        let want = which(&twin.0, twin.1.clone(), twin.2.clone(), cpu_plan);
        let scale: f32 = want.clone().abs().max().into_scalar();
        let off = |plan: ConvPlan| -> Result<f32, BenchError> {
            let got = run(plan)?.1.to_device(&cpu);
            let difference: f32 = (got - want.clone()).abs().max().into_scalar();
            Ok(difference / scale)
        };
        let (ours_off, burns_off) = (off(plan)?, off(burn)?);
        if ours_off.is_nan() || ours_off > TOLERANCE {
            return Err(BenchError::Burn(format!(
                "{} {name}: ours is {ours_off} of the largest off the CPU twin: not timed",
                layer.id
            )));
        }
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..runs {
            times[0].push(run(plan)?.0);
            times[1].push(run(burn)?.0);
        }
        let [ours, burns] = times.map(Stat::of);
        Ok(Both {
            ours,
            burns,
            burns_off,
        })
    };
    Ok(LayerTimes {
        id: layer.id,
        flops: layer.flops(),
        ours: plan.is_ours(),
        forward: pass("forward", |conv, x, _, plan| {
            conv::forward_planned(conv, x, plan)
        })?,
        backward_data: pass("backward data", conv::backward_data)?,
        backward_weight: pass("backward weight", conv::backward_weight)?,
    })
}

/// A result of a layer, what it reads, and the gradient of its result.
type Pass = fn(&Conv2d, Tensor<4>, Tensor<4>, ConvPlan) -> Tensor<4>;

/// A training step (forward, loss, backward, AdamW) of the seed network on four pictures of 180x180, with each.
///
/// # Errors
/// If the device or Burn fails.
pub fn steps(compute: &Compute, runs: usize) -> Result<Both, BenchError> {
    let device = compute.burn();
    let spec = NetworkSpec {
        kind: NetworkKind::DeepPixel,
        classes: 10,
        input: [4, 180, 180],
    };
    let ours = Network::new(&spec, 1, &device).map_err(|e| BenchError::Burn(e.to_string()))?;
    let burns = BurnNetwork::new(180, 10, &device);
    Ok(Both {
        ours: Stat::of(step_times(&device, ours, Network::forward, runs)?),
        burns: Stat::of(step_times(&device, burns, BurnNetwork::forward, runs)?),
        burns_off: 0.0,
    })
}

fn step_times<N: Module>(
    device: &Device,
    network: N,
    forward: impl Fn(&N, Tensor<4>) -> Tensor<2>,
    runs: usize,
) -> Result<Vec<Duration>, BenchError> {
    let failed = |e: &dyn std::fmt::Display| BenchError::Burn(e.to_string());
    let mut network = network.train();
    let mut optimizer = AdamWConfig::new().init();
    let shape = [4, 4, 180, 180];
    let noise = (0..shape.iter().product::<usize>()).map(|i| (i * 7919 % 1009) as f32 / 1009.0);
    let data = TensorData::new(noise.collect::<Vec<f32>>(), shape);
    let pictures = Tensor::<4>::from_data(data, device).autodiff();
    let targets: Vec<f32> = (0..40).map(|i| f32::from(i % 10 == i / 10)).collect();
    let targets = Tensor::<2>::from_data(TensorData::new(targets, [4, 10]), device).autodiff();
    let mut times = Vec::new();
    for run in 0..=runs {
        device.sync().map_err(|e| failed(&e))?;
        let start = Instant::now();
        let logits = forward(&network, pictures.clone());
        let loss = Task::SingleLabel.loss(logits, targets.clone()) / 4.0;
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-4, network, gradients);
        device.sync().map_err(|e| failed(&e))?;
        if run > 0 {
            times.push(start.elapsed());
        }
    }
    Ok(times)
}
