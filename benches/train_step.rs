//! Times a training step (forward, loss, backward, AdamW) on features that are already in memory.
//!
//!     cargo bench --bench train_step -- [NETWORK [WIDTHxHEIGHT [BATCH [STEPS [DEVICE]]]]]
//!     cargo bench --bench train_step -- compact 216x128 16 20 cpu
//!
//! Prints the median of the steps in milliseconds. Two more steps warm up. `step_vs_torch.py` runs
//! this benchmark in turn with PyTorch.

use std::time::Instant;

use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Tensor, TensorData};
use clap::ValueEnum;
use sonoprint::gpu::{Compute, DeviceChoice};
use sonoprint::model::{Network, NetworkKind, NetworkSpec, Task};

const CLASSES: usize = 10;

/// Training steps free and allocate the same large tensors again and again. The system's allocator
/// would return each one to the kernel, and then take one page fault per page.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // cargo adds `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let arg = |i: usize, default: &str| args.get(i).map_or(default.to_owned(), String::clone);
    let kind = NetworkKind::from_str(&arg(0, "compact"), true).expect("compact or deeppixel");
    let size = arg(1, "216x128");
    let (width, height) = size.split_once('x').expect("WxH");
    let (width, height) = (width.parse().expect("WxH"), height.parse().expect("WxH"));
    let batch: usize = arg(2, "16").parse().expect("clips per step");
    let steps: usize = arg(3, "20").parse().expect("steps");
    let device: DeviceChoice = arg(4, "cpu").parse().expect("a device");
    let compute: Compute = Compute::open(&device).expect("a device").compute;
    let device = compute.burn();

    let spec = NetworkSpec {
        kind,
        classes: CLASSES,
        input: [4, height, width],
        filters: None,
    };
    let mut network = Network::new(&spec, 1, &device).expect("a network").train();
    let mut optimizer = AdamWConfig::new().with_weight_decay(1e-2).init();
    let shape = [batch, 4, height, width];
    let noise: Vec<f32> = (0..shape.iter().product::<usize>())
        .map(|i| (i * 7919 % 1009) as f32 / 1009.0)
        .collect();
    let features = Tensor::<4>::from_data(TensorData::new(noise, shape), &device).autodiff();
    let mut targets = vec![0.0f32; batch * CLASSES];
    (0..batch).for_each(|i| targets[i * CLASSES + i % CLASSES] = 1.0);
    let targets = TensorData::new(targets, [batch, CLASSES]);
    let targets = Tensor::<2>::from_data(targets, &device).autodiff();

    let mut times = Vec::new();
    for step in 0..steps + 2 {
        let start = Instant::now();
        let logits = network.forward(features.clone());
        let loss = Task::SingleLabel.loss(logits, targets.clone()) / batch as f64;
        let gradients = GradientsParams::from_grads(loss.backward(), &network);
        network = optimizer.step(1e-4, network, gradients);
        // Reading the loss waits for the GPU. The CPU has finished before.
        let value: f32 = loss.into_scalar();
        assert!(value.is_finite());
        if step >= 2 {
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    println!("{:.2}", times[times.len() / 2]);
}
