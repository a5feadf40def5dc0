//! Files a second of decoding alone, and of the whole of `classify` with the seed's network at its smallest picture: what
//! the pipeline costs beside its decoders.
//!
//!     cargo bench --bench pipeline -- FOLDER [ROUNDS] [DEVICE] [compact]
//!
//! On a GPU also the share of the time in which it was not kept waiting.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use sonoprint::audio::Clips;
use sonoprint::classify::{Input, Options, Shard, Summary, classify, discover};
use sonoprint::frontend::config::{FrontEndConfig, Size};
use sonoprint::frontend::presets;
use sonoprint::gpu::Compute;
use sonoprint::inference::{InferenceError, Predictor};
use sonoprint::model::{Checkpoint, Header, Network, NetworkKind, NetworkSpec, Task};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|w| w != "--bench")
        .collect();
    let word = |i: usize, default: &str| words.get(i).map_or(default.to_owned(), String::clone);
    let folder = PathBuf::from(words.first().expect("a folder of music"));
    let rounds: usize = word(1, "5").parse().expect("rounds");
    let device = word(2, "cpu").parse().expect("a device");
    let kind = NetworkKind::from_str(&word(3, "deeppixel"), true).expect("compact or deeppixel");
    let compute = Compute::open(&device).expect("a device").compute;
    let classifier = Predictor::new(&compute, checkpoint(kind, &compute)).expect("a plan");
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let options = Options {
        workers,
        batch: match compute {
            Compute::Cpu => 16,
            Compute::Gpu(_) => 4,
        },
        overlap: 0.0,
        timeline: false,
        embeddings: false,
    };
    let files: Vec<PathBuf> = discover(&[folder], Shard::default())
        .expect("a folder")
        .map(|found| found.path().to_owned())
        .collect();
    println!("{} files, {workers} decoders, {kind:?}", files.len());
    let mut ratios = Vec::new();
    for _ in 0..rounds {
        let decoding = decode(&files, &classifier.header().front_end, workers);
        let summary = whole(&classifier, &files, &options);
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

fn checkpoint(kind: NetworkKind, compute: &Compute) -> Checkpoint {
    let side = match kind {
        NetworkKind::Compact => 128,
        _ => kind.min_input()[1],
    };
    let picture = Size {
        height: side,
        width: side,
    };
    let front_end = presets::mel().with_image_size(Some(picture));
    let classes: Vec<String> = (0..10).map(|i| format!("class {i}")).collect();
    let spec = NetworkSpec::new(kind, classes.len(), &front_end);
    Checkpoint {
        network: Network::new(&spec, 1, &compute.burn()).expect("a network"),
        header: Header::new(Task::SingleLabel, spec, front_end, classes, BTreeMap::new()),
        fingerprint: "bench".into(),
    }
}

/// By the same decoders, cut into the same clips, which nobody looks at.
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
                    let (rate, clip) = (front_end.sample_rate, front_end.clip_samples);
                    let mut clips = Clips::open(path, rate, clip, clip).expect("audio");
                    while let Some(clip) = clips.next_clip().expect("audio") {
                        std::hint::black_box(clip);
                    }
                }
            });
        }
    });
    start.elapsed()
}

fn whole(classifier: &Predictor, files: &[PathBuf], options: &Options) -> Summary {
    let found = files.iter().cloned().map(Input::File);
    classify(classifier, found, options, |row| {
        std::hint::black_box(row);
        Ok::<_, InferenceError>(())
    })
    .expect("a device")
}
