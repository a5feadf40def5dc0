//! Promise: `evaluate` measures a checkpoint, `dataset check` finds what is wrong with a folder,
//! and both name the files at fault.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{data, rendered};

const GENRES: [&str; 10] = [
    "blues",
    "classical",
    "country",
    "disco",
    "hiphop",
    "jazz",
    "metal",
    "pop",
    "reggae",
    "rock",
];

fn sonoprint(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The shipped rendered clips of `genres` as a dataset.
fn dataset(root: &Path, genres: &[&str]) -> PathBuf {
    for genre in genres {
        let to = root.join(genre);
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(data("clips").join(genre)).unwrap() {
            let from = entry.unwrap().path();
            std::fs::copy(&from, to.join(from.file_name().unwrap())).unwrap();
        }
    }
    root.to_owned()
}

#[test]
fn a_checkpoint_is_measured_on_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let clips = dataset(&folder.path().join("clips"), &GENRES);
    let out = folder.path().join("evaluation");
    let model = rendered();
    let run = |more: &[&str]| {
        let mut arguments = vec![
            "evaluate",
            clips.to_str().unwrap(),
            "--out",
            out.to_str().unwrap(),
            "--device",
            "cpu",
            "--model",
            &model,
        ];
        arguments.extend(more);
        sonoprint(&arguments)
    };
    let done = run(&[]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let metrics = std::fs::read_to_string(out.join("metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&metrics).unwrap();
    let counts = &metrics["files"]["confusion"]["counts"];
    let total: u64 = counts
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_u64().unwrap())
        .sum();
    assert_eq!(total, 20);
    // Two files per class, each of three clips.
    for class in metrics["clips"]["classes"].as_array().unwrap() {
        assert_eq!(class["support"], 6);
    }
    let accuracy = metrics["files"]["accuracy"].as_f64().unwrap();
    let correct = (accuracy * 20.0).round();
    assert!(
        text(&done.stdout).starts_with(&format!("{correct} of 20 files right")),
        "{}",
        text(&done.stdout)
    );
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.matches("data:image/png;base64,").count() >= (20.0 - correct).min(6.0) as usize);

    // An unreadable file is named and left out, and the exit code is 1.
    std::fs::write(clips.join("jazz/broken.wav"), "no sound").unwrap();
    let done = run(&[]);
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stderr).contains("jazz/broken.wav: left out"),
        "{}",
        text(&done.stderr)
    );
    // A class that the checkpoint does not know is refused before anything is decoded.
    std::fs::create_dir(clips.join("polka")).unwrap();
    std::fs::copy(
        clips.join("disco/disco.00019.wav"),
        clips.join("polka/a.wav"),
    )
    .unwrap();
    let done = run(&[]);
    assert_eq!(done.status.code(), Some(2));
    assert!(
        text(&done.stderr).contains("does not know the class 'polka'"),
        "{}",
        text(&done.stderr)
    );
}

#[test]
fn a_folder_is_checked() {
    let folder = tempfile::tempdir().unwrap();
    let clips = dataset(folder.path(), &["metal", "disco"]);
    let check = |more: &[&str]| {
        let mut arguments = vec!["dataset", "check", clips.to_str().unwrap()];
        arguments.extend(more);
        sonoprint(&arguments)
    };
    let good = check(&[]);
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stderr));
    assert!(
        text(&good.stdout).contains("4 files in 2 classes"),
        "{}",
        text(&good.stdout)
    );
    std::fs::copy(
        clips.join("disco/disco.00019.wav"),
        clips.join("metal/again.wav"),
    )
    .unwrap();
    std::fs::write(clips.join("metal/empty.wav"), "").unwrap();
    let bad = check(&["--json"]);
    assert_eq!(bad.status.code(), Some(1), "{}", text(&bad.stderr));
    let report: serde_json::Value = serde_json::from_str(&text(&bad.stdout)).unwrap();
    assert_eq!(
        report["duplicates"].as_array().unwrap().len(),
        1,
        "{report}"
    );
    assert_eq!(report["duplicates"][0]["across_classes"], true);
    assert_eq!(report["unreadable"][0]["file"], "metal/empty.wav");
}
