//! Promise: `tag` writes genres into files of every format, and nothing else in them changes: not
//! the sound, not another field, and not what a user wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lofty::file::TaggedFileExt;
use lofty::probe::Probe;
use lofty::tag::ItemKey;
use sonoprint::audio::load;
use sonoprint::classify::{RowLabels, RowStatus, TableRow};
use sonoprint::files::fault::{Fault, FaultPlan, with_faults};
use sonoprint::tag::{
    Field, FieldKey, LabelRule, Mode, TagError, TagFile, TagKind, TagOptions, Tagged, Tagger,
    UndoTable, Undone, WriteOptions, undo_rows,
};

use crate::support::audio_files::{au, folder, put, wav16};

/// Every format, as files of `tests/data/tag`.
pub const FILES: [&str; 14] = [
    "v23.mp3",
    "v24.mp3",
    "bare.mp3",
    "bare.aac",
    "end.m4a",
    "start.m4a",
    "fragments.mp4",
    "vorbis.ogg",
    "opus.opus",
    "flac.oga",
    "flac.flac",
    "info.wav",
    "rf64.wav",
    "aiff.aiff",
];

pub fn fixture(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/data/tag").join(name)
}

/// Copies a file of `tests/data/tag` into `folder`.
fn copy(folder: &Path, name: &str) -> PathBuf {
    let to = folder.join(name);
    std::fs::copy(fixture(name), &to).unwrap();
    to
}

/// The samples of a file, bit by bit.
pub fn pcm(path: &Path) -> Vec<u32> {
    let loaded = load(path, 22_050).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let samples: Vec<u32> = loaded.samples.iter().map(|s| s.to_bits()).collect();
    assert!(samples.len() > 5000, "{}", path.display());
    samples
}

fn row(path: &Path, genres: &[&str]) -> TableRow {
    let labels = genres.iter().zip([0.6, 0.3, 0.05]);
    let labels: Vec<_> = labels.map(|(name, p)| ((*name).to_owned(), p)).collect();
    TableRow {
        path: path.to_owned(),
        status: RowStatus::Ok,
        probabilities: labels.clone(),
        labels: RowLabels::Genres(labels.into_iter().map(|(n, p)| (n, Some(p))).collect()),
        seconds: Some(1.0),
        reason: None,
        message: None,
        model: Some("0123456789ab".into()),
    }
}

fn options(mode: Mode) -> TagOptions {
    TagOptions {
        rule: LabelRule {
            top: Some(9),
            scores: true,
            ..LabelRule::default()
        },
        mode,
        write: WriteOptions::default(),
    }
}

/// Tags a file, with an undo table beside it.
fn tag(path: &Path, genres: &[&str], mode: Mode) -> Tagged {
    let undo = path.with_extension("undo.csv");
    let undo = UndoTable::open(&undo, [path]).unwrap();
    let mut tagger = Tagger::new(options(mode), Some(undo), None);
    tagger.tag(&row(path, genres)).unwrap()
}

fn written(path: &Path, genres: &[&str], mode: Mode) {
    match tag(path, genres, mode) {
        Tagged::Written { .. } => {}
        other => panic!("{}: {other:?}", path.display()),
    }
}

fn failure(path: &Path) -> TagError {
    match tag(path, &["rock"], Mode::Missing) {
        Tagged::Failed(e) => {
            assert!(!e.to_string().contains('\n'), "{e}");
            e
        }
        other => panic!("{}: {other:?}", path.display()),
    }
}

fn fields(path: &Path, field: Field) -> BTreeMap<TagKind, Vec<String>> {
    let fields = TagFile::open(path).unwrap().fields().into_iter();
    let fields = fields.filter(|(key, _)| key.field == field);
    fields.map(|(key, values)| (key.kind, values)).collect()
}

/// What lofty reads of a key, in the first tag that has it.
fn lofty(path: &Path, key: ItemKey) -> Vec<String> {
    let file = Probe::open(path).unwrap().guess_file_type().unwrap();
    let file = file.read().unwrap();
    let all = file.primary_tag().into_iter().chain(file.tags());
    let mut all = all.map(|tag| tag.get_strings(key).map(str::to_owned).collect::<Vec<_>>());
    all.find(|values| !values.is_empty()).unwrap_or_default()
}

/// lofty does not read these.
const NOT_LOFTYS: [&str; 2] = ["flac.oga", "rf64.wav"];

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn every_format_is_tagged_and_sounds_the_same_and_comes_back() {
    let dir = folder();
    for name in FILES {
        let path = copy(dir.path(), name);
        let original = std::fs::read(&path).unwrap();
        let (sound, before) = (pcm(&path), TagFile::open(&path).unwrap().fields());
        let genres = ["rock", "R\u{e9}tro", "\u{30ed}\u{30c3}\u{30af}"];
        written(&path, &genres, Mode::Missing);
        assert_eq!(pcm(&path), sound, "{name}");
        for (kind, values) in fields(&path, Field::Genre) {
            let want = match kind {
                TagKind::Riff => vec![genres.join("; ")],
                TagKind::Id3v1 => vec!["Rock".to_owned()],
                _ => genres.map(str::to_owned).to_vec(),
            };
            assert_eq!(values, want, "{name} {kind:?}");
        }
        let scores = fields(&path, Field::Scores);
        assert!(
            scores.values().all(|s| s[0].starts_with("rock=0.6000; ")),
            "{scores:?}"
        );
        if !NOT_LOFTYS.contains(&name) {
            assert_eq!(lofty(&path, ItemKey::Genre), genres, "{name}");
            let title = lofty(&path, ItemKey::TrackTitle);
            assert!(
                name.starts_with("bare") || title == ["Kept"],
                "{name}: {title:?}"
            );
        }
        // A second time nothing is written, in any mode.
        let once = std::fs::read(&path).unwrap();
        for mode in [Mode::Missing, Mode::Overwrite, Mode::Append] {
            assert!(
                matches!(tag(&path, &genres, mode), Tagged::Unchanged),
                "{name}"
            );
        }
        assert!(std::fs::read(&path).unwrap() == once, "{name}");
        // Longer and shorter ones, too.
        written(
            &path,
            &["a genre with a name that is quite long"],
            Mode::Append,
        );
        written(&path, &["x"], Mode::Overwrite);
        assert_eq!(pcm(&path), sound, "{name}");

        let undo = path.with_extension("undo.csv");
        for row in undo_rows(&undo).unwrap() {
            let undone = row.unwrap().undo(WriteOptions::default(), false).unwrap();
            assert_eq!(undone, Undone::Restored, "{name}");
        }
        assert_eq!(TagFile::open(&path).unwrap().fields(), before, "{name}");
        assert_eq!(pcm(&path), sound, "{name}");
        if ["bare.mp3", "bare.aac", "rf64.wav"].contains(&name) {
            assert!(
                std::fs::read(&path).unwrap() == original,
                "{name}: to the byte"
            );
        }
        for row in undo_rows(&undo).unwrap() {
            let again = row.unwrap().undo(WriteOptions::default(), false);
            assert!(again.is_err() || again.is_ok_and(|u| u == Undone::AsBefore));
        }
        std::fs::remove_file(undo).unwrap();
        std::fs::remove_file(path).unwrap();
        assert!(
            names(dir.path()).is_empty(),
            "nothing is left: {:?}",
            names(dir.path())
        );
    }
}

/// A frame of ID3v2.3 or 2.4 whose size is under 128.
fn frame(id: &[u8], content: &[u8]) -> Vec<u8> {
    assert!(content.len() < 128);
    [id, &[0, 0, 0, content.len() as u8, 0, 0], content].concat()
}

/// A whole tag without padding.
fn id3v2(version: u8, frames: &[Vec<u8>]) -> Vec<u8> {
    let body = frames.concat();
    let size = [21, 14, 7, 0].map(|bits| (body.len() >> bits & 0x7f) as u8);
    [&b"ID3"[..], &[version, 0, 0], &size, &body].concat()
}

/// Frames that lofty does not keep, or not as they are, in version 2.3.
fn frames() -> Vec<Vec<u8>> {
    let picture = b"\0image/png\0\x03\0\x89PNG\xff\xe0\xff\0 and more";
    let chapter = [b"ch0\0", &[0, 0, 0, 0, 0, 0, 3, 232][..], &[255; 8]].concat();
    let chapter = [chapter, frame(b"TIT2", b"\0First")].concat();
    vec![
        frame(b"TIT2", b"\0Title"),
        frame(b"TSOP", b"\0Sorted, by"),
        frame(b"RVAD", &[1, 2, 3, 4]),
        frame(b"APIC", picture),
        frame(b"CHAP", &chapter),
        frame(b"CTOC", b"toc\0\x03\x01ch0\0"),
        frame(b"PRIV", b"com.example\0\xff\xfe\0"),
        frame(b"TXXX", b"\0replaygain_track_gain\0-7.1 dB"),
        frame(b"TXXX", b"\0replaygain_track_gain\0twice"),
        frame(b"GEOB", b"\0application/x\0f\0d\0Serato"),
        frame(b"XYZ9", b"unknown"),
        frame(b"TYER", b"\x001999"),
    ]
}

#[test]
fn frames_of_others_stay_to_the_byte_and_the_version_too() {
    let dir = folder();
    let sound = std::fs::read(fixture("bare.mp3")).unwrap();
    let ape_item = b"\x08\0\0\0\0\0\0\0Album\0An album\x02\0\0\0\x02\0\0\0X\0\xff\0";
    let ape = |flags: u32| {
        let mut end = b"APETAGEX".to_vec();
        for n in [2000, ape_item.len() as u32 + 32, 2, flags] {
            end.extend(n.to_le_bytes());
        }
        [end, vec![0; 8]].concat()
    };
    let lyrics = b"LYRICSBEGININD0000200000021LYRICS200";
    let id3v1 = [&b"TAGtitle"[..], &[0; 119], &[255]].concat();
    let behind = [
        &ape(0xa000_0000)[..],
        ape_item,
        &ape(0x8000_0000),
        lyrics,
        &id3v1,
    ]
    .concat();
    for version in [3, 4] {
        let mut all = frames();
        all.insert(3, frame(b"TCON", b"\0"));
        let bytes = [&id3v2(version, &all)[..], &sound, &behind].concat();
        let path = put(&dir, &format!("{version}.mp3"), &bytes);
        let before = pcm(&path);
        written(&path, &["Blues", "Rock"], Mode::Missing);
        assert_eq!(pcm(&path), before);
        let after = std::fs::read(&path).unwrap();
        assert_eq!(after[3], version);
        let contains = |part: &[u8]| after.windows(part.len()).any(|w| w == part);
        for frame in frames() {
            assert!(
                contains(&frame),
                "{version}: {:?}",
                frame[..4].escape_ascii().to_string()
            );
        }
        assert!(contains(&sound) && contains(ape_item) && contains(lyrics));
        let rock = || vec!["Blues".to_owned(), "Rock".to_owned()];
        let want = [
            (TagKind::Id3v2, rock()),
            (TagKind::Ape, rock()),
            (TagKind::Id3v1, vec!["Blues".to_owned()]),
        ];
        assert_eq!(fields(&path, Field::Genre), want.into());
    }
}

#[test]
fn pictures_chapters_and_texts_of_other_programs_survive() {
    use lofty::config::WriteOptions as Lofty;
    use lofty::picture::{MimeType, Picture, PictureType};
    use lofty::prelude::*;
    let dir = folder();
    // lofty's own writing moves the sound of fragments away from where they say it is.
    let files = FILES.into_iter().filter(|name| !NOT_LOFTYS.contains(name));
    for name in files.filter(|name| *name != "fragments.mp4") {
        let path = copy(dir.path(), name);
        let read = || lofty::read_from_path(&path).unwrap();
        let mut file = read();
        if file.primary_tag().is_none() {
            file.insert_tag(lofty::tag::Tag::new(file.primary_tag_type()));
        }
        let tag = file.primary_tag_mut().unwrap();
        let picture = Picture::unchecked([&b"\x89PNG\r\n\x1a\n"[..], &vec![7; 30_000]].concat());
        let picture = picture
            .pic_type(PictureType::CoverFront)
            .mime_type(MimeType::Png);
        tag.push_picture(picture.build());
        tag.insert_text(ItemKey::Comment, "a comment".into());
        tag.insert_text(ItemKey::MusicBrainzRecordingId, "some-id".into());
        file.save_to_path(&path, Lofty::default()).unwrap();
        let before = read();
        let sound = pcm(&path);
        written(&path, &["Blues"], Mode::Missing);
        assert_eq!(pcm(&path), sound, "{name}");
        let after = read();
        let (before, after) = (before.primary_tag().unwrap(), after.primary_tag().unwrap());
        assert_eq!(after.pictures(), before.pictures(), "{name}");
        assert_eq!(after.pictures().len(), 1, "{name}");
        let others = |tag: &lofty::tag::Tag| -> Vec<_> {
            let others = tag.items().filter(|i| i.key() != ItemKey::Genre);
            others.cloned().collect()
        };
        assert_eq!(others(after), others(before), "{name}");
    }
}

/// Many tags make the headers longer than their pages, and the pages behind get other numbers.
#[test]
fn headers_of_ogg_may_need_more_pages_and_mp4_may_move() {
    let dir = folder();
    for name in [
        "vorbis.ogg",
        "opus.opus",
        "flac.oga",
        "start.m4a",
        "fragments.mp4",
        "v23.mp3",
    ] {
        let path = copy(dir.path(), name);
        let (sound, len) = (pcm(&path), std::fs::metadata(&path).unwrap().len());
        let many: Vec<(String, f32)> = (0..9000)
            .map(|i| (format!("tag number {i}"), 0.5))
            .collect();
        let mut row = row(&path, &["rock"]);
        row.probabilities = many;
        let undo = UndoTable::open(&dir.path().join("undo.csv"), []).unwrap();
        let mut tagger = Tagger::new(options(Mode::Missing), Some(undo), None);
        assert!(
            matches!(tagger.tag(&row).unwrap(), Tagged::Written { .. }),
            "{name}"
        );
        assert!(std::fs::metadata(&path).unwrap().len() > len + 180_000);
        assert_eq!(pcm(&path), sound, "{name}");
        written(&path, &["Blues"], Mode::Overwrite);
        assert_eq!(pcm(&path), sound, "{name}");
    }
}

#[test]
fn what_cannot_be_written_is_said_and_left_alone() {
    let dir = folder();
    let samples: Vec<i16> = (0..9000).map(|i| (i % 100 * 200) as i16).collect();
    let wav = wav16(&samples);
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_be_bytes()).collect();
    // The size of the sound is unknown: what follows it would be heard.
    let mut piped = wav.clone();
    piped[40..44].fill(0xff);
    let mut cut = std::fs::read(fixture("v23.mp3")).unwrap();
    cut[17] = 0x70;
    let ogg = std::fs::read(fixture("vorbis.ogg")).unwrap();
    for (name, bytes, what) in [
        (
            "a.au",
            au(false, bytes.len() as u32, 3, 1, &bytes),
            "AU files have no tags",
        ),
        ("piped.wav", piped, "longer than the file"),
        ("tag.mp3", cut, "damaged"),
        ("text.mp3", b"no audio".to_vec(), "not an audio file"),
        ("empty.flac", Vec::new(), "no audio samples"),
        ("cut.ogg", ogg[..100].to_vec(), "damaged"),
        ("wv.wv", b"wvpk and more".to_vec(), "WavPack"),
    ] {
        let path = put(&dir, name, &bytes);
        let error = failure(&path).to_string();
        assert!(error.contains(what), "{name}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
    let missing = dir.path().join("missing.mp3");
    assert!(matches!(failure(&missing), TagError::Io { .. }));
    assert!(
        names(dir.path())
            .iter()
            .all(|name| !name.ends_with(".part"))
    );
}

#[cfg(unix)]
#[test]
fn read_only_locked_and_linked_files() {
    use std::os::unix::fs::PermissionsExt;
    let dir = folder();
    let path = copy(dir.path(), "v23.mp3");
    let original = std::fs::read(&path).unwrap();
    let mode = |bits| std::fs::set_permissions(&path, PermissionsExt::from_mode(bits)).unwrap();
    mode(0o444);
    assert!(matches!(failure(&path), TagError::ReadOnly));
    mode(0o640);
    let other = std::fs::File::open(&path).unwrap();
    other.lock().unwrap();
    assert!(matches!(failure(&path), TagError::Locked));
    drop(other);
    let hard = dir.path().join("hard.mp3");
    std::fs::hard_link(&path, &hard).unwrap();
    assert!(matches!(failure(&path), TagError::HardLinks { links: 2 }));
    assert_eq!(std::fs::read(&path).unwrap(), original);
    std::fs::remove_file(&hard).unwrap();

    // A link stays a link; owner, mode, times and other attributes are kept.
    let soft = dir.path().join("soft.mp3");
    std::os::unix::fs::symlink("v23.mp3", &soft).unwrap();
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let times = std::fs::FileTimes::new().set_modified(old);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_times(times).unwrap();
    let has_attributes = xattr::set(&path, "user.test", b"kept").is_ok();
    let undo = UndoTable::open(&dir.path().join("undo.csv"), []).unwrap();
    let keep = TagOptions {
        write: WriteOptions {
            keep_times: true,
            break_links: false,
        },
        ..options(Mode::Missing)
    };
    let mut tagger = Tagger::new(keep, Some(undo), None);
    let tagged = tagger.tag(&row(&soft, &["rock"])).unwrap();
    assert!(matches!(tagged, Tagged::Written { .. }), "{tagged:?}");
    assert!(soft.is_symlink() && !path.is_symlink());
    let metadata = std::fs::metadata(&path).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o7777, 0o640);
    assert_eq!(metadata.modified().unwrap(), old);
    if has_attributes {
        assert_eq!(
            xattr::get(&path, "user.test").unwrap().as_deref(),
            Some(&b"kept"[..])
        );
    }
    assert!(TagFile::open(&soft).unwrap().has_genre());
}

#[test]
fn a_write_that_fails_leaves_the_old_file_or_the_new_one() {
    let memory = Path::new("/dev/shm");
    let dir = match memory.is_dir() {
        true => tempfile::tempdir_in(memory).unwrap(),
        false => folder(),
    };
    let (path, undo) = (dir.path().join("a.mp3"), dir.path().join("undo.csv"));
    let mut failures = 0;
    for fault in Fault::ALL {
        for lasting in [false, true] {
            for call in 0.. {
                std::fs::copy(fixture("v24.mp3"), &path).unwrap();
                let old = std::fs::read(&path).unwrap();
                let plan = FaultPlan {
                    call,
                    fault,
                    lasting,
                };
                let work = || {
                    let table = UndoTable::open(&undo, []).ok()?;
                    let mut tagger = Tagger::new(options(Mode::Missing), Some(table), None);
                    let tagged = tagger.tag(&row(&path, &["rock"])).ok()?;
                    Some(matches!(tagged, Tagged::Written { .. }))
                };
                let (done, failed) = with_faults(plan, work);
                let now = std::fs::read(&path).unwrap();
                assert_eq!(now == old, done != Some(true), "{plan:?}");
                let left = names(dir.path());
                assert!(
                    left.iter().all(|name| !name.ends_with(".part")),
                    "{plan:?} {left:?}"
                );
                if failed == 0 {
                    assert_eq!(done, Some(true));
                    break;
                }
                failures += 1;
                // Then the same command gives the right content, and the undo table the old one.
                assert_eq!(work(), Some(true), "{plan:?}");
                let row = undo_rows(&undo).unwrap().next().unwrap().unwrap();
                assert_eq!(
                    row.undo(WriteOptions::default(), false).unwrap(),
                    Undone::Restored
                );
                std::fs::remove_file(&undo).unwrap();
            }
            std::fs::remove_file(&undo).unwrap();
        }
    }
    assert!(failures > 30, "{failures}");
}

#[test]
fn undo_refuses_what_was_changed_since() {
    let dir = folder();
    let files = ["v23.mp3", "end.m4a", "flac.flac"].map(|name| copy(dir.path(), name));
    let undo = dir.path().join("undo.csv");
    let table = UndoTable::open(&undo, []).unwrap();
    let mut tagger = Tagger::new(options(Mode::Missing), Some(table), None);
    for path in &files {
        tagger.tag(&row(path, &["rock"])).unwrap();
    }
    drop(tagger);
    // Another program changes a genre, and adds a field.
    written(&files[1], &["Jazz"], Mode::Overwrite);
    let rows: Vec<_> = undo_rows(&undo).unwrap().map(|row| row.unwrap()).collect();
    assert_eq!(rows[0].path, files[2].canonicalize().unwrap());
    let undo = |i: usize| rows[i].undo(WriteOptions::default(), false);
    assert_eq!(undo(0).unwrap(), Undone::Restored);
    let error = undo(1).unwrap_err().to_string();
    assert!(
        error.contains("mp4.genre was changed since: it is `Jazz`"),
        "{error}"
    );
    assert_eq!(undo(2).unwrap(), Undone::Restored);
    let key = FieldKey {
        kind: TagKind::Mp4,
        field: Field::Genre,
    };
    let kept = TagFile::open(&files[1]).unwrap().fields();
    assert_eq!(kept[&key], ["Jazz"]);
}

/// Bytes that are cut off or wrong are an error, and no panic.
#[test]
fn damaged_files_are_refused_or_read() {
    let dir = folder();
    let mut refused = 0;
    for name in FILES {
        let whole = std::fs::read(fixture(name)).unwrap();
        let path = dir.path().join(name);
        let mut state = 12345_u32;
        let mut random = |n: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % n
        };
        for i in 0..150 {
            let mut bytes = whole.clone();
            match i % 3 {
                0 => bytes.truncate(random(whole.len())),
                _ => {
                    // Headers are where lengths are.
                    for _ in 0..1 + i % 4 {
                        let end = if i % 2 == 0 {
                            whole.len()
                        } else {
                            whole.len().min(600)
                        };
                        bytes[random(end)] = [0, 0xff, 0x7f, 0x80, i as u8][random(5)];
                    }
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            let Ok(file) = TagFile::open(&path) else {
                refused += 1;
                continue;
            };
            let wanted = LabelRule::default().wanted(&row(&path, &["rock"]));
            let changes =
                sonoprint::tag::changes(&file.fields(), &file.kinds(), &wanted, Mode::Overwrite);
            refused += u32::from(file.prepare(&changes, WriteOptions::default()).is_err());
        }
    }
    assert!(refused > 200, "{refused}");
}
