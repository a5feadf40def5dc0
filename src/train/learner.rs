//! The training loop.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::Module;
use burn::nn::loss::{CrossEntropyLoss, CrossEntropyLossConfig};
use burn::optim::lr_scheduler::LrSchedulerConfig;
use burn::optim::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::optim::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::optim::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::batches::{self, Batch};
use super::{Evaluation, PcmSet, RunFolder, TrainError, TrainSettings, evaluate};
use crate::dataset::Dataset;
use crate::frontend::Engine;
use crate::gpu::Compute;
use crate::model::{Checkpoint, Header, Network, NetworkSpec};

/// Steps between read-backs of loss and accuracy: each makes the host wait for the device.
const READ_EVERY: usize = 8;

/// How far an epoch has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// From 1.
    pub epoch: usize,
    /// Steps done of this epoch.
    pub step: usize,
    /// Steps of an epoch.
    pub steps: usize,
    /// Clips seen this epoch.
    pub clips: usize,
    /// Mean loss of the epoch so far, nats.
    pub loss: f64,
    /// Accuracy on the epoch's training clips so far.
    pub accuracy: f64,
}

/// What an epoch came to.
#[derive(Clone, Debug)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Learning rate of its last step.
    pub lr: f64,
    /// Mean training loss, nats.
    pub loss: f64,
    /// Accuracy on the training clips, as they were augmented.
    pub accuracy: f64,
    /// On the validation side, if it has files.
    pub valid: Option<Evaluation>,
    /// Training clips a second, pictures included, validation not.
    pub clips_per_second: f64,
    /// Whether it was the best so far and its weights were kept.
    pub best: bool,
}

/// Who is told how the run goes.
pub trait Observer {
    /// After every read-back.
    fn step(&mut self, progress: &Progress);
    /// After every epoch.
    fn epoch(&mut self, epoch: &Epoch);
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Every epoch, in order.
    pub epochs: Vec<Epoch>,
    /// The epoch (from 1) whose weights are in the checkpoint.
    pub best_epoch: usize,
}

/// Trains on `train`, keeps the checkpoint that does best on `valid` (by files' accuracy, then loss; the last one if
/// there is no validation side).
///
/// # Errors
/// [`TrainError`]; the best checkpoint so far stays.
pub fn train(
    compute: &Compute,
    settings: &TrainSettings,
    data: &Dataset,
    sides: (&PcmSet, &PcmSet),
    folder: &RunFolder,
    observer: &mut dyn Observer,
) -> Result<Outcome, TrainError> {
    settings.validate()?;
    let (train, valid) = sides;
    let engine = Engine::new(compute, &settings.front_end)?;
    let mut learner = Learner::new(compute, settings, data, train)?;
    let mut epochs: Vec<Epoch> = Vec::new();
    let mut best: Option<(usize, f64, f64)> = None;
    for epoch in 1..=settings.epochs {
        let start = Instant::now();
        let mut this = learner.epoch(&engine, train, epoch, observer)?;
        let seconds = start.elapsed().as_secs_f64();
        this.clips_per_second /= seconds;
        let network = learner.network.valid();
        if !valid.files.is_empty() {
            this.valid = Some(evaluate(
                &network,
                &engine,
                valid,
                data.classes.len(),
                settings.front_end.clip_samples,
                settings.batch,
            )?);
        }
        let score = this
            .valid
            .as_ref()
            .map_or((f64::from(epoch as u32), 0.0), |v| {
                (v.files.accuracy(), -v.loss)
            });
        this.best = best.is_none_or(|(_, accuracy, loss)| score > (accuracy, loss));
        if this.best {
            best = Some((epoch, score.0, score.1));
            let header = learner.header(data, &this, &compute.name());
            Checkpoint::save(&header, &network, &folder.best())?;
        }
        folder.append("metrics.csv", &metrics_line(&this, seconds))?;
        observer.epoch(&this);
        epochs.push(this);
    }
    Ok(Outcome {
        best_epoch: best.map_or(0, |b| b.0),
        epochs,
    })
}

fn metrics_line(e: &Epoch, seconds: f64) -> String {
    let valid = e.valid.as_ref().map_or(",,".to_owned(), |v| {
        format!(
            "{:.5},{:.4},{:.4}",
            v.loss,
            v.clips.accuracy(),
            v.files.accuracy()
        )
    });
    format!(
        "{},{:.3e},{:.5},{:.4},{valid},{seconds:.2}",
        e.epoch, e.lr, e.loss, e.accuracy
    )
}

struct Learner<'a> {
    settings: &'a TrainSettings,
    spec: NetworkSpec,
    device: Device,
    network: Network,
    optimizer: ModuleOptimizer,
    schedule: ModuleLrScheduler,
    loss: CrossEntropyLoss,
}

impl<'a> Learner<'a> {
    fn new(
        compute: &Compute,
        settings: &'a TrainSettings,
        data: &Dataset,
        train: &PcmSet,
    ) -> Result<Self, TrainError> {
        let spec = NetworkSpec {
            kind: settings.network,
            classes: data.classes.len(),
            picture: settings.front_end.picture_size(),
        };
        let plain = compute.burn();
        let network = Network::new(&spec, settings.seed, &plain)?.train();
        plain.seed(settings.seed); // dropout's
        let steps = batches::steps(train, settings.front_end.clip_samples, settings.batch);
        Ok(Self {
            settings,
            spec,
            network,
            optimizer: AdamWConfig::new()
                .with_weight_decay(settings.weight_decay as f32)
                .with_epsilon(1e-8)
                .init(),
            schedule: schedule(settings, steps)?,
            loss: CrossEntropyLossConfig::new()
                .with_smoothing(
                    (settings.label_smoothing > 0.0).then_some(settings.label_smoothing as f32),
                )
                .init(&plain.clone().autodiff()),
            device: plain,
        })
    }

    fn epoch(
        &mut self,
        engine: &Engine,
        train: &PcmSet,
        epoch: usize,
        observer: &mut dyn Observer,
    ) -> Result<Epoch, TrainError> {
        let s = self.settings;
        let clip = s.front_end.clip_samples;
        let steps = batches::steps(train, clip, s.batch);
        let mut progress = Progress {
            epoch,
            step: 0,
            steps,
            clips: 0,
            loss: 0.0,
            accuracy: 0.0,
        };
        let (mut loss, mut hits) = (0.0, 0.0);
        let mut unread: Vec<Tensor<1>> = Vec::new();
        let mut lr = 0.0;
        for batch in batches::epoch(train, s, epoch) {
            let rate = self.schedule.step();
            lr = rate.base();
            unread.push(self.step(engine, &batch, rate)?);
            progress.step += 1;
            progress.clips += batch.classes.len();
            if unread.len() == READ_EVERY || progress.step == steps {
                let read = read(std::mem::take(&mut unread))?;
                add(&read, epoch, &mut loss, &mut hits)?;
                progress.loss = loss / progress.clips as f64;
                progress.accuracy = hits / progress.clips as f64;
                observer.step(&progress);
            }
        }
        Ok(Epoch {
            epoch,
            lr,
            loss: progress.loss,
            accuracy: progress.accuracy,
            valid: None,
            clips_per_second: progress.clips as f64, // divided by the time taken by who measured it
            best: false,
        })
    }

    /// One step. Returns, on the device, the sum of the clips' losses and the number of right answers.
    fn step(
        &mut self,
        engine: &Engine,
        batch: &Batch,
        rate: burn::optim::lr_scheduler::module_lr_scheduler::ModuleLearningRate,
    ) -> Result<Tensor<1>, TrainError> {
        let n = batch.classes.len();
        let pictures = engine
            .masked_pictures(&batch.pcm(), &batch.masks)?
            .autodiff();
        let classes: Vec<i32> = batch.classes.iter().map(|&c| c as i32).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(classes, [n]), &self.device);
        let logits = self.network.forward(pictures);
        let loss = self
            .loss
            .forward(logits.clone(), targets.clone().autodiff());
        let answers: Tensor<1, Int> = logits.inner().argmax(1).flatten(0, 1);
        let hits = answers.equal(targets).float().sum();
        let sum = loss.clone().inner() * n as f64;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        Ok(Tensor::cat(vec![sum, hits], 0))
    }

    fn header(&self, data: &Dataset, epoch: &Epoch, device: &str) -> Header {
        let s = self.settings;
        let mut notes = BTreeMap::from([
            (
                "epoch".to_owned(),
                format!("{} of {}", epoch.epoch, s.epochs),
            ),
            ("seed".to_owned(), s.seed.to_string()),
            ("batch".to_owned(), s.batch.to_string()),
            ("lr".to_owned(), s.lr.to_string()),
            ("mask".to_owned(), s.mask.to_string()),
            ("label_smoothing".to_owned(), s.label_smoothing.to_string()),
            ("weight_decay".to_owned(), s.weight_decay.to_string()),
            ("device".to_owned(), device.to_owned()),
        ]);
        if let Some(v) = &epoch.valid {
            let text = format!("{} of {} files", v.files.hits(), v.files.total());
            notes.insert("valid_accuracy".into(), text);
        }
        Header::new(self.spec, s.front_end.clone(), data.classes.clone(), notes)
    }
}

/// One epoch up, the others down a cosine to 1 %.
fn schedule(settings: &TrainSettings, steps: usize) -> Result<ModuleLrScheduler, TrainError> {
    let lr = settings.lr;
    let rest = (steps * settings.epochs.saturating_sub(1)).max(1);
    let cosine = CosineAnnealingLrSchedulerConfig::new(lr, rest).with_min_lr(lr / 100.0);
    SequentialLrSchedulerConfig::new(
        vec![
            LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(lr / 10.0, lr, steps)),
            LrSchedulerConfig::Cosine(cosine),
        ],
        vec![steps],
    )
    .init()
    .map_err(|_| TrainError::Setting {
        name: "--lr",
        value: lr.to_string(),
        must: "over 0 and at most 1",
    })
}

/// Adds pairs of (sum of losses, right answers) to an epoch's sums.
fn add(pairs: &[f32], epoch: usize, loss: &mut f64, hits: &mut f64) -> Result<(), TrainError> {
    for pair in pairs.chunks(2) {
        if !pair[0].is_finite() {
            return Err(TrainError::Diverged {
                loss: pair[0],
                epoch,
            });
        }
        *loss += f64::from(pair[0]);
        *hits += f64::from(pair[1]);
    }
    Ok(())
}

fn read(pairs: Vec<Tensor<1>>) -> Result<Vec<f32>, TrainError> {
    Tensor::cat(pairs, 0)
        .try_into_data()
        .map_err(|e| TrainError::Device(e.to_string()))?
        .try_to_vec()
        .map_err(|e| TrainError::Device(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::{TrainError, add};

    /// Neither data nor flags that are accepted make a NaN here (the front end maps any PCM into 0..=1), so the check
    /// is tested by itself.
    #[test]
    fn a_loss_that_is_no_number_stops_the_run() {
        let (mut loss, mut hits) = (0.0, 0.0);
        add(&[2.0, 1.0, 3.0, 0.0], 1, &mut loss, &mut hits).unwrap();
        assert_eq!((loss, hits), (5.0, 1.0));
        for bad in [f32::NAN, f32::INFINITY] {
            let stopped = add(&[1.0, 1.0, bad, 0.0], 4, &mut loss, &mut hits).unwrap_err();
            assert!(matches!(stopped, TrainError::Diverged { epoch: 4, .. }));
            assert!(stopped.to_string().contains("smaller --lr"), "{stopped}");
        }
    }
}
