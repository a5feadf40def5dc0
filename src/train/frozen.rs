//! Training of the last layer alone, on features that are computed once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;

use self::cache::Features;
use super::head::{self, Examples};
use super::job::{Job, Observer, Outcome, validate};
use super::learner::Learner;
use super::start::Start;
use super::{Progress, StepTimes, TrainError};
use crate::dataset::pcm::{ClipPcm, PcmSet, prefetch};
use crate::evaluate::Epoch;
use crate::frontend::FrontEnd;
use crate::frontend::augment::{Augment, Waveform};
use crate::inference::embeddings;
use crate::model::{Checkpoint, Network, Task};

mod cache;

/// The penalties that are tried if none is set, from weak to strong.
const PENALTIES: [f64; 7] = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0];
/// Without validation files, the penalty is this over the number of clips. A penalty is the prior
/// belief that weights are small, and every clip is evidence against it. The value was chosen by
/// cross-validation on ten genres and musicnn's features: 0.3 for 440 clips.
const PENALTY_TIMES_CLIPS: f64 = 130.0;

/// Computes the features of all clips, fits the last layer, and keeps it as the only epoch.
///
/// The features of each level are kept in the run's folder, so that a run that was stopped goes on
/// behind the last one.
pub(super) fn train(
    job: &Job<'_>,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let settings = job.settings;
    let front_end = FrontEnd::new(job.compute, &settings.front_end)?;
    let learner = Learner::new(job.compute, settings, job.classes, 1)?;
    let network = learner.network.valid();
    let begin = Instant::now();
    let mut progress = Progress {
        epoch: 1,
        ..Progress::default()
    };
    let levels = &settings.transfer.levels;
    let steps = |set: &PcmSet| set.clips().len().div_ceil(settings.batch);
    progress.steps = levels.len() * steps(job.train) + steps(job.valid);
    let mut compute = |set: &PcmSet, name: String, level: f64| {
        let key = cache::Key::new(settings, set, level);
        let path = features_path(job, &name);
        if let Some(found) = cache::load(&path, &key) {
            progress.step += steps(set);
            return Ok(Some(found));
        }
        let mut advance = |clips: usize| {
            progress.step += 1;
            progress.clips += clips;
            progress.seconds = begin.elapsed().as_secs_f64();
            observer.step(&progress);
        };
        let found = features(
            &front_end,
            &network,
            set,
            level,
            settings.batch,
            &mut advance,
            stop,
        )?;
        if let Some(found) = &found {
            cache::save(&path, &key, found)?;
        }
        Ok::<_, TrainError>(found)
    };
    let stopped = |learner: Learner<'_>| Outcome {
        epochs: Vec::new(),
        best_epoch: 0,
        stopped: true,
        times: learner.times,
    };
    let mut examples = Examples {
        classes: job.classes.len(),
        ..Examples::default()
    };
    for (i, &level) in levels.iter().enumerate() {
        let Some(found) = compute(job.train, format!("train-{i}"), level)? else {
            return Ok(stopped(learner));
        };
        examples.width = found.width;
        examples.features.extend(found.rows);
        examples.targets.extend(targets(job, job.train));
    }
    let mut valid = None;
    if !job.valid.files.is_empty() {
        let Some(found) = compute(job.valid, "valid".into(), 0.0)? else {
            return Ok(stopped(learner));
        };
        valid = Some(Examples {
            features: found.rows,
            width: found.width,
            targets: targets(job, job.valid),
            classes: job.classes.len(),
        });
    }
    let task = learner.task;
    let clips = job.train.clips().len().max(1) as f64;
    // The loss of tags is the mean over the tags, so each tag's own loss counts less.
    let scale = match task {
        Task::SingleLabel => 1.0,
        Task::MultiLabel => 1.0 / job.classes.len() as f64,
    };
    let (l2, layer) = match (settings.transfer.l2, &valid) {
        (Some(l2), _) => (l2, head::fit(task, &examples, l2)),
        (None, None) => {
            let l2 = scale * PENALTY_TIMES_CLIPS / clips;
            (l2, head::fit(task, &examples, l2))
        }
        (None, Some(valid)) => {
            let fits = PENALTIES.map(|l2| (scale * l2, head::fit(task, &examples, scale * l2)));
            let losses = fits.map(|(l2, layer)| (head::loss(task, &layer, valid), l2, layer));
            let best = losses.into_iter().min_by(|a, b| a.0.total_cmp(&b.0));
            let (_, l2, layer) = best.expect("several penalties");
            (l2, layer)
        }
    };
    let loss = head::loss(task, &layer, &examples);
    let accuracy = head::accuracy(&layer, &examples);
    let Start { network, .. } = Start::new(settings, job.classes)?;
    let network = network.with_output(layer).valid();
    let on_device = network.clone().to_device(&job.compute.burn());
    let seconds = begin.elapsed().as_secs_f64();
    let mut epoch = Epoch {
        epoch: 1,
        lr: 0.0,
        loss,
        accuracy,
        clips_per_second: progress.clips as f64 / seconds.max(1e-9),
        seconds,
        best: true,
        valid: None,
    };
    epoch.valid = validate(job, &front_end, task, &on_device)?;
    let mut header = learner.header(job.classes, &epoch, &job.compute.name());
    header.training.insert("l2".into(), l2.to_string());
    Checkpoint::save(&header, &network, &job.folder.best())?;
    job.folder.write_metrics(&[epoch])?;
    let times = StepTimes::default();
    observer.epoch(&epoch, &times);
    Ok(Outcome {
        epochs: vec![epoch],
        best_epoch: 1,
        stopped: false,
        times,
    })
}

fn features_path(job: &Job<'_>, name: &str) -> PathBuf {
    job.folder
        .path("features")
        .join(format!("{name}.safetensors"))
}

/// Computes the features of every clip of `set` at `level` dB. `None` if it was stopped.
fn features(
    front_end: &FrontEnd,
    network: &Network,
    set: &PcmSet,
    level: f64,
    batch: usize,
    tick: &mut dyn FnMut(usize),
    stop: &AtomicBool,
) -> Result<Option<Features>, TrainError> {
    let augment = Augment {
        waveform: Waveform {
            gain: 10f64.powf(level / 20.0) as f32,
            ..Waveform::default()
        },
        ..Augment::default()
    };
    let clips = set.clips();
    let fetch = |chunk: &[_]| set.fetch(chunk);
    prefetch(clips.chunks(batch), fetch, |fetched| {
        let mut found = Features {
            rows: Vec::new(),
            width: 0,
        };
        for pcm in fetched {
            let pcm = pcm?;
            let samples: Vec<_> = pcm.iter().map(ClipPcm::samples).collect();
            let augments = vec![augment; samples.len()];
            let rows = embeddings(front_end, network, &samples, &augments)
                .map_err(crate::evaluate::EvaluateError::from)?;
            for row in rows {
                found.width = row.len();
                found.rows.extend(row);
            }
            tick(samples.len());
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
        }
        Ok(Some(found))
    })
}

/// Returns the targets of every clip of `set`, `[n, classes]`: 1 for each of its labels.
fn targets(job: &Job<'_>, set: &PcmSet) -> Vec<f32> {
    let classes = job.classes.len();
    let clips = set.clips();
    let mut out = vec![0.0; clips.len() * classes];
    for (row, (file, _)) in out.chunks_mut(classes).zip(clips) {
        for &label in &set.files[file].labels {
            row[label] = 1.0;
        }
    }
    out
}
