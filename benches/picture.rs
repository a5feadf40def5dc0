//! From a file to its 720x720 picture in memory, as the seed's network takes it: milliseconds a file, one line a round.
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
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    let (rounds, files) = words.split_first().expect("rounds and files");
    let rounds: usize = rounds.parse().expect("a number of rounds");
    let files: Vec<PathBuf> = files.iter().map(PathBuf::from).collect();
    let settings = presets::deeppixel();
    let engine = FrontEnd::new(&Compute::Cpu, &settings).expect("a preset");
    let draw = |path: &PathBuf| {
        let mut pcm = audio::load(path, settings.sample_rate)
            .expect("audio")
            .samples;
        pcm.resize(settings.clip_samples, 0.0);
        black_box(engine.features(&[&pcm]).expect("a picture"));
    };
    files.iter().for_each(draw);
    for _ in 0..rounds {
        let start = Instant::now();
        files.iter().for_each(draw);
        println!(
            "{}",
            1e3 * start.elapsed().as_secs_f64() / files.len() as f64
        );
    }
}
