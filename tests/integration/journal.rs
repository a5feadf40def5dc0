//! Promise: no file is lost and none is classified twice, whatever happens to a run; several
//! machines can share a folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support::{rendered, wav};
use sonoprint::dataset::gtzan::GENRES;
use sonoprint::model::{Checkpoint, Network};

fn sonoprint(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(arguments).args(["--device", "cpu"]);
    if !arguments.contains(&"--model") {
        command.args(["--model", &rendered()]);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    sonoprint(arguments).output().unwrap()
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// Writes forty tones of a few clips each into two folders, and two files that are not audio.
fn music(root: &Path) {
    for i in 0..40u32 {
        let folder = root.join(format!("disc{}", i % 2));
        std::fs::create_dir_all(&folder).unwrap();
        let seconds = 4.0 + f64::from(i % 5) * 9.0;
        let path = folder.join(format!("{i:02}.wav"));
        wav(&path, seconds, 110.0 * f64::from(i + 1));
    }
    std::fs::write(root.join("disc0/empty.mp3"), b"").unwrap();
    std::fs::write(root.join("disc1/noise.flac"), [0x5a; 3000]).unwrap();
}

struct Place {
    _folder: tempfile::TempDir,
    music: String,
    root: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        music(&root.join("music"));
        Self {
            music: root.join("music").to_str().unwrap().to_owned(),
            root,
            _folder: folder,
        }
    }

    fn at(&self, name: &str) -> String {
        self.root.join(name).to_str().unwrap().to_owned()
    }
}

/// A run that is killed at any of twenty moments and resumed gives the table of an unbroken run, to
/// the byte.
#[test]
fn a_killed_run_is_taken_up() {
    let place = Place::new();
    let whole = place.at("whole.csv");
    let (music, timeline) = (place.music.as_str(), place.at("whole.timeline.csv"));
    let start = Instant::now();
    let arguments = ["classify", music, "--sorted", "--workers", "2", "--out"];
    let done = run(&[&arguments[..], &[&whole, "--timeline", &timeline]].concat());
    let took = start.elapsed();
    assert_eq!(done.status.code(), Some(1), "two files cannot be read");
    let want = text(Path::new(&whole));
    assert_eq!(want.lines().count(), 1 + 42);

    let (mut killed, mut resumed) = (0, 0);
    for i in 0..20u32 {
        let out = place.at(&format!("killed-{i}.csv"));
        let clips = place.at(&format!("killed-{i}.timeline.csv"));
        let more = [out.as_str(), "--timeline", clips.as_str()];
        let command = [&arguments[..], &more[..]].concat();
        let mut child = sonoprint(&command)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(f64::from(i) / 20.0) + Duration::from_millis(3));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let again = run(&command);
        assert_eq!(again.status.code(), Some(1));
        let stderr = String::from_utf8(again.stderr).unwrap();
        resumed += u32::from(stderr.contains("are done already"));
        assert!(text(Path::new(&out)) == want, "kill {i} changed the table");
        assert!(
            text(Path::new(&clips)) == text(Path::new(&timeline)),
            "kill {i}"
        );
        let journal = text(Path::new(&format!("{out}.journal")));
        let files = journal.lines().filter(|l| l.contains("\"file\"")).count();
        assert_eq!(files, 42, "kill {i}: no file was done twice");
    }
    // On a busy machine some runs end before they are killed.
    assert!(
        killed >= 5 && resumed >= 3,
        "{killed} killed, {resumed} resumed"
    );
}

#[test]
fn only_what_is_new_or_changed_is_done_again() {
    let place = Place::new();
    let out = place.at("out.jsonl");
    let (music, arguments) = (place.music.as_str(), ["--out", out.as_str(), "--sorted"]);
    let classify = || run(&[&["classify", music][..], &arguments[..]].concat());
    assert_eq!(classify().status.code(), Some(1));
    let first = text(Path::new(&out));
    // Without new files nothing is classified, and the table is rebuilt if it was lost.
    std::fs::remove_file(&out).unwrap();
    let stderr = String::from_utf8(classify().stderr).unwrap();
    assert!(stderr.contains("42 files are done already"), "{stderr}");
    assert!(stderr.contains("0 files, 0 clips"), "{stderr}");
    assert!(text(Path::new(&out)) == first);
    // One file is new and one has changed: one row is added and one is different.
    wav(Path::new(&format!("{music}/disc0/new.wav")), 5.0, 440.0);
    wav(Path::new(&format!("{music}/disc1/01.wav")), 45.0, 3000.0);
    let stderr = String::from_utf8(classify().stderr).unwrap();
    assert!(stderr.contains("\n2 files, "), "{stderr}");
    let second = text(Path::new(&out));
    assert_eq!(second.lines().count(), first.lines().count() + 1);
    let other = second.lines().filter(|l| !first.contains(*l)).count();
    assert_eq!(other, 2);
    // A first run over the same folder gives the same table.
    let afresh = place.at("afresh.jsonl");
    run(&["classify", music, "--out", &afresh, "--sorted"]);
    assert!(text(Path::new(&afresh)) == second);
    let fresh = run(&[&["classify", music][..], &arguments[..], &["--fresh"]].concat());
    let stderr = String::from_utf8(fresh.stderr).unwrap();
    assert!(!stderr.contains("already") && text(Path::new(&out)) == second);
}

#[test]
fn rows_of_other_settings_do_not_mix() {
    let place = Place::new();
    let (out, music) = (place.at("out.csv"), place.music.as_str());
    let one = format!("{music}/disc0/00.wav");
    assert_eq!(
        run(&["classify", &one, "--out", &out]).status.code(),
        Some(0)
    );
    let before = text(Path::new(&out));
    // The same classes and front end with other weights.
    let device = burn::tensor::Device::flex();
    let shipped = Checkpoint::load(rendered().as_ref(), &device).unwrap();
    let other = place.at("other.safetensors");
    let network = Network::new(&shipped.header.network, 9, &device).unwrap();
    Checkpoint::save(&shipped.header, &network, Path::new(&other)).unwrap();
    for (more, what) in [
        (&["--model", other.as_str()][..], "another checkpoint"),
        (&["--clip-overlap", "0.5"][..], "another clip overlap"),
        (&["--clip-overlap", "0.5"][..], "--clip-overlap"),
        (&["--shard", "1/2"][..], "another shard"),
        (&["--shard", "1/2"][..], "--shard"),
    ] {
        let refused = run(&[&["classify", &one, "--out", &out][..], more].concat());
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(
            stderr.contains(what) && stderr.contains("--fresh"),
            "{stderr}"
        );
        assert_eq!(text(Path::new(&out)), before, "nothing written is damaged");
    }
    // Two processes do not write at once.
    let journal = std::fs::File::open(format!("{out}.journal")).unwrap();
    journal.lock().unwrap();
    for more in [&[][..], &["--fresh"][..]] {
        let refused = run(&[&["classify", &one, "--out", &out][..], more].concat());
        let stderr = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("by another sonoprint"), "{stderr}");
        assert_eq!(text(Path::new(&out)), before);
    }
    drop(journal);
    // A file that is not a journal is refused.
    std::fs::write(format!("{out}.journal"), "hello\n").unwrap();
    let refused = run(&["classify", &one, "--out", &out]);
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert!(stderr.contains("is not a journal"), "{stderr}");
}

/// f16 and f32 give other probabilities, so a run in one does not add rows to a table in the other.
#[test]
fn precisions_do_not_mix() {
    let place = Place::new();
    let one = format!("{}/disc0/00.wav", place.music);
    let classify = |out: &str, half: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
        command.args(["classify", &one, "--device", "software", "--out", out]);
        command.args(["--model", &rendered()]);
        command.args(half.then_some("--half"));
        let out = command.output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    for (first, what) in [(false, "f32, not f16"), (true, "f16, not f32")] {
        let out = place.at(&format!("half-{first}.csv"));
        let (code, stderr) = classify(&out, first);
        assert_eq!(code, Some(0), "{stderr}");
        let before = text(Path::new(&out));
        let (code, stderr) = classify(&out, !first);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("another precision"), "{stderr}");
        assert!(stderr.contains(what), "{stderr}");
        assert_eq!(text(Path::new(&out)), before, "the table is as it was");
        assert_eq!(classify(&out, first).0, Some(0), "the same settings go on");
    }
}

#[test]
fn shards_merge_to_the_whole() {
    let place = Place::new();
    let (whole, music) = (place.at("whole.csv"), place.music.as_str());
    run(&["classify", music, "--out", &whole, "--sorted"]);
    let parts: Vec<String> = (1..=3)
        .map(|i| place.at(&format!("part-{i}.csv")))
        .collect();
    for (i, part) in (1..).zip(&parts) {
        let shard = format!("{i}/3");
        let done = run(&["classify", music, "--out", part, "--shard", &shard]);
        assert!(done.status.code().unwrap() < 2);
    }
    let merged = place.at("merged.csv");
    let merge = |parts: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
        let out = command.arg("merge").args(parts).args(["--out", &merged]);
        let out = out.output().unwrap();
        (out.status.code(), String::from_utf8(out.stderr).unwrap())
    };
    let [a, b, c] = [0, 1, 2].map(|i| parts[i].as_str());
    assert_eq!(merge(&[c, a, b]).0, Some(1));
    assert!(text(Path::new(&merged)) == text(Path::new(&whole)));
    for (parts, what) in [
        (&[a, b][..], "missing: shard 3/3"),
        (&[a, b, b][..], "are both shard 2/3"),
        (&[a, b, &whole][..], "another number of shards"),
        (&[a, b, "no.csv"][..], "has no journal"),
    ] {
        let (code, stderr) = merge(parts);
        assert_eq!(code, Some(2));
        assert!(stderr.contains(what), "{stderr}");
    }
    // The output is not one of the parts, by any name: its journal would be overwritten.
    let journal = format!("{a}.journal");
    let before = text(Path::new(&journal));
    let other_name = place.at("music/../part-1.csv");
    let refused = Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .args(["merge", a, b, c, "--out", &other_name])
        .output()
        .unwrap();
    let stderr = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{stderr}");
    assert!(stderr.contains("is one of the parts"), "{stderr}");
    assert_eq!(text(Path::new(&journal)), before);
    // A part that was killed is not complete.
    let journal = format!("{c}.journal");
    let lines = text(Path::new(&journal));
    let cut = &lines[..lines.trim_end().rfind('\n').unwrap() + 1];
    std::fs::write(&journal, cut).unwrap();
    let (code, stderr) = merge(&[a, b, c]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("is not complete"), "{stderr}");
}

/// Clips overlap as requested, the prediction is their mean, silent clips are left out, short files
/// are marked as padded, and embeddings are written.
#[test]
fn tracks_are_told_clip_by_clip() {
    let place = Place::new();
    let at = |name: &str| format!("{}/{name}.wav", place.music);
    wav(Path::new(&at("half-silent")), 20.0, 300.0);
    // Sets the second ten seconds to zero and leaves the header as it is.
    let mut bytes = std::fs::read(at("half-silent")).unwrap();
    let middle = 44 + 2 * 220_500;
    bytes[middle..].fill(0);
    std::fs::write(at("half-silent"), bytes).unwrap();
    let (out, clips) = (place.at("out.jsonl"), place.at("clips.csv"));
    let vectors = place.at("vectors.jsonl");
    let files = [at("half-silent"), at("disc0/00"), at("disc1/33")];
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let more = ["--timeline", &clips, "--embeddings", &vectors, "--sorted"];
    let done = run(&[&["classify"], &names[..], &["--out", &out], &more].concat());
    assert_eq!(done.status.code(), Some(0));
    let rows: Vec<serde_json::Value> = text(Path::new(&out))
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    let counts = |row: &serde_json::Value| {
        let path = row["path"].as_str().unwrap().rsplit('/').next().unwrap();
        (
            path.to_owned(),
            row["clips"].clone(),
            row["silent"].clone(),
            row["padded"].clone(),
        )
    };
    // 4 s are shorter than a clip; 31 s are three clips and a rest that is too short for one.
    assert_eq!(
        counts(&rows[0]),
        ("00.wav".into(), 1.into(), 0.into(), true.into())
    );
    assert_eq!(
        counts(&rows[1]),
        ("33.wav".into(), 3.into(), 0.into(), false.into())
    );
    assert_eq!(
        counts(&rows[2]),
        ("half-silent.wav".into(), 1.into(), 1.into(), false.into())
    );
    let timeline: Vec<Vec<String>> = csv::Reader::from_path(&clips)
        .unwrap()
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let starts: Vec<&str> = timeline.iter().map(|r| r[1].as_str()).collect();
    assert_eq!(starts, ["0.00", "0.00", "10.00", "20.00", "0.00"]);
    assert_eq!(timeline[0][2], "4.00");
    for class in 0..10 {
        let mean = (1..4)
            .map(|i| timeline[i][5 + class].parse::<f64>().unwrap())
            .sum::<f64>()
            / 3.0;
        let name = GENRES[class];
        let all = rows[1][format!("p_{name}")].as_f64().unwrap();
        assert!((mean - all).abs() < 2e-4, "{name}: {mean} for {all}");
    }
    let vectors: Vec<serde_json::Value> = text(Path::new(&vectors))
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(vectors.len(), 3);
    assert!(
        vectors
            .iter()
            .all(|v| v["embedding"].as_array().unwrap().len() == 128)
    );
    // Clips that overlap by half.
    let done = run(&[
        "classify",
        &at("disc1/33"),
        "--format",
        "jsonl",
        "--clip-overlap",
        "0.5",
    ]);
    let row: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(row["clips"], 5);
}

#[test]
fn lists_of_files_are_read() {
    let place = Place::new();
    let one = format!("{}/disc0/00.wav", place.music);
    let two = format!("{}/disc1/01.wav", place.music);
    let list = place.root.join("list.txt");
    std::fs::write(&list, format!("{one}\r\n\n{two}\nno/such/file.wav\n")).unwrap();
    let out = run(&[
        "classify",
        "--files-from",
        list.to_str().unwrap(),
        "--format",
        "jsonl",
    ]);
    assert_eq!(out.status.code(), Some(1));
    let rows = String::from_utf8(out.stdout).unwrap();
    assert_eq!(rows.lines().filter(|l| l.contains("\"ok\"")).count(), 2);
    assert_eq!(
        rows.lines()
            .filter(|l| l.contains("no/such/file.wav"))
            .count(),
        1
    );
    let mut child = sonoprint(&["classify", "--files-from", "-", "-0", "--format", "jsonl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let names = format!("{one}\0{two}\0");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), names.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(out.stdout).unwrap().lines().count(), 2);
}

/// A journal of version 1, whose lines have no checksums.
fn without_checksums(journal: &str) -> String {
    let lines = journal.lines().map(|line| {
        let json = format!("{{{}", line.split_once(',').unwrap().1);
        json.replace(
            "{\"settings\":{\"journal\":2",
            "{\"settings\":{\"journal\":1",
        ) + "\n"
    });
    lines.collect()
}

/// A bit that flips in a journal is noticed: the file of that line is classified again, and the
/// table is that of an unbroken run.
#[test]
fn a_flipped_bit_is_done_again() {
    let folder = tempfile::tempdir().unwrap();
    let music = crate::support::tones(folder.path(), 6);
    let music = music.to_str().unwrap();
    let at = |name: &str| folder.path().join(name);
    let out = at("out.csv");
    let classify = |out: &Path| {
        let out = out.to_str().unwrap();
        let done = run(&["classify", music, "--sorted", "--out", out]);
        (done.status.code(), String::from_utf8(done.stderr).unwrap())
    };
    assert_eq!(classify(&out).0, Some(0));
    let (want, journal) = (text(&out), at("out.csv.journal"));
    let good = std::fs::read(&journal).unwrap();
    let second = good.iter().position(|&b| b == b'\n').unwrap() + 1;
    // A digit of a probability, the checksum, and the end of a line.
    let row = &good[second..];
    let places = [
        second + row.windows(3).position(|w| w == b"0.0").unwrap() + 2,
        second + 10,
        second + row.iter().position(|&b| b == b'\n').unwrap(),
    ];
    for place in places {
        let mut bad = good.clone();
        bad[place] ^= 1;
        std::fs::write(&journal, bad).unwrap();
        let merged = at("merged.csv");
        let merge = run_merge(&out, &merged);
        assert!(merge.contains("is not complete"), "{merge}");
        let (code, stderr) = classify(&out);
        assert_eq!(code, Some(0), "{stderr}");
        assert!(
            stderr.contains("1 lines of") && stderr.contains("are damaged"),
            "{stderr}"
        );
        assert!(stderr.contains("files are done already"), "{stderr}");
        assert_eq!(text(&out), want, "place {place}");
        // The damage was made good, and is not told again as something to do.
        let merge = run_merge(&out, &merged);
        assert!(merge.is_empty(), "{merge}");
        assert_eq!(text(&merged), want);
        std::fs::remove_file(&merged).unwrap();
        std::fs::remove_file(at("merged.csv.journal")).unwrap();
    }
    // The first line says what the rows were made with. Without it nothing is known.
    let mut bad = good.clone();
    bad[30] ^= 1;
    std::fs::write(&journal, bad).unwrap();
    let (code, stderr) = classify(&out);
    assert_eq!(code, Some(2), "{stderr}");
    assert!(stderr.contains("is not a journal"), "{stderr}");
    // An earlier version's journal is read and resumed.
    let old = without_checksums(std::str::from_utf8(&good).unwrap());
    std::fs::write(&journal, old).unwrap();
    wav(&Path::new(music).join("new.wav"), 1.0, 440.0);
    let (code, stderr) = classify(&out);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.contains("6 files are done already"), "{stderr}");
    assert!(text(&out).contains("new.wav") && text(&out).lines().count() == 8);
    assert_eq!(classify(&out).0, Some(0));
}

/// Merges one part, and returns what is on stderr.
fn run_merge(part: &Path, out: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    let merge = command.arg("merge").arg(part).arg("--out").arg(out);
    String::from_utf8(merge.output().unwrap().stderr).unwrap()
}
