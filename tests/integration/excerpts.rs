//! Promise: an excerpt's clips are those of the whole track, to the bit, in every format. Where a
//! file does not say where its sound lies, it is decoded from its beginning.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::audio_files::*;
use crate::support::{data, noise, rendered};
use sonoprint::audio::{
    Clip, ClipReader, ClipRule, Clips, Ends, ExcerptPlace, Excerpts, is_audio_path,
};
use tempfile::TempDir;

/// Clips of a fifth of a second at `rate` Hz: alone, overlapping, and of the track's frames.
fn rules(rate: u32) -> [ClipRule; 3] {
    let len = rate as usize / 5;
    let hop = len / 10;
    let track = Ends::Track { margin: hop, hop };
    [
        ClipRule::inside(len),
        ClipRule {
            step: len / 3,
            ..ClipRule::inside(len)
        },
        ClipRule {
            step: 9 * hop,
            ends: track,
            ..ClipRule::inside(len)
        },
    ]
}

fn all(mut clips: Clips) -> Vec<Clip> {
    let mut found = Vec::new();
    while let Some(clip) = clips.next_clip().expect("readable") {
        found.push(clip);
    }
    found
}

/// Checks that the excerpts of `path` are clips of the whole track, within `tolerance`. Returns how
/// many clips were compared.
fn check(path: &Path, tolerance: f32) -> usize {
    let mut compared = 0;
    for rate in [RATE, 16_000] {
        for rule in rules(rate) {
            let mut whole = Clips::open(path, rate, rule).expect("readable");
            let mut by_start = BTreeMap::new();
            while let Some(clip) = whole.next_clip().expect("readable") {
                by_start.insert(clip.start, clip);
            }
            let reader = ClipReader::open(path, rate, rule).expect("readable");
            assert_eq!(reader.samples(), whole.samples(), "{path:?} at {rate} Hz");
            assert_eq!(reader.clips(), by_start.len(), "{path:?} at {rate} Hz");
            for (count, at) in [(3, ExcerptPlace::Spread), (1, ExcerptPlace::End)] {
                let excerpts = Excerpts {
                    count,
                    seconds: 0.4,
                    at,
                };
                let clips = Clips::open_excerpts(path, rate, rule, &excerpts).expect("readable");
                assert!(clips.are_excerpts(), "{path:?}");
                assert_eq!(clips.samples(), whole.samples(), "the length of the file");
                let found = all(clips);
                assert!(found.len() < by_start.len());
                for clip in &found {
                    let same = by_start.get(&clip.start).unwrap_or_else(|| {
                        panic!("{path:?}: no clip of the track begins at {}", clip.start)
                    });
                    assert_eq!((&clip.own, clip.len), (&same.own, same.len), "{path:?}");
                    let pairs = clip.samples.iter().zip(&same.samples);
                    let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                    assert!(
                        most <= tolerance,
                        "{path:?}: the clip at {} differs by {most} at {rate} Hz",
                        clip.start
                    );
                }
                compared += found.len();
            }
        }
    }
    compared
}

/// Returns whether clips of `path` are found by seeking.
fn seeks(path: &Path) -> bool {
    let reader = ClipReader::open(path, RATE, rules(RATE)[0]).expect("readable");
    reader.is_exact()
}

/// Ten seconds of noise under a tone, as 16-bit samples.
fn sound(seconds: usize) -> Vec<i16> {
    let n = seconds * RATE as usize;
    let tones = tone(330.0, RATE, n, 0.3);
    (tones.iter().zip(noise(n, 3)))
        .map(|(a, b)| ((a + 0.2 * b) * 32_767.0) as i16)
        .collect()
}

fn test_file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/audio");
    std::fs::read(folder.join(name)).expect("a test file")
}

fn made(dir: &TempDir) -> Vec<PathBuf> {
    let pcm = sound(5);
    let stereo: Vec<f32> = noise(200_000, 9);
    let big_endian: Vec<u8> = pcm.iter().flat_map(|s| s.to_be_bytes()).collect();
    // Frames of MP3 that take bytes from those before them, and frames of AAC, several times.
    let mp3 = test_file("reservoir.mp3").repeat(3);
    let aac = test_file("aac_frames.aac").repeat(3);
    vec![
        put(dir, "a.wav", &wav16(&pcm)),
        wav(dir, "b.wav", 44_100, 2, &stereo),
        put(
            dir,
            "a.au",
            &au(false, big_endian.len() as u32, 3, 1, &big_endian),
        ),
        put(dir, "a.flac", &flac(&pcm[..110_000], 110_000)),
        put(dir, "a.mp3", &mp3),
        // The decoder of AAC is exact where no noise is drawn.
        put(dir, "a.aac", &aac),
    ]
}

#[test]
fn excerpts_are_clips_of_the_whole_track() {
    let dir = folder();
    for path in made(&dir) {
        assert!(check(&path, 0.0) > 20, "{path:?}");
        let is_aac = path.extension().is_some_and(|e| e == "aac");
        assert_eq!(seeks(&path), !is_aac, "{path:?}");
    }
    check(&put(&dir, "a.m4a", &test_file("aac_packets.m4a")), 2e-6);
    // Speech, which is decoded from its beginning.
    check(&put(&dir, "a.opus", &test_file("opus_pages.opus")), 0.0);
    let vorbis = put(&dir, "a.ogg", &test_file("vorbis_pages.ogg"));
    check(&vorbis, 0.0);
    assert!(seeks(&vorbis));
}

#[test]
fn excerpts_of_real_clips() {
    for genre in ["blues", "country", "disco", "recorded"] {
        let files = std::fs::read_dir(data("clips").join(genre)).expect("clips");
        for file in files.map(|f| f.expect("a file").path()) {
            if is_audio_path(&file) {
                assert!(check(&file, 0.0) > 20, "{file:?}");
                assert!(seeks(&file), "{file:?}");
            }
        }
    }
}

#[test]
fn files_without_certain_places_are_decoded() {
    let dir = folder();
    let pcm = sound(5);
    let one = flac(&pcm[..50_000], 50_000);
    let mut hole = flac(&pcm[..110_000], 110_000);
    hole.drain(60_000..70_000);
    let mp3 = test_file("reservoir.mp3");
    let vorbis = test_file("vorbis_pages.ogg");
    let mut holed = vorbis.clone();
    // In the sixth page of sound.
    holed.drain(4500..4600);
    let uncertain = [
        put(&dir, "joined.flac", &[one.clone(), one].concat()),
        put(&dir, "no length.flac", &flac(&pcm[..110_000], 0)),
        put(
            &dir,
            "junk.mp3",
            &[&mp3[..], &[0x55; 3000], &mp3[..], &mp3[..]].concat(),
        ),
        put(
            &dir,
            "changes.mp3",
            &[mp3.clone(), mp3_silence(50), mp3].concat(),
        ),
        put(&dir, "chain.ogg", &vorbis.repeat(3)),
        put(&dir, "hole.ogg", &holed),
    ];
    for path in uncertain {
        assert!(!seeks(&path), "{path:?}");
        assert!(check(&path, 0.0) > 10, "{path:?}");
    }
    // The numbers of the frames behind a hole are right.
    let hole = put(&dir, "hole.flac", &hole);
    assert!(seeks(&hole));
    check(&hole, 0.0);
}

#[test]
fn a_short_track_is_read_whole() {
    let dir = folder();
    let path = put(&dir, "a.wav", &wav16(&sound(1)));
    let excerpts = Excerpts {
        count: 3,
        ..Excerpts::default()
    };
    for rule in rules(RATE) {
        let clips = Clips::open_excerpts(&path, RATE, rule, &excerpts).expect("readable");
        assert!(!clips.are_excerpts());
        assert_eq!(
            all(clips),
            all(Clips::open(&path, RATE, rule).expect("readable"))
        );
    }
}

/// Runs `classify` with the checkpoint that was trained on rendered music.
fn classify(arguments: &[&str], out: &Path) -> Output {
    let timeline = out.with_extension("clips.csv");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command
        .args(["classify", "--device", "cpu", "--model", &rendered()])
        .args(arguments)
        .args([Path::new("--out"), out, Path::new("--timeline"), &timeline]);
    command.output().expect("the program")
}

/// Returns the lines of a table without its header.
fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).expect("a table");
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn rows_of_excerpts_are_rows_of_the_whole_track() {
    let dir = folder();
    // Two minutes at 8 kHz: twelve clips of 10 s.
    let low = tone(200.0, 8000, 960_000, 0.5);
    let path = wav(&dir, "a.wav", 8000, 1, &low);
    let path = path.to_str().expect("UTF-8");
    let [whole, part] = ["whole.csv", "part.csv"].map(|name| dir.path().join(name));
    assert!(classify(&[path], &whole).status.success());
    let flags = ["--excerpts", "2", "--excerpt-seconds", "30"];
    let with = |more: &[&'static str]| [&[path], &flags[..], more].concat();
    assert!(classify(&with(&[]), &part).status.success());

    let clips = |table: &Path| lines(&table.with_extension("clips.csv"));
    let (all, some) = (clips(&whole), clips(&part));
    assert_eq!((all.len(), some.len()), (12, 6));
    assert_eq!(some, [&all[1..4], &all[7..10]].concat());
    let seconds = |table: &Path| {
        let mut rows = csv::Reader::from_path(table).expect("a table");
        let column = rows
            .headers()
            .expect("a header")
            .iter()
            .position(|h| h == "seconds");
        let row = rows.records().next().expect("a row").expect("a row");
        row[column.expect("a column")].to_owned()
    };
    assert_eq!(seconds(&whole), seconds(&part));

    // Other excerpts are not mixed in.
    let again = classify(&with(&[]), &part);
    assert!(again.status.success());
    let other = classify(&with(&["--excerpt-at", "end"]), &part);
    assert_eq!(other.status.code(), Some(2));
    let message = String::from_utf8(other.stderr).expect("UTF-8");
    assert!(
        message.contains("2 of 30 s, spread, not 2 of 30 s, end"),
        "{message}"
    );
    assert_eq!(classify(&[path], &part).status.code(), Some(2));
}

#[test]
fn a_long_file_gives_the_same_table_with_any_number_of_decoders() {
    let dir = folder();
    // Seven minutes at 8 kHz, with a silent minute and a little more.
    let mut sound = tone(150.0, 8000, 7 * 480_000, 0.4);
    for (x, y) in sound.iter_mut().zip(noise(7 * 480_000, 5)) {
        *x += 0.1 * y;
    }
    sound[880_000..1_520_000].fill(0.0);
    let path = wav(&dir, "long.wav", 8000, 1, &sound);
    let path = path.to_str().expect("UTF-8");
    let tables = ["1", "4"].map(|workers| {
        let out = dir.path().join(format!("{workers}.csv"));
        let flags = [path, "--workers", workers, "--clip-overlap", "0.5"];
        assert!(classify(&flags, &out).status.success());
        (lines(&out), lines(&out.with_extension("clips.csv")))
    });
    assert_eq!(tables[0].1.len(), 83 - 13, "clips with sound");
    assert_eq!(tables[0], tables[1]);
}
