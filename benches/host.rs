//! What the host does before and beside the device: tables, decoding, resampling, and the front
//! end's two passes on the CPU.
//!
//!     cargo bench --bench host -- [FILTER]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sonoprint::audio;
use sonoprint::bench::signals;
use sonoprint::frontend::augment::Waveform;
use sonoprint::frontend::cpu::{rgba, stft::Stft};
use sonoprint::frontend::presets;
use sonoprint::frontend::tables::{Tables, mel_weights, resize_weights, twiddles, window};

fn tables(c: &mut Criterion) {
    let (mel, deeppixel) = (presets::mel(), presets::deeppixel());
    let mut group = c.benchmark_group("tables");
    group.bench_function("window 2048", |b| b.iter(|| window(black_box(&mel))));
    group.bench_function("twiddles 2048", |b| b.iter(|| twiddles(black_box(2048))));
    group.bench_function("mel 128", |b| b.iter(|| mel_weights(black_box(&mel))));
    group.bench_function("resize 1025 to 720", |b| {
        b.iter(|| resize_weights(black_box(1025), 720, true));
    });
    group.bench_function("all of deeppixel", |b| b.iter(|| Tables::new(&deeppixel)));
    group.bench_function("all of mel", |b| b.iter(|| Tables::new(&mel)));
    group.finish();
}

fn decoding(c: &mut Criterion) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/clips");
    let mut files: Vec<_> = walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .filter_map(|entry| entry.ok().map(walkdir::DirEntry::into_path))
        .filter(|path| audio::is_audio_path(path))
        .collect();
    let ending = |p: &std::path::PathBuf| p.extension().map(|e| e.to_owned());
    files.sort_by_key(ending);
    files.dedup_by_key(|path| ending(path));
    let mut group = c.benchmark_group("decode");
    group.sample_size(20);
    for path in files {
        for rate in [22_050, 44_100] {
            let clip = audio::load(&path, rate).expect("clips of the repository");
            group.throughput(Throughput::Elements(clip.samples.len() as u64));
            let name = path.extension().unwrap_or_default().to_string_lossy();
            group.bench_function(format!("{name} to {rate} Hz"), |b| {
                b.iter(|| audio::load(&path, rate));
            });
        }
    }
    group.finish();
}

/// One clip of 30 s.
fn front_end(c: &mut Criterion) {
    let mut group = c.benchmark_group("front end");
    group.sample_size(30);
    for (name, s) in [("deeppixel", presets::deeppixel()), ("mel", presets::mel())] {
        let clip = signals(1, s.clip_samples).remove(0);
        let (tables, pass) = (Tables::new(&s), Stft::new(&s));
        let mut db = vec![0.0; s.frames() * s.rows()];
        let range = pass.run(&s, &tables, &clip, &Waveform::default(), &mut db);
        group.throughput(Throughput::Elements(clip.len() as u64));
        group.bench_function(format!("stft, {name}"), |b| {
            let mut db = db.clone();
            b.iter(|| pass.run(&s, &tables, black_box(&clip), &Waveform::default(), &mut db));
        });
        let size = s.image_size();
        let mut pixels = vec![0.0; 4 * size.height * size.width];
        group.bench_function(format!("rgba, {name}"), |b| {
            b.iter(|| rgba::run(&s, &tables, black_box(&db), range, &mut pixels));
        });
    }
    group.finish();
}

criterion_group!(host, tables, decoding, front_end);
criterion_main!(host);
