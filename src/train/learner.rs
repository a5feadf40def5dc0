//! Network, optimizer and schedule, and what one step does to them.

use std::collections::BTreeMap;
use std::time::Duration;

use burn::module::{Module, ParamGroup};
use burn::optim::lr_scheduler::LrSchedulerConfig;
use burn::optim::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::optim::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::optim::lr_scheduler::module_lr_scheduler::{
    ModuleLearningRate, ModuleLrScheduler, ModuleLrSchedulerConfig,
};
use burn::optim::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, Device, Tensor, TensorData};
use rand_chacha::rand_core::Rng;

use super::batches::{Batch, class_shares};
use super::optimizer::adamw;
use super::start::Start;
use super::state::Blobs;
use super::times::{StepTimes, Stopwatch};
use super::{TrainError, TrainSettings};
use crate::dataset::pcm::PcmSet;
use crate::evaluate::Epoch;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::{Header, Network, NetworkSpec, Task};
use crate::rng::{stream, with_seed};

/// On a GPU, one step of this many is timed, because timing makes the host wait for the device.
const TIME_EVERY: usize = 16;

/// What to do with one batch.
pub(super) struct Step<'b> {
    /// The batch.
    pub(super) batch: &'b Batch,
    /// Epoch and step, which seed the dropout.
    pub(super) place: (usize, usize),
    /// Number of clips of the update that the batch belongs to: its own, or those of all batches
    /// whose gradients are accumulated.
    pub(super) clips: usize,
    /// The learning rate, if the weights are updated after this batch.
    pub(super) update: Option<ModuleLearningRate>,
    /// How long the host waited for the batch.
    pub(super) waited: Duration,
}

/// A network in training.
pub(super) struct Learner<'a> {
    settings: &'a TrainSettings,
    spec: NetworkSpec,
    license: Option<String>,
    pub(super) task: Task,
    device: Device,
    pub(super) network: Network,
    /// Share of the training clips that have each class; of [`Task::MultiLabel`] only.
    shares: Vec<f64>,
    optimizer: ModuleOptimizer,
    accumulated: GradientsAccumulator<Network>,
    schedule: ModuleLrScheduler,
    on_gpu: bool,
    steps: usize,
    pub(super) times: StepTimes,
}

impl<'a> Learner<'a> {
    /// Makes a network with fresh weights, or with those of the model that the run starts from.
    /// `updates` is the number of updates per epoch.
    pub(super) fn new(
        compute: &Compute,
        settings: &'a TrainSettings,
        classes: &[String],
        updates: usize,
    ) -> Result<Self, TrainError> {
        let device = compute.burn();
        let Start {
            spec,
            network,
            license,
        } = Start::new(settings, classes)?;
        let network = network.to_device(&device).train();
        Ok(Self {
            license,
            schedule: schedule(settings, updates, network.output_name())?,
            settings,
            spec,
            task: settings.task,
            network,
            shares: vec![0.5; classes.len()],
            optimizer: adamw(settings.weight_decay, &device),
            accumulated: GradientsAccumulator::new(),
            on_gpu: matches!(compute, Compute::Gpu(_)),
            steps: 0,
            times: StepTimes::default(),
            device,
        })
    }

    /// Measures how frequent each class is in the clips of `set`, for the label smoothing of
    /// [`Task::MultiLabel`]. Before, every class is assumed in half of them.
    pub(super) fn measure_shares(&mut self, set: &PcmSet) {
        self.shares = class_shares(set, self.spec.classes);
    }

    /// Returns the next learning rate of the schedule.
    pub(super) fn next_rate(&mut self) -> ModuleLearningRate {
        self.schedule.step()
    }

    /// Learns from one batch. Returns two numbers, still on the device: the sum of the clips'
    /// losses and the number of clips whose most probable class is (one of) theirs.
    ///
    /// Dropout is seeded anew in every step, so that a run resumed at this step draws what an
    /// unbroken run draws.
    pub(super) fn step(
        &mut self,
        front_end: &FrontEnd,
        step: Step<'_>,
    ) -> Result<Tensor<1>, TrainError> {
        // On a GPU, the first timed step is the second, when all kernels have been compiled.
        let timed = !self.on_gpu || self.steps % TIME_EVERY == 1;
        self.steps += 1;
        let waits_for = (timed && self.on_gpu).then(|| self.device.clone());
        let mut stopwatch = Stopwatch::start(waits_for)?;

        let span = tracing::info_span!("front end").entered();
        let uploaded = front_end.upload_time();
        let features = front_end
            .augmented_features(&step.batch.pcm(), &step.batch.augments)?
            .autodiff();
        let front_end_time = stopwatch.lap()?;
        let upload_time = front_end.upload_time() - uploaded;
        drop(span);

        let span = tracing::info_span!("forward").entered();
        let Forward { loss, sums } = self.forward(features, &step);
        let loss = loss / step.clips as f64;
        let forward_time = stopwatch.lap()?;
        drop(span);

        let span = tracing::info_span!("backward").entered();
        let accumulates = step.clips > step.batch.labels.len();
        let mut gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        if accumulates {
            self.accumulated.accumulate(&self.network, gradients);
            gradients = GradientsParams::new();
        }
        let backward_time = stopwatch.lap()?;
        drop(span);

        let span = tracing::info_span!("optimizer").entered();
        if let Some(rate) = step.update {
            if accumulates {
                gradients = self.accumulated.grads();
            }
            self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        }
        let optimizer_time = stopwatch.lap()?;
        drop(span);

        if timed {
            self.times.steps += 1;
            self.times.decode += step.waited;
            self.times.upload += upload_time;
            self.times.front_end += front_end_time.saturating_sub(upload_time);
            self.times.forward += forward_time;
            self.times.backward += backward_time;
            self.times.optimizer += optimizer_time;
        }
        Ok(sums)
    }

    /// Computes the loss of a step's batch from its features, `[n, channels, height, width]`.
    fn forward(&self, features: Tensor<4>, step: &Step<'_>) -> Forward {
        let batch = step.batch;
        let smoothing = self.settings.label_smoothing;
        let targets = match self.task {
            Task::SingleLabel => targets(batch, self.spec.classes, smoothing),
            Task::MultiLabel => tag_targets(batch, &self.shares, smoothing),
        };
        let targets = Tensor::<2>::from_data(targets, &self.device);
        let own = Tensor::<2>::from_data(own_labels(batch, self.spec.classes), &self.device);
        let (epoch, number) = step.place;
        let dropout = format!("dropout of epoch {epoch}, step {number}");
        let seed = stream(self.settings.seed, &dropout).next_u64();
        let logits = with_seed(&self.device, seed, || self.network.forward(features));
        let loss = self.task.loss(logits.clone(), targets.autodiff());
        let correct = own.gather(1, logits.inner().argmax(1)).sum();
        let sums = Tensor::cat(vec![loss.clone().inner(), correct], 0);
        Forward { loss, sums }
    }

    /// Reads back what [`Learner::step`] returned, two numbers per step. The host waits for the
    /// device here.
    pub(super) fn read(&self, sums: Vec<Tensor<1>>) -> Result<Vec<f32>, TrainError> {
        let _span = tracing::info_span!("read-back").entered();
        let data = Tensor::cat(sums, 0)
            .try_into_data()
            .map_err(|e| TrainError::Device(e.to_string()))?;
        data.try_to_vec()
            .map_err(|e| TrainError::Device(e.to_string()))
    }

    /// Returns what [`Learner::restore`] needs.
    pub(super) fn save(&self) -> Result<Blobs, TrainError> {
        let failed = |e: RecordError| TrainError::Device(e.to_string());
        let weights = self
            .network
            .clone()
            .into_record()
            .into_bytes()
            .map_err(failed)?;
        let moments = self.optimizer.into_bytes().map_err(failed)?;
        Ok([weights.to_vec(), moments.to_vec()])
    }

    /// Restores what [`Learner::save`] returned after `updates` updates.
    pub(super) fn restore(
        &mut self,
        [weights, moments]: Blobs,
        updates: usize,
    ) -> Result<(), RecordError> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(weights))?;
        self.network = self.network.clone().try_load_record(record)?;
        let optimizer = self.optimizer.clone();
        self.optimizer = optimizer.from_bytes(Bytes::from_bytes_vec(moments))?;
        for _ in 0..updates {
            self.schedule.step();
        }
        Ok(())
    }

    /// Returns the header of a checkpoint of the network as it is.
    pub(super) fn header(&self, classes: &[String], epoch: &Epoch, device: &str) -> Header {
        let mut notes = notes(self.settings);
        let of = self.settings.epochs;
        notes.insert("epoch".into(), format!("{} of {of}", epoch.epoch));
        notes.insert("device".into(), device.into());
        if let Some(v) = &epoch.valid {
            let (key, text) = match v.auc {
                None => (
                    "valid_accuracy",
                    format!("{} of {} files", v.correct, v.files),
                ),
                Some(auc) => ("valid_pr_auc", format!("{:.4}", auc.pr_auc)),
            };
            notes.insert(key.into(), text);
        }
        let front_end = self.settings.front_end.clone();
        Header {
            license: self.license.clone(),
            ..Header::new(self.task, self.spec, front_end, classes.to_vec(), notes)
        }
    }
}

/// What the forward pass of a batch gives.
struct Forward {
    /// Sum of the clips' losses, to be differentiated.
    loss: Tensor<1>,
    /// That sum and the number of correct clips, without autodiff.
    sums: Tensor<1>,
}

/// Returns the settings as notes for a checkpoint's header, except those that the header holds
/// anyway.
fn notes(settings: &TrainSettings) -> BTreeMap<String, String> {
    let json = serde_json::to_value(settings).expect("settings are plain data");
    let serde_json::Value::Object(json) = json else {
        unreachable!("a struct is an object")
    };
    let left_out: &[&str] = match settings.transfer.init {
        Some(_) => &["network", "task", "front_end", "epochs", "filters"],
        None => &[
            "network",
            "task",
            "front_end",
            "epochs",
            "freeze",
            "backbone_lr",
            "levels",
        ],
    };
    json.into_iter()
        .filter(|(key, _)| !left_out.contains(&key.as_str()))
        .map(|(key, value)| {
            let text = match value {
                serde_json::Value::Null => "none".to_owned(),
                serde_json::Value::String(text) => text,
                // Numbers as Rust writes them: 6, where JSON has 6.0.
                serde_json::Value::Number(n) if n.is_f64() => {
                    n.as_f64().unwrap_or(f64::NAN).to_string()
                }
                other => other.to_string(),
            };
            (key, text)
        })
        .collect()
}

/// Returns the target distribution of each clip, `[n, classes]`: its own class, shared with the
/// next clip's as the two were mixed, and smoothed over all classes (Szegedy et al. 2016).
fn targets(batch: &Batch, classes: usize, smoothing: f64) -> TensorData {
    let n = batch.labels.len();
    let mut out = vec![(smoothing / classes as f64) as f32; n * classes];
    for (i, augment) in batch.augments.iter().enumerate() {
        let mix = f64::from(augment.waveform.mix);
        let row = &mut out[i * classes..][..classes];
        row[batch.labels[i][0]] += ((1.0 - smoothing) * (1.0 - mix)) as f32;
        row[batch.labels[(i + 1) % n][0]] += ((1.0 - smoothing) * mix) as f32;
    }
    TensorData::new(out, [n, classes])
}

/// Returns the target of each clip for each tag, `[n, tags]`, from 0 to 1.
///
/// The target is 1 for a tag of the clip. The next clip's tags count by the share by which the two
/// were mixed (mixup, Zhang et al. 2018), because a tag of a clip that is hardly heard is hardly
/// true. Smoothing replaces a part of the target by the share of the training clips that have the
/// tag: the mean over the clips stays what it was, and rare tags stay improbable.
fn tag_targets(batch: &Batch, shares: &[f64], smoothing: f64) -> TensorData {
    let (n, tags) = (batch.labels.len(), shares.len());
    let smooth = shares.iter().map(|share| (smoothing * share) as f32);
    let smooth: Vec<f32> = smooth.collect();
    let mut out = smooth.repeat(n);
    for (i, augment) in batch.augments.iter().enumerate() {
        let mix = f64::from(augment.waveform.mix);
        let row = &mut out[i * tags..][..tags];
        for (labels, part) in [
            (&batch.labels[i], 1.0 - mix),
            (&batch.labels[(i + 1) % n], mix),
        ] {
            for &tag in labels {
                row[tag] += ((1.0 - smoothing) * part) as f32;
            }
        }
    }
    TensorData::new(out, [n, tags])
}

/// Returns 1 for each clip's own classes and 0 for the others, `[n, classes]`.
fn own_labels(batch: &Batch, classes: usize) -> TensorData {
    let n = batch.labels.len();
    let mut out = vec![0f32; n * classes];
    for (row, labels) in out.chunks_mut(classes).zip(&batch.labels) {
        for &label in labels {
            row[label] = 1.0;
        }
    }
    TensorData::new(out, [n, classes])
}

/// Makes the schedule: the rate rises over one epoch, then falls along a cosine to 1 %. In a run
/// that starts from a model, layers other than the last, `output`, have a lower rate.
fn schedule(
    settings: &TrainSettings,
    updates: usize,
    output: &str,
) -> Result<ModuleLrScheduler, TrainError> {
    let rest = (updates * settings.epochs.saturating_sub(1)).max(1);
    let at = |lr: f64| {
        let cosine = CosineAnnealingLrSchedulerConfig::new(lr, rest).with_min_lr(lr / 100.0);
        LrSchedulerConfig::Sequential(SequentialLrSchedulerConfig::new(
            vec![
                LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(lr / 10.0, lr, updates)),
                LrSchedulerConfig::Cosine(cosine),
            ],
            vec![updates],
        ))
    };
    let lr = settings.lr;
    let schedule = match settings.transfer.init {
        None => ModuleLrSchedulerConfig::new(at(lr)),
        Some(_) => {
            // Paths begin with the name of the network.
            let last = ParamGroup::from_regex(format!(r"(^|\.){output}\.(weight|bias)$"))
                .expect("the name of a field");
            ModuleLrSchedulerConfig::new(at(lr * settings.transfer.backbone_lr))
                .with_group(last, at(lr))
        }
    };
    schedule.init().map_err(|_| TrainError::Setting {
        name: "lr",
        value: lr.to_string(),
        must: "over 0 and at most 1",
    })
}

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::Tensor;

    use super::{Batch, Learner, Step, notes, own_labels, tag_targets};
    use crate::dataset::pcm::ClipPcm;
    use crate::frontend::FrontEnd;
    use crate::gpu::Compute;
    use crate::model::Network;
    use crate::train::{AugmentConfig, TrainSettings};

    #[derive(Default)]
    struct Weights(Vec<f32>);

    impl ModuleVisitor for Weights {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            // Running means and variances need no gradient, and see every batch.
            if param.is_require_grad() {
                self.0
                    .extend(param.val().into_data().try_to_vec::<f32>().unwrap());
            }
        }
    }

    fn weights(network: &Network) -> Vec<f32> {
        let mut all = Weights::default();
        network.visit(&mut all);
        assert!(all.0.len() > 10_000);
        all.0
    }

    /// Two steps on the same batch with accumulated gradients move the weights as one step on the
    /// batch.
    #[test]
    fn accumulated_gradients_move_the_weights_once() {
        let settings = TrainSettings {
            batch: 3,
            accumulate: 2,
            weight_decay: 0.01,
            label_smoothing: 0.1,
            ..TrainSettings::plain()
        };
        let front_end = FrontEnd::new(&Compute::Cpu, &settings.front_end).unwrap();
        let clip = |f: f32| ClipPcm::Host((0..4_000).map(|i| (i as f32 * f).sin()).collect());
        let batch = Batch {
            clips: vec![clip(0.1), clip(0.2), clip(0.4)],
            labels: vec![vec![0], vec![1], vec![1]],
            augments: vec![Default::default(); 3],
        };
        let classes = ["a", "b"].map(str::to_owned);
        let run = |updates: &[bool], clips: usize| {
            let mut learner = Learner::new(&Compute::Cpu, &settings, &classes, 10).unwrap();
            let mut seen = vec![weights(&learner.network)];
            for &update in updates {
                let step = Step {
                    batch: &batch,
                    place: (1, 0),
                    clips,
                    update: update.then(|| 1e-3.into()),
                    waited: Default::default(),
                };
                learner.step(&front_end, step).unwrap();
                seen.push(weights(&learner.network));
            }
            seen
        };
        let once = run(&[true], 3);
        let twice = run(&[false, true], 6);
        assert!(once[0] != once[1], "an update moves them");
        assert!(twice[0] == twice[1], "half an update does not");
        assert!(once[1] == twice[2], "two halves are a whole");
    }

    /// Two clips of three tags. A quarter of the second is mixed into the first.
    #[test]
    fn targets_of_tags_are_mixed_and_smoothed_towards_their_frequency() {
        let mut augments = vec![crate::frontend::augment::Augment::default(); 2];
        augments[0].waveform.mix = 0.25;
        let batch = Batch {
            clips: Vec::new(),
            labels: vec![vec![0, 1], vec![1, 2]],
            augments,
        };
        let values = |smoothing| {
            let targets = tag_targets(&batch, &[0.5, 1.0, 0.25], smoothing);
            targets.try_to_vec::<f32>().unwrap()
        };
        assert_eq!(values(0.0), [0.75, 1.0, 0.25, 0.0, 1.0, 1.0]);
        let smooth = values(0.5);
        assert_eq!(smooth, [0.625, 1.0, 0.25, 0.25, 1.0, 0.625]);
        let own = own_labels(&batch, 3).try_to_vec::<f32>().unwrap();
        assert_eq!(own, [1.0, 1.0, 0.0, 0.0, 1.0, 1.0]);
    }

    /// Scripts read these notes, so the keys and the way that numbers are written stay.
    #[test]
    fn notes_hold_every_setting() {
        let settings = TrainSettings {
            lr: 1e-5,
            augment: AugmentConfig {
                gain: 6.0,
                ..AugmentConfig::default()
            },
            ..TrainSettings::default()
        };
        let notes: Vec<(String, String)> = notes(&settings).into_iter().collect();
        let want = [
            ("accumulate", "1"),
            ("batch", "16"),
            ("equalize", "0"),
            ("gain", "6"),
            ("label_smoothing", "0.1"),
            ("lr", "0.00001"),
            ("mask", "0.15"),
            ("mixup", "0"),
            ("noise_snr", "none"),
            ("patience", "none"),
            ("pitch", "0"),
            ("polarity", "false"),
            ("seed", "1"),
            ("tempo", "0"),
            ("weight_decay", "0.01"),
        ];
        assert_eq!(
            notes,
            want.map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }
}
