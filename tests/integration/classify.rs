//! Promise: every file gets one row, and a bad file does not stop the run. The exit code says
//! whether files failed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{data, rendered};

/// Runs a command. `classify` uses the rendered-music checkpoint, if the arguments name no other.
fn sonoprint(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(arguments);
    let named = arguments
        .iter()
        .any(|a| ["--model", "--checkpoint"].contains(a));
    if arguments[0] == "classify" && !named {
        command.args(["--model", &rendered()]);
    }
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn rows(csv: &Path) -> Vec<Vec<String>> {
    csv::Reader::from_path(csv)
        .unwrap()
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// Returns a folder of good and bad files in subfolders, with extensions in both cases.
fn mixed() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("b/deep")).unwrap();
    let clip = data("clips/blues");
    let mut clips: Vec<PathBuf> = std::fs::read_dir(clip)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    clips.sort();
    let extension = clips[0]
        .extension()
        .unwrap()
        .to_str()
        .unwrap()
        .to_uppercase();
    std::fs::copy(&clips[0], at(&format!("a.{extension}"))).unwrap();
    std::fs::copy(&clips[1], at("b/deep/c.wav")).unwrap(); // a wrong extension does not matter
    std::fs::write(at("b/empty.mp3"), b"").unwrap();
    std::fs::write(at("b/noise.flac"), [0x5a; 3000]).unwrap();
    let cut = std::fs::read(&clips[0]).unwrap();
    std::fs::write(at("b/half.flac"), &cut[..cut.len() / 2]).unwrap();
    std::fs::write(at("notes.txt"), b"not audio, never opened").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), at("b/loop")).unwrap();
    folder
}

#[test]
fn every_file_has_its_row() {
    let folder = mixed();
    let csv = folder.path().join("out.csv");
    let path = folder.path().to_str().unwrap();
    let out = sonoprint(&[
        "classify",
        path,
        "--out",
        csv.to_str().unwrap(),
        "--device",
        "cpu",
        "--top",
        "3",
        "--sorted",
    ]);
    let (stdout, stderr) = (text(&out.stdout), text(&out.stderr));
    assert_eq!(out.status.code(), Some(1), "{stderr}");
    let head: Vec<String> = csv::Reader::from_path(&csv)
        .unwrap()
        .headers()
        .unwrap()
        .iter()
        .map(str::to_owned)
        .collect();
    assert_eq!(
        head.join(","),
        "path,status,genre,confidence,genre_2,confidence_2,genre_3,confidence_3,\
         seconds,clips,silent,padded,reason,message,\
         p_blues,p_classical,p_country,p_disco,p_hiphop,p_jazz,p_metal,p_pop,p_reggae,p_rock,model"
    );
    let rows = rows(&csv);
    let names: Vec<&str> = rows
        .iter()
        .map(|r| r[0].strip_prefix(path).unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "/a.FLAC",
            "/b/deep/c.wav",
            "/b/empty.mp3",
            "/b/half.flac",
            "/b/loop",
            "/b/noise.flac"
        ]
    );
    let status: Vec<&str> = rows.iter().map(|r| r[1].as_str()).collect();
    assert_eq!(status, ["ok", "ok", "failed", "ok", "failed", "failed"]);
    // A file that is cut off is used as far as it goes, and marked.
    assert_eq!(
        (rows[3][12].as_str(), rows[2][12].as_str()),
        ("damaged", "empty")
    );
    assert_eq!(rows[5][12], "unknown_format");
    for row in rows.iter().filter(|r| r[1] == "ok") {
        let p: Vec<f64> = [3, 5, 7].map(|i| row[i].parse().unwrap()).to_vec();
        assert!(
            p[0] >= p[1] && p[1] >= p[2] && p[0] <= 1.0 && p[0] > 0.0,
            "{row:?}"
        );
    }
    // One line per failed file on stderr, a header and one line per good file on stdout, and the
    // counts at the end.
    for name in ["empty.mp3", "loop", "noise.flac"] {
        assert_eq!(
            stderr.lines().filter(|l| l.contains(name)).count(),
            1,
            "{stderr}"
        );
    }
    assert_eq!(stdout.lines().count(), 4, "{stdout}");
    assert!(stderr.contains("3 files, 3 could not be read"), "{stderr}");
    assert!(
        !stderr.contains("XDG") && !stderr.contains("panicked"),
        "{stderr}"
    );
}

#[test]
fn jsonl_is_one_object_a_line() {
    let clips = data("clips/metal");
    let out = sonoprint(&[
        "classify",
        clips.to_str().unwrap(),
        "--format",
        "jsonl",
        "--device",
        "cpu",
    ]);
    assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
    let stdout = text(&out.stdout);
    let objects: Vec<serde_json::Value> = stdout
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(objects.len(), 2);
    for o in objects {
        let columns = o.as_object().unwrap().iter();
        let all: Vec<f64> = columns
            .filter(|(name, _)| name.starts_with("p_"))
            .map(|(_, p)| p.as_f64().unwrap())
            .collect();
        let sum: f64 = all.iter().sum();
        assert!((sum - 1.0).abs() < 1e-4 && all.len() == 10, "{o}");
        let genre = o["genre"].as_str().unwrap();
        assert_eq!(o[format!("p_{genre}")], o["confidence"]);
        assert!(o["confidence"].as_f64() >= o["confidence_2"].as_f64());
    }
}

/// Predictions do not depend on how clips are packed into batches.
#[test]
fn batches_do_not_change_answers() {
    let folder = tempfile::tempdir().unwrap();
    let clips = data("clips/jazz");
    let run = |batch: &str| {
        let csv = folder.path().join(batch).with_extension("csv");
        let arguments = [
            "classify",
            clips.to_str().unwrap(),
            "--out",
            csv.to_str().unwrap(),
            "--sorted",
            "--device",
            "cpu",
            "--batch",
            batch,
        ];
        assert_eq!(sonoprint(&arguments).status.code(), Some(0));
        rows(&csv)
    };
    let (one, five) = (run("1"), run("5"));
    for (a, b) in one.iter().zip(&five) {
        assert_eq!((&a[0], &a[2]), (&b[0], &b[2]));
        let apart = a[3].parse::<f64>().unwrap() - b[3].parse::<f64>().unwrap();
        assert!(apart.abs() <= 2e-4, "{a:?} {b:?}");
    }
}

/// With the rendered-music checkpoint on the clips in data/, the WGSL path and the cpu device name the
/// same genres. f16 does too, except where two genres are about equally probable.
#[test]
fn devices_name_the_same_genres() {
    let folder = tempfile::tempdir().unwrap();
    let run = |device: &str, half: bool| {
        let csv = folder.path().join(format!("{device}-{half}.csv"));
        let clips = data("clips");
        let mut arguments = vec![
            "classify",
            clips.to_str().unwrap(),
            "--out",
            csv.to_str().unwrap(),
            "--sorted",
            "--device",
            device,
        ];
        arguments.extend(half.then_some("--half"));
        let out = sonoprint(&arguments);
        assert_eq!(out.status.code(), Some(0), "{}", text(&out.stderr));
        rows(&csv)
    };
    let (cpu, software) = (run("cpu", false), run("software", false));
    assert!(cpu.len() >= 20);
    for (a, b) in cpu.iter().zip(&software) {
        assert_eq!((&a[0], &a[2]), (&b[0], &b[2]));
        let apart = a[3].parse::<f64>().unwrap() - b[3].parse::<f64>().unwrap();
        assert!(apart.abs() <= 1e-2, "{a:?} {b:?}");
    }
    for (a, b) in cpu.iter().zip(&run("software", true)) {
        let apart = a[3].parse::<f64>().unwrap() - b[3].parse::<f64>().unwrap();
        assert!(apart.abs() <= 2e-2, "{a:?} {b:?}");
        assert!(a[2] == b[2] || apart.abs() < 5e-3, "{a:?} {b:?}");
    }
}

#[test]
fn what_cannot_run_says_why_and_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().to_str().unwrap();
    let clip = data("clips/blues");
    let clip = clip.to_str().unwrap();
    let folder_of_clips = data("clips");
    let folder_of_clips = folder_of_clips.to_str().unwrap();
    let missing = folder.path().join("none.safetensors");
    let foreign = folder.path().join("notes.safetensors");
    std::fs::write(&foreign, "hello").unwrap();
    let cases: &[(&[&str], &str)] = &[
        (&["classify"], "PATH"),
        (
            &["classify", "no/such/path"],
            "no such file or folder: no/such/path",
        ),
        (&["classify", empty], "no audio files"),
        (
            &["classify", clip, "--half", "--device", "cpu"],
            "does not compute in f16",
        ),
        (
            &["classify", clip, "--device", "gpu-of-tomorrow"],
            "no adapter is called 'gpu-of-tomorrow'",
        ),
        (
            &["classify", clip, "--device", "77"],
            "no adapter is number 77",
        ),
        (
            &[
                "classify",
                clip,
                "--device",
                "cpu",
                "--checkpoint",
                missing.to_str().unwrap(),
            ],
            "none.safetensors, and no built-in model of that name: there are genres10",
        ),
        (
            &["classify", clip, "--device", "cpu", "--model", "genres99"],
            "there is no file genres99, and no built-in model of that name: there are genres10",
        ),
        (
            &[
                "evaluate",
                folder_of_clips,
                "--out",
                empty,
                "--model",
                "genres99",
            ],
            "no built-in model of that name",
        ),
        (
            &["model", "show", "genres99"],
            "no built-in model of that name",
        ),
        (
            &[
                "classify",
                clip,
                "--device",
                "cpu",
                "--checkpoint",
                foreign.to_str().unwrap(),
            ],
            "is not a sonoprint checkpoint",
        ),
        (
            &[
                "classify",
                clip,
                "--device",
                "cpu",
                "--out",
                "no/such/folder/x.csv",
            ],
            "cannot write no/such/folder/x.csv",
        ),
        (&["classify", clip, "--batch", "0"], "--batch"),
        (
            &["spectrogram", clip, "--out", empty, "--size", "7"],
            "WIDTHxHEIGHT",
        ),
        (
            &["spectrogram", "no.wav", "--out", empty],
            "no such file or folder: no.wav",
        ),
        (
            &["spectrogram", clip, "--out", empty, "--preset", "x"],
            "there are deeppixel, mel",
        ),
        (&["train", "no/such/set", "--out", empty], "no/such/set"),
        (&["train", clip, "--out", empty, "--lr", "7"], "--lr is 7"),
        (
            &[
                "train",
                clip,
                "--out",
                empty,
                "--network",
                "deeppixel",
                "--size",
                "8x8",
            ],
            "",
        ),
    ];
    for (arguments, words) in cases {
        let out = sonoprint(arguments);
        let stderr = text(&out.stderr);
        assert_eq!(out.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(words), "{arguments:?}: {stderr}");
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
}

#[test]
fn spectrograms_are_drawn_by_the_gpu_passes() {
    let folder = tempfile::tempdir().unwrap();
    let clip = data("golden/signals/gap.wav");
    let clip = clip.to_str().unwrap();
    let draw = |device: &str, more: &[&str]| {
        let out = folder.path().join(device);
        let mut arguments = vec![
            "spectrogram",
            clip,
            "--out",
            out.to_str().unwrap(),
            "--device",
            device,
        ];
        arguments.extend(more);
        let done = sonoprint(&arguments);
        assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
        let picture = text(&done.stdout);
        image::open(picture.trim()).unwrap().into_rgba8()
    };
    for more in [
        &["--preset", "deeppixel", "--clip-seconds", "4"][..],
        &[
            "--preset",
            "mel",
            "--size",
            "300x100",
            "--colormap",
            "viridis",
        ][..],
    ] {
        let (gpu, cpu) = (draw("software", more), draw("cpu", more));
        assert_eq!(
            gpu.dimensions(),
            if more[1] == "mel" {
                (300, 100)
            } else {
                (720, 720)
            }
        );
        let apart = gpu
            .as_raw()
            .iter()
            .zip(cpu.as_raw())
            .filter(|(a, b)| a.abs_diff(**b) > 6)
            .count();
        assert_eq!(apart, 0, "{more:?}");
        // Zeros, in the middle of the clip, have no value under `deeppixel` and are transparent.
        let middle = gpu.get_pixel(gpu.width() / 2, gpu.height() / 2);
        let clear = more[1] == "deeppixel";
        assert_eq!(middle[3] == 0, clear, "{more:?}: {middle:?}");
    }
}

#[test]
fn devices_are_listed_with_reasons() {
    let out = sonoprint(&["devices"]);
    let stdout = text(&out.stdout);
    assert_eq!(out.status.code(), Some(0));
    assert!(
        stdout.contains("software") && stdout.contains("cpu"),
        "{stdout}"
    );
    assert_eq!(
        stdout.lines().filter(|l| l.starts_with('*')).count(),
        1,
        "{stdout}"
    );
    assert!(stdout.contains("auto takes"), "{stdout}");
    // Which convolution kernels each adapter gets.
    assert!(stdout.contains("convolutions: ours"), "{stdout}");
}
