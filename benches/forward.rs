//! Times a model's network on features that are already in memory.
//!
//!     cargo bench --bench forward -- [MODEL [CLIPS [ROUNDS [DEVICE]]]]
//!     cargo bench --bench forward -- musicnn-msd 10 20 cpu
//!
//! Prints the median of the rounds in milliseconds. One more round warms up. `musicnn_vs_torch.py`
//! runs this benchmark in turn with PyTorch.

use std::time::Instant;

use burn::tensor::{Tensor, TensorData};
use sonoprint::gpu::{Compute, DeviceChoice};
use sonoprint::model::{Checkpoint, ModelName};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    // cargo adds `--bench`.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let arg = |i: usize, default: &str| args.get(i).map_or(default.to_owned(), String::clone);
    let model = ModelName::from(arg(0, "musicnn-msd").as_str());
    let clips: usize = arg(1, "10").parse().expect("clips");
    let rounds: usize = arg(2, "20").parse().expect("rounds");
    let device: DeviceChoice = arg(3, "cpu").parse().expect("a device");
    let device = Compute::open(&device).expect("a device").compute.burn();
    let checkpoint = Checkpoint::open(model, &device).expect("a model");

    let [channels, height, width] = checkpoint.header.network.input;
    let shape = [clips, channels, height, width];
    let noise: Vec<f32> = (0..shape.iter().product::<usize>())
        .map(|i| (i * 7919 % 1009) as f32 / 300.0)
        .collect();
    let features = Tensor::<4>::from_data(TensorData::new(noise, shape), &device);
    let mut times = Vec::new();
    for round in 0..=rounds {
        let start = Instant::now();
        let logits = checkpoint.network.forward(features.clone());
        // Reading the logits waits for the GPU. The CPU has finished before.
        let logits: Vec<f32> = logits.into_data().try_to_vec().expect("f32");
        assert!(logits.iter().all(|x| x.is_finite()));
        if round > 0 {
            times.push(1e3 * start.elapsed().as_secs_f64());
        }
    }
    times.sort_by(f64::total_cmp);
    println!("{:.2}", times[times.len() / 2]);
}
