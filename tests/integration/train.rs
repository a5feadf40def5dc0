//! Promise: gradients flow from features that the GPU computed, and a run leaves the files that it
//! names.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use crate::support::software;
use crate::support::toy::{Watch, load, settings, toy};
use sonoprint::dataset::pcm::PcmSet;
use sonoprint::dataset::{Dataset, Split, Subset};
use sonoprint::evaluate::evaluate;
use sonoprint::frontend::FrontEnd;
use sonoprint::frontend::config::{Compression, FrontEndConfig, Output};
use sonoprint::gpu::Compute;
use sonoprint::model::{Checkpoint, NetworkKind, Task};
use sonoprint::train::{Job, Outcome, RunFolder, TrainError, TrainSettings, find_lr, train};

/// Trains on all files of `data`, without validation files.
fn fit(
    compute: &Compute,
    data: &Dataset,
    settings: &TrainSettings,
    run: &Path,
) -> (Result<Outcome, TrainError>, PcmSet, Watch) {
    let split = Split {
        train: (0..data.entries.len()).collect(),
        valid: Vec::new(),
        test: Vec::new(),
    };
    let load = |subset| load(compute, data, &split, subset, &settings.front_end);
    let (all, none) = (load(Subset::Train), load(Subset::Valid));
    let folder = RunFolder::create(run, data, &split, settings, &compute.name()).unwrap();
    let mut watch = Watch::default();
    let job = Job {
        compute,
        settings,
        classes: &data.classes,
        train: &all,
        valid: &none,
        folder: &folder,
    };
    let outcome = train(&job, &mut watch, &AtomicBool::new(false));
    (outcome, all, watch)
}

/// Twenty clips of two classes, to 100 %, on the software adapter: PCM is uploaded, the shaders
/// compute the features, Burn the gradients.
#[test]
fn twenty_clips_are_learned_on_the_software_adapter() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let compute = software();
    for (kind, size, epochs) in [
        (NetworkKind::Compact, (32, 24), 8),
        (NetworkKind::DeepPixel, (70, 70), 6),
    ] {
        let settings = settings(kind, size, epochs);
        let run = folder.path().join(kind.name());
        let start = std::time::Instant::now();
        let (outcome, all, watch) = fit(&compute, &data, &settings, &run);
        outcome.unwrap();
        println!("{}: {:.1} s", kind.name(), start.elapsed().as_secs_f64());
        assert_eq!(watch.epochs, epochs);
        let network = Checkpoint::load(&run.join("best.safetensors"), &compute.burn())
            .unwrap()
            .network;
        let front_end = FrontEnd::new(&compute, &settings.front_end).unwrap();
        let result = evaluate(&network, Task::SingleLabel, &front_end, &all, 2, 10).unwrap();
        let clips = &result.single_label().unwrap().clips;
        assert_eq!(
            (clips.correct(), clips.total()),
            (20, 20),
            "{kind:?}: {result:?}"
        );
    }
}

/// The same seed gives the same bits on the cpu device; another seed does not.
#[test]
fn a_seed_fixes_the_run_on_the_cpu() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let run = |name: &str, seed| {
        let settings = TrainSettings {
            seed,
            ..settings(NetworkKind::Compact, (32, 24), 2)
        };
        let path = folder.path().join(name);
        fit(&Compute::Cpu, &data, &settings, &path).0.unwrap();
        std::fs::read(path.join("best.safetensors")).unwrap()
    };
    // Everything but the header's notes must agree, and those do too: same seed, same device.
    let (a, b, c) = (run("a", 1), run("b", 1), run("c", 2));
    assert!(a == b);
    assert!(a != c);
}

#[test]
fn a_run_leaves_its_record_and_is_not_overwritten() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let run = folder.path().join("run");
    let split = Split::stratified(&data, 3, (0.2, 0.2)).unwrap();
    let settings = settings(NetworkKind::Compact, (32, 24), 2);
    let load = |subset| load(&Compute::Cpu, &data, &split, subset, &settings.front_end);
    let sets = (load(Subset::Train), load(Subset::Valid));
    let made = RunFolder::create(&run, &data, &split, &settings, "cpu").unwrap();
    let job = Job {
        compute: &Compute::Cpu,
        settings: &settings,
        classes: &data.classes,
        train: &sets.0,
        valid: &sets.1,
        folder: &made,
    };
    let outcome = train(&job, &mut Watch::default(), &AtomicBool::new(false)).unwrap();
    assert!((1..=2).contains(&outcome.best_epoch));
    let metrics = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
    assert_eq!(metrics.lines().count(), 3, "{metrics}");
    assert_eq!(metrics.lines().last().unwrap().split(',').count(), 8);
    let record: toml::Table = std::fs::read_to_string(run.join("run.toml"))
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(record["settings"]["seed"].as_integer(), Some(7));
    assert_eq!(
        Split::from_csv(&data, &run.join("split.csv")).unwrap(),
        split
    );
    assert!(matches!(
        RunFolder::create(&run, &data, &split, &settings, "cpu"),
        Err(TrainError::RunExists(_))
    ));
}

/// Kills runs with SIGKILL at many moments and resumes them: on the cpu device, weights and metrics
/// are those of an unbroken run, bit for bit.
#[cfg(unix)]
#[test]
fn a_killed_run_resumes_as_if_nothing_had_been() {
    use std::process::{Command, Stdio};
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let toy_root = folder.path().join("toy");
    toy(&toy_root);
    let sonoprint = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
        command.args(arguments).args(["--device", "cpu"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let begin = |run: &Path| {
        sonoprint(&[
            "train",
            toy_root.to_str().unwrap(),
            "--out",
            run.to_str().unwrap(),
            "--clip-seconds",
            "0.5",
            "--size",
            "24x32",
            "--epochs",
            "6",
            "--batch",
            "3",
            "--seed",
            "5",
        ])
    };
    let results = |run: &Path| {
        let metrics = std::fs::read_to_string(run.join("metrics.csv")).unwrap();
        // All columns except the seconds, which are the clock's.
        let lines = metrics
            .lines()
            .map(|l| l.rsplit_once(',').unwrap().0.to_owned());
        (
            lines.collect::<Vec<_>>(),
            std::fs::read(run.join("best.safetensors")).unwrap(),
        )
    };
    let whole = folder.path().join("whole");
    let start = std::time::Instant::now();
    assert!(begin(&whole).status().unwrap().success());
    let took = start.elapsed();
    let want = results(&whole);
    assert_eq!(want.0.len(), 7);

    let mut killed = 0;
    for i in 1..=5u32 {
        let run = folder.path().join(format!("killed-{i}"));
        let mut child = begin(&run).spawn().unwrap();
        std::thread::sleep(took * i / 6);
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        // Killed once more on the way, then left to end. A run that was killed before it had a
        // record is started again.
        if run.join("split.csv").exists() && run.join("run.toml").exists() {
            let resume = ["train", "--resume", run.to_str().unwrap()];
            let mut child = sonoprint(&resume).spawn().unwrap();
            std::thread::sleep(took / 7);
            child.kill().unwrap();
            child.wait().unwrap();
            assert!(
                sonoprint(&resume).status().unwrap().success(),
                "resuming {i}"
            );
        } else {
            assert!(begin(&run).status().unwrap().success());
        }
        assert!(results(&run) == want, "kill {i} of 5 changed the result");
    }
    // On a busy machine, a run may end before it is killed. One kill is enough for the test to mean
    // something.
    assert!(killed >= 1, "no run was killed before its end");
    // Repeated from its record, the run has the same result, too.
    let again = folder.path().join("again");
    let config = whole.join("run.toml");
    let arguments = [
        "train",
        "--config",
        config.to_str().unwrap(),
        "--out",
        again.to_str().unwrap(),
    ];
    assert!(sonoprint(&arguments).status().unwrap().success());
    assert!(results(&again) == want);
}

/// A stopped run finishes the step and saves its state; a damaged state is refused.
#[test]
fn a_stopped_run_saves_its_state() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let settings = settings(NetworkKind::Compact, (32, 24), 3);
    let split = Split::stratified(&data, 3, (0.2, 0.2)).unwrap();
    let load = |subset| load(&Compute::Cpu, &data, &split, subset, &settings.front_end);
    let sets = (load(Subset::Train), load(Subset::Valid));
    let made =
        RunFolder::create(&folder.path().join("run"), &data, &split, &settings, "cpu").unwrap();
    let job = Job {
        compute: &Compute::Cpu,
        settings: &settings,
        classes: &data.classes,
        train: &sets.0,
        valid: &sets.1,
        folder: &made,
    };
    let outcome = train(&job, &mut Watch::default(), &AtomicBool::new(true)).unwrap();
    assert!(outcome.stopped && outcome.epochs.is_empty() && outcome.best_epoch == 0);
    assert!(made.state().exists() && !made.best().exists());
    // A file that is cut short is refused.
    let state = std::fs::read(made.state()).unwrap();
    std::fs::write(made.state(), &state[..state.len() / 2]).unwrap();
    let refused = train(&job, &mut Watch::default(), &AtomicBool::new(false)).unwrap_err();
    assert!(
        refused.to_string().contains("cannot resume from"),
        "{refused}"
    );
}

/// The toy is learned within a few epochs. After that nothing improves, and patience ends the run.
#[test]
fn patience_ends_a_run_that_no_longer_improves() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let settings = TrainSettings {
        patience: Some(2),
        ..settings(NetworkKind::Compact, (32, 24), 40)
    };
    let split = Split::stratified(&data, 3, (0.2, 0.2)).unwrap();
    let load = |subset| load(&Compute::Cpu, &data, &split, subset, &settings.front_end);
    let sets = (load(Subset::Train), load(Subset::Valid));
    let run = folder.path().join("run");
    let made = RunFolder::create(&run, &data, &split, &settings, "cpu").unwrap();
    let job = Job {
        compute: &Compute::Cpu,
        settings: &settings,
        classes: &data.classes,
        train: &sets.0,
        valid: &sets.1,
        folder: &made,
    };
    let outcome = train(&job, &mut Watch::default(), &AtomicBool::new(false)).unwrap();
    assert!(!outcome.stopped && outcome.epochs.len() < 40);
    assert_eq!(outcome.epochs.len(), outcome.best_epoch + 2);
    // It stays ended: resumed, it runs no more epochs.
    let again = train(&job, &mut Watch::default(), &AtomicBool::new(false)).unwrap();
    assert_eq!(again.epochs, outcome.epochs);
}

/// `--folds` tests every file exactly once, `--seeds` trains on one split with several seeds. Both
/// end with a summary.
#[test]
fn folds_and_seeds_end_with_a_summary() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let toy_root = folder.path().join("toy");
    toy(&toy_root);
    let run = |out: &str, more: &[&str]| {
        let out = folder.path().join(out);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sonoprint"));
        command.args([
            "train",
            toy_root.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
        ]);
        command.args([
            "--clip-seconds",
            "0.5",
            "--size",
            "24x32",
            "--epochs",
            "1",
            "--batch",
            "4",
            "--device",
            "cpu",
        ]);
        let done = command.args(more).output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        let summary = std::fs::read_to_string(out.join("summary.txt")).unwrap();
        assert!(
            summary.contains("over 3 runs: mean 0.") || summary.contains("over 3 runs: mean 1."),
            "{summary}"
        );
        out
    };
    let out = run("cross", &["--folds", "3"]);
    let mut tested: Vec<String> = Vec::new();
    for fold in 1..=3 {
        let split = std::fs::read_to_string(out.join(format!("fold-{fold}/split.csv"))).unwrap();
        tested.extend(
            split
                .lines()
                .filter(|l| l.ends_with(",test"))
                .map(str::to_owned),
        );
        assert!(out.join(format!("fold-{fold}/report.html")).exists());
    }
    assert_eq!(tested.len(), 20);
    tested.sort();
    tested.dedup();
    assert_eq!(tested.len(), 20, "a file was tested twice");
    let out = run("seeds", &["--seeds", "3", "--seed", "4"]);
    let split = |seed| std::fs::read(out.join(format!("seed-{seed}/split.csv"))).unwrap();
    assert!(split(4) == split(5) && split(5) == split(6));
    let weights = |seed| std::fs::read(out.join(format!("seed-{seed}/best.safetensors"))).unwrap();
    assert!(weights(4) != weights(5));
}

/// The sweep gives rising rates and the loss of each, and suggests a rate below that of the
/// smallest loss.
#[test]
fn the_learning_rate_is_swept() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let split = Split::stratified(&data, 3, (0.2, 0.2)).unwrap();
    let settings = settings(NetworkKind::Compact, (32, 24), 3);
    let set = load(
        &Compute::Cpu,
        &data,
        &split,
        Subset::Train,
        &settings.front_end,
    );
    let mut seen = 0;
    let stop = AtomicBool::new(false);
    let sweep = find_lr(
        &Compute::Cpu,
        &settings,
        &data.classes,
        &set,
        &stop,
        &mut |_| seen += 1,
    )
    .unwrap();
    assert_eq!(sweep.0.len(), seen);
    assert!(sweep.0.windows(2).all(|w| w[0].lr < w[1].lr));
    let (lowest, suggestion) = (sweep.lowest().unwrap(), sweep.suggestion().unwrap());
    assert!(suggestion > 1e-5 && suggestion < lowest.lr && lowest.lr <= 1.0);
    assert!(lowest.smoothed < sweep.0[0].smoothed);
    let path = folder.path().join("find_lr.csv");
    sweep.write_csv(&path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("lr,loss,smoothed\n") && text.lines().count() == seen + 1);
    // Stopped, it keeps what it has.
    let stop = AtomicBool::new(true);
    let one = find_lr(
        &Compute::Cpu,
        &settings,
        &data.classes,
        &set,
        &stop,
        &mut |_| {},
    )
    .unwrap();
    assert_eq!(one.0, sweep.0[..1]);
}

/// A GPU run restores the optimizer's moments on its own device, without the environment variable
/// that decides Burn's default device.
#[test]
fn a_stopped_run_resumes_on_the_software_adapter() {
    let _turn = crate::support::turn();
    assert!(
        std::env::var_os("BURN_DEVICE").is_none(),
        "unset BURN_DEVICE"
    );
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let compute = software();
    let settings = TrainSettings {
        batch: 5,
        ..settings(NetworkKind::Compact, (32, 24), 2)
    };
    let split = Split::stratified(&data, 3, (0.0, 0.0)).unwrap();
    let load = |subset| load(&compute, &data, &split, subset, &settings.front_end);
    let sets = (load(Subset::Train), load(Subset::Valid));
    let run = |name: &str, stops: &[bool]| {
        let path = folder.path().join(name);
        let folder = RunFolder::create(&path, &data, &split, &settings, &compute.name()).unwrap();
        let job = Job {
            compute: &compute,
            settings: &settings,
            classes: &data.classes,
            train: &sets.0,
            valid: &sets.1,
            folder: &folder,
        };
        let mut watch = Watch::default();
        let mut last = None;
        for &stop in stops {
            last = Some(train(&job, &mut watch, &AtomicBool::new(stop)).unwrap());
        }
        (last.unwrap(), watch.resumed)
    };
    let (unbroken, resumed) = run("unbroken", &[false]);
    assert_eq!(resumed, None);
    let (stopped, resumed) = run("stopped", &[true, true, false]);
    assert_eq!(resumed, Some(0), "stopped twice within the first epoch");
    assert!(!stopped.stopped);
    for (a, b) in unbroken.epochs.iter().zip(&stopped.epochs) {
        println!("unbroken {}, stopped {}", a.loss, b.loss);
        assert!((a.loss - b.loss).abs() < 1e-3, "{a:?} {b:?}");
    }
}

/// The spectrogram itself, one channel without a color map, is learned from as images are, with
/// masks and all other augmentation.
#[test]
fn one_channel_features_are_learned() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let toy = settings(NetworkKind::Compact, (32, 24), 2);
    let settings = TrainSettings {
        batch: 5,
        front_end: FrontEndConfig {
            compression: Compression::Log { scale: 1e4 },
            output: Output::Features,
            ..toy.front_end.clone()
        },
        ..toy
    };
    // Frames and mel bands differ, so masks drawn for the wrong axis would not fit.
    assert_eq!(settings.front_end.output_shape(), [1, 22, 128]);
    assert!(settings.augment.mask > 0.0);
    for (name, compute) in [("cpu", Compute::Cpu), ("software", software())] {
        let run = folder.path().join(name);
        let (outcome, _, _) = fit(&compute, &data, &settings, &run);
        let epochs = outcome.unwrap().epochs;
        assert!(epochs[1].loss < epochs[0].loss, "{name}: {epochs:?}");
        let checkpoint = Checkpoint::load(&run.join("best.safetensors"), &compute.burn()).unwrap();
        assert_eq!(checkpoint.header.front_end, settings.front_end);
    }
}
