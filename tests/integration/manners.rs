//! Promises of `classify` to people and programs: what is said where, how a run stops, which files
//! are taken, and events.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{rendered, tones, wav};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.arg("classify").args(arguments);
    command.args(["--device", "cpu", "--model", &rendered()]);
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn classify(arguments: &[&str]) -> Output {
    command(arguments).output().unwrap()
}

fn string(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The events in a text. Every line of it is one.
fn events(lines: &str) -> Vec<Value> {
    let parse = |line: &str| -> Value {
        assert!(line.starts_with("{\"event\":\""), "{line}");
        serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))
    };
    lines.lines().map(parse).collect()
}

fn of_kind<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    events.iter().filter(|e| e["event"] == kind).collect()
}

#[test]
fn quiet_and_verbose_choose_what_is_said() {
    let folder = TempDir::new().unwrap();
    let music = tones(folder.path(), 2);
    fs::write(music.join("bad.wav"), b"RIFF").unwrap();
    let said = |flags: &[&str]| {
        let mut arguments = vec![text(&music)];
        arguments.extend(flags);
        let done = classify(&arguments);
        assert_eq!(done.status.code(), Some(1), "{}", string(&done.stderr));
        assert_eq!(string(&done.stdout).lines().count(), 3, "results stay");
        string(&done.stderr)
    };
    let plain = said(&[]);
    assert!(plain.contains("bad.wav: ") && plain.contains("2 files, 1 could not be read"));
    assert!(
        !plain.contains("was the limit") && !plain.contains("first answer"),
        "{plain}"
    );
    let verbose = said(&["-v"]);
    assert!(
        verbose.contains("was the limit") && verbose.contains("first answer"),
        "{verbose}"
    );
    let quiet = said(&["-q"]);
    assert!(
        quiet.contains("bad.wav: ") && quiet.lines().count() == 1,
        "{quiet}"
    );
    assert_eq!(said(&["-qq"]), "");
    let wrong = classify(&["no/such/file", "-qq"]);
    assert!(string(&wrong.stderr).contains("no such file or folder"));
}

#[test]
fn events_on_stderr_are_all_that_is_there() {
    let folder = TempDir::new().unwrap();
    let music = tones(folder.path(), 5);
    fs::write(music.join("bad.wav"), b"RIFF").unwrap();
    let table = folder.path().join("t.jsonl");
    let run = || classify(&[text(&music), "--out", text(&table), "--events", "-", "-v"]);
    let done = run();
    assert_eq!(done.status.code(), Some(1));
    let all = events(&string(&done.stderr));
    assert_eq!(all.iter().filter(|e| e["event"] == "started").count(), 1);
    let started = of_kind(&all, "started")[0];
    assert_eq!(
        (&started["version"], &started["done_before"]),
        (&1.into(), &0.into())
    );
    assert_eq!(started["fingerprint"].as_str().map(str::len), Some(12));
    assert!(started["total"].is_null() && started["pid"].is_u64());
    // The rows are those of the table.
    let mut rows: Vec<String> = string(&done.stderr)
        .lines()
        .filter_map(|line| line.strip_prefix(r#"{"event":"row","row":"#))
        .map(|row| row.strip_suffix('}').unwrap().to_owned())
        .collect();
    let mut lines: Vec<String> = fs::read_to_string(&table)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    rows.sort();
    lines.sort();
    assert_eq!(rows, lines);
    assert!(!of_kind(&all, "note").is_empty());
    let last = of_kind(&all, "progress").pop().unwrap();
    assert_eq!((&last["done"], &last["failed"]), (&6.into(), &1.into()));
    let end = all.last().unwrap();
    assert_eq!(
        (&end["event"], &end["reason"]),
        (&"finished".into(), &"done".into())
    );
    assert_eq!(
        (&end["ok"], &end["failed"], &end["exit_code"]),
        (&5.into(), &1.into(), &1.into())
    );

    let again = events(&string(&run().stderr));
    assert_eq!(of_kind(&again, "started")[0]["done_before"], 6);
    assert!(of_kind(&again, "row").is_empty());
    let wrong = classify(&["no/such/file", "--events", "-"]);
    let wrong = events(&string(&wrong.stderr));
    assert_eq!(
        (&wrong[0]["reason"], &wrong[0]["exit_code"]),
        (&"failed".into(), &2.into())
    );
    assert!(
        wrong[0]["message"]
            .as_str()
            .unwrap()
            .contains("no/such/file")
    );
}

#[test]
fn events_go_to_files_and_descriptors_and_a_lost_reader_costs_nothing() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let music = tones(folder.path(), 3);
    let file = at("events.ndjson");
    for _ in 0..2 {
        // The second run replaces its own file.
        let done = classify(&[text(&music), "--events", text(&file)]);
        assert!(done.status.success() && string(&done.stderr).contains("3 files"));
        let all = events(&fs::read_to_string(&file).unwrap());
        assert_eq!(of_kind(&all, "row").len(), 3);
        assert!(!of_kind(&all, "note").is_empty());
    }
    let foreign = at("music/00.wav");
    let refused = classify(&[text(&music), "--events", text(&foreign)]);
    assert_eq!(
        refused.status.code(),
        Some(2),
        "{}",
        string(&refused.stderr)
    );
    #[cfg(unix)]
    {
        let run = |script: &str| {
            let mut shell = Command::new("sh");
            shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_sonoprint")]);
            shell.args([text(&music), &rendered(), text(&at("t.csv"))]);
            shell.output().unwrap()
        };
        let base = r#""$1" classify "$2" --device cpu --model "$3" --out "$4" --fresh"#;
        let passed = run(&format!("{base} --events fd:3 3>&1 >/dev/null"));
        assert!(passed.status.success(), "{}", string(&passed.stderr));
        assert_eq!(of_kind(&events(&string(&passed.stdout)), "row").len(), 3);
        let closed = run(&format!("{base} --events fd:9"));
        assert_eq!(closed.status.code(), Some(2));
        assert!(
            string(&closed.stderr).contains("fd:9"),
            "{}",
            string(&closed.stderr)
        );
        let lost = run(&format!(
            "( {base} --events fd:3; echo $? >&4 ) 4>&1 3>&1 >/dev/null | sed -n 1q"
        ));
        assert!(lost.status.success());
        assert_eq!(fs::read_to_string(at("t.csv")).unwrap().lines().count(), 4);
    }
}

/// Ctrl-C stops a run that waits for names, says how to go on, and loses nothing.
#[cfg(unix)]
#[test]
fn ctrl_c_stops_softly_and_the_same_command_goes_on() {
    let folder = TempDir::new().unwrap();
    let music = tones(folder.path(), 4);
    let out = folder.path().join("t.csv");
    let names: Vec<String> = (0..4)
        .map(|i| format!("{}/{i:02}.wav\n", text(&music)))
        .collect();
    // Whoever started the tests may ignore signals, which a child would inherit.
    let usual = command(&["--files-from", "-", "--out", text(&out), "--events", "-"]);
    let mut first = Command::new("env");
    let mut first = first
        .arg("--default-signal")
        .arg(usual.get_program())
        .args(usual.get_args())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = first.stdin.take().unwrap();
    std::io::Write::write_all(&mut stdin, (names[0].clone() + &names[1]).as_bytes()).unwrap();
    let mut lines = BufReader::new(first.stderr.take().unwrap()).lines();
    let mut seen = Vec::new();
    let mut rows = 0;
    while rows < 2 {
        let line = lines.next().unwrap().unwrap();
        rows += usize::from(line.starts_with(r#"{"event":"row""#));
        seen.push(line);
    }
    // The list is not at its end: the run waits for the next name.
    let kill = Command::new("kill")
        .args(["-INT", &first.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    seen.extend(lines.map(Result::unwrap));
    assert_eq!(first.wait().unwrap().code(), Some(130));
    drop(stdin);
    let all = events(&seen.join("\n"));
    let notes: Vec<_> = of_kind(&all, "note")
        .iter()
        .map(|e| e["message"].to_string())
        .collect();
    let notes = notes.join("\n");
    assert!(
        notes.contains("the same command goes on where it stopped"),
        "{notes}"
    );
    assert!(notes.contains(text(&out)), "{notes}");
    let end = all.last().unwrap();
    assert_eq!((&end["reason"], &end["ok"]), (&"stopped".into(), &2.into()));

    let list = folder.path().join("list");
    fs::write(&list, names.concat()).unwrap();
    let again = classify(&["--files-from", text(&list), "--out", text(&out)]);
    assert!(again.status.success());
    assert!(string(&again.stderr).contains("2 files are done already"));
    assert_eq!(fs::read_to_string(&out).unwrap().lines().count(), 5);
}

#[test]
fn globs_and_depth_choose_files_and_list_shows_them() {
    let folder = TempDir::new().unwrap();
    let root = folder.path().join("music");
    for name in [
        "1.wav",
        "live/2.wav",
        "live/3.flac",
        "live/deep/4.wav",
        "demos/5.wav",
        "demos/karaoke 6.wav",
    ] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        wav(&path, 0.5, 440.0);
    }
    let listed = |flags: &[&str]| -> (Vec<String>, String) {
        let mut arguments = vec![text(&root), "--list"];
        arguments.extend(flags);
        let done = classify(&arguments);
        assert!(done.status.success(), "{}", string(&done.stderr));
        let short = |line: &str| line.rsplit("music/").next().unwrap().to_owned();
        (
            string(&done.stdout).lines().map(short).collect(),
            string(&done.stderr),
        )
    };
    assert_eq!(listed(&[]).0.len(), 6);
    let (files, said) = listed(&["--include", "*.flac", "--include", "/1.*"]);
    assert_eq!(files, ["1.wav", "live/3.flac"]);
    assert!(said.contains("2 files would be classified"), "{said}");
    assert!(said.contains("4 files that no pattern includes"), "{said}");
    assert_eq!(
        listed(&["--include", "live/**"]).0,
        ["live/2.wav", "live/3.flac", "live/deep/4.wav"]
    );
    let (files, said) = listed(&["--exclude", "*karaoke*", "--exclude", "live/"]);
    assert_eq!(files, ["1.wav", "demos/5.wav"]);
    assert!(said.contains("2 excluded files and folders"), "{said}");
    let (files, said) = listed(&["--max-depth", "2"]);
    assert_eq!(files.len(), 5);
    assert!(said.contains("1 folder that is too deep"), "{said}");
    let wrong = classify(&[text(&root), "--include", "a{"]);
    assert_eq!(wrong.status.code(), Some(2));

    // What is done is left out, and nothing is loaded or written.
    let out = folder.path().join("t.csv");
    let done = classify(&[text(&root), "--include", "1.wav", "--out", text(&out), "-q"]);
    assert!(done.status.success() && done.stderr.is_empty());
    let before = fs::read(&out).unwrap();
    let (files, said) = listed(&["--out", text(&out), "-v"]);
    assert_eq!((files.len(), fs::read(&out).unwrap()), (5, before));
    assert!(
        said.contains("1 are done already") && said.contains("done already: "),
        "{said}"
    );
    let zero = classify(&[text(&root), "--list", "-0"]);
    assert_eq!(zero.stdout.iter().filter(|&&b| b == 0).count(), 6);
}

#[test]
fn colors_are_for_terminals_and_for_those_who_ask() {
    let folder = TempDir::new().unwrap();
    let music = tones(folder.path(), 1);
    let colored = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut command = command(&[text(&music)]);
        let done = command
            .args(flags)
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        done.stdout.contains(&0x1b)
    };
    assert!(!colored(&[], &[]));
    assert!(colored(&["--color", "always"], &[]));
    assert!(colored(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(colored(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn a_label_track_is_about_one_file() {
    let folder = TempDir::new().unwrap();
    let at = |name: &str| folder.path().join(name);
    let music = tones(folder.path(), 1);
    wav(&at("long.wav"), 25.0, 440.0);
    let (out, track) = (at("t.csv"), at("labels.txt"));
    let run = |input: &Path| {
        let (out, track) = (text(&out), text(&track));
        classify(&[text(input), "--out", out, "--timeline", track, "--fresh"])
    };
    for _ in 0..2 {
        let done = run(&at("long.wav"));
        assert!(done.status.success(), "{}", string(&done.stderr));
    }
    let labels = fs::read_to_string(&track).unwrap();
    let lines: Vec<Vec<&str>> = labels.lines().map(|l| l.split('\t').collect()).collect();
    assert_eq!(lines.len(), 3, "{labels}");
    assert_eq!(lines[0][..2], ["0.000", "10.000"]);
    assert_eq!(lines[2][..2], ["15.000", "25.000"]);
    assert!(
        lines.iter().all(|l| l.len() == 3 && l[2].ends_with('%')),
        "{labels}"
    );
    let refused = run(&music);
    assert_eq!(refused.status.code(), Some(2));
    assert!(string(&refused.stderr).contains("one audio file"));
    // A track that Audacity exported is somebody's work.
    fs::write(&track, "0.000000\t10.000000\tjazz\n").unwrap();
    let refused = run(&at("long.wav"));
    assert_eq!(
        refused.status.code(),
        Some(2),
        "{}",
        string(&refused.stderr)
    );
    let table = classify(&[text(&music), "--out", text(&at("x.txt"))]);
    assert!(string(&table.stderr).contains("hold clips only"));
}
