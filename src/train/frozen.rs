//! Training of the last layer alone, on features that are computed once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;
use burn::nn::Linear;

use self::cache::Features;
use super::head::{self, Examples};
use super::job::{Job, Observer, Outcome, validate};
use super::learner::Learner;
use super::{Progress, TrainError};
use crate::dataset::pcm::{ClipPcm, PcmSet, prefetch};
use crate::evaluate::{Epoch, EvaluateError};
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

/// A fitted last layer.
pub(super) struct Fit {
    /// On the `cpu` device.
    pub(super) layer: Linear,
    /// The penalty.
    l2: f64,
    /// Mean loss and accuracy on the training clips, at all levels.
    loss: f64,
    accuracy: f64,
    /// Clips whose features were computed, and the seconds that everything took.
    clips: usize,
    seconds: f64,
}

/// Fits the last layer, and keeps it as the only epoch.
pub(super) fn train(
    job: &Job<'_>,
    front_end: &FrontEnd,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let mut learner = Learner::new(job.compute, job.settings, job.classes, 1)?;
    let task = learner.task;
    let Some(fit) = fit(job, front_end, &learner.network.valid(), observer, stop)? else {
        return Ok(Outcome::stopped_at_once(learner.times));
    };
    learner.set_output(fit.layer);
    let network = learner.network.valid();
    let epoch = Epoch {
        epoch: 1,
        lr: 0.0,
        loss: fit.loss,
        accuracy: fit.accuracy,
        clips_per_second: fit.clips as f64 / fit.seconds.max(1e-9),
        seconds: fit.seconds,
        best: true,
        valid: validate(job, front_end, task, &network)?,
    };
    let mut header = learner.header(job.classes, &epoch, &job.compute.name());
    header.training.insert("l2".into(), fit.l2.to_string());
    Checkpoint::save(&header, &network, &job.folder.best())?;
    job.folder.write_metrics(&[epoch])?;
    observer.epoch(&epoch, &learner.times);
    Ok(Outcome {
        epochs: vec![epoch],
        best_epoch: 1,
        stopped: false,
        times: learner.times,
        temperature: None,
    })
}

/// Computes the features of all clips with `network`, and fits a last layer to them. `None` if it
/// was stopped.
///
/// The features of each level are kept in the run's folder, so that a run that was stopped goes on
/// behind the last one.
pub(super) fn fit(
    job: &Job<'_>,
    front_end: &FrontEnd,
    network: &Network,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Option<Fit>, TrainError> {
    let settings = job.settings;
    let levels = &settings.transfer.levels;
    let mut extractor = Extractor {
        job,
        front_end,
        network,
        begin: Instant::now(),
        progress: Progress {
            epoch: 1,
            steps: levels.len() * steps(job, job.train) + steps(job, job.valid),
            ..Progress::default()
        },
        stop,
    };
    let mut train = Examples::new(job.classes.len());
    for (i, &level) in levels.iter().enumerate() {
        let name = format!("train-{i}");
        let Some(found) = extractor.features(job.train, &name, level, observer)? else {
            return Ok(None);
        };
        train.add(found.rows, found.width, targets(job, job.train));
    }
    let mut valid = Examples::new(job.classes.len());
    if !job.valid.files.is_empty() {
        let Some(found) = extractor.features(job.valid, "valid", 0.0, observer)? else {
            return Ok(None);
        };
        valid.add(found.rows, found.width, targets(job, job.valid));
    }
    let (l2, layer) = choose(job, &train, &valid);
    Ok(Some(Fit {
        loss: head::loss(settings.task, &layer, &train),
        accuracy: head::accuracy(&layer, &train),
        clips: extractor.progress.clips,
        seconds: extractor.begin.elapsed().as_secs_f64(),
        layer,
        l2,
    }))
}

/// Fits the layer with the penalty of the settings, or with that which suits the validation files
/// best. Returns the penalty, too.
fn choose(job: &Job<'_>, train: &Examples, valid: &Examples) -> (f64, Linear) {
    let task = job.settings.task;
    let fit = |l2: f64| (l2, head::fit(task, train, l2));
    if let Some(l2) = job.settings.transfer.l2 {
        return fit(l2);
    }
    // The loss of tags is the mean over the tags, so each tag's own loss counts less.
    let scale = match task {
        Task::SingleLabel => 1.0,
        Task::MultiLabel => 1.0 / job.classes.len() as f64,
    };
    let clips = job.train.clips().len().max(1) as f64;
    let usual = || fit(scale * PENALTY_TIMES_CLIPS / clips);
    if valid.len() == 0 {
        return usual();
    }
    let fits = PENALTIES.map(|l2| fit(scale * l2)).into_iter();
    let losses = fits.map(|(l2, layer)| (head::loss(task, &layer, valid), (l2, layer)));
    let best = losses.min_by(|a, b| a.0.total_cmp(&b.0));
    best.map_or_else(usual, |(_, fit)| fit)
}

/// Computes features, or finds them in the run's folder.
struct Extractor<'a> {
    job: &'a Job<'a>,
    front_end: &'a FrontEnd,
    network: &'a Network,
    begin: Instant,
    progress: Progress,
    stop: &'a AtomicBool,
}

impl Extractor<'_> {
    /// Returns the features of every clip of `set` at `level` dB. `None` if it was stopped.
    fn features(
        &mut self,
        set: &PcmSet,
        name: &str,
        level: f64,
        observer: &mut dyn Observer,
    ) -> Result<Option<Features>, TrainError> {
        let key = cache::Key::new(self.job.settings, set, level);
        let path = self.job.folder.path("features");
        let path = path.join(format!("{name}.safetensors"));
        if let Some(found) = cache::load(&path, &key) {
            self.progress.step += steps(self.job, set);
            return Ok(Some(found));
        }
        let found = self.computed(set, level, observer)?;
        if let Some(found) = &found {
            cache::save(&path, &key, found)?;
        }
        Ok(found)
    }

    fn computed(
        &mut self,
        set: &PcmSet,
        level: f64,
        observer: &mut dyn Observer,
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
        let batches = clips.chunks(self.job.settings.batch);
        prefetch(batches, fetch, |fetched| {
            let mut found = Features::default();
            for pcm in fetched {
                let pcm = pcm?;
                let samples: Vec<_> = pcm.iter().map(ClipPcm::samples).collect();
                let augments = vec![augment; samples.len()];
                let rows = embeddings(self.front_end, self.network, &samples, &augments)
                    .map_err(EvaluateError::from)?;
                for row in rows {
                    found.width = row.len();
                    found.rows.extend(row);
                }
                self.progress.step += 1;
                self.progress.clips += samples.len();
                self.progress.seconds = self.begin.elapsed().as_secs_f64();
                observer.step(&self.progress);
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(None);
                }
            }
            Ok(Some(found))
        })
    }
}

/// Returns the number of batches of `set`.
fn steps(job: &Job<'_>, set: &PcmSet) -> usize {
    set.clips().len().div_ceil(job.settings.batch)
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
