//! Promise: `classify` says when it does not know, and a model of tags gives any number of them, in
//! tables, in timelines, on the console and over shards.

use std::path::Path;
use std::process::Command;

use burn::tensor::Device;
use serde_json::Value;
use sonoprint::dataset::gtzan::GENRES;
use sonoprint::gpu::Compute;
use sonoprint::inference::Predictor;
use sonoprint::model::{Checkpoint, Task};

use crate::support::{data, rendered, tones};

/// Runs the program on the CPU. Returns the exit code, stdout and stderr.
fn run(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(arguments);
    if arguments[0] == "classify" {
        command.args(["--device", "cpu"]);
    }
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (out.status.code(), text(out.stdout), text(out.stderr))
}

fn rows(jsonl: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(jsonl).unwrap();
    text.lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

fn path(folder: &tempfile::TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

/// The rendered-music checkpoint as a model of tags: the same logits, each through a sigmoid.
fn tagger(folder: &tempfile::TempDir) -> String {
    let Checkpoint {
        mut header,
        network,
        ..
    } = Checkpoint::load(rendered().as_ref(), &Device::flex()).unwrap();
    header.task = Task::MultiLabel;
    header.threshold = Some(0.5625);
    let path = path(folder, "tagger.safetensors");
    Checkpoint::save(&header, &network, Path::new(&path)).unwrap();
    path
}

/// Files below the minimal confidence are unsure in each table and on the console, which is no
/// failure. A table is not continued with another minimum, and can be written again with one.
#[test]
fn doubtful_files_have_no_genre() {
    let folder = tempfile::tempdir().unwrap();
    let clips = ["classical", "metal", "reggae"].map(|g| data("clips").join(g));
    let clips: Vec<&str> = clips.iter().map(|p| p.to_str().unwrap()).collect();
    let model = rendered();
    let classify = |out: &str, least: &str| {
        let more = [
            "--model",
            &model,
            "--sorted",
            "--out",
            out,
            "--min-confidence",
            least,
        ];
        run(&[&["classify"], &clips[..], &more].concat())
    };
    let (strict, loose) = (path(&folder, "strict.jsonl"), path(&folder, "loose.jsonl"));
    let (code, stdout, stderr) = classify(&strict, "0.5");
    assert_eq!(code, Some(0), "{stderr}");
    let strict_rows = rows(&strict);
    let unsure = strict_rows.iter().filter(|row| row["status"] == "unsure");
    let unsure = unsure.count();
    assert!((1..6).contains(&unsure), "{unsure} of 6 are unsure");
    for row in &strict_rows {
        let confidence = row["confidence"].as_f64().unwrap();
        let (status, named) = match confidence < 0.5 {
            true => ("unsure", false),
            false => ("ok", true),
        };
        assert_eq!(row["status"], status, "{row}");
        assert_eq!(row["genre"].is_string(), named, "{row}");
        assert_eq!(row["genre_2"].is_string(), named, "{row}");
        let p = row
            .as_object()
            .unwrap()
            .iter()
            .filter(|(k, _)| k.starts_with("p_"));
        let largest = p.map(|(_, p)| p.as_f64().unwrap()).fold(0.0, f64::max);
        assert_eq!(largest, confidence, "{row}");
    }
    let said = stdout
        .lines()
        .filter(|line| line.contains("(unsure)"))
        .count();
    assert_eq!(said, unsure, "{stdout}");
    assert!(
        stderr.contains(&format!("6 files, {unsure} unsure, ")),
        "{stderr}"
    );

    let (code, _, stderr) = classify(&strict, "0.25");
    assert_eq!(code, Some(2), "{stderr}");
    assert!(
        stderr.contains("another minimal confidence: 0.5, not 0.25"),
        "{stderr}"
    );
    assert!(stderr.contains("sonoprint merge"), "{stderr}");
    assert_eq!(classify(&loose, "0.25").0, Some(0));
    let again = path(&folder, "again.jsonl");
    let merged = run(&[
        "merge",
        &strict,
        "--min-confidence",
        "0.25",
        "--out",
        &again,
    ]);
    assert_eq!(merged.0, Some(0), "{}", merged.2);
    assert_eq!(rows(&again), rows(&loose));
    assert_ne!(rows(&again), strict_rows);
    // The table that was written again is continued with its own minimum.
    let (code, _, stderr) = classify(&again, "0.25");
    assert!(
        code == Some(0) && stderr.contains("6 files are done already"),
        "{stderr}"
    );
}

/// Tags over the threshold are a list, the most probable ones are ranked, and both are those of the
/// probabilities, in each table and over shards.
#[test]
fn tags_are_written_to_each_table() {
    let folder = tempfile::tempdir().unwrap();
    let model = tagger(&folder);
    let music = tones(folder.path(), 8);
    let base = [
        "classify",
        music.to_str().unwrap(),
        "--model",
        &model,
        "--threshold",
        "0.5",
    ];
    let out = path(&folder, "tags.jsonl");
    let timeline = path(&folder, "clips.jsonl");
    let more = ["--sorted", "--out", &out, "--timeline", &timeline];
    let (code, stdout, stderr) = run(&[&base[..], &more].concat());
    assert_eq!(code, Some(0), "{stderr}");
    let (files, clips) = (rows(&out), rows(&timeline));
    assert_eq!((files.len(), clips.len()), (8, 8));
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for row in files.iter().chain(&clips) {
        let object = row.as_object().unwrap();
        let p = object
            .iter()
            .filter_map(|(k, p)| Some((k.strip_prefix("p_")?, p.as_f64()?)));
        let mut p: Vec<(&str, f64)> = p.collect();
        assert_eq!(p.len(), 10);
        p.sort_by(|a, b| b.1.total_cmp(&a.1));
        let tags: Vec<&str> = p
            .iter()
            .filter(|(_, p)| *p >= 0.5)
            .map(|(tag, _)| *tag)
            .collect();
        assert_eq!(row["tags"], serde_json::json!(tags));
        for (i, (_, p)) in (1..=5).zip(&p) {
            assert_eq!(row[format!("score_{i}")], *p, "{row}");
            let tag = row[format!("tag_{i}")].as_str().unwrap();
            assert_eq!(row[format!("p_{tag}")], *p, "{row}");
        }
        assert!(
            !object.contains_key("tag_6") && !object.contains_key("genre"),
            "{row}"
        );
        if object.contains_key("status") {
            assert_eq!(row["status"], "ok");
            for tag in tags {
                *counts.entry(tag.to_owned()).or_default() += 1;
            }
        }
    }
    // The summary counts the files of each tag, and the console shows tags and the next ones.
    let summary = stderr
        .lines()
        .find(|l| l.starts_with("files by tag of 0.5 and more: "));
    let summary = summary.unwrap_or_else(|| panic!("no summary in {stderr}"));
    assert!(!counts.is_empty());
    for (tag, count) in &counts {
        assert!(summary.contains(&format!("{tag} {count}")), "{summary}");
    }
    assert!(
        stdout.starts_with("file") && stdout.contains("% | "),
        "{stdout}"
    );

    // Shards join to the whole table, to the byte.
    let parts = ["1/2", "2/2"].map(|shard| {
        let part = path(&folder, &format!("part-{}.jsonl", &shard[..1]));
        let done = run(&[&base[..], &["--shard", shard, "--out", &part]].concat());
        assert_eq!(done.0, Some(0), "{}", done.2);
        part
    });
    let merged = path(&folder, "merged.jsonl");
    let done = run(&["merge", &parts[0], &parts[1], "--out", &merged]);
    assert_eq!(done.0, Some(0), "{}", done.2);
    assert!(std::fs::read(&merged).unwrap() == std::fs::read(&out).unwrap());

    // Another threshold does not continue the table. A minimum above all scores leaves no tags.
    let other = [
        "classify",
        base[1],
        "--model",
        &model,
        "--threshold",
        "0.6",
        "--out",
        &out,
    ];
    let (code, _, stderr) = run(&other);
    assert_eq!(code, Some(2));
    assert!(
        stderr.contains("another threshold of tags: 0.5, not 0.6"),
        "{stderr}"
    );
    let none = path(&folder, "none.jsonl");
    let done = run(&["merge", &out, "--min-confidence", "1", "--out", &none]);
    assert_eq!(done.0, Some(0), "{}", done.2);
    for row in rows(&none) {
        assert_eq!(
            (&row["status"], &row["tags"]),
            (&"unsure".into(), &Value::Array(vec![]))
        );
        assert!(row["tag_1"].is_string());
    }
}

/// A model's own threshold holds if none is given, for the program and for the library.
#[test]
fn a_model_has_its_own_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let model = tagger(&folder);
    let music = tones(folder.path(), 2);
    let out = path(&folder, "tags.jsonl");
    let done = run(&[
        "classify",
        music.to_str().unwrap(),
        "--model",
        &model,
        "--out",
        &out,
    ]);
    assert_eq!(done.0, Some(0), "{}", done.2);
    let predictor = Predictor::load(&model, &Compute::Cpu).unwrap();
    for row in rows(&out) {
        let over = |p: &&str| row[format!("p_{p}")].as_f64().unwrap() >= 0.5625;
        let mut want: Vec<&str> = GENRES.iter().copied().filter(|p| over(&p)).collect();
        let file = predictor
            .predict_file(row["path"].as_str().unwrap())
            .unwrap();
        assert_eq!(file.labels, want);
        let mut tags: Vec<&str> = row["tags"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t.as_str().unwrap())
            .collect();
        (want.sort(), tags.sort());
        assert_eq!(tags, want);
        assert!((1..10).contains(&tags.len()), "{row}");
    }
}

/// A threshold belongs to tags, and probabilities are from 0 to 1.
#[test]
fn flags_that_do_not_fit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 1);
    let music = music.to_str().unwrap();
    let base = ["classify", music, "--model", &rendered()].map(str::to_owned);
    let out = path(&folder, "genres.csv");
    for (more, what) in [
        (&["--threshold", "0.3"][..], "--threshold is for models"),
        (&["--threshold", "1.5"], "must be from 0 to 1"),
        (&["--min-confidence", "half"], "must be from 0 to 1"),
    ] {
        let mut arguments: Vec<&str> = base.iter().map(String::as_str).collect();
        arguments.extend(more);
        arguments.extend(["--out", &out]);
        let (code, _, stderr) = run(&arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
        assert!(!Path::new(&out).exists(), "{more:?}");
    }
}
