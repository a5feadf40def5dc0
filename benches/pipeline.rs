//! Measures what the pipeline of `classify` costs: files per second of decoding alone, and of
//! `classify` as a whole with a network at its smallest input.
//!
//!     cargo bench --bench pipeline -- FOLDER [ROUNDS] [DEVICE] [compact]
//!
//! Also prints the fraction of the time in which the device did not wait for clips.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use sonoprint::audio::Clips;
use sonoprint::classify::{Input, Options, Search, Summary, classify, discover};
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::presets;
use sonoprint::gpu::Compute;
use sonoprint::inference::{InferenceError, Predictor};
use sonoprint::model::{Checkpoint, Header, Network, NetworkKind, NetworkSpec, Task};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let argument =
        |i: usize, default: &str| arguments.get(i).map_or(default.to_owned(), String::clone);
    let folder = PathBuf::from(arguments.first().expect("a folder of audio files"));
    let rounds: usize = argument(1, "5").parse().expect("a number of rounds");
    let device = argument(2, "cpu").parse().expect("a device");
    let kind =
        NetworkKind::from_str(&argument(3, "deeppixel"), true).expect("compact or deeppixel");
    let compute = Compute::open(&device).expect("a device").compute;
    let predictor =
        Predictor::new(&compute, checkpoint(kind, &compute)).expect("a front end for the device");
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let batch = match compute {
        Compute::Cpu => 16,
        Compute::Gpu(_) => 4,
    };
    let options = Options {
        workers,
        batch,
        first_batch: batch,
        overlap: 0.0,
        excerpts: None,
        timeline: false,
        embeddings: false,
    };
    let files: Vec<PathBuf> = discover(&[folder], &Search::default())
        .expect("a folder")
        .map(|input| input.path().to_owned())
        .collect();
    println!("{} files, {workers} decoders, {kind:?}", files.len());
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let decoding = decode(&files, &predictor.header().front_end, workers);
        let summary = whole(&predictor, &files, &options);
        let rate = |time: Duration| files.len() as f64 / time.as_secs_f64();
        let busy = 1.0 - (summary.waited + summary.writing).div_duration_f64(summary.elapsed);
        ratios.push(rate(summary.elapsed) / rate(decoding));
        println!(
            "decoding alone {:.1} files/s, classify {:.1}, ratio {:.2}; device busy {:.0} %",
            rate(decoding),
            rate(summary.elapsed),
            ratios[ratios.len() - 1],
            100.0 * busy
        );
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio {:.2}", ratios[ratios.len() / 2]);
}

/// Returns a checkpoint of `kind` with random weights and a small input.
fn checkpoint(kind: NetworkKind, compute: &Compute) -> Checkpoint {
    let side = match kind {
        NetworkKind::Compact => 128,
        _ => kind.min_input()[1],
    };
    let size = Size {
        height: side,
        width: side,
    };
    let front_end = presets::mel().with_image_size(Some(size));
    let classes: Vec<String> = (0..10).map(|i| format!("class {i}")).collect();
    let spec = NetworkSpec::new(kind, classes.len(), &front_end);
    Checkpoint {
        network: Network::new(&spec, 1, &compute.burn()).expect("a network"),
        header: Header::new(Task::SingleLabel, spec, front_end, classes, BTreeMap::new()),
        fingerprint: "bench".into(),
    }
}

/// Decodes the files into the same clips on as many threads, and drops the clips.
fn decode(files: &[PathBuf], front_end: &FrontEndConfig, workers: usize) -> Duration {
    let start = Instant::now();
    let next = Mutex::new(files.iter());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(path) = next.lock().expect("no panic").next() else {
                        break;
                    };
                    let (rate, rule) = (front_end.sample_rate, front_end.clip_rule(0.0));
                    let mut clips = Clips::open(path, rate, rule).expect("audio");
                    while let Some(clip) = clips.next_clip().expect("audio") {
                        std::hint::black_box(clip);
                    }
                }
            });
        }
    });
    start.elapsed()
}

/// Classifies the files and drops the results.
fn whole(predictor: &Predictor, files: &[PathBuf], options: &Options) -> Summary {
    let inputs = files.iter().cloned().map(Input::File);
    classify(predictor, inputs, options, |result| {
        std::hint::black_box(result);
        Ok::<_, InferenceError>(())
    })
    .expect("a device")
}
