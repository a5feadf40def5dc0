//! Network, optimizer and schedule, and what one step does to them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use burn::module::Module;
use burn::optim::lr_scheduler::LrSchedulerConfig;
use burn::optim::lr_scheduler::cosine::CosineAnnealingLrSchedulerConfig;
use burn::optim::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::optim::lr_scheduler::module_lr_scheduler::{ModuleLearningRate, ModuleLrScheduler};
use burn::optim::lr_scheduler::sequential::SequentialLrSchedulerConfig;
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::store::ModuleRecord;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Bytes, Device, Int, Tensor, TensorData};
use rand_chacha::rand_core::Rng;

use super::batches::Batch;
use super::state::Blobs;
use super::{StepTimes, TrainError, TrainSettings};
use crate::evaluate::Epoch;
use crate::frontend::FrontEnd;
use crate::gpu::Compute;
use crate::model::{Header, Network, NetworkSpec};
use crate::rng::stream;

/// Steps on a GPU of which one is timed: timing makes the host wait for the device.
const TIME_EVERY: usize = 16;

/// What is to be done with one batch.
pub(super) struct Step<'b> {
    /// Its clips.
    pub(super) batch: &'b Batch,
    /// Epoch and step, both from which dropout is seeded.
    pub(super) place: (usize, usize),
    /// Clips of the update it belongs to: one batch's, or those of all batches whose gradients are accumulated.
    pub(super) clips: usize,
    /// The learning rate, if the update is made after it.
    pub(super) update: Option<ModuleLearningRate>,
    /// How long the batch was waited for.
    pub(super) waited: Duration,
}

pub(super) struct Learner<'a> {
    settings: &'a TrainSettings,
    spec: NetworkSpec,
    device: Device,
    pub(super) network: Network,
    optimizer: ModuleOptimizer,
    accumulated: GradientsAccumulator<Network>,
    schedule: ModuleLrScheduler,
    on_gpu: bool,
    steps: usize,
    pub(super) times: StepTimes,
}

impl<'a> Learner<'a> {
    /// A network with fresh weights; `updates` is the number of updates of an epoch.
    pub(super) fn new(
        compute: &Compute,
        settings: &'a TrainSettings,
        classes: usize,
        updates: usize,
    ) -> Result<Self, TrainError> {
        let spec = NetworkSpec {
            kind: settings.network,
            classes,
            picture: settings.front_end.image_size(),
        };
        let plain = compute.burn();
        let network = Network::new(&spec, settings.seed, &plain)?.train();
        Ok(Self {
            settings,
            spec,
            network,
            optimizer: AdamWConfig::new()
                .with_weight_decay(settings.weight_decay as f32)
                .with_epsilon(1e-8)
                .init(),
            accumulated: GradientsAccumulator::new(),
            schedule: schedule(settings, updates)?,
            on_gpu: matches!(compute, Compute::Gpu(_)),
            steps: 0,
            times: StepTimes::default(),
            device: plain,
        })
    }

    /// The next learning rate of the schedule.
    pub(super) fn next_rate(&mut self) -> ModuleLearningRate {
        self.schedule.step()
    }

    /// Learns from one batch. Returns, on the device, the sum of the clips' losses and the number of right answers.
    ///
    /// Dropout is seeded anew in every step, so that a run taken up at this step draws what an unbroken one draws.
    pub(super) fn step(
        &mut self,
        engine: &FrontEnd,
        step: Step<'_>,
    ) -> Result<Tensor<1>, TrainError> {
        let Step { batch, place, .. } = step;
        self.device.seed(
            stream(
                self.settings.seed,
                &format!("dropout of epoch {}, step {}", place.0, place.1),
            )
            .next_u64(),
        );
        // The second is the first after everything was compiled.
        let timed = !self.on_gpu || self.steps % TIME_EVERY == 1;
        self.steps += 1;
        self.wait(timed)?;
        let (start, uploaded) = (Instant::now(), engine.upload_time());
        let span = tracing::info_span!("front end").entered();
        let pictures = engine
            .augmented_features(&batch.pcm(), &batch.augments)?
            .autodiff();
        self.wait(timed)?;
        drop(span);
        let span = tracing::info_span!("forward").entered();
        let pictured = Instant::now();
        let uploaded = engine.upload_time() - uploaded;
        let n = batch.classes.len();
        let targets = targets(batch, self.spec.classes, self.settings.label_smoothing);
        let targets = Tensor::<2>::from_data(targets, &self.device);
        let classes: Vec<i32> = batch.classes.iter().map(|&c| c as i32).collect();
        let classes = Tensor::<1, Int>::from_data(TensorData::new(classes, [n]), &self.device);
        let logits = self.network.forward(pictures);
        let loss = (log_softmax(logits.clone(), 1) * targets.autodiff())
            .sum()
            .neg();
        let answers: Tensor<1, Int> = logits.inner().argmax(1).flatten(0, 1);
        let hits = answers.equal(classes).float().sum();
        let sum = loss.clone().inner();
        let loss = loss / step.clips as f64;
        self.wait(timed)?;
        drop(span);
        let span = tracing::info_span!("backward").entered();
        let forwarded = Instant::now();
        let mut gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        if step.clips > n {
            self.accumulated.accumulate(&self.network, gradients);
            gradients = GradientsParams::new();
        }
        self.wait(timed)?;
        drop(span);
        let span = tracing::info_span!("optimizer").entered();
        let backwarded = Instant::now();
        if let Some(rate) = step.update {
            if step.clips > n {
                gradients = self.accumulated.grads();
            }
            self.network = self.optimizer.step(rate, self.network.clone(), gradients);
        }
        self.wait(timed)?;
        drop(span);
        if timed {
            self.times.steps += 1;
            self.times.decode += step.waited;
            self.times.upload += uploaded;
            self.times.front_end += (pictured - start).saturating_sub(uploaded);
            self.times.forward += forwarded - pictured;
            self.times.backward += backwarded - forwarded;
            self.times.optimizer += backwarded.elapsed();
        }
        Ok(Tensor::cat(vec![sum, hits], 0))
    }

    /// Waits for the GPU, if the step is timed.
    fn wait(&self, timed: bool) -> Result<(), TrainError> {
        if timed && self.on_gpu {
            let failed = |e| TrainError::Device(format!("{e:?}"));
            self.device.sync().map_err(failed)?;
        }
        Ok(())
    }

    /// Reads pairs of (sum of losses, right answers) back: the host waits for the device here.
    pub(super) fn read(&self, pairs: Vec<Tensor<1>>) -> Result<Vec<f32>, TrainError> {
        let _span = tracing::info_span!("read-back").entered();
        let failed = |e: String| TrainError::Device(e);
        let data = Tensor::cat(pairs, 0)
            .try_into_data()
            .map_err(|e| failed(e.to_string()))?;
        data.try_to_vec().map_err(|e| failed(e.to_string()))
    }

    /// What [`Learner::restore`] needs.
    pub(super) fn save(&self) -> Result<Blobs, TrainError> {
        let failed = |e: burn::store::RecordError| TrainError::Device(e.to_string());
        let weights = self
            .network
            .clone()
            .into_record()
            .into_bytes()
            .map_err(failed)?;
        let moments = self.optimizer.into_bytes().map_err(failed)?;
        Ok([weights.to_vec(), moments.to_vec()])
    }

    /// Takes up what [`Learner::save`] gave after `updates` updates.
    pub(super) fn restore(
        &mut self,
        [weights, moments]: Blobs,
        updates: usize,
    ) -> Result<(), burn::store::RecordError> {
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(weights))?;
        self.network = self.network.clone().try_load_record(record)?;
        let optimizer = self.optimizer.clone();
        self.optimizer = optimizer.from_bytes(Bytes::from_bytes_vec(moments))?;
        for _ in 0..updates {
            self.schedule.step();
        }
        Ok(())
    }

    /// The header of a checkpoint of the network as it is.
    pub(super) fn header(&self, classes: &[String], epoch: &Epoch, device: &str) -> Header {
        let s = self.settings;
        let mut notes = BTreeMap::from([
            (
                "epoch".to_owned(),
                format!("{} of {}", epoch.epoch, s.epochs),
            ),
            ("seed".to_owned(), s.seed.to_string()),
            ("batch".to_owned(), s.batch.to_string()),
            ("accumulate".to_owned(), s.accumulate.to_string()),
            ("lr".to_owned(), s.lr.to_string()),
            ("mask".to_owned(), s.mask.to_string()),
            ("gain".to_owned(), s.gain.to_string()),
            ("polarity".to_owned(), s.polarity.to_string()),
            (
                "noise_snr".to_owned(),
                s.noise_snr.map_or("none".to_owned(), |snr| snr.to_string()),
            ),
            ("mixup".to_owned(), s.mixup.to_string()),
            ("tempo".to_owned(), s.tempo.to_string()),
            ("pitch".to_owned(), s.pitch.to_string()),
            ("equalize".to_owned(), s.equalize.to_string()),
            ("label_smoothing".to_owned(), s.label_smoothing.to_string()),
            ("weight_decay".to_owned(), s.weight_decay.to_string()),
            ("device".to_owned(), device.to_owned()),
        ]);
        if let Some(v) = &epoch.valid {
            let text = format!("{} of {} files", v.hits, v.files);
            notes.insert("valid_accuracy".into(), text);
        }
        Header::new(self.spec, s.front_end.clone(), classes.to_vec(), notes)
    }
}

/// What each clip should be answered with, `[n, classes]`: its class, shared with the next clip's as they were mixed,
/// and smoothed over all classes (Szegedy et al. 2016).
fn targets(batch: &Batch, classes: usize, smoothing: f64) -> TensorData {
    let n = batch.classes.len();
    let mut out = vec![(smoothing / classes as f64) as f32; n * classes];
    for (i, augment) in batch.augments.iter().enumerate() {
        let mix = f64::from(augment.waveform.mix);
        let row = &mut out[i * classes..][..classes];
        row[batch.classes[i]] += ((1.0 - smoothing) * (1.0 - mix)) as f32;
        row[batch.classes[(i + 1) % n]] += ((1.0 - smoothing) * mix) as f32;
    }
    TensorData::new(out, [n, classes])
}

/// One epoch up, the others down a cosine to 1 %.
fn schedule(settings: &TrainSettings, updates: usize) -> Result<ModuleLrScheduler, TrainError> {
    let lr = settings.lr;
    let rest = (updates * settings.epochs.saturating_sub(1)).max(1);
    let cosine = CosineAnnealingLrSchedulerConfig::new(lr, rest).with_min_lr(lr / 100.0);
    SequentialLrSchedulerConfig::new(
        vec![
            LrSchedulerConfig::Linear(LinearLrSchedulerConfig::new(lr / 10.0, lr, updates)),
            LrSchedulerConfig::Cosine(cosine),
        ],
        vec![updates],
    )
    .init()
    .map_err(|_| TrainError::Setting {
        name: "--lr",
        value: lr.to_string(),
        must: "over 0 and at most 1",
    })
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

    /// Twice the same batch, its gradients added up and halved, moves the weights as the batch alone does.
    #[test]
    fn accumulated_gradients_move_the_weights_once() {
        let settings = TrainSettings {
            batch: 3,
            accumulate: 2,
            weight_decay: 0.01,
            label_smoothing: 0.1,
            ..TrainSettings::plain()
        };
        let engine = FrontEnd::new(&Compute::Cpu, &settings.front_end).unwrap();
        let clip = |f: f32| ClipPcm::Host((0..4_000).map(|i| (i as f32 * f).sin()).collect());
        let batch = Batch {
            clips: vec![clip(0.1), clip(0.2), clip(0.4)],
            classes: vec![0, 1, 1],
            augments: vec![Default::default(); 3],
        };
        let run = |updates: &[bool], clips: usize| {
            let mut learner = Learner::new(&Compute::Cpu, &settings, 2, 10).unwrap();
            let mut seen = vec![weights(&learner.network)];
            for &update in updates {
                let step = Step {
                    batch: &batch,
                    place: (1, 0),
                    clips,
                    update: update.then(|| 1e-3.into()),
                    waited: Default::default(),
                };
                learner.step(&engine, step).unwrap();
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
