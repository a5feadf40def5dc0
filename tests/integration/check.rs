//! Promise: `sonoprint check` holds a device against the CPU and says what it found.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn sonoprint(cache: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.env("XDG_CACHE_HOME", cache).args(args);
    command.output().unwrap()
}

/// The table has a line per comparison, the record has the same, and the verdict is kept.
#[test]
fn a_device_that_computes_right_passes() {
    let _turn = crate::support::turn();
    let cache = tempfile::tempdir().unwrap();
    let record = cache.path().join("check.json");
    let args = ["check", "--device", "software", "--short", "--json"];
    let done = sonoprint(
        cache.path(),
        &[&args[..], &[record.to_str().unwrap()]].concat(),
    );
    let text = String::from_utf8(done.stdout).unwrap();
    assert_eq!(done.status.code(), Some(0), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.starts_with("ok ")), "{text}");
    let record: Value = serde_json::from_slice(&std::fs::read(&record).unwrap()).unwrap();
    assert_eq!(
        (&record["check"], &record["passed"]),
        (&1.into(), &true.into())
    );
    let comparisons = record["comparisons"].as_array().unwrap();
    assert_eq!(comparisons.len(), lines.len());
    for (comparison, line) in comparisons.iter().zip(lines) {
        assert!(
            line.contains(comparison["what"].as_str().unwrap()),
            "{line}"
        );
        let number = |key: &str| comparison[key].as_f64().unwrap();
        assert!(number("difference") <= number("tolerance"));
    }
    let verdicts = std::fs::read(cache.path().join("sonoprint/checks.json")).unwrap();
    let verdicts: Value = serde_json::from_slice(&verdicts).unwrap();
    let verdicts: Vec<&Value> = verdicts.as_object().unwrap().values().collect();
    assert_eq!(verdicts, ["right"]);
}

/// The CPU is not held against itself, and a foreign file is not written over.
#[test]
fn what_makes_no_sense_is_refused() {
    let cache = tempfile::tempdir().unwrap();
    let done = sonoprint(cache.path(), &["check", "--device", "cpu"]);
    assert_eq!(done.status.code(), Some(2));
    let foreign = cache.path().join("notes.json");
    std::fs::write(&foreign, "mine").unwrap();
    let path = foreign.to_str().unwrap();
    let done = sonoprint(
        cache.path(),
        &["check", "--device", "software", "--json", path],
    );
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(std::fs::read(&foreign).unwrap(), b"mine");
}
