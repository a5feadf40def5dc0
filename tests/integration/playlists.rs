//! Promise: `--playlists` writes a playlist per genre or tag, sorted by score, that players and
//! `classify --files-from` read, and never over another one. Unix only, because paths are bytes.
#![cfg(unix)]

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use sonoprint::classify::journal::{Journal, JournalSettings, VERSION, journal_of};
use sonoprint::classify::{
    FileResult, Input, List, Outcome, OutputError, PlaylistCounts, Playlists, Prediction, Shard,
    listed,
};
use sonoprint::model::{DecisionRule, Task};

use crate::support::{rendered, tones};

const CLASSES: [&str; 4] = ["jazz", "r&b/soul", "80s", "JAZZ"];

fn classes() -> Vec<String> {
    CLASSES.map(str::to_owned).to_vec()
}

/// Writes a journal of files and their probabilities; without any, a failed file.
fn journal(out: &Path, files: &[(PathBuf, Vec<f32>)]) -> PathBuf {
    let settings = JournalSettings {
        journal: VERSION,
        model: "0123456789ab".into(),
        classes: classes(),
        task: Task::MultiLabel,
        threshold: Some(0.5),
        min_confidence: None,
        overlap: 0.0,
        excerpts: None,
        timeline: false,
        embeddings: false,
        half: false,
        shard: Shard::default(),
    };
    let path = journal_of(out);
    let mut journal = Journal::open(&path).unwrap();
    journal.start(&settings).unwrap();
    for (path, probabilities) in files {
        let outcome = match probabilities.is_empty() {
            true => Outcome::Failed {
                reason: "empty".into(),
                message: "the file is empty".into(),
            },
            false => Outcome::Ok(Prediction {
                probabilities: probabilities.clone(),
                seconds: 61.6,
                clips: 2,
                silent: 0,
                padded: false,
                damaged: None,
                embedding: Vec::new(),
                timeline: Vec::new(),
            }),
        };
        let result = FileResult {
            path: path.clone(),
            stamp: None,
            outcome,
        };
        journal.row(&result).unwrap();
    }
    path
}

fn rule(task: Task, min_confidence: Option<f32>) -> DecisionRule {
    DecisionRule {
        min_confidence,
        ..task.into()
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn tags_have_their_tracks_by_score_and_then_by_path() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let music = root.join("music");
    std::fs::create_dir(&music).unwrap();
    let odd = music.join(OsStr::from_bytes(b"caf\xe9.mp3"));
    let files = [
        (music.join("b.mp3"), vec![0.6, 0.7, 0.0, 0.0]),
        (music.join("a.mp3"), vec![0.6, 0.0, 0.1, 0.0]),
        (odd.clone(), vec![0.9, 0.5, 0.0, 0.0]),
        (music.join("none.mp3"), vec![0.4, 0.4, 0.4, 0.4]),
        (music.join("failed.mp3"), vec![]),
    ];
    for (path, _) in &files {
        std::fs::write(path, "").unwrap();
    }
    let journal = journal(&root.join("t.csv"), &files);
    let lists = root.join("lists");
    let playlists = Playlists::plan(&lists, &classes(), []).unwrap();
    let counts = playlists
        .write(&journal, &rule(Task::MultiLabel, None))
        .unwrap();
    let wanted = PlaylistCounts {
        playlists: 2,
        tracks: 5,
    };
    assert_eq!(counts, wanted);
    assert_eq!(names(&lists), ["jazz.m3u8", "r&b_soul.m3u8"]);
    let text = std::fs::read_to_string(lists.join("jazz.m3u8")).unwrap();
    let address = format!("file://{}/caf%E9.mp3", music.display());
    assert_eq!(
        text,
        format!(
            "#EXTM3U\n#sonoprint\n#PLAYLIST:jazz\n#EXTINF:62,caf\u{fffd}\n{address}\n\
             #EXTINF:62,a\n../music/a.mp3\n#EXTINF:62,b\n../music/b.mp3\n"
        )
    );
    // Our own reader of playlists finds the files.
    let list = List {
        name: lists.join("jazz.m3u8"),
        zero: false,
        folder: Some(lists.clone()),
    };
    let read = listed(std::io::Cursor::new(text), list, Shard::default());
    let found: Vec<PathBuf> = read
        .map(|input| match input {
            Input::File(path) => path.canonicalize().unwrap(),
            Input::Unreadable(path, why) => panic!("{}: {why}", path.display()),
        })
        .collect();
    assert_eq!(found, [odd, music.join("a.mp3"), music.join("b.mp3")]);

    // Single-label: one playlist per file, and none for an unsure one. What has no tracks any more
    // becomes empty.
    let sure = rule(Task::SingleLabel, Some(0.65));
    let counts = playlists.write(&journal, &sure).unwrap();
    assert_eq!((counts.playlists, counts.tracks), (2, 2));
    let none = rule(Task::SingleLabel, Some(0.95));
    assert_eq!(
        playlists.write(&journal, &none).unwrap(),
        PlaylistCounts::default()
    );
    let text = std::fs::read_to_string(lists.join("jazz.m3u8")).unwrap();
    assert_eq!(text, "#EXTM3U\n#sonoprint\n#PLAYLIST:jazz\n");
}

/// Also one whose name differs in its case only, and one that is read.
#[test]
fn a_playlist_that_is_not_ours_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let lists = folder.path();
    let mine = lists.join("80s.m3u8");
    std::fs::write(&mine, "#EXTM3U\nsong.mp3\n").unwrap();
    let refused = Playlists::plan(lists, &classes(), []);
    assert!(matches!(refused, Err(OutputError::Claim(_))));
    std::fs::remove_file(&mine).unwrap();
    let ours = "#EXTM3U\n#sonoprint\n#PLAYLIST:80s\n";
    std::fs::write(&mine, ours).unwrap();
    let refused = Playlists::plan(lists, &classes(), [mine.as_path()]);
    assert!(matches!(refused, Err(OutputError::Claim(_))));
    let plan = Playlists::plan(lists, &classes(), []).unwrap();
    // It became another's while the run went on.
    std::fs::write(&mine, "#EXTM3U\nsong.mp3\n").unwrap();
    let journal = journal(
        &lists.join("t.csv"),
        &[("a".into(), vec![0.0, 0.0, 1.0, 0.0])],
    );
    let refused = plan.write(&journal, &rule(Task::MultiLabel, None));
    assert!(matches!(refused, Err(OutputError::Claim(_))));
    assert_eq!(
        std::fs::read_to_string(&mine).unwrap(),
        "#EXTM3U\nsong.mp3\n"
    );
}

#[test]
fn classify_and_merge_write_the_same_playlists() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    tones(root, 3);
    let run = |code: i32, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
        let done = command.args(arguments).current_dir(root).output().unwrap();
        let text = [done.stdout, done.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {text}");
        text
    };
    let model = rendered();
    let classify = ["classify", "music", "--device", "cpu", "--model", &model];
    let told = run(
        0,
        &[&classify[..], &["--out", "t.csv", "--playlists", "lists"]].concat(),
    );
    assert!(told.contains("with 3 tracks in lists"), "{told}");
    run(
        0,
        &["merge", "t.csv", "--out", "u.csv", "--playlists", "again"],
    );
    let all = names(&root.join("lists"));
    assert!(!all.is_empty());
    assert_eq!(all, names(&root.join("again")));
    let read = |name: &String| {
        ["lists", "again"].map(|dir| std::fs::read_to_string(root.join(dir).join(name)).unwrap())
    };
    for name in &all {
        let [first, second] = read(name);
        assert_eq!(first, second);
        assert!(first.contains("\n../music/0"), "{first}");
    }
    let told = run(
        2,
        &[&classify[..], &["--out", "-", "--playlists", "lists"]].concat(),
    );
    assert!(told.contains("--playlists needs the journal"), "{told}");
}
