//! Promises of many runs: seeds and folds can be resumed, a finished run trains on, and what would
//! make a test worthless is said or refused.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::support::toy::toy;
use crate::support::wav;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command
        .arg("train")
        .args(arguments)
        .args(["--device", "cpu"]);
    command
}

fn train(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn done(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    format!("{stderr}{}", String::from_utf8_lossy(&output.stdout))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

const SMALL: [&str; 6] = ["--clip-seconds", "0.5", "--size", "24x32", "--batch", "4"];

/// The metrics of a run without the column of the clock, and its checkpoint.
fn results(run: &Path) -> (Vec<String>, Vec<u8>) {
    let metrics = fs::read_to_string(run.join("metrics.csv")).unwrap();
    let lines = metrics
        .lines()
        .map(|l| l.rsplit_once(',').unwrap().0.to_owned());
    (
        lines.collect(),
        fs::read(run.join("best.safetensors")).unwrap(),
    )
}

/// Arguments of several runs of the toy, `more` saying which.
fn several(music: &Path, out: &Path, more: &[&str]) -> Command {
    let begin = [text(music), "--out", text(out), "--epochs", "2"];
    command(&[&begin[..], &SMALL, more].concat())
}

/// Asserts that the runs in both folders, called `parts`, have the same results.
#[track_caller]
fn assert_same_runs(a: &Path, b: &Path, parts: &[String]) {
    for part in parts {
        assert!(results(&a.join(part)) == results(&b.join(part)), "{part}");
        let split = |root: &Path| fs::read(root.join(part).join("split.csv")).unwrap();
        assert!(split(a) == split(b), "{part}");
    }
    let summary = |root: &Path| fs::read_to_string(root.join("summary.txt")).unwrap();
    assert_eq!(summary(a), summary(b));
}

/// Kills several runs at some moments, resumes them, and compares with runs that were not killed.
/// `parts` are the names of their folders.
fn kill_and_resume(more: &[&str], parts: &[String]) {
    let _turn = crate::support::turn();
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("toy");
    toy(&music);
    let whole = folder.path().join("whole");
    let start = std::time::Instant::now();
    let said = done(&several(&music, &whole, more).output().unwrap());
    let took = start.elapsed();
    let mean = format!("over {} runs: mean", parts.len());
    assert!(said.contains(&mean), "{said}");
    // At once, with the folders of some runs; and within a run.
    for i in [0, 2, 4] {
        let out = folder.path().join(format!("killed-{i}"));
        let mut child = several(&music, &out, more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From then on, it is known how many runs there should be.
        while !out.join("plan/runs.toml").exists() {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::thread::sleep(took * i / 6);
        child.kill().unwrap();
        child.wait().unwrap();
        let said = done(&train(&["--resume", text(&out)]));
        assert!(said.contains(&mean), "{said}");
        assert_same_runs(&out, &whole, parts);
    }
    let again = done(&train(&["--resume", text(&whole)]));
    assert_eq!(
        again.matches("finished before").count(),
        parts.len(),
        "{again}"
    );
}

#[test]
fn seeds_that_are_killed_go_on_and_keep_what_is_finished() {
    let parts = [4, 5, 6].map(|seed| format!("seed-{seed}"));
    kill_and_resume(&["--seeds", "3", "--seed", "4"], &parts);
}

#[test]
fn folds_that_are_killed_go_on_and_keep_what_is_finished() {
    let parts = [1, 2, 3].map(|fold| format!("fold-{fold}"));
    kill_and_resume(&["--folds", "3"], &parts);
}

/// A kill while the folders of the runs are made leaves some of them unmade, and one half made.
#[test]
fn runs_that_were_never_made_are_made_by_resume() {
    let _turn = crate::support::turn();
    let folder = TempDir::new().unwrap();
    let (music, whole) = (folder.path().join("toy"), folder.path().join("whole"));
    toy(&music);
    let more = ["--folds", "4", "--groups", "none"];
    done(&several(&music, &whole, &more).output().unwrap());
    let parts = [1, 2, 3, 4].map(|fold| format!("fold-{fold}"));
    let out = folder.path().join("out");
    fs::create_dir_all(out.join("fold-2")).unwrap();
    fs::create_dir_all(out.join("plan")).unwrap();
    for entry in fs::read_dir(whole.join("plan")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, out.join("plan").join(path.file_name().unwrap())).unwrap();
    }
    // Half of a run: its split, but no settings.
    fs::copy(whole.join("fold-2/split.csv"), out.join("fold-2/split.csv")).unwrap();
    let metrics = fs::read_to_string(whole.join("fold-2/metrics.csv")).unwrap();
    let header = metrics.lines().next().unwrap();
    fs::write(out.join("fold-2/metrics.csv"), format!("{header}\n")).unwrap();
    fs::write(out.join("fold-2/.run.toml.1-1.part"), "sono").unwrap();
    let said = done(&train(&["--resume", text(&out)]));
    assert!(said.contains("4 of 4 runs were not made"), "{said}");
    assert!(said.contains("over 4 runs: mean"), "{said}");
    assert_same_runs(&out, &whole, &parts);
    assert!(!out.join("fold-2/.run.toml.1-1.part").exists());

    // A folder that is gone is made again. One with somebody's file is left alone.
    fs::remove_dir_all(out.join("fold-3")).unwrap();
    fs::remove_file(out.join("fold-4/run.toml")).unwrap();
    let refused = train(&["--resume", text(&out)]);
    assert_eq!(refused.status.code(), Some(2));
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(why.contains("there is no run beside it"), "{why}");
    fs::remove_dir_all(out.join("fold-4")).unwrap();
    let said = done(&train(&["--resume", text(&out)]));
    assert_eq!(said.matches("finished before").count(), 2, "{said}");
    assert_same_runs(&out, &whole, &parts);
    // The plan of other runs is not replaced.
    let again = several(&music, &out, &more).output().unwrap();
    assert_eq!(again.status.code(), Some(2));
    let why = String::from_utf8_lossy(&again.stderr);
    assert!(why.contains("already holds a run"), "{why}");
}

/// Asserts that the report of a run of the toy has the facts of the run.
#[track_caller]
fn says_how_it_was_made(run: &Path) {
    let json = fs::read_to_string(run.join("metrics.json")).unwrap();
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let record: toml::Table = fs::read_to_string(run.join("run.toml"))
        .unwrap()
        .parse()
        .unwrap();
    let fact = |name: &str| json["facts"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(fact("sonoprint"), env!("CARGO_PKG_VERSION"));
    // Those of the run, not of the command that trained on.
    assert_eq!(Some(fact("date").as_str()), record["made"].as_str());
    let command = fact("command");
    assert_eq!(Some(command.as_str()), record["command"].as_str());
    assert!(command.starts_with("sonoprint train ") && !command.contains("--resume"));
    assert_eq!(fact("model").len(), 12, "{}", fact("model"));
    assert_eq!(fact("split"), "12 training, 4 validation, 4 test files");
    assert!(fact("epoch kept because").starts_with("highest accuracy by file"));
    assert_eq!(json["settings"]["front_end.hop"], "512");
    let page = fs::read_to_string(run.join("report.html")).unwrap();
    assert!(page.contains("epochs 5 (default 30)"), "{page}");
}

#[test]
fn a_finished_run_trains_on() {
    let _turn = crate::support::turn();
    let folder = TempDir::new().unwrap();
    let (music, run) = (folder.path().join("toy"), folder.path().join("run"));
    toy(&music);
    let begin = [
        &[text(&music), "--out", text(&run), "--epochs", "2"][..],
        &SMALL,
    ]
    .concat();
    done(&train(&begin));
    let (before, _) = results(&run);
    assert_eq!(before.len(), 1 + 2);
    done(&train(&["--resume", text(&run), "--epochs", "5"]));
    let (after, _) = results(&run);
    assert_eq!(after.len(), 1 + 5);
    says_how_it_was_made(&run);
    assert_eq!(after[..3], before);
    let record = fs::read_to_string(run.join("run.toml")).unwrap();
    assert!(record.contains("epochs = 5"), "{record}");
    let fewer = train(&["--resume", text(&run), "--epochs", "3"]);
    assert_eq!(fewer.status.code(), Some(2));
    let why = String::from_utf8_lossy(&fewer.stderr);
    assert!(why.contains("has 5 epochs"), "{why}");
    assert_eq!(results(&run).0.len(), 1 + 5, "nothing changed");
}

#[test]
fn a_class_without_sound_stops_training() {
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("music");
    for class in ["loud", "mute"] {
        fs::create_dir_all(music.join(class)).unwrap();
    }
    for i in 0..4 {
        wav(
            &music.join(format!("loud/{i}.wav")),
            0.5,
            300.0 + 100.0 * f64::from(i),
        );
        fs::write(music.join(format!("mute/{i}.wav")), b"RIFF").unwrap();
    }
    let out = folder.path().join("run");
    let refused = train(&[&[text(&music), "--out", text(&out)][..], &SMALL].concat());
    assert_eq!(refused.status.code(), Some(2));
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(why.contains("\"mute\""), "{why}");
}
