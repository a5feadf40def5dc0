//! `sonoprint bench`: every shape of the catalog gives the right numbers on every device, baselines
//! included, and records can be kept and compared.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sonoprint::bench::{
    CompareError, Options, Record, Shape, ShapeTimes, Stat, Verdict, catalog, check, compare,
    measure, record,
};
use sonoprint::frontend::FrontEnd;
use sonoprint::gpu::Compute;

/// The whole catalog, with one clip per shape.
#[test]
fn the_catalog_is_right_on_every_device() {
    for (name, compute) in crate::support::devices() {
        for shape in catalog() {
            let shape = Shape { clips: 1, ..shape };
            let all = check(&compute, &shape).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(all[0].implementation, "sonoprint");
            assert!(all[0].mean_features_error.is_some());
            // On a GPU: burn-signal, realfft, and two in WGSL.
            let baselines = all.len() - 1;
            match (&compute, shape.id) {
                (_, "mel" | "mel-10s") => assert_eq!(baselines, 0, "{}", shape.id),
                (Compute::Cpu, _) => assert_eq!(baselines, 1, "{}", shape.id),
                // The naive baseline needs 8192 complex points of workgroup memory.
                (Compute::Gpu(_), "n8192") => assert!(baselines >= 3, "{all:?}"),
                (Compute::Gpu(_), _) => assert_eq!(baselines, 4, "{all:?}"),
            }
        }
    }
}

#[test]
fn ids_are_stable_and_settings_valid() {
    let ids: Vec<&str> = catalog().iter().map(|s| s.id).collect();
    assert_eq!(
        ids,
        [
            "deeppixel",
            "deeppixel-512",
            "deeppixel-1",
            "mel",
            "mel-10s",
            "n256",
            "n512",
            "n1024",
            "n2048",
            "n4096",
            "n8192"
        ]
    );
    for shape in catalog() {
        shape.front_end.validate().unwrap();
        assert!(FrontEnd::new(&Compute::Cpu, &shape.front_end).is_ok());
    }
    // 30 s at 22 050 Hz, 344 frames of 1025 bins, 720x720 pixels of 4 channels.
    let first = &catalog()[0];
    assert_eq!(first.stft_bytes(), 16 * 4 * (661_500 + 344 * 1025));
    assert_eq!(first.rgba_bytes(), 16 * 4 * (344 * 1025 + 4 * 720 * 720));
    assert_eq!(first.seconds(), 480.0);
}

/// The times of a small shape are positive, and a record reads back as it was written.
#[test]
fn records_survive_json() {
    let options = Options {
        runs: 3,
        baselines: true,
    };
    for (name, compute) in crate::support::devices() {
        let mut found = record(&compute, &options).unwrap();
        assert_eq!(found.software, name != "gpu");
        assert_eq!(found.adapter.is_some(), name != "cpu");
        assert!(found.copy_gigabytes_per_second > 0.01);
        let shape = Shape {
            clips: 2,
            ..catalog().into_iter().find(|s| s.id == "n512").unwrap()
        };
        let m = measure(&compute, &shape, &options).unwrap();
        assert!(m.stft.median > 0.0 && m.wall.median > 0.0, "{m:?}");
        assert!(m.total() <= 1.5 * m.wall.median, "{name}: {m:?}");
        assert!((m.clips_per_second() - 2.0 / m.total()).abs() < 1e-6);
        assert!((m.times_real_time() - 10.0 * m.clips_per_second()).abs() < 1e-3);
        assert_eq!(m.baselines.len(), if name == "cpu" { 1 } else { 4 });
        assert!(m.baselines.iter().all(|r| r.db.median > 0.0));
        found.shapes.push(m);
        let text = serde_json::to_string(&found).unwrap();
        let again: Record = serde_json::from_str(&text).unwrap();
        assert_eq!(again.timed()[0].0, "n512 x2");
        assert_eq!(
            again.shapes[0].baselines.len(),
            found.shapes[0].baselines.len()
        );
        let same = compare(&found, &again).unwrap();
        assert_eq!(same[0].verdict, Verdict::Same);
    }
}

fn toy(milliseconds: f64, spread: f64) -> Record {
    let stat = |ms: f64| Stat {
        median: ms / 1e3,
        spread: spread / 1e3,
    };
    Record {
        sonoprint: "0".into(),
        device: "toy".into(),
        adapter: None,
        software: true,
        clock: "wall".into(),
        limits: Vec::new(),
        copy_gigabytes_per_second: 1.0,
        runs: 9,
        shapes: vec![ShapeTimes {
            id: "a".into(),
            label: "a".into(),
            clips: 1,
            audio_seconds: 30.0,
            stft: stat(milliseconds),
            rgba: None,
            wall: stat(milliseconds),
            stft_bytes: 1,
            rgba_bytes: 1,
            baselines: Vec::new(),
            wrong_baselines: Vec::new(),
        }],
    }
}

#[test]
fn verdicts_allow_for_noise() {
    let verdict = |old: &Record, new: &Record| compare(old, new).unwrap()[0].verdict;
    let steady = toy(100.0, 0.5);
    assert_eq!(verdict(&steady, &toy(80.0, 0.5)), Verdict::Faster);
    assert_eq!(verdict(&steady, &toy(120.0, 0.5)), Verdict::Slower);
    assert_eq!(
        verdict(&steady, &toy(102.0, 0.0)),
        Verdict::Same,
        "3 % is noise"
    );
    // The same changes, between runs with a spread of a tenth.
    let noisy = toy(100.0, 10.0);
    assert_eq!(verdict(&noisy, &toy(80.0, 8.0)), Verdict::Same);
    assert_eq!(verdict(&noisy, &toy(120.0, 12.0)), Verdict::Same);
    assert_eq!(verdict(&noisy, &toy(300.0, 12.0)), Verdict::Slower);

    let other = Record {
        device: "other".into(),
        ..toy(1.0, 0.0)
    };
    assert_eq!(
        compare(&other, &steady),
        Err(CompareError::Device("other".into()))
    );
    let mut more = toy(100.0, 0.5);
    more.shapes[0].clips = 2;
    let apart = compare(&more, &steady);
    assert!(
        matches!(apart, Err(CompareError::Nothing(_))),
        "another number of clips is not compared"
    );
}

fn bench(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .arg("bench")
        .args(args)
        .output()
        .unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The command, with everything that it writes.
#[test]
fn the_command_writes_its_results() {
    for device in ["cpu", "software"] {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        let mut args = vec!["--only", "n256", "--clips", "1", "--runs", "2"];
        args.extend(["--device", device]);
        let (old, csv, new, trace) = (text("old"), text("csv"), text("new"), text("trace"));
        let first = bench(&[&args[..], &["--baselines", "--json", &old, "--csv", &csv]].concat());
        assert!(first.status.success(), "{first:?}");
        let table = String::from_utf8(first.stdout).unwrap();
        assert!(
            table.contains("n256") && table.contains("copy kernel:"),
            "{table}"
        );
        assert!(table.contains("burn-signal"), "{table}");
        let label = match device {
            "cpu" => "NO GPU",
            _ => "SOFTWARE RASTERIZER",
        };
        assert!(table.contains(label), "{table}");

        let record: Record = serde_json::from_value(json(&path("old"))).unwrap();
        assert_eq!(record.shapes.len(), 1);
        let mut rows = csv::Reader::from_path(path("csv")).unwrap();
        let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 1 + record.shapes[0].baselines.len());
        assert_eq!(&rows[0][3], "n256");

        let compared = [
            &args[..],
            &["--json", &new, "--compare", &old, "--trace", &trace],
        ];
        let second = bench(&compared.concat());
        assert!(matches!(second.status.code(), Some(0 | 1)), "{second:?}");
        let table = String::from_utf8(second.stdout).unwrap();
        assert!(table.contains("of the old time"), "{table}");

        let all = json(&path("trace"));
        let events = all["traceEvents"].as_array().unwrap();
        let has = |name: &str| events.iter().any(|e| e["name"] == name);
        let mut wanted = vec![
            "classify: one batch",
            "train: one step",
            "decode",
            "resample",
        ];
        wanted.extend([
            "front end",
            "stft",
            "rgba",
            "forward",
            "backward",
            "optimizer",
        ]);
        wanted.push("read-back");
        if device == "software" {
            wanted.push("upload");
        }
        for name in wanted {
            assert!(has(name), "{device}: no span '{name}'");
        }
        inside(
            events,
            "train: one step",
            &["front end", "forward", "backward", "optimizer"],
        );
    }
}

/// Asserts that the parts lie within the whole and take most of its time.
fn inside(events: &[Value], whole: &str, parts: &[&str]) {
    let time = |e: &Value| {
        let begin = e["ts"].as_f64().unwrap();
        (begin, begin + e["dur"].as_f64().unwrap())
    };
    let whole = time(events.iter().find(|e| e["name"] == whole).unwrap());
    let inside: Vec<(f64, f64)> = events
        .iter()
        .filter(|e| parts.iter().any(|p| e["name"] == *p))
        .map(time)
        .filter(|t| t.0 >= whole.0 && t.1 <= whole.1)
        .collect();
    assert_eq!(inside.len(), parts.len());
    let sum: f64 = inside.iter().map(|t| t.1 - t.0).sum();
    assert!(sum > 0.5 * (whole.1 - whole.0), "{sum} of {whole:?}");
}

#[test]
fn errors_are_reported() {
    let stderr = |args: &[&str]| {
        let out = bench(args);
        assert_eq!(out.status.code(), Some(2), "{out:?}");
        String::from_utf8(out.stderr).unwrap()
    };
    assert!(stderr(&["--only", "nothing"]).contains("there are deeppixel"));
    assert!(stderr(&["--compare", "/nowhere"]).contains("cannot read /nowhere"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.json");
    std::fs::write(&path, "{}").unwrap();
    assert!(stderr(&["--compare", path.to_str().unwrap()]).contains("is not a record"));
}

/// Records of version 0.1.0, which called baselines rivals and features pictures.
#[test]
fn old_records_are_readable() {
    let stat = r#"{"median": 0.1, "spread": 0.0005}"#;
    let old = format!(
        r#"{{"sonoprint": "0.1.0", "device": "toy", "adapter": null, "software": true,
        "clock": "wall", "limits": [["buffer", 1]], "copy_gigabytes_per_second": 1.0, "runs": 9,
        "shapes": [{{"id": "a", "label": "a", "clips": 1, "audio_seconds": 30.0, "stft": {stat},
        "rgba": null, "wall": {stat}, "stft_bytes": 1, "rgba_bytes": 1, "rivals": [
        {{"name": "burn-signal", "db": {stat}, "picture": {stat}, "worst_db": 0.01,
        "wrong_picture": false}}, {{"name": "naive WGSL", "db": {stat}, "picture": null,
        "worst_db": 0.02}}]}}]}}"#
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.json");
    std::fs::write(&path, old).unwrap();
    let old = Record::read(&path).unwrap();
    let baselines = &old.shapes[0].baselines;
    assert_eq!(baselines[0].features.unwrap().median, 0.1);
    assert_eq!(baselines[1].features, None);
    assert_eq!(baselines[1].max_db_error, 0.02);
    let changes = compare(&old, &toy(80.0, 0.5)).unwrap();
    assert_eq!(changes[0].verdict, Verdict::Faster);
    old.write_json(&path).unwrap();
    assert_eq!(Record::read(&path).unwrap(), old);
}
