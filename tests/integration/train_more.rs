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

#[test]
fn seeds_that_are_killed_go_on_and_keep_what_is_finished() {
    let _turn = crate::support::turn();
    let folder = TempDir::new().unwrap();
    let music = folder.path().join("toy");
    toy(&music);
    let arguments = |out: &Path| -> Vec<String> {
        let mut all = vec![text(&music).to_owned(), "--out".into(), text(out).into()];
        all.extend(SMALL.map(str::to_owned));
        all.extend(["--seeds", "3", "--seed", "4", "--epochs", "2"].map(str::to_owned));
        all
    };
    let run = |out: &Path| {
        let arguments = arguments(out);
        command(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let whole = folder.path().join("whole");
    let start = std::time::Instant::now();
    let said = done(&run(&whole).output().unwrap());
    let took = start.elapsed();
    assert!(said.contains("over 3 runs: mean"), "{said}");
    for i in [2, 4] {
        let out = folder.path().join(format!("killed-{i}"));
        let mut child = run(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // All runs have a folder before the first one begins.
        while !out.join("seed-6/run.toml").exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::thread::sleep(took * i / 6);
        child.kill().unwrap();
        child.wait().unwrap();
        let said = done(&train(&["--resume", text(&out)]));
        assert!(said.contains("over 3 runs: mean"), "{said}");
        for seed in 4..=6 {
            let part = format!("seed-{seed}");
            assert!(
                results(&out.join(&part)) == results(&whole.join(&part)),
                "{part}"
            );
        }
        let summary = |root: &Path| fs::read_to_string(root.join("summary.txt")).unwrap();
        assert_eq!(summary(&out), summary(&whole));
    }
    let again = done(&train(&["--resume", text(&whole)]));
    assert_eq!(again.matches("finished before").count(), 3, "{again}");
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
