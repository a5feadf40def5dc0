//! Times the way from a file to its 720x720 RGBA image in memory, the input of `deeppixel`.
//!
//!     cargo bench --bench picture -- ROUNDS FILE...
//!
//! `image_vs_matplotlib.py` runs it in turns with the original project's code.

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use sonoprint::audio;
use sonoprint::frontend::{FrontEnd, presets};
use sonoprint::gpu::Compute;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let (rounds, files) = args.split_first().expect("rounds and files");
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let settings = presets::deeppixel();
    let front_end = FrontEnd::new(&Compute::Cpu, &settings).expect("a preset");
    let run = |path: &PathBuf| {
        let mut pcm = audio::load(path, settings.sample_rate)
            .expect("audio")
            .samples;
        pcm.resize(settings.clip_samples, 0.0);
        black_box(front_end.features(&[&pcm]).expect("features"));
    };
    files.iter().for_each(run);
    for _ in 0..rounds {
        let start = Instant::now();
        files.iter().for_each(run);
        println!(
            "{}",
            1e3 * start.elapsed().as_secs_f64() / files.len() as f64
        );
    }
}
