//! Promise: a model is called by its name or its file wherever one is used, and `model` says what
//! it is.

use std::process::{Command, Output};

use burn::tensor::Device;
use serde_json::Value;
use sonoprint::gpu::Compute;
use sonoprint::inference::Predictor;
use sonoprint::model::{BuiltinModel, Checkpoint, CheckpointError, ModelName};

use crate::support::{rendered, tones};

fn sonoprint(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(arguments).output().unwrap()
}

/// Runs a command that must succeed, and returns its stdout.
fn stdout(arguments: &[&str]) -> String {
    let out = sonoprint(arguments);
    let stderr = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(0), "{arguments:?}: {stderr}");
    String::from_utf8(out.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(arguments)).unwrap()
}

/// Every built-in model is listed, loads, and is shown as its checkpoint is.
#[test]
fn built_in_models_are_listed_and_shown() {
    let _turn = crate::support::turn();
    let list = json(&["model", "list", "--json"]);
    assert_eq!(list["version"], 1);
    let list = list["models"].as_array().unwrap();
    assert_eq!(list.len(), BuiltinModel::all().len());
    assert_eq!(list.iter().filter(|row| row["default"] == true).count(), 1);
    let lines = stdout(&["model", "list"]);
    for (row, model) in list.iter().zip(BuiltinModel::all()) {
        assert_eq!(row["name"], model.name);
        let line = lines.lines().find(|line| line[2..].starts_with(model.name));
        assert!(line.unwrap().ends_with(model.about), "{lines}");
        let checkpoint = Checkpoint::builtin(model.name, &Device::flex()).unwrap();
        let shown = json(&["model", "show", model.name, "--json"]);
        assert_eq!(shown["fingerprint"], checkpoint.fingerprint);
        assert_eq!(shown["labels"].as_array().unwrap().len(), row["classes"]);
        assert_eq!(shown["bytes"], row["bytes"]);
        assert_eq!(shown["license"], row["license"]);
        assert!(shown["flops_per_30_s"].as_u64() > shown["flops_per_clip"].as_u64());
    }
}

/// A file is shown with everything that a user may ask of it.
#[test]
fn a_checkpoint_file_is_shown() {
    let path = rendered();
    let shown = stdout(&["model", "show", &path]);
    let size = std::fs::metadata(&path).unwrap().len();
    for fact in [
        "single label: one of the labels",
        "10 labels     blues, classical, country, disco, hiphop, jazz, metal, pop, reggae, rock",
        "compact, 308554 parameters",
        "0.171 GFLOP per clip, 0.514 GFLOP per 30 s",
        "mel: 22050 Hz, n_fft 2048, hop 512, 128 mel bands from 0 to 11025 Hz; clips of 10 s as \
         images of 216x128x4",
        "temperature   1\n",
        "license       not stated",
        &format!("size          {size} bytes"),
        "fingerprint   ",
        "training      ",
    ] {
        assert!(shown.contains(fact), "no '{fact}' in\n{shown}");
    }
    // The same by each of the three ways to name it.
    for flag in ["--model", "--checkpoint"] {
        assert_eq!(stdout(&["model", "show", flag, &path]), shown);
    }
}

/// `classify` and the library take the default model if none is named, and a name like a file.
#[test]
fn names_and_files_mean_what_they_say() {
    let _turn = crate::support::turn();
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 1);
    let music = music.to_str().unwrap();
    let fingerprint = |more: &[&str]| {
        let classify = ["classify", music, "--format", "jsonl", "--device", "cpu"];
        json(&[&classify[..], more].concat())["model"].clone()
    };
    let default = ModelName::default().to_string();
    let shown = |name: &str| json(&["model", "show", name, "--json"])["fingerprint"].clone();
    assert_eq!(fingerprint(&[]), shown(&default));
    assert_eq!(fingerprint(&["--model", &default]), shown(&default));
    assert_eq!(
        fingerprint(&["--checkpoint", &rendered()]),
        shown(&rendered())
    );

    let named = Predictor::open(default.as_str(), &Compute::Cpu).unwrap();
    let builtin = Predictor::builtin(&Compute::Cpu).unwrap();
    assert_eq!(named.header(), builtin.header());
    let file = Predictor::open(rendered().as_str(), &Compute::Cpu).unwrap();
    assert_eq!(file.header().front_end.preset, "mel");
}

/// What is no model and no file is said to be neither, with the names that there are.
#[test]
fn an_unknown_name_lists_the_names() {
    let device = Device::flex();
    for error in [
        Checkpoint::builtin("genres99", &device).unwrap_err(),
        Checkpoint::open("genres99", &device).unwrap_err(),
        Checkpoint::open(ModelName::File("genres99".into()), &device).unwrap_err(),
    ] {
        let CheckpointError::Unknown { path, names } = &error else {
            panic!("{error}");
        };
        assert_eq!(path.to_str(), Some("genres99"));
        for model in BuiltinModel::all() {
            assert!(names.contains(model.name), "{names}");
        }
    }
    let out = sonoprint(&["model", "show", "genres99"]);
    let stderr = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(2));
    assert!(stderr.contains("hint: `sonoprint model list`"), "{stderr}");
}
