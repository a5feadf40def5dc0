//! `sonoprint bench --trace`: one step of `classify` and one of `train`, on synthetic audio.
//!
//! It runs the code that those commands run. It is here and not in `bench`, because only `cli` may
//! use `bench`, `classify` and `train` together.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context;

use crate::bench::{Trace, signals};
use crate::classify::{Input, Options, classify};
use crate::dataset::pcm::{PcmMemory, PcmSet};
use crate::dataset::{Dataset, Split, Subset};
use crate::frontend::config::Size;
use crate::frontend::presets;
use crate::gpu::Compute;
use crate::gpu::adapter::is_hardware;
use crate::inference::{InferenceError, Predictor};
use crate::train::{LrTrial, TrainSettings, find_lr};

/// The length of the clips, as in the training command of the documentation.
const CLIP_SECONDS: f64 = 10.0;
/// The size of the images, as in that command.
const IMAGE_SIZE: Size = Size {
    height: 128,
    width: 216,
};

/// Traces the first two batches of `classify`, and the second step of `train`. The first step of
/// `train` compiles kernels and is left out.
pub fn run(compute: &Compute) -> anyhow::Result<Trace> {
    let clips = match compute {
        Compute::Cpu => 16,
        Compute::Gpu(gpu) if is_hardware(&gpu.info) => 16,
        Compute::Gpu(_) => 2,
    };
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let files = write_audio(folder.path(), clips).context("cannot write synthetic audio")?;
    let trace = Trace::install()?;
    trace_classify(compute, &files, &trace)?;
    trace_train(compute, folder.path(), clips, &trace)?;
    Ok(trace)
}

/// Writes `clips` files of one clip each, in two classes.
fn write_audio(root: &Path, clips: usize) -> anyhow::Result<Vec<PathBuf>> {
    let rate = 44_100;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let samples = (CLIP_SECONDS * f64::from(rate)) as usize;
    let mut files = Vec::new();
    for (i, clip) in signals(clips, samples).into_iter().enumerate() {
        let class = root.join(["even", "odd"][i % 2]);
        std::fs::create_dir_all(&class)?;
        let path = class.join(format!("{i:03}.wav"));
        let mut wav = hound::WavWriter::create(&path, spec)?;
        for x in clip {
            wav.write_sample((x * 32_767.0) as i16)?;
        }
        wav.finalize()?;
        files.push(path);
    }
    Ok(files)
}

/// Records two batches. The first compiles the network's kernels.
fn trace_classify(compute: &Compute, files: &[PathBuf], trace: &Trace) -> anyhow::Result<()> {
    let predictor = Predictor::builtin(compute)?;
    let front_end = &predictor.header().front_end;
    let samples = (CLIP_SECONDS * f64::from(front_end.sample_rate)) as usize;
    let rule = front_end.clip_rule(0.0);
    let clips = rule.spans(samples + 2 * rule.margin()).len();
    let options = Options {
        workers: std::thread::available_parallelism().map_or(2, usize::from),
        batch: clips * files.len(),
        first_batch: clips * files.len(),
        overlap: 0.0,
        excerpts: None,
        timeline: false,
        embeddings: false,
    };
    for name in ["classify: first batch", "classify: one batch"] {
        trace.begin(gpu(compute))?;
        let start = Instant::now();
        let inputs = files.iter().cloned().map(Input::File);
        classify(
            &predictor,
            inputs,
            &options,
            |_| Ok::<_, InferenceError>(()),
        )?;
        trace.span(name, start, start.elapsed());
        trace.end(gpu(compute))?;
    }
    Ok(())
}

/// Records the second step of a training run, which decodes its files anew.
fn trace_train(compute: &Compute, root: &Path, clips: usize, trace: &Trace) -> anyhow::Result<()> {
    let front_end = presets::mel()
        .with_clip_seconds(CLIP_SECONDS)
        .with_image_size(Some(IMAGE_SIZE));
    let settings = TrainSettings {
        epochs: 2,
        batch: clips,
        weight_decay: 0.05,
        front_end,
        ..TrainSettings::default()
    };
    let data = Dataset::scan(root)?;
    let split = Split::stratified(&data, 1, (0.0, 0.0))?;
    let memory = PcmMemory::new(compute, 0);
    let front_end = &settings.front_end;
    let set = PcmSet::load(&data, &split, Subset::Train, front_end, &memory, &|| ())?;
    let stop = AtomicBool::new(false);
    let (mut steps, mut result, mut start) = (0, Ok(()), Instant::now());
    // Runs after each step: the first compiles kernels, the second is traced.
    let mut after_step = |_: &LrTrial| {
        steps += 1;
        if steps == 1 {
            result = trace.begin(gpu(compute));
            start = Instant::now();
        } else {
            trace.span("train: one step", start, start.elapsed());
            stop.store(true, Ordering::Relaxed);
            if result.is_ok() {
                result = trace.end(gpu(compute));
            }
        }
    };
    let classes = &data.classes;
    find_lr(compute, &settings, classes, &set, &stop, &mut after_step)?;
    result.context("cannot trace the training step")
}

fn gpu(compute: &Compute) -> Option<&crate::gpu::Gpu> {
    match compute {
        Compute::Cpu => None,
        Compute::Gpu(gpu) => Some(gpu),
    }
}
