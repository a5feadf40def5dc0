//! The training loop: epochs, validation, the best checkpoint, and a state to take a killed run up from.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use burn::module::Module;

use super::learner::{Learner, Step};
use super::state::State;
use super::{Progress, RunFolder, StepTimes, TrainError, TrainSettings, batches};
use crate::dataset::pcm::{PcmSet, prefetch};
use crate::evaluate::{Epoch, Validation, evaluate};
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::Checkpoint;

/// Steps between read-backs of loss and accuracy: each makes the host wait for the device.
const READ_EVERY: usize = 8;
/// Seconds between states saved within an epoch.
const SAVE_EVERY: f64 = 600.0;

/// Who is told how the run goes.
pub trait Observer {
    /// After every read-back.
    fn step(&mut self, progress: &Progress);
    /// After every epoch; the times are those since the start or resumption.
    fn epoch(&mut self, epoch: &Epoch, times: &StepTimes);
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every epoch, in order, those before a resumption included.
    pub epochs: Vec<Epoch>,
    /// The epoch (from 1) whose weights are in the checkpoint; 0 if it was stopped within the first.
    pub best_epoch: usize,
    /// Whether it was stopped before its end, to be resumed.
    pub stopped: bool,
    /// Where the steps' time went, since the start or resumption.
    pub times: StepTimes,
}

/// Everything that a run works on.
pub struct Job<'a> {
    /// Where.
    pub compute: &'a Compute,
    /// How.
    pub settings: &'a TrainSettings,
    /// Names of the classes.
    pub classes: &'a [String],
    /// What is learned from.
    pub train: &'a PcmSet,
    /// What the best epoch is chosen by; may have no files.
    pub valid: &'a PcmSet,
    /// Where everything is kept.
    pub folder: &'a RunFolder,
}

/// Trains, and keeps the checkpoint that does best on the validation side.
///
/// If the folder holds a state, the run is taken up there; on the `cpu` device the result is that of an unbroken run,
/// bit for bit. When `stop` becomes true the step under way is finished and the state saved.
///
/// # Errors
/// [`TrainError`]; the best checkpoint and the last state so far stay.
pub fn train(
    job: &Job<'_>,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Outcome, TrainError> {
    let settings = job.settings;
    settings.validate()?;
    let engine = FrontEnd::new(job.compute, &settings.front_end)?;
    let steps = batches::steps(job.train, settings.front_end.clip_samples, settings.batch);
    let updates = steps.div_ceil(settings.accumulate);
    let mut learner = Learner::new(job.compute, settings, job.classes.len(), updates)?;
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
            state
        }
        None => State::default(),
    };
    let mut stopped = false;
    while state.epochs.len() < settings.epochs && !state.out_of_patience(settings) && !stopped {
        let Some(lr) = run_epoch(job, &engine, &mut learner, &mut state, observer, stop)? else {
            stopped = true;
            break;
        };
        let epoch = finish_epoch(job, &engine, &learner, &mut state, lr)?;
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
    })
}

/// Runs what is left of the epoch that `state` stands in. Returns its last learning rate, or `None` if it was stopped.
fn run_epoch(
    job: &Job<'_>,
    engine: &FrontEnd,
    learner: &mut Learner<'_>,
    state: &mut State,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<Option<f64>, TrainError> {
    let s = job.settings;
    let epoch = state.epochs.len() + 1;
    let plan = batches::epoch(job.train, s, epoch);
    let steps = plan.len();
    let sizes: Vec<usize> = plan.iter().map(|p| p.spans.len()).collect();
    let mut progress = Progress {
        epoch,
        steps,
        ..state.progress
    };
    let clip = s.front_end.clip_samples;
    let left = plan.into_iter().skip(progress.step);
    prefetch(
        left,
        |planned| planned.fetch(job.train, clip),
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
                unread.push(learner.step(engine, step)?);
                progress.step += 1;
                progress.clips += batch.classes.len();
                // Half an update cannot be saved.
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

/// Validates, keeps the weights if they are the best, and saves the state, in this order: killed anywhere between, the
/// epoch is run again and comes to the same.
fn finish_epoch(
    job: &Job<'_>,
    engine: &FrontEnd,
    learner: &Learner<'_>,
    state: &mut State,
    lr: f64,
) -> Result<Epoch, TrainError> {
    let s = job.settings;
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
    if !job.valid.files.is_empty() {
        let clip = s.front_end.clip_samples;
        let result = evaluate(
            &network,
            engine,
            job.valid,
            job.classes.len(),
            clip,
            s.batch,
        )?;
        epoch.valid = Some(Validation {
            loss: result.clips.loss,
            clip_accuracy: result.clips.accuracy,
            hits: result.files.hits(),
            files: result.files.total(),
        });
    }
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

/// Adds pairs of (sum of losses, right answers) to an epoch's sums.
fn add(pairs: &[f32], progress: &mut Progress) -> Result<(), TrainError> {
    for pair in pairs.chunks(2) {
        if !pair[0].is_finite() {
            return Err(TrainError::Diverged {
                loss: pair[0],
                epoch: progress.epoch,
            });
        }
        progress.loss_sum += f64::from(pair[0]);
        progress.hits += f64::from(pair[1]);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Progress, TrainError, add};

    /// Neither data nor flags that are accepted make a NaN here (the front end maps any PCM into 0..=1), so the check
    /// is tested by itself.
    #[test]
    fn a_loss_that_is_no_number_stops_the_run() {
        let mut progress = Progress {
            epoch: 4,
            clips: 4,
            ..Progress::default()
        };
        add(&[2.0, 1.0, 3.0, 0.0], &mut progress).unwrap();
        assert_eq!((progress.loss_sum, progress.hits), (5.0, 1.0));
        for bad in [f32::NAN, f32::INFINITY] {
            let stopped = add(&[1.0, 1.0, bad, 0.0], &mut progress).unwrap_err();
            assert!(matches!(stopped, TrainError::Diverged { epoch: 4, .. }));
            assert!(stopped.to_string().contains("smaller --lr"), "{stopped}");
        }
    }
}
