//! Promises of `dataset::check`, of cross-validation and of GTZAN's filtered split.

use std::collections::HashSet;
use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use sonoprint::dataset::check::{Count, DuplicateKind, Report, check};
use sonoprint::dataset::{Dataset, DatasetError, Entry, Split, Subset, gtzan};
use tempfile::TempDir;

/// Writes a WAV file of 16-bit PCM, the same on every channel.
fn wav(dir: &TempDir, name: &str, rate: u32, channels: u16, samples: &[i16]) {
    let path = dir.path().join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("created");
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = hound::WavWriter::create(path, spec).expect("created");
    for &x in samples {
        for _ in 0..channels {
            file.write_sample(x).expect("written");
        }
    }
    file.finalize().expect("written");
}

/// Writes 16-bit PCM as Sun/NeXT `.au`.
fn au(dir: &TempDir, name: &str, rate: u32, samples: &[i16]) {
    let mut bytes = b".snd".to_vec();
    for field in [24, 2 * samples.len() as u32, 3, rate, 1] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(samples.iter().flat_map(|x| x.to_be_bytes()));
    fs::write(dir.path().join(name), bytes).expect("written");
}

fn tone(samples: usize, step: f64, amplitude: f64) -> Vec<i16> {
    let at = |i| (amplitude * 32767.0 * (i as f64 * step).sin()) as i16;
    (0..samples).map(at).collect()
}

fn scan(dir: &TempDir) -> Dataset {
    Dataset::scan(dir.path()).expect("a dataset")
}

fn names<'a, T>(list: &'a [T], file: impl Fn(&'a T) -> &'a String) -> Vec<&'a str> {
    list.iter().map(|item| file(item).as_str()).collect()
}

/// Writes an empty file, which is enough to make a split.
fn touch(dir: &Path, name: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a parent")).expect("created");
    fs::write(path, b"").expect("written");
}

fn gtzan_like(extension: &str) -> TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for genre in gtzan::GENRES {
        for i in 0..gtzan::FILES_PER_GENRE {
            touch(dir.path(), &format!("{genre}/{genre}.{i:05}.{extension}"));
        }
    }
    dir
}

fn zoo() -> (TempDir, Report) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let good = tone(22_050, 0.05, 0.5);
    wav(&dir, "jazz/good.wav", 22_050, 1, &good);
    wav(&dir, "jazz/stereo.wav", 44_100, 2, &tone(88_200, 0.02, 0.4));
    wav(&dir, "jazz/zero.wav", 22_050, 1, &[0; 4410]);
    wav(&dir, "jazz/hiss.wav", 22_050, 1, &tone(4410, 1.1, 0.0008));
    // A click in silence has a high peak, and the file still counts as silent.
    let click: Vec<_> = (0..10_000)
        .map(|i| if i < 400 { 9000 } else { 0 })
        .collect();
    wav(&dir, "jazz/click.wav", 22_050, 1, &click);
    wav(
        &dir,
        "rock/loud.wav",
        22_050,
        1,
        &tone(22_050, 0.03, 0.9999),
    );
    wav(&dir, "rock/edge.wav", 22_050, 1, &tone(22_050, 0.03, 0.99));
    fs::copy(
        dir.path().join("jazz/good.wav"),
        dir.path().join("rock/copy.wav"),
    )
    .expect("copied");
    au(&dir, "rock/other.au", 22_050, &good);
    // The same samples at another sample rate are not the same audio.
    wav(&dir, "rock/faster.wav", 32_000, 1, &good);
    fs::write(
        dir.path().join("rock/noise.wav"),
        b"no audio at all, whatever the name",
    )
    .expect("written");
    touch(dir.path(), "rock/void1.wav");
    touch(dir.path(), "rock/void2.wav");
    wav(&dir, "rock/short.wav", 22_050, 1, &tone(22_050, 0.07, 0.5));
    let path = dir.path().join("rock/short.wav");
    let half = fs::read(&path).expect("read")[..20_000].to_vec();
    fs::write(&path, half).expect("written");
    let ticks = AtomicUsize::new(0);
    let data = scan(&dir);
    let report = check(&data, &|| {
        ticks.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(ticks.into_inner(), data.entries.len(), "one tick per file");
    (dir, report)
}

#[test]
fn every_fault_is_found_and_nothing_else() {
    let (_dir, report) = zoo();
    let classes = report.classes.iter();
    let classes: Vec<_> = classes
        .map(|c| (c.name.as_str(), c.files, c.readable))
        .collect();
    assert_eq!(classes, [("jazz", 5, 5), ("rock", 9, 6)]);
    let count = |value, files| Count { value, files };
    assert_eq!(
        report.rates,
        [count(22_050, 9), count(32_000, 1), count(44_100, 1)]
    );
    assert_eq!(report.channels, [count(1, 10), count(2, 1)]);
    let reasons = report
        .unreadable
        .iter()
        .map(|bad| (bad.file.as_str(), bad.reason));
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [
            ("rock/noise.wav", "unknown_format"),
            ("rock/void1.wav", "empty"),
            ("rock/void2.wav", "empty"),
        ]
    );
    assert_eq!(names(&report.damaged, |bad| &bad.file), ["rock/short.wav"]);
    assert_eq!(
        names(&report.silent, |bad| &bad.file),
        ["jazz/click.wav", "jazz/hiss.wav", "jazz/zero.wav"]
    );
    let click = &report.silent[0];
    assert!(
        click.level > 0.1 && (click.quiet - 0.96).abs() < 1e-9,
        "{click:?}"
    );
    assert_eq!(names(&report.clipped, |bad| &bad.file), ["rock/loud.wav"]);
    assert!(report.gtzan.is_none());

    let sets: Vec<_> = (report.duplicates.iter())
        .map(|set| (set.kind, names(&set.files, |file| file), set.across_classes))
        .collect();
    assert_eq!(
        sets,
        [
            (
                DuplicateKind::Bytes,
                vec!["jazz/good.wav", "rock/copy.wav"],
                true
            ),
            (
                DuplicateKind::Audio,
                vec!["jazz/good.wav", "rock/other.au"],
                true
            ),
        ]
    );
}

#[test]
fn lengths_are_each_files_own() {
    let (_dir, report) = zoo();
    let d = report.durations.expect("readable files");
    assert_eq!((d.min, d.max, d.median), (0.2, 2.0, 1.0));
    let sum: f64 = report.classes.iter().map(|class| class.seconds).sum();
    assert!((sum - d.total).abs() < 1e-9);
}

#[test]
fn report_is_readable_by_people_and_programs() {
    let (_dir, report) = zoo();
    let out = report.left_out();
    assert_eq!(
        names(&out, |out| &out.file),
        [
            "rock/noise.wav",
            "rock/void1.wav",
            "rock/void2.wav",
            "jazz/click.wav",
            "jazz/hiss.wav",
            "jazz/zero.wav",
        ]
    );
    let text = report.to_string();
    for part in [
        "14 files in 2 classes",
        "22050 Hz (9 files), 32000 Hz (1 file), 44100 Hz (1 file)",
        "  rock/noise.wav: not an audio file of a known format",
        "  jazz/zero.wav: every sample is the same",
        "  same bytes in two classes: jazz/good.wav = rock/copy.wav",
        "to leave out of training: 6",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["duplicates"][0]["same"], "bytes");
    assert_eq!(json["rates"][0]["value"], 22_050);
    assert_eq!(json["silent"][2]["level"], 0.0);
}

#[test]
fn gtzans_own_faults_are_named() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for genre in gtzan::GENRES {
        let name = format!("{genre}/{genre}.00000.wav");
        wav(
            &dir,
            &name,
            22_050,
            1,
            &tone(2205, 0.01 * genre.len() as f64, 0.5),
        );
    }
    wav(
        &dir,
        "rock/rock.00001.wav",
        44_100,
        1,
        &tone(4410, 0.3, 0.5),
    );
    touch(dir.path(), "jazz/jazz.00054.wav");
    let report = check(&scan(&dir), &|| {});
    let faults = report.gtzan.as_ref().expect("GTZAN's ten genres");
    assert_eq!(faults.missing.len(), 988);
    assert!(!faults.missing.iter().any(|name| name == gtzan::DAMAGED));
    assert_eq!(faults.damaged.as_deref(), Some("jazz/jazz.00054.wav"));
    assert_eq!(faults.other_rate, 1);
    let out = report.left_out();
    assert_eq!(names(&out, |out| &out.file), ["jazz/jazz.00054.wav"]);
    assert!(out[0].why.contains("GTZAN"), "{}", out[0].why);

    // An intact copy of that file is not a fault.
    wav(
        &dir,
        "jazz/jazz.00054.wav",
        22_050,
        1,
        &tone(2205, 0.2, 0.5),
    );
    let report = check(&scan(&dir), &|| {});
    assert_eq!(report.gtzan.as_ref().expect("GTZAN").damaged, None);
    assert!(report.left_out().is_empty());
}

#[test]
fn filtered_split_fits_any_copy() {
    for extension in ["wav", "au"] {
        let dir = gtzan_like(extension);
        let data = scan(&dir);
        let split = Split::filtered(&data).expect("a split");
        assert_eq!(Subset::ALL.map(|s| split.subset(s).len()), [443, 197, 290]);
        split.check(&data).expect("no file twice");
        let on = |name: &str| {
            let file = data
                .entries
                .iter()
                .position(|e| e.key() == format!("{name}.{extension}"));
            let file = file.expect("an entry");
            Subset::ALL
                .into_iter()
                .find(|&s| split.subset(s).contains(&file))
        };
        assert_eq!(on("blues/blues.00029"), Some(Subset::Train));
        assert_eq!(on("blues/blues.00000"), Some(Subset::Valid));
        assert_eq!(on("blues/blues.00012"), Some(Subset::Test));
        assert_eq!(on("pop/pop.00037"), None);

        // The damaged file may be missing, and a file may exist in two formats.
        touch(dir.path(), "blues/blues.00029.flac");
        fs::remove_file(dir.path().join(format!("jazz/jazz.00054.{extension}"))).expect("removed");
        let data = scan(&dir);
        let split = Split::filtered(&data).expect("a split");
        assert_eq!(Subset::ALL.map(|s| split.subset(s).len()), [442, 197, 290]);
    }
}

#[test]
fn shipped_list_is_a_split_file_too() {
    let data = scan(&gtzan_like("wav"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/gtzan/filtered.csv");
    let read = Split::from_csv(&data, &path).expect("read");
    assert_eq!(read, Split::filtered(&data).expect("a split"));
}

#[test]
fn filtered_split_refuses_what_is_not_gtzan() {
    let dir = gtzan_like("wav");
    for i in 0..4 {
        fs::remove_file(dir.path().join(format!("metal/metal.0000{i}.wav"))).expect("removed");
    }
    match Split::filtered(&scan(&dir)).expect_err("an error") {
        DatasetError::Missing { count, first } => {
            let want = "metal/metal.00000, metal/metal.00001, metal/metal.00002, ...";
            assert_eq!((count, first.as_str()), (4, want));
        }
        other => panic!("{other}"),
    }
    touch(dir.path(), "zydeco/a.wav");
    let error = Split::filtered(&scan(&dir))
        .expect_err("an error")
        .to_string();
    assert!(error.contains("another class, \"zydeco\""), "{error}");
    fs::remove_dir_all(dir.path().join("disco")).expect("removed");
    let error = Split::filtered(&scan(&dir))
        .expect_err("an error")
        .to_string();
    assert!(error.contains("no class folder \"disco\""), "{error}");
}

#[test]
fn folds_test_every_file_once() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (class, files) in [("a", 13), ("b", 11), ("c", 20), ("d", 7)] {
        for i in 0..files {
            touch(dir.path(), &format!("{class}/{i:02}.wav"));
        }
    }
    let data = scan(&dir);
    let class = |subset: &[usize], class| {
        subset
            .iter()
            .filter(|&&i| data.entries[i].labels == [class])
            .count()
    };
    for k in [3, 5, 7] {
        let folds = Split::folds(&data, k, 9).expect("folds");
        assert_eq!(folds.len(), k);
        let mut tested = HashSet::new();
        for (i, fold) in folds.iter().enumerate() {
            fold.check(&data).expect("no file in two subsets");
            assert_eq!(fold.valid, folds[(i + 1) % k].test);
            let sizes = Subset::ALL.map(|s| fold.subset(s).len());
            assert_eq!(sizes.iter().sum::<usize>(), 51);
            assert!(fold.test.len().abs_diff(51 / k) <= 1, "{sizes:?}");
            for (c, files) in [13, 11, 20, 7].into_iter().enumerate() {
                assert!((files / k..=files.div_ceil(k)).contains(&class(&fold.test, c)));
            }
            assert!(Subset::ALL.iter().all(|&s| fold.subset(s).is_sorted()));
            tested.extend(fold.test.iter().copied());
        }
        assert_eq!(tested.len(), 51, "every file is tested");
        let tests: usize = folds.iter().map(|fold| fold.test.len()).sum();
        assert_eq!(tests, 51, "and once");
    }
}

#[test]
fn folds_of_a_seed_are_pinned() {
    let data = scan(&gtzan_like("wav"));
    let folds = |k, seed| Split::folds(&data, k, seed).expect("folds");
    let ten = folds(10, 42);
    assert_eq!(ten, folds(10, 42));
    assert_ne!(ten, folds(10, 43));
    assert_eq!(Subset::ALL.map(|s| ten[0].subset(s).len()), [800, 100, 100]);
    let keys = |subset: &[usize]| -> Vec<_> {
        let files = subset.iter().take(3).map(|&i| &data.entries[i]);
        files.map(Entry::key).collect()
    };
    // Pinned: other machines and later versions must make the same folds from a seed.
    assert_eq!(
        keys(&ten[0].test),
        [
            "blues/blues.00010.wav",
            "blues/blues.00011.wav",
            "blues/blues.00023.wav"
        ]
    );
}

#[test]
fn folds_of_small_classes_keep_something_to_train_on() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (class, files) in [("one", 1), ("three", 3), ("two", 2)] {
        for i in 0..files {
            touch(dir.path(), &format!("{class}/{i}.wav"));
        }
    }
    let data = scan(&dir);
    for k in [3, 4, 10] {
        for fold in Split::folds(&data, k, 1).expect("folds") {
            let trained: HashSet<_> = fold
                .train
                .iter()
                .map(|&i| data.entries[i].labels[0])
                .collect();
            assert_eq!(trained.len(), 3, "{fold:?}");
        }
    }
    for k in 0..3 {
        let folds = Split::folds(&data, k, 1);
        assert!(matches!(folds, Err(DatasetError::Fractions { .. })), "{k}");
    }
}

/// Sound that changes all the time: tones of a melody drawn from `seed`, with some noise.
fn melody(samples: usize, seed: u32) -> Vec<f32> {
    let noise = crate::support::noise(samples, seed);
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    let notes: Vec<f64> = (0..=samples / 2000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            220.0 * 2f64.powf(f64::from(state >> 24) / 96.0)
        })
        .collect();
    let tone = |i: usize| {
        let time = i as f64 / 22_050.0;
        let hz = notes[i / 2000];
        (0.4 * (TAU * hz * time).sin() + 0.2 * (TAU * 1.5 * hz * time).sin()) as f32
    };
    (0..samples).map(|i| tone(i) + 0.02 * noise[i]).collect()
}

#[test]
fn cuts_at_any_level_and_rate_are_found() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, rate: u32, samples: &[f32]| {
        let ints: Vec<i16> = samples.iter().map(|x| (x * 32_767.0) as i16).collect();
        wav(&dir, name, rate, 1, &ints);
    };
    let songs: Vec<Vec<f32>> = (0..6).map(|seed| melody(10 * 22_050, seed)).collect();
    for (i, song) in songs.iter().enumerate() {
        write(&format!("a/{i}.wav"), 22_050, song);
    }
    // 2.5 s from 3.21 s on, 20 dB softer; and from 5.37 s on at half the rate.
    let cut = |i: usize, from: f64| &songs[i][(from * 22_050.0) as usize..][..55_125];
    let soft: Vec<f32> = cut(1, 3.21).iter().map(|x| 0.1 * x).collect();
    write("a/soft.wav", 22_050, &soft);
    let slow: Vec<f32> = cut(2, 5.37)
        .chunks(2)
        .map(|p| p.iter().sum::<f32>() / 2.0)
        .collect();
    write("b/half.wav", 11_025, &slow);
    write("b/silence.wav", 22_050, &vec![0.0; 100_000]);
    write("b/silence2.wav", 22_050, &vec![0.0; 110_000]);
    let report = check(&scan(&dir), &|| {});
    let found: Vec<_> = (report.near_duplicates.iter())
        .map(|near| {
            (
                near.file.as_str(),
                near.like.as_str(),
                near.offset.round() as i64,
            )
        })
        .collect();
    assert_eq!(
        found,
        [("a/1.wav", "a/soft.wav", 3), ("a/2.wav", "b/half.wav", 5)]
    );
    assert_eq!(report.findings.near_duplicates, 2);
    assert_eq!(
        (report.findings.silent, report.findings.across_classes),
        (2, 1)
    );
    let text = report.to_string();
    assert!(text.contains("b/half.wav is in a/2.wav at 5."), "{text}");
    let verdict = text.lines().last().expect("a line");
    assert!(
        verdict.starts_with("verdict: 2 silent, 2 pairs with the same sound"),
        "{verdict}"
    );
    let json = serde_json::to_value(&report).expect("JSON");
    assert_eq!(json["findings"]["near_duplicates"], 2);
    // The command says it by its exit code.
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_sonoprint"))
        .args(["dataset", "check", dir.path().to_str().expect("UTF-8")])
        .output()
        .expect("run");
    assert_eq!(run.status.code(), Some(1));

    // A stratified split keeps them together, and another one is warned of.
    let data = scan(&dir);
    let groups = sonoprint::dataset::Groups::of_sound(&data, &|| {});
    assert_eq!(groups.several().len(), 2);
    let mut split = Split::stratified(&data, 3, (0.3, 0.3)).expect("a split");
    split.keep_together(&groups);
    assert_eq!(split.crossed(&groups), Vec::<Vec<usize>>::new());
}
