//! Promise: training starts from a model. With `freeze`, only the last layer is fitted, on features
//! that are kept; without, all layers learn, on every device.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use safetensors::SafeTensors;
use sonoprint::dataset::{Dataset, Split, Subset};
use sonoprint::evaluate::Epoch;
use sonoprint::gpu::Compute;
use sonoprint::model::{Checkpoint, NetworkKind};
use sonoprint::train::{
    AugmentConfig, Job, Observer, Progress, RunFolder, StepTimes, TrainError, TrainSettings, train,
};

use crate::support::toy::{Watch, load, toy};
use crate::support::{devices, turn};

const MODEL: &str = "musicnn-msd";

/// Settings that start from musicnn.
fn settings(data: &Dataset, freeze: bool) -> TrainSettings {
    let mut settings = TrainSettings {
        epochs: 2,
        batch: 5,
        augment: AugmentConfig::NONE,
        ..TrainSettings::default()
    };
    settings.transfer.init = Some(MODEL.to_owned());
    settings.transfer.freeze = freeze;
    settings.transfer.levels = vec![0.0, -6.0];
    let model = Checkpoint::builtin(MODEL, &Device::flex()).unwrap();
    settings.start_from(&model, &data.classes);
    settings
}

/// Ten files of two classes for training, none for validation.
fn split(data: &Dataset) -> Split {
    Split {
        train: (0..data.entries.len()).step_by(2).collect(),
        valid: Vec::new(),
        test: Vec::new(),
    }
}

/// Trains in `root`, until `observer` sets `stop`.
fn fit(
    compute: &Compute,
    data: &Dataset,
    settings: &TrainSettings,
    root: &Path,
    observer: &mut dyn Observer,
    stop: &AtomicBool,
) -> Result<sonoprint::train::Outcome, TrainError> {
    let split = split(data);
    let load = |subset| load(compute, data, &split, subset, &settings.front_end);
    let (all, none) = (load(Subset::Train), load(Subset::Valid));
    let folder = match root.join("run.toml").exists() {
        true => RunFolder::open(root)?.0,
        false => RunFolder::create(root, data, &split, settings, &compute.name())?,
    };
    let job = Job {
        compute,
        settings,
        classes: &data.classes,
        train: &all,
        valid: &none,
        folder: &folder,
    };
    train(&job, observer, stop)
}

fn trained(compute: &Compute, data: &Dataset, settings: &TrainSettings, root: &Path) -> Vec<u8> {
    let stop = AtomicBool::new(false);
    let mut watch = Watch::default();
    fit(compute, data, settings, root, &mut watch, &stop).unwrap();
    fs::read(root.join("best.safetensors")).unwrap()
}

fn tensor(bytes: &[u8], name: &str) -> Vec<f32> {
    let all = SafeTensors::deserialize(bytes).unwrap();
    bytemuck::pod_collect_to_vec(all.tensor(name).unwrap().data())
}

#[test]
fn a_frozen_network_keeps_everything_but_its_last_layer() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let settings = settings(&data, true);
    let root = folder.path().join("run");
    let bytes = trained(&Compute::Cpu, &data, &settings, &root);
    let model = fs::read(crate::support::data("musicnn/musicnn-msd.safetensors")).unwrap();
    let before = SafeTensors::deserialize(&model).unwrap();
    let after = SafeTensors::deserialize(&bytes).unwrap();
    for (name, tensor) in before.tensors() {
        if !name.starts_with("output.") {
            assert_eq!(tensor.data(), after.tensor(&name).unwrap().data(), "{name}");
        }
    }
    let checkpoint = Checkpoint::load(&root.join("best.safetensors"), &Device::flex()).unwrap();
    let header = checkpoint.header;
    assert_eq!(header.classes, data.classes);
    assert_eq!(header.network.kind, NetworkKind::Musicnn);
    assert!(header.network.filters.unwrap().pooled_head);
    assert!(header.license.unwrap().starts_with("ISC"));
    // Ten files of noise and of hum are told apart.
    let metrics = fs::read_to_string(root.join("metrics.csv")).unwrap();
    let accuracy = metrics.lines().nth(1).unwrap().split(',').nth(3).unwrap();
    assert_eq!(accuracy.parse::<f64>().unwrap(), 1.0, "{metrics}");
}

/// Sets a flag after a number of steps.
struct StopAfter<'a>(usize, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn step(&mut self, _: &Progress) {
        self.0 -= 1;
        if self.0 == 0 {
            self.1.store(true, Ordering::Relaxed);
        }
    }
    fn epoch(&mut self, _: &Epoch, _: &StepTimes) {}
}

/// A run that is stopped within the features goes on behind the last level, and ends as an unbroken
/// run does. Features of other settings or damaged ones are computed again.
#[test]
fn features_are_kept_and_used_again() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let settings = settings(&data, true);
    let unbroken = trained(
        &Compute::Cpu,
        &data,
        &settings,
        &folder.path().join("whole"),
    );
    // Two batches per level: stopped in the second level.
    let root = folder.path().join("broken");
    let stop = AtomicBool::new(false);
    let mut observer = StopAfter(3, &stop);
    let outcome = fit(&Compute::Cpu, &data, &settings, &root, &mut observer, &stop).unwrap();
    assert!(outcome.stopped && !root.join("best.safetensors").exists());
    assert!(root.join("features/train-0.safetensors").exists());
    assert!(!root.join("features/train-1.safetensors").exists());
    let mut watch = Watch::default();
    let run = AtomicBool::new(false);
    fit(&Compute::Cpu, &data, &settings, &root, &mut watch, &run).unwrap();
    assert_eq!(watch.steps, 2, "the first level was read");
    assert!(fs::read(root.join("best.safetensors")).unwrap() == unbroken);

    fs::write(root.join("features/train-0.safetensors"), b"damaged").unwrap();
    let mut watch = Watch::default();
    fit(&Compute::Cpu, &data, &settings, &root, &mut watch, &run).unwrap();
    assert_eq!(watch.steps, 2, "the damaged level was computed");
    let mut other = settings.clone();
    other.transfer.levels = vec![0.0, -12.0];
    let mut watch = Watch::default();
    fit(&Compute::Cpu, &data, &other, &root, &mut watch, &run).unwrap();
    assert_eq!(watch.steps, 2, "the other level was computed");
}

/// All layers move, the last one more than the others; moments stay; nothing is NaN (on wgpu, Burn
/// 0.22 gave NaN where only some parameters were trained: its issue 5162). The devices agree.
#[test]
fn fine_tuning_moves_all_weights_on_every_device() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let mut settings = settings(&data, false);
    settings.epochs = 1;
    let model = fs::read(crate::support::data("musicnn/musicnn-msd.safetensors")).unwrap();
    let mut all = Vec::new();
    for (device, compute) in devices() {
        let root = folder.path().join(device);
        let bytes = trained(&compute, &data, &settings, &root);
        let tensors = SafeTensors::deserialize(&bytes).unwrap();
        let mut moved = Vec::new();
        for (name, _) in tensors.tensors() {
            let after = tensor(&bytes, &name);
            assert!(after.iter().all(|x| x.is_finite()), "{device} {name}");
            if name.starts_with("output.") {
                continue;
            }
            let before = tensor(&model, &name);
            let most = (before.iter().zip(&after)).map(|(a, b)| (a - b).abs());
            let most = most.fold(0.0, f32::max);
            let moment = name.contains("running_");
            assert_eq!(most > 0.0, !moment, "{device} {name}: {most}");
            moved.push((name, most));
        }
        let metrics = fs::read_to_string(root.join("metrics.csv")).unwrap();
        let loss = metrics.lines().nth(1).unwrap().split(',').nth(2).unwrap();
        all.push((device, loss.parse::<f64>().unwrap()));
        // AdamW moves a weight by about the learning rate per step, a tenth of it in the backbone.
        let most = moved.iter().map(|m| m.1).fold(0.0, f32::max);
        assert!(most < 1e-3, "{device}: {most}");
    }
    for (device, loss) in &all {
        assert!((loss - all[0].1).abs() < 2e-3, "{device}: {all:?}");
    }
}

/// A model of the dataset's own classes keeps its last layer.
#[test]
fn a_model_of_the_same_classes_keeps_its_last_layer() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let frozen = settings(&data, true);
    let first = folder.path().join("first");
    trained(&Compute::Cpu, &data, &frozen, &first);
    let model = first.join("best.safetensors");
    let mut again = settings(&data, false);
    again.transfer.init = Some(model.to_str().unwrap().to_owned());
    let loaded = Checkpoint::load(&model, &Device::flex()).unwrap();
    again.start_from(&loaded, &data.classes);
    (again.epochs, again.lr) = (1, 1e-9);
    let second = trained(&Compute::Cpu, &data, &again, &folder.path().join("second"));
    let before = tensor(&fs::read(&model).unwrap(), "output.weight");
    let after = tensor(&second, "output.weight");
    let off = before.iter().zip(&after).map(|(a, b)| (a - b).abs());
    assert!(off.fold(0.0, f32::max) < 1e-6);

    // The run refuses to start from a model that is not the one of its settings.
    again.transfer.init = Some(MODEL.to_owned());
    let stop = AtomicBool::new(false);
    let root = folder.path().join("third");
    let error = fit(
        &Compute::Cpu,
        &data,
        &again,
        &root,
        &mut Watch::default(),
        &stop,
    );
    assert!(matches!(error, Err(TrainError::InitChanged(name)) if name == MODEL));
}

/// Collects whether each parameter has a gradient, and whether it is finite.
struct Gradients<'a>(&'a burn::tensor::Gradients, Vec<bool>);

impl burn::module::ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &burn::module::Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.0) {
            let values: Vec<f32> = gradient.into_data().try_to_vec().unwrap();
            self.1.push(values.iter().all(|x| x.is_finite()));
        }
    }
}

/// Where only the last layer asks for gradients, only it gets them, and they are numbers.
#[test]
fn gradients_of_the_last_layer_alone_are_numbers() {
    let _turn = turn();
    for (device, compute) in devices() {
        let device_of_burn = compute.burn();
        let model = Checkpoint::builtin(MODEL, &device_of_burn).unwrap();
        let last = burn::module::ParamGroup::from_predicate("output");
        let network = model.network.train().freeze().unfreeze_group(last);
        let noise = crate::support::noise(2 * 187 * 96, 3);
        let data = TensorData::new(noise, [2, 1, 187, 96]);
        let features = Tensor::<4>::from_data(data, &device_of_burn).autodiff();
        let loss = network.forward(features).powi_scalar(2).mean();
        let gradients = loss.backward();
        let mut found = Gradients(&gradients, Vec::new());
        network.visit(&mut found);
        assert_eq!(found.1, [true, true], "{device}: weight and bias");
    }
}
