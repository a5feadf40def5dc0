//! The training loop: epochs, validation, the best checkpoint, and a state to resume a killed run
//! from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;

use super::job::{Job, Observer, Outcome, validate};
use super::learner::{Learner, Step};
use super::state::State;
use super::{Progress, TrainError, batches, frozen};
use crate::dataset::pcm::prefetch;
use crate::evaluate::{Epoch, MIN_FILES, fit_temperature, predict};
use crate::frontend::FrontEnd;
use crate::model::Checkpoint;

/// Steps between read-backs of loss and accuracy. Each read-back makes the host wait for the
/// device.
const READ_EVERY: usize = 8;
/// Seconds between saves of the state within an epoch.
const SAVE_EVERY: f64 = 600.0;

/// Trains, and keeps the checkpoint of the epoch that does best on the validation files.
///
/// If the folder holds a state, the run is resumed from it. On the `cpu` device, the result is that
/// of an unbroken run, bit for bit. When `stop` becomes true, the current update is finished and
/// the state saved.
///
/// # Errors
/// [`TrainError`]. The best checkpoint and the last state so far stay.
pub fn train(
    job: &Job<'_>,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let settings = job.settings;
    settings.validate()?;
    settings.check_batch(job.compute, job.classes.len())?;
    let front_end = FrontEnd::new(job.compute, &settings.front_end)?;
    let mut outcome = match settings.transfer.freeze {
        true => frozen::train(job, &front_end, observer, stop)?,
        false => train_all(job, &front_end, observer, stop)?,
    };
    if !outcome.stopped {
        outcome.temperature = calibrate(job, &front_end)?;
    }
    Ok(outcome)
}

/// Trains all layers.
fn train_all(
    job: &Job<'_>,
    front_end: &FrontEnd,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let settings = job.settings;
    let steps = batches::steps(job.train, settings.batch);
    let updates = steps.div_ceil(settings.accumulate);
    let mut learner = Learner::new(job.compute, settings, job.classes, updates)?;
    learner.measure_shares(job.train);
    let mut state = match State::load(&job.folder.state())? {
        Some((state, [weights, moments])) => {
            let within = state.progress.step.div_ceil(settings.accumulate);
            let done = state.epochs.len() * updates + within;
            learner
                .restore([weights, moments], done)
                .map_err(|e| TrainError::State {
                    path: job.folder.state(),
                    why: e.to_string(),
                })?;
            observer.resumed(&state.epochs, &state.progress);
            state
        }
        None => {
            if learner.has_new_head && !fit_head(job, front_end, &mut learner, observer, stop)? {
                return Ok(Outcome::stopped_at_once(learner.times));
            }
            State::default()
        }
    };
    let mut stopped = false;
    while state.epochs.len() < settings.epochs && !state.out_of_patience(settings) && !stopped {
        let Some(lr) = run_epoch(job, front_end, &mut learner, &mut state, observer, stop)? else {
            stopped = true;
            break;
        };
        let epoch = finish_epoch(job, front_end, &learner, &mut state, lr)?;
        observer.epoch(&epoch, &learner.times);
        stopped = stop.load(Ordering::Relaxed)
            && state.epochs.len() < settings.epochs
            && !state.out_of_patience(settings);
    }
    Ok(Outcome {
        best_epoch: state.best().map_or(0, |e| e.epoch),
        epochs: state.epochs,
        stopped,
        times: learner.times,
        temperature: None,
    })
}

/// Fits the new last layer of a trained model before all layers are trained: the gradients of a
/// random one would spoil the others (Kumar et al. 2022, "Fine-tuning can distort pretrained
/// features and underperform out-of-distribution"). Returns false if it was stopped.
fn fit_head(
    job: &Job<'_>,
    front_end: &FrontEnd,
    learner: &mut Learner<'_>,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<bool, TrainError> {
    let network = learner.network.valid();
    let fit = frozen::fit(job, front_end, &network, observer, stop)?;
    let fitted = fit.is_some();
    if let Some(fit) = fit {
        learner.set_output(fit.layer);
    }
    Ok(fitted)
}

/// Runs the rest of the current epoch. Returns its last learning rate, or `None` if it was stopped.
fn run_epoch(
    job: &Job<'_>,
    front_end: &FrontEnd,
    learner: &mut Learner<'_>,
    state: &mut State,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Option<f64>, TrainError> {
    let s = job.settings;
    let epoch = state.epochs.len() + 1;
    let plan = batches::epoch(job.train, s, epoch);
    let steps = plan.len();
    let sizes: Vec<usize> = plan.iter().map(|batch| batch.spans.len()).collect();
    let mut progress = Progress {
        epoch,
        steps,
        ..state.progress
    };
    let left = plan.into_iter().skip(progress.step);
    prefetch(
        left,
        |plan| plan.fetch(job.train),
        |batches| {
            let (mut unread, mut rate) = (Vec::new(), None);
            let (mut start, mut saved) = (Instant::now(), Instant::now());
            let mut waiting = Instant::now();
            for batch in batches {
                let batch = batch?;
                let waited = waiting.elapsed();
                let group = progress.step / s.accumulate * s.accumulate;
                let group = group..(group + s.accumulate).min(steps);
                if progress.step == group.start {
                    rate = Some(learner.next_rate());
                }
                let updates = progress.step + 1 == group.end;
                let step = Step {
                    batch: &batch,
                    place: (epoch, progress.step),
                    clips: sizes[group].iter().sum(),
                    update: rate.clone().filter(|_| updates),
                    waited,
                };
                unread.push(learner.step(front_end, step)?);
                progress.step += 1;
                progress.clips += batch.labels.len();
                // Accumulated gradients are not saved, so stop only after an update.
                let stopping = updates && stop.load(Ordering::Relaxed) && progress.step < steps;
                if unread.len() == READ_EVERY || progress.step == steps || stopping {
                    add(&learner.read(std::mem::take(&mut unread))?, &mut progress)?;
                    progress.seconds += start.elapsed().as_secs_f64();
                    start = Instant::now();
                    observer.step(&progress);
                }
                let due =
                    updates && unread.is_empty() && saved.elapsed().as_secs_f64() > SAVE_EVERY;
                if stopping || due {
                    state.progress = progress;
                    state.save(&job.folder.state(), &learner.save()?)?;
                    saved = Instant::now();
                }
                if stopping {
                    return Ok(None);
                }
                waiting = Instant::now();
            }
            state.progress = progress;
            Ok(Some(rate.map_or(0.0, |r| r.base())))
        },
    )
}

/// Validates, keeps the weights if they are the best, and saves the state, in this order: after a
/// kill in between, the end of the epoch is run again with the same result.
fn finish_epoch(
    job: &Job<'_>,
    front_end: &FrontEnd,
    learner: &Learner<'_>,
    state: &mut State,
    lr: f64,
) -> Result<Epoch, TrainError> {
    let progress = std::mem::take(&mut state.progress);
    let mut epoch = Epoch {
        epoch: progress.epoch,
        lr,
        loss: progress.loss(),
        accuracy: progress.accuracy(),
        clips_per_second: progress.clips as f64 / progress.seconds.max(1e-9),
        seconds: progress.seconds,
        best: false,
        valid: None,
    };
    let network = learner.network.valid();
    epoch.valid = validate(job, front_end, learner.task, &network)?;
    epoch.best = state.best().is_none_or(|b| epoch.score() > b.score());
    if epoch.best {
        let header = learner.header(job.classes, &epoch, &job.compute.name());
        Checkpoint::save(&header, &network, &job.folder.best())?;
    }
    state.epochs.push(epoch);
    job.folder.write_metrics(&state.epochs)?;
    state.save(&job.folder.state(), &learner.save()?)?;
    Ok(epoch)
}

/// Fits the temperature of the kept checkpoint on the validation files, stores it and returns it.
/// Does nothing if there are too few of them.
fn calibrate(job: &Job<'_>, front_end: &FrontEnd) -> Result<Option<f32>, TrainError> {
    if job.valid.files.len() < MIN_FILES {
        return Ok(None);
    }
    let path = job.folder.best();
    let mut checkpoint = Checkpoint::load(&path, &job.compute.burn())?;
    let task = checkpoint.header.task;
    // A checkpoint that was calibrated before an interruption gives the same probabilities here.
    let network = &checkpoint.network;
    let clips = predict(network, task, front_end, job.valid, job.settings.batch)?;
    let temperature = fit_temperature(task, &clips).map(|temperature| temperature as f32);
    if let Some(temperature) = temperature {
        checkpoint.header.temperature = temperature;
        Checkpoint::save(&checkpoint.header, &checkpoint.network, &path)?;
    }
    Ok(temperature)
}

/// Adds pairs of (sum of losses, number of correct clips) to an epoch's sums.
fn add(pairs: &[f32], progress: &mut Progress) -> Result<(), TrainError> {
    for pair in pairs.chunks(2) {
        if !pair[0].is_finite() {
            return Err(TrainError::Diverged {
                loss: pair[0],
                epoch: progress.epoch,
            });
        }
        progress.loss_sum += f64::from(pair[0]);
        progress.correct += f64::from(pair[1]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Progress, TrainError, add};

    /// No accepted data and settings lead to a NaN (the front end maps any PCM to finite features),
    /// so the check is tested by itself.
    #[test]
    fn a_loss_that_is_no_number_stops_the_run() {
        let mut progress = Progress {
            epoch: 4,
            clips: 4,
            ..Progress::default()
        };
        add(&[2.0, 1.0, 3.0, 0.0], &mut progress).unwrap();
        assert_eq!((progress.loss_sum, progress.correct), (5.0, 1.0));
        for bad in [f32::NAN, f32::INFINITY] {
            let stopped = add(&[1.0, 1.0, bad, 0.0], &mut progress).unwrap_err();
            assert!(matches!(stopped, TrainError::Diverged { epoch: 4, .. }));
            assert!(stopped.to_string().contains("in epoch 4"), "{stopped}");
        }
    }
}
