//! Network, optimizer and schedule, and what one step does to them.

use std::time::Duration;

use burn::module::Module;
use burn::nn::Linear;
use burn::optim::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::optim::{GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::{Bytes, Device, Tensor};
use rand_chacha::rand_core::Rng;

use super::batches::{Batch, class_shares};
use super::notes::notes;
use super::optimizer::adamw;
use super::schedule::schedule;
use super::start::Start;
use super::state::Blobs;
use super::targets::{class_targets, own_labels, tag_targets};
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
    /// Whether the network is a trained model with a last layer of random weights.
    pub(super) has_new_head: bool,
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
            has_new_head,
        } = Start::new(settings, classes)?;
        let network = network.to_device(&device).train();
        Ok(Self {
            license,
            has_new_head,
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

    /// Replaces the last layer.
    pub(super) fn set_output(&mut self, layer: Linear) {
        let network = self.network.valid().with_output(layer);
        self.network = network.to_device(&self.device).train();
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
            Task::SingleLabel => class_targets(batch, self.spec.classes, smoothing),
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
        if !self.settings.transfer.freeze {
            let of = self.settings.epochs;
            notes.insert("epoch".into(), format!("{} of {of}", epoch.epoch));
        }
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

#[cfg(test)]
mod tests {
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::Tensor;

    use super::{Batch, Learner, Step};
    use crate::dataset::pcm::ClipPcm;
    use crate::frontend::FrontEnd;
    use crate::gpu::Compute;
    use crate::model::Network;
    use crate::train::TrainSettings;

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
}
