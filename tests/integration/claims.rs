//! Promise: nothing is written over an input, another program's file or another output, and `-` is
//! stdout. Linux only, because the test needs its special files.
#![cfg(target_os = "linux")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::support::{rendered, tones};

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Runs the program with `arguments` in `folder`.
fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    if arguments[0] == "classify" {
        command.args(["--device", "cpu", "--model", &rendered()]);
    }
    command.output().unwrap()
}

/// Runs the program, which must refuse with a message that has `what`.
fn refused(folder: &Path, arguments: &[&str], what: &str) {
    let done = run_in(folder, arguments);
    let told = words(&done);
    assert_eq!(done.status.code(), Some(2), "{arguments:?}: {told}");
    assert!(told.contains(what), "{arguments:?}: {told}");
}

/// No output is written over an input or over a file of another program, and no two outputs are the
/// same file, by any name.
#[test]
fn tables_refuse_what_is_not_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    tones(root, 1);
    let at = |name: &str| root.join(name);
    std::fs::write(at("notes.csv"), "title,artist\nSo What,Miles Davis\n").unwrap();
    std::fs::write(at("notes.jsonl"), "{\"path\": \"a\", \"status\": 1}\n").unwrap();
    std::fs::write(at("notes.parquet"), "PAR1 of somebody PAR1").unwrap();
    std::fs::write(at("list.csv.journal"), "dear diary\n").unwrap();
    let made = Command::new("mkfifo").arg(at("pipe.csv")).status().unwrap();
    assert!(made.success());
    symlink("new.csv", at("link.csv")).unwrap();
    std::fs::write(at("empty.csv"), "").unwrap();
    std::fs::hard_link(at("empty.csv"), at("hard.csv")).unwrap();
    let before = |name: &str| std::fs::read(at(name)).unwrap();
    let kept = [
        "notes.csv",
        "notes.jsonl",
        "notes.parquet",
        "list.csv.journal",
        "music/00.wav",
    ];
    let contents = kept.map(before);
    for (outputs, what) in [
        (
            &["--out", "music/00.wav"][..],
            "no format has the ending .wav",
        ),
        (
            &["--out", "music/00.wav", "--format", "csv"],
            "is the input music/00.wav",
        ),
        (
            &["--out", "notes.csv"],
            "is not a CSV table that sonoprint wrote",
        ),
        (
            &["--out", "notes.jsonl"],
            "is not a table in JSON Lines that sonoprint wrote",
        ),
        (
            &["--out", "notes.parquet"],
            "is not a Parquet table that sonoprint wrote",
        ),
        (&["--out", "notes.csv", "--fresh"], "is not a CSV table"),
        (
            &["--out", "list.csv", "--fresh"],
            "list.csv.journal exists, and it is not a journal",
        ),
        (
            &["--out", "a.csv", "--timeline", "notes.csv"],
            "is not a CSV table",
        ),
        (
            &["--out", "a.csv", "--embeddings", "notes.jsonl"],
            "is not a table in JSON Lines",
        ),
        (
            &["--out", "a.csv", "--embeddings", "b.csv"],
            "cannot hold embeddings",
        ),
        (
            &["--out", "a.csv", "--timeline", "b.npy"],
            "holds embeddings only",
        ),
        (&["--out", "a.xlsx"], "no format has the ending .xlsx"),
        (&["--out", "a.tsv"], "no format has the ending .tsv"),
        (&["--out", "pipe.csv"], "is a pipe, not a regular file"),
        (
            &["--out", "a.csv", "--timeline", "pipe.csv"],
            "is a pipe, not a regular file",
        ),
        (
            &["--out", "/dev/null", "--format", "csv"],
            "is a device, not a regular file",
        ),
        (&["--out", "music", "--format", "csv"], "is a folder"),
        (
            &["--out", "a.csv", "--timeline", "./a.csv"],
            "are the same file",
        ),
        (
            &["--out", "link.csv", "--timeline", "new.csv"],
            "are the same file",
        ),
        (
            &["--out", "empty.csv", "--timeline", "hard.csv"],
            "are the same file",
        ),
        (
            &["--out", "-", "--timeline", "-"],
            "cannot both go to stdout",
        ),
        (&["--out", "-", "--timeline", "b.csv"], "need the journal"),
        (&["--out", "-", "--sorted"], "add --out FILE"),
        (
            &["--out", "-", "--format", "parquet"],
            "is written to a file",
        ),
    ] {
        let arguments = [&["classify", "music/00.wav"], outputs].concat();
        refused(root, &arguments, what);
    }
    assert!(kept.map(before) == contents);
    assert!(!at("a.csv").exists() && !at("-").exists());
    // A list of files and the model are inputs, too.
    std::fs::write(at("list"), "music/00.wav\n").unwrap();
    let list = ["classify", "--files-from", "list", "--out", "list"];
    refused(root, &list, "the output list is the input list");
    // An empty file and a table of ours are no loss.
    for _ in 0..2 {
        let done = run_in(root, &["classify", "music/00.wav", "--out", "empty.csv"]);
        assert!(done.status.success(), "{}", words(&done));
    }
    let merged = ["merge", "empty.csv", "--out", "notes.csv"];
    refused(root, &merged, "is not a CSV table");
    refused(
        root,
        &[
            "merge",
            "empty.csv",
            "--out",
            "x.csv",
            "--timeline",
            "hard.csv",
        ],
        "without --timeline",
    );
}

/// `-` is stdout, for each table.
#[test]
fn a_dash_is_stdout() {
    let folder = tempfile::tempdir().unwrap();
    tones(folder.path(), 2);
    let stdout = |arguments: &[&str]| {
        let done = run_in(folder.path(), arguments);
        assert!(done.status.success(), "{arguments:?}: {}", words(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    let out = stdout(&["classify", "music", "--out", "-"]);
    assert!(
        out.starts_with("path,status,genre,") && out.lines().count() == 3,
        "{out}"
    );
    let clips = stdout(&[
        "classify",
        "music",
        "--out",
        "a.csv",
        "--timeline",
        "-",
        "--sorted",
    ]);
    assert!(
        clips.starts_with("path,start,end,") && clips.lines().count() == 3,
        "{clips}"
    );
    let vectors = stdout(&["classify", "music", "--out", "b.csv", "--embeddings", "-"]);
    assert!(
        vectors.starts_with("{\"path\":") && vectors.lines().count() == 2,
        "{vectors}"
    );
    let merged = stdout(&["merge", "a.csv", "--out", "-"]);
    assert_eq!(merged, text(&folder.path().join("a.csv")));
    let export = ["model", "export", &rendered(), "--out", "-"];
    let done = run_in(folder.path(), &export);
    assert!(done.status.success(), "{}", words(&done));
    assert!(done.stdout[8..].starts_with(b"{\"__metadata__\":{\"sonoprint\":"));
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .flatten()
        .collect();
    assert_eq!(
        names.len(),
        5,
        "music, two tables and their journals: {names:?}"
    );
}

/// Exports have the mode of any new file, replace an earlier export, and nothing else.
#[test]
fn exports_refuse_what_is_not_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let model = root.join("model.safetensors");
    std::fs::copy(rendered(), &model).unwrap();
    std::fs::write(root.join("notes.safetensors"), "notes").unwrap();
    let export = |more: &[&'static str]| [&["model", "export", "model.safetensors"], more].concat();
    for _ in 0..2 {
        let arguments = export(&[
            "--out",
            "out.safetensors",
            "--example",
            "example.safetensors",
        ]);
        let script = "umask 027; exec \"$@\"";
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash", env!("CARGO_BIN_EXE_sonoprint")]);
        let done = command.args(arguments).current_dir(root).output().unwrap();
        assert!(done.status.success(), "{}", words(&done));
        for name in ["out.safetensors", "example.safetensors"] {
            let mode = std::fs::metadata(root.join(name))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o640, "{name}");
        }
    }
    for (outputs, what) in [
        (&["--out", "./model.safetensors"][..], "is the input"),
        (
            &["--out", "notes.safetensors"],
            "is not a checkpoint that sonoprint wrote",
        ),
        (
            &["--out", "new.safetensors", "--example", "out.safetensors"],
            "is not an example",
        ),
        (
            &["--out", "new.safetensors", "--example", "new.safetensors"],
            "are the same file",
        ),
        (&["--out", "/dev/full"], "is a device"),
    ] {
        refused(root, &export(outputs), what);
    }
    assert!(std::fs::read(&model).unwrap() == std::fs::read(rendered()).unwrap());
    assert!(!root.join("new.safetensors").exists());
}

/// Images of two files never share a name, in one run or in two, and `images.csv` says which is
/// which.
#[test]
fn an_image_does_not_replace_another_files() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for (disc, hz) in [("one", 220.0), ("two", 3300.0)] {
        std::fs::create_dir(root.join(disc)).unwrap();
        crate::support::wav(&root.join(disc).join("song.wav"), 1.0, hz);
    }
    let draw = |disc: &str| {
        let arguments = ["spectrogram", disc, "--out", "images", "--size", "32x32"];
        let done = run_in(
            root,
            &[&arguments[..], &["--clip-seconds", "1", "--device", "cpu"]].concat(),
        );
        assert!(done.status.success(), "{}", words(&done));
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(draw("one"), "images/song.png\n");
    let one = std::fs::read(root.join("images/song.png")).unwrap();
    assert_eq!(draw("two"), "images/song-2.png\n");
    assert_eq!(draw("one"), "images/song.png\n");
    let two = std::fs::read(root.join("images/song-2.png")).unwrap();
    assert!(std::fs::read(root.join("images/song.png")).unwrap() == one && one != two);
    let list = text(&root.join("images/images.csv"));
    let real = |disc: &str| root.join(disc).join("song.wav").canonicalize().unwrap();
    let (one, two) = (real("one"), real("two"));
    let want = format!(
        "image,file,clip\nsong.png,{},0\nsong-2.png,{},0\n",
        one.display(),
        two.display()
    );
    assert_eq!(list, want);
    assert_eq!(std::fs::read_dir(root.join("images")).unwrap().count(), 3);
}

/// A folder with a file that a run or a report would write, and no run.
#[test]
fn folders_refuse_what_is_not_theirs() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    crate::support::toy::toy(&root.join("toy"));
    std::fs::create_dir(root.join("mine")).unwrap();
    std::fs::write(root.join("mine/report.html"), "<p>mine</p>").unwrap();
    refused(
        root,
        &["train", "toy", "--out", "mine", "--device", "cpu"],
        "mine/report.html exists, and there is no run beside it",
    );
    refused(
        root,
        &["evaluate", "toy", "--out", "mine", "--model", &rendered()],
        "is not a report that sonoprint wrote",
    );
    assert_eq!(text(&root.join("mine/report.html")), "<p>mine</p>");
    refused(root, &["evaluate", "toy", "--out", "-"], "- is stdout");
    refused(root, &["train", "toy", "--out", "-"], "- is stdout");
}
