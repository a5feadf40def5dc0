//! Promise: a write that fails, at any call, loses nothing: the same command, or the run's resume,
//! then gives the right content. Every call that writes is failed in turn, in every way.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use sonoprint::classify::journal::{JournalSettings, VERSION};
use sonoprint::classify::{
    ClipPrediction, FileResult, Outcome, OutputError, Prediction, ResultTables, Schema, Shard,
    Stamp, TablePlan,
};
use sonoprint::dataset::pcm::PcmSet;
use sonoprint::dataset::{Dataset, Split, Subset};
use sonoprint::files::fault::{Fault, FaultPlan, with_faults};
use sonoprint::gpu::Compute;
use sonoprint::model::{Checkpoint, Network, NetworkKind, Task};
use sonoprint::train::{Job, RunFolder, TrainError, TrainSettings, train};

use crate::support::rendered;
use crate::support::toy::{Watch, load, settings, toy};

/// Fails each call of `work` in turn, in every way, until no call is left. After each failure,
/// `check` gets the folder that `work` left. Returns how many failures there were.
fn fail_each<R>(
    faults: &[Fault],
    mut work: impl FnMut(&Path) -> R,
    mut check: impl FnMut(&Path, R, FaultPlan),
) -> u64 {
    let mut survived = 0;
    for &fault in faults {
        for lasting in [false, true] {
            for call in 0.. {
                let folder = memory_folder();
                let plan = FaultPlan {
                    call,
                    fault,
                    lasting,
                };
                let (result, failed) = with_faults(plan, || work(folder.path()));
                if failed == 0 {
                    break;
                }
                check(folder.path(), result, plan);
                survived += 1;
            }
        }
    }
    survived
}

/// A folder in memory, where there is one: the disk would be waited for at each call.
fn memory_folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    }
}

/// Returns the content of every file of a folder. A journal may say twice that its run ended, if
/// the first time could not be flushed to the disk.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut content = std::fs::read(path).unwrap();
            if name.ends_with(".journal") {
                let mut lines: Vec<&[u8]> = content.split_inclusive(|&b| b == b'\n').collect();
                lines.dedup();
                content = lines.concat();
            }
            (name, content)
        })
        .collect()
}

fn results() -> Vec<FileResult> {
    let ok = |i: usize| {
        let p = i as f32 / 8.0;
        let clip = |k: usize| ClipPrediction {
            start: k as f64,
            end: k as f64 + 1.0,
            probabilities: vec![p, 1.0 - p],
        };
        Outcome::Ok(Prediction {
            probabilities: vec![p, 1.0 - p],
            seconds: 3.0,
            clips: 3,
            silent: 0,
            padded: false,
            damaged: None,
            embedding: vec![p; 4],
            timeline: (0..3).map(clip).collect(),
        })
    };
    let result = |i: usize| FileResult {
        path: format!("music/{i}.wav").into(),
        stamp: Some(Stamp {
            size: 1,
            modified: i as u64,
        }),
        outcome: match i {
            2 => Outcome::Failed {
                reason: "empty".into(),
                message: "the file is empty".into(),
            },
            i => ok(i),
        },
    };
    (0..4).map(result).collect()
}

/// What `classify --out` does: resumes, adds the rows that are missing, and ends.
fn classify(folder: &Path, names: [&str; 3], results: &[FileResult]) -> Result<(), OutputError> {
    let settings = JournalSettings {
        journal: VERSION,
        model: "0123456789ab".into(),
        classes: vec!["blues".into(), "jazz".into()],
        task: Task::SingleLabel,
        threshold: None,
        min_confidence: None,
        overlap: 0.0,
        excerpts: None,
        timeline: true,
        embeddings: true,
        half: false,
        shard: Shard::default(),
    };
    let schema = Schema {
        classes: settings.classes.clone(),
        top: 2,
        model: settings.model.clone(),
        rule: settings.rule(),
    };
    let [out, timeline, embeddings] = names.map(|name| folder.join(name));
    let plan = TablePlan::new(&out, None, Some(&timeline), Some(&embeddings), schema)?;
    let (mut tables, done) = ResultTables::open(plan, &settings, false)?;
    for result in results.iter().filter(|r| !done.contains_key(&r.path)) {
        tables.row(result)?;
    }
    tables.finish(true, results.len() as u64).map(|_| ())
}

#[test]
fn tables_and_journal_survive_every_failing_write() {
    let results = results();
    let mut survived = 0;
    for names in [
        ["a.csv", "clips.jsonl", "vectors.parquet"],
        ["a.jsonl", "clips.parquet", "vectors.jsonl"],
        ["a.parquet", "clips.csv", "vectors.jsonl"],
    ] {
        let whole = memory_folder();
        classify(whole.path(), names, &results).unwrap();
        let want = files(whole.path());
        survived += fail_each(
            &Fault::ALL,
            |folder| classify(folder, names, &results),
            |folder, failed, plan| {
                assert!(failed.is_err(), "{plan:?} was not told");
                classify(folder, names, &results)
                    .unwrap_or_else(|e| panic!("{names:?}, {plan:?}: {e}"));
                assert!(files(folder) == want, "{names:?}, {plan:?}");
            },
        );
    }
    println!("{survived} failures of tables and journals survived");
    assert!(survived > 300, "{survived}");
}

#[test]
fn a_checkpoint_survives_every_failing_write() {
    // A new network draws its weights.
    let _turn = crate::support::turn();
    let device = Compute::Cpu.burn();
    let old = Checkpoint::load(rendered().as_ref(), &device).unwrap();
    let network = Network::new(&old.header.network, 9, &device).unwrap();
    let path = |folder: &Path| folder.join("best.safetensors");
    let want = {
        let folder = memory_folder();
        Checkpoint::save(&old.header, &network, &path(folder.path())).unwrap();
        std::fs::read(path(folder.path())).unwrap()
    };
    let before = std::fs::read(rendered()).unwrap();
    let survived = fail_each(
        &Fault::ALL,
        |folder| {
            std::fs::write(path(folder), &before).unwrap();
            Checkpoint::save(&old.header, &network, &path(folder))
        },
        |folder, failed, plan| {
            assert!(failed.is_err(), "{plan:?} was not told");
            assert!(std::fs::read(path(folder)).unwrap() == before, "{plan:?}");
            assert_eq!(files(folder).len(), 1, "nothing is left beside: {plan:?}");
            Checkpoint::save(&old.header, &network, &path(folder)).unwrap();
            assert!(std::fs::read(path(folder)).unwrap() == want, "{plan:?}");
        },
    );
    println!("{survived} failures of a checkpoint survived");
    assert!(survived >= 24, "{survived}");
}

/// What a run needs.
struct Toy {
    data: Dataset,
    split: Split,
    settings: TrainSettings,
    sets: [PcmSet; 2],
}

impl Toy {
    /// Starts the run in `root`, or resumes it, as `train` and `train --resume` do.
    fn run(&self, root: &Path) -> Result<(), TrainError> {
        let (data, settings) = (&self.data, &self.settings);
        let folder = match root.join("run.toml").exists() {
            true => RunFolder::open(root)?.0,
            false => RunFolder::create(root, data, &self.split, settings, "cpu")?,
        };
        let job = Job {
            compute: &Compute::Cpu,
            settings,
            classes: &data.classes,
            train: &self.sets[0],
            valid: &self.sets[1],
            folder: &folder,
        };
        train(&job, &mut Watch::default(), &AtomicBool::new(false)).map(|_| ())
    }
}

#[test]
fn a_run_folder_survives_every_failing_write() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let data = toy(&folder.path().join("toy"));
    let mut settings = settings(NetworkKind::Compact, (16, 16), 1);
    settings.augment = Default::default();
    let all: Vec<usize> = (0..data.entries.len()).collect();
    let split = Split {
        train: all.iter().copied().filter(|i| i % 2 == 0).collect(),
        valid: Vec::new(),
        test: Vec::new(),
    };
    let load = |subset| load(&Compute::Cpu, &data, &split, subset, &settings.front_end);
    let toy = Toy {
        sets: [load(Subset::Train), load(Subset::Valid)],
        data: data.clone(),
        split: split.clone(),
        settings: settings.clone(),
    };
    // Times of day are in the figures of an epoch, and therefore the checkpoint is compared.
    let best = |root: &Path| std::fs::read(root.join("best.safetensors")).unwrap();
    let whole = memory_folder();
    let whole_run = whole.path().join("run");
    toy.run(&whole_run).unwrap();
    let want = best(&whole_run);
    let names: Vec<String> = files(&whole_run).into_keys().collect();
    let survived = fail_each(
        &Fault::ALL,
        |folder| toy.run(&folder.join("run")),
        |folder, failed, plan| {
            assert!(failed.is_err(), "{plan:?} was not told");
            let run = folder.join("run");
            toy.run(&run).unwrap_or_else(|e| panic!("{plan:?}: {e}"));
            assert!(best(&run) == want, "{plan:?}");
            let found = files(&run);
            assert!(found.keys().eq(&names), "{plan:?}: {:?}", found.keys());
            let metrics = String::from_utf8(found["metrics.csv"].clone()).unwrap();
            assert_eq!(metrics.lines().count(), 2, "{plan:?}");
        },
    );
    println!("{survived} failures of a run folder survived");
    assert!(survived >= 100, "{survived}");
}
