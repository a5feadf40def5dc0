//! Promise: full disks, folders that vanish and files that are not regular end in a clear message,
//! and nothing that was written is lost. Linux only, because the test needs its special files.
#![cfg(target_os = "linux")]

use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{rendered, tones};

fn sonoprint() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(["classify", "--device", "cpu", "--model", &rendered()]);
    command
}

fn words(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Returns each file's name, and its status, reason and message.
fn rows(csv: &Path) -> Vec<(String, String)> {
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let mut rows: Vec<_> = reader
        .records()
        .map(|r| {
            let r = r.unwrap();
            let name = r[0].rsplit('/').next().unwrap().to_owned();
            (name, format!("{} {} {}", &r[1], &r[10], &r[11]))
        })
        .collect();
    rows.sort();
    rows
}

/// A limit on the size of files stands for a full disk: writes fail from there on, in the middle of
/// a line. When there is room again, the same command gives the same table.
#[test]
fn a_full_disk_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 24);
    let whole = folder.path().join("whole.csv");
    let done = sonoprint()
        .arg(&music)
        .args(["--sorted", "--out"])
        .arg(&whole)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", words(&done));
    for kilobytes in [1, 2, 4] {
        let out = folder.path().join(format!("{kilobytes}.csv"));
        // Blocks of 1 KiB; without the trap the system would end the program with a signal.
        let script = format!("trap '' XFSZ; ulimit -f {kilobytes}; exec \"$@\"");
        let full = Command::new("bash")
            .args(["-c", &script, "bash", env!("CARGO_BIN_EXE_sonoprint")])
            .args(["classify", "--device", "cpu", "--model", &rendered()])
            .args(["--sorted", "--out"])
            .arg(&out)
            .arg(&music)
            .output()
            .unwrap();
        assert_eq!(full.status.code(), Some(2), "{}", words(&full));
        assert!(words(&full).contains("File too large"), "{}", words(&full));
        let again = sonoprint()
            .arg(&music)
            .args(["--sorted", "--out"])
            .arg(&out)
            .output()
            .unwrap();
        assert!(again.status.success(), "{}", words(&again));
        assert!(kilobytes == 1 || words(&again).contains("are done already"));
        assert_eq!(text(&out), text(&whole));
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 1);
    // Nobody can create files there, not even root.
    let done = sonoprint()
        .arg(&music)
        .args(["--out", "/proc/rows.csv"])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(
        words(&done).contains("cannot write /proc/rows.csv"),
        "{}",
        words(&done)
    );
    let done = sonoprint()
        .arg(&music)
        .args(["--format", "parquet"])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(words(&done).contains("add --out FILE"), "{}", words(&done));
}

/// A run into a file does not need stdout and stderr. A run whose results go to stdout ends with
/// its error.
#[test]
fn closed_streams_do_not_end_a_run_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 4);
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let out = folder.path().join("rows.csv");
    let mut command = sonoprint();
    command.arg(&music).arg("--out").arg(&out);
    let status = command.stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert_eq!(rows(&out).len(), 4);
    for more in [&[][..], &["--format", "csv"][..]] {
        let mut command = sonoprint();
        command.arg(&music).args(more).stdout(full());
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{}", words(&done));
        assert!(words(&done).contains("No space left"), "{}", words(&done));
        assert!(!words(&done).contains("panicked"), "{}", words(&done));
    }
}

/// Waits until a run has written a few rows.
fn in_the_middle(journal: &Path) {
    let start = Instant::now();
    while std::fs::read_to_string(journal).map_or(0, |t| t.lines().count()) < 3 {
        assert!(start.elapsed() < Duration::from_secs(60), "no rows");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A table that was removed during the run is rebuilt. If its journal was removed too, the run ends
/// with a message instead of writing to a file that nobody can open.
#[test]
fn outputs_removed_underneath() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 60);
    for all in [false, true] {
        let place = folder.path().join(format!("out-{all}"));
        std::fs::create_dir(&place).unwrap();
        let out = place.join("rows.csv");
        // The list comes through a pipe that stays open until the files are removed, so that the
        // run cannot end too early.
        let mut child = sonoprint()
            .args(["--files-from", "-", "--out"])
            .arg(&out)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut files: Vec<PathBuf> = std::fs::read_dir(&music)
            .unwrap()
            .map(|e| e.unwrap().path())
            .collect();
        files.sort();
        let mut stdin = child.stdin.take().unwrap();
        let mut name = |file: &PathBuf| {
            use std::io::Write;
            // A run that has ended has closed the pipe.
            let _ = writeln!(stdin, "{}", file.display());
        };
        files[..40].iter().for_each(&mut name);
        in_the_middle(&place.join("rows.csv.journal"));
        match all {
            false => std::fs::remove_file(&out).unwrap(),
            true => std::fs::remove_dir_all(&place).unwrap(),
        }
        files[40..].iter().for_each(&mut name);
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        if all {
            assert_eq!(done.status.code(), Some(2));
            assert!(
                words(&done).contains("was removed while rows were added"),
                "{}",
                words(&done)
            );
        } else {
            assert!(done.status.success(), "{}", words(&done));
            assert_eq!(rows(&out).len(), 60);
        }
    }
}

/// Pipes, devices, files that cannot be read, links that lead nowhere and names that are not UTF-8
/// give one row each, and none blocks the run.
#[test]
fn strange_things_are_rows() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 2);
    let at = |name: &str| music.join(name);
    let made = Command::new("mkfifo").arg(at("pipe.wav")).status().unwrap();
    assert!(made.success());
    symlink("/dev/zero", at("zero.flac")).unwrap();
    std::fs::copy(at("00.wav"), at("forbidden.mp3")).unwrap();
    std::fs::set_permissions(at("forbidden.mp3"), Permissions::from_mode(0o000)).unwrap();
    symlink("nowhere.wav", at("dangling.wav")).unwrap();
    std::fs::copy(at("00.wav"), music.join(OsStr::from_bytes(b"caf\xe9.wav"))).unwrap();
    std::fs::create_dir(at("folder.wav")).unwrap();
    symlink("..", at("folder.wav/loop")).unwrap();
    let out = folder.path().join("rows.csv");
    // Root can read everything, unless it drops that capability.
    let mut command = match std::fs::File::open(at("forbidden.mp3")) {
        Ok(_) => {
            let mut command = Command::new("setpriv");
            command.args(["--bounding-set", "-dac_override,-dac_read_search"]);
            command.arg(env!("CARGO_BIN_EXE_sonoprint"));
            command
        }
        Err(_) => Command::new(env!("CARGO_BIN_EXE_sonoprint")),
    };
    command.args([
        "classify",
        "--device",
        "cpu",
        "--model",
        &rendered(),
        "--out",
    ]);
    command.args([&out, &music]);
    let done = command.output().unwrap();
    assert_eq!(done.status.code(), Some(1), "{}", words(&done));
    let told: Vec<(String, String)> = rows(&out);
    let told: Vec<(&str, &str)> = told
        .iter()
        .map(|(a, b)| (a.as_str(), b.trim_end()))
        .collect();
    assert_eq!(
        told,
        [
            ("00.wav", "ok"),
            ("01.wav", "ok"),
            ("caf\\xe9.wav", "ok"),
            (
                "dangling.wav",
                "failed io No such file or directory (os error 2)"
            ),
            ("forbidden.mp3", "failed io Permission denied (os error 13)"),
            ("loop", "failed io a link that leads back to its own folder"),
            ("pipe.wav", "failed io not a regular file"),
            ("zero.flac", "failed io not a regular file"),
        ]
    );
    // The journal recognizes the name that is not UTF-8.
    assert!(words(&command.output().unwrap()).contains("8 files are done already"));
    // A pipe that is named on the command line does not block either.
    let done = sonoprint().arg(at("pipe.wav")).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(
        words(&done).contains("not a regular file"),
        "{}",
        words(&done)
    );
}

/// A file that vanishes between being found and being read gives a row that says so.
#[test]
fn a_vanished_file_is_a_row() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 1);
    let list = folder.path().join("list");
    let gone = music.join("gone.wav");
    std::fs::write(
        &list,
        format!("{}\n{}\n", gone.display(), music.join("00.wav").display()),
    )
    .unwrap();
    let out = folder.path().join("rows.csv");
    let done = sonoprint()
        .arg("--files-from")
        .arg(&list)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let rows = rows(&out);
    assert!(rows[1].1.contains("failed io No such file"), "{rows:?}");
}

/// A folder of a hundred thousand entries gives one row per entry, in bounded memory and time.
#[test]
fn a_hundred_thousand_entries() {
    let folder = tempfile::tempdir().unwrap();
    let music = tones(folder.path(), 1);
    for i in 0..100_000 {
        std::fs::File::create(music.join(format!("{i:06}.mp3"))).unwrap();
    }
    let out = folder.path().join("rows.csv");
    let done = sonoprint()
        .arg(&music)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert!(
        words(&done).contains("1 files, 100000 could not be read"),
        "{}",
        &words(&done)[words(&done).len() - 600..]
    );
    assert_eq!(rows(&out).len(), 100_001);
}

/// A training run survives streams that are closed or full, and its files have the mode of any new
/// file.
#[test]
fn training_does_not_need_its_streams() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    crate::support::toy::toy(&root.join("toy"));
    for (i, streams) in [
        "2>/dev/full",
        ">/dev/full 2>&1",
        "2>&-",
        ">&- 2>&-",
        "| head -n 1",
    ]
    .iter()
    .enumerate()
    {
        let run = format!("run-{i}");
        let script = format!(
            "set -o pipefail; umask 022; \"$0\" train toy --out {run} --epochs 1 --batch 10 \
             --clip-seconds 0.5 --size 16x16 --device cpu {streams}"
        );
        let status = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_sonoprint")])
            .current_dir(root)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(0), "{streams}");
        for name in [
            "report.html",
            "metrics.json",
            "best.safetensors",
            "last.state",
        ] {
            let metadata = std::fs::metadata(root.join(&run).join(name));
            let metadata = metadata.unwrap_or_else(|e| panic!("{streams}: {name}: {e}"));
            assert_eq!(metadata.permissions().mode() & 0o777, 0o644, "{name}");
        }
    }
    // A report is replaced by another.
    let done = Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .args(["evaluate", "toy", "--out", "run-0", "--device", "cpu"])
        .args(["--model", "run-0/best.safetensors"])
        .current_dir(root)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", words(&done));
}

/// A training run goes on when its terminal is closed: bars and lines are for people.
#[test]
fn training_survives_its_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    crate::support::toy::toy(&root.join("toy"));
    // `script` makes a terminal. In another session, its end is no signal to the program.
    let command = format!(
        "exec setsid --wait {} train toy --out run --epochs 12 --batch 10 --clip-seconds 0.5 \
         --size 32x32 --device cpu >/dev/null",
        env!("CARGO_BIN_EXE_sonoprint")
    );
    let mut script = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let wait = |name: &str, what: &str| {
        let start = Instant::now();
        let path = root.join("run").join(name);
        while !std::fs::read_to_string(&path).is_ok_and(|text| text.contains(what)) {
            assert!(
                start.elapsed() < Duration::from_secs(120),
                "no {what} in {name}"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    wait("metrics.csv", "\n1,");
    script.kill().unwrap();
    script.wait().unwrap();
    wait("metrics.json", "\"epoch\": 12");
}
