//! Promise: `sonoprint tag` does what it says, from a table and from paths, and a kill at any
//! moment loses nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use sonoprint::classify::{
    Content, FileResult, Format, Outcome, Prediction, RowLabels, RowStatus, Schema, Table,
    TableReadError, TableReader, TableRow,
};
use sonoprint::model::{DecisionRule, Task};
use sonoprint::tag::{Field, TagFile};

use crate::support::data;
use crate::tagging::{FILES, fixture, pcm};

fn sonoprint(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    sonoprint(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Files of every format, and a table that names their genres.
struct Place {
    root: tempfile::TempDir,
    files: Vec<PathBuf>,
    table: String,
}

impl Place {
    fn new(rounds: usize) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut files = Vec::new();
        let mut rows =
            "path,status,genre,confidence,genre_2,confidence_2,p_rock,p_hiphop\n".to_owned();
        for round in 0..rounds {
            for name in FILES {
                let path = root.path().join(format!("{round}-{name}"));
                std::fs::copy(fixture(name), &path).unwrap();
                let path_text = path.display();
                writeln!(rows, "{path_text},ok,rock,0.7,hiphop,0.2,0.7,0.2").unwrap();
                files.push(path);
            }
        }
        let table = root.path().join("genres.csv").display().to_string();
        std::fs::write(&table, rows).unwrap();
        Self { root, files, table }
    }

    fn at(&self, name: &str) -> String {
        self.root.path().join(name).display().to_string()
    }

    fn parts(&self) -> usize {
        let entries = std::fs::read_dir(self.root.path()).unwrap();
        let names = entries.map(|e| e.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".part")).count()
    }
}

fn genres(path: &Path) -> Vec<String> {
    let fields = TagFile::open(path).unwrap().fields();
    let genres = fields
        .into_iter()
        .filter(|(key, _)| key.field == Field::Genre);
    genres.flat_map(|(_, values)| values).collect()
}

#[test]
fn a_kill_at_any_moment_loses_nothing() {
    let whole = Place::new(3);
    let sounds: Vec<_> = whole.files.iter().map(|path| pcm(path)).collect();
    let start = Instant::now();
    let done = run(&["tag", &whole.table]);
    let took = start.elapsed();
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let (mut killed, mut midway) = (0, 0);
    for i in 0..20 {
        let place = Place::new(3);
        let mut child = sonoprint(&["tag", &place.table])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(f64::from(i) / 20.0) + Duration::from_millis(2));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        let mut tagged = 0;
        for (path, sound) in place.files.iter().zip(&sounds) {
            assert!(pcm(path) == *sound, "kill {i}: {}", path.display());
            let fields = TagFile::open(path).unwrap().fields();
            let ours = fields.iter().filter(|(key, _)| key.field == Field::Scores);
            match genres(path).is_empty() {
                true => assert_eq!(ours.count(), 0, "kill {i}: before"),
                false => {
                    assert!(genres(path).iter().all(|g| g.eq_ignore_ascii_case("rock")));
                    assert_eq!(ours.count(), 1, "kill {i}: after");
                    tagged += 1;
                }
            }
        }
        midway += u32::from(tagged > 0 && tagged < place.files.len());
        let again = run(&["tag", &place.table]);
        assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
        assert!(place.files.iter().all(|path| !genres(path).is_empty()));
        assert_eq!(place.parts(), 0, "kill {i}: nothing is left");
        let undo = run(&["tag", "--undo", &format!("{}.undo.csv", place.table)]);
        assert_eq!(undo.status.code(), Some(0), "{}", text(&undo.stderr));
        for (path, sound) in place.files.iter().zip(&sounds) {
            assert!(genres(path).is_empty() && pcm(path) == *sound, "kill {i}");
        }
    }
    // On a busy machine some runs end before they are killed.
    assert!(
        killed >= 5 && midway >= 3,
        "{killed} killed, {midway} midway"
    );
}

#[test]
fn only_what_is_missing_is_written_unless_told() {
    let place = Place::new(1);
    let count = place.files.len();
    let map = place.at("map.toml");
    std::fs::write(
        &map,
        "[rename]\nhiphop = 'Hip-Hop'\nrokc = 'x'\n[parents]\nhiphop = 'Black'\n",
    )
    .unwrap();
    // A dry run says what would change, and changes nothing.
    let before: Vec<_> = place
        .files
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let dry = run(&[
        "tag",
        &place.table,
        "--dry-run",
        "--map",
        &map,
        "--top",
        "2",
    ]);
    assert_eq!(dry.status.code(), Some(0), "{}", text(&dry.stderr));
    let stdout = text(&dry.stdout);
    assert!(
        stdout.contains("  id3v2.genre    (none) -> rock | Hip-Hop | Black\n"),
        "{stdout}"
    );
    assert!(
        stdout.contains("  riff.genre     (none) -> rock; Hip-Hop; Black\n"),
        "{stdout}"
    );
    let stderr = text(&dry.stderr);
    assert!(
        stderr.contains(&format!("{count} files would be tagged")),
        "{stderr}"
    );
    assert!(
        stderr.contains("labels that the model does not have: rokc"),
        "{stderr}"
    );
    let after: Vec<_> = place
        .files
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(before == after && !Path::new(&place.at("genres.csv.undo.csv")).exists());

    assert_eq!(run(&["tag", &place.table]).status.code(), Some(0));
    let again = run(&["tag", &place.table, "--top", "2"]);
    let stderr = text(&again.stderr);
    assert!(
        stderr.contains(&format!("0 files tagged, {count} left as they are")),
        "{stderr}"
    );
    let mp4 = place
        .files
        .iter()
        .find(|p| p.ends_with("0-end.m4a"))
        .unwrap();
    assert_eq!(genres(mp4), ["rock"]);
    run(&["tag", &place.table, "--append", "--top", "2", "--map", &map]);
    assert_eq!(genres(mp4), ["rock", "Hip-Hop", "Black"]);
    run(&["tag", &place.table, "--overwrite", "--no-scores"]);
    assert_eq!(genres(mp4), ["rock"]);
    // Nothing that is not sure enough, and nothing twice.
    let sure = run(&[
        "tag",
        &place.table,
        "--overwrite",
        "--min-confidence",
        "0.8",
    ]);
    let stderr = text(&sure.stderr);
    assert!(
        stderr.contains(&format!("{count} without a label that is sure enough")),
        "{stderr}"
    );
    assert_eq!(
        run(&["tag", &place.table, "--missing", "--append"])
            .status
            .code(),
        Some(2)
    );
    // The undo table has all three runs.
    let undo = place.at("genres.csv.undo.csv");
    let undone = run(&["tag", "--undo", &undo]);
    assert_eq!(undone.status.code(), Some(0), "{}", text(&undone.stderr));
    assert!(place.files.iter().all(|path| genres(path).is_empty()));
    // The table is no undo table, and is not written over.
    let refused = run(&["tag", &place.table, "--undo-table", &place.table]);
    assert_eq!(refused.status.code(), Some(2), "{}", text(&refused.stderr));
}

#[test]
fn a_row_that_fails_is_a_line_and_the_rest_goes_on() {
    let place = Place::new(1);
    let mut rows = std::fs::read_to_string(&place.table).unwrap();
    rows +=
        "missing.mp3,ok,rock,0.7,,,,\nbad.mp3,failed,,,,,,\nunsure.mp3,unsure,,,,,,\nshort,ok\n";
    std::fs::write(&place.table, rows).unwrap();
    let done = run(&["tag", &place.table]);
    assert_eq!(done.status.code(), Some(1));
    let stderr = text(&done.stderr);
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(
        lines[0].starts_with("missing.mp3: cannot read it: No such file"),
        "{stderr}"
    );
    assert!(
        lines[1].contains("row 18 of ") && lines[1].contains("has 2 cells"),
        "{stderr}"
    );
    assert!(
        lines[2].contains("14 files tagged, 1 without a label"),
        "{stderr}"
    );
    assert!(lines[2].contains("1 could not be read when they were classified, 2 failed"));
    assert_eq!(
        lines[3],
        format!("to undo: sonoprint tag --undo {}.undo.csv", place.table)
    );
    assert_eq!(lines.len(), 4, "{stderr}");
    let clips = place.at("clips.csv");
    std::fs::write(&clips, "path,start,end,genre,confidence\n").unwrap();
    let refused = run(&["tag", &clips]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("it has a row per clip"));
}

#[test]
fn files_are_classified_and_tagged_at_once() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    std::fs::copy(data("clips/metal/metal.00014.flac"), at("a.flac")).unwrap();
    std::fs::copy(data("clips/rock/rock.00014.ogg"), at("b.ogg")).unwrap();
    std::fs::write(at("c.mp3"), "no sound").unwrap();
    let sounds = [pcm(&at("a.flac")), pcm(&at("b.ogg"))];
    let folder = root.path().to_str().unwrap();
    let tag = |more: &[&str]| {
        let command = [&["tag", folder, "--device", "cpu"], more].concat();
        sonoprint(&command)
            .current_dir(root.path())
            .output()
            .unwrap()
    };
    let done = tag(&[]);
    let stderr = text(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.contains("c.mp3: not an audio file of a known format (unknown_format)"),
        "{stderr}"
    );
    assert!(stderr.contains("2 files tagged, 1 failed"), "{stderr}");
    for name in ["a.flac", "b.ogg"] {
        assert_eq!(genres(&at(name)).len(), 1, "{name}");
    }
    let again = tag(&[]);
    let stderr = text(&again.stderr);
    assert!(
        stderr.contains("0 files tagged, 2 left as they are, 1 failed"),
        "{stderr}"
    );
    // Moods and tags go beside the genre that is there.
    let tags = tag(&["--tags", "--threshold", "0.02", "--top", "9"]);
    let stderr = text(&tags.stderr);
    assert!(stderr.contains("2 files tagged"), "{stderr}");
    for name in ["a.flac", "b.ogg"] {
        let fields = TagFile::open(&at(name)).unwrap().fields();
        let tags = fields
            .iter()
            .find(|(key, _)| key.field == Field::Tags)
            .unwrap()
            .1;
        assert!(
            tags.len() > 1 && genres(&at(name)).len() == 1,
            "{name}: {tags:?}"
        );
    }
    let undo = at("sonoprint.undo.csv").display().to_string();
    assert_eq!(run(&["tag", "--undo", &undo]).status.code(), Some(0));
    assert!(genres(&at("a.flac")).is_empty());
    assert!([pcm(&at("a.flac")), pcm(&at("b.ogg"))] == sounds);
}

fn results() -> Vec<FileResult> {
    let ok = |p: [f32; 3]| {
        Outcome::Ok(Prediction {
            probabilities: p.to_vec(),
            seconds: 3.25,
            clips: 1,
            silent: 0,
            padded: false,
            damaged: (p[0] > 0.6).then(|| "half of it".to_owned()),
            embedding: Vec::new(),
            timeline: Vec::new(),
        })
    };
    let failed = Outcome::Failed {
        reason: "empty".into(),
        message: "the file is empty".into(),
    };
    let outcomes = [ok([0.75, 0.125, 0.125]), failed, ok([0.25, 0.5, 0.25])];
    let paths = ["a, \"b\".mp3", "bytes:x.mp3", "gr\u{fc}n\n.mp3"];
    let both = paths.into_iter().zip(outcomes);
    both.map(|(path, outcome)| FileResult {
        path: path.into(),
        stamp: None,
        outcome,
    })
    .collect()
}

#[test]
fn tables_of_every_format_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    for (task, threshold) in [(Task::SingleLabel, None), (Task::MultiLabel, Some(0.25))] {
        let schema = Schema {
            classes: ["rock", "hip hop", "60s"].map(str::to_owned).to_vec(),
            top: 2,
            model: "0123456789ab".into(),
            rule: DecisionRule {
                task,
                threshold,
                min_confidence: Some(0.6),
            },
        };
        let want: Vec<TableRow> = results().iter().map(|r| TableRow::of(r, &schema)).collect();
        assert_eq!(want[2].status, RowStatus::Unsure);
        let of_files = |f: &&Format| f.holds(Content::Files) && f.has_columns();
        for format in Format::ALL.iter().filter(of_files) {
            let path = folder.path().join(format!("table.{}", format.name()));
            let file = std::fs::File::create(&path).unwrap();
            let mut table = Table::new(file, Content::Files, *format, schema.clone()).unwrap();
            for result in &results() {
                table.write(result).unwrap();
            }
            table.finish().unwrap();
            assert!(TableReader::recognizes(&path), "{format}");
            let rows: Result<Vec<_>, _> = TableReader::open(&path).unwrap().collect();
            assert_eq!(rows.unwrap(), want, "{format} {task:?}");
        }
    }
}

/// Rows that are added while a table is read are read too: it is not read whole before.
#[test]
fn tables_are_read_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let rows = |n: usize, row: &str| row.repeat(n);
    let csv = "path,genre\n".to_owned() + &rows(100_000, "a.mp3,rock\n");
    let jsonl = rows(100_000, "{\"path\":\"a.mp3\",\"genre\":\"rock\"}\n");
    for (name, text, last) in [
        ("a.csv", csv, "b.mp3,pop\n"),
        ("a.jsonl", jsonl, "{\"path\":\"b.mp3\",\"genre\":\"pop\"}\n"),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let mut reader = TableReader::open(&path).unwrap();
        assert_eq!(reader.next().unwrap().unwrap().path, Path::new("a.mp3"));
        sonoprint::files::append_line(&path, last.trim_end()).unwrap();
        let row = reader.by_ref().last().unwrap().unwrap();
        assert_eq!(
            row.labels,
            RowLabels::Genres(vec![("pop".into(), None)]),
            "{name}"
        );
    }
}

#[test]
fn damaged_tables_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let open = |text: &[u8]| {
        let path = folder.path().join("t");
        std::fs::write(&path, text).unwrap();
        let rows = TableReader::open(&path)?;
        rows.collect::<Result<Vec<_>, TableReadError>>()
    };
    for wrong in [
        &b"genre\nrock\n"[..],
        b"path,title\na,b\n",
        b"path,embedding\na,b\n",
        b"PAR1 and more",
        b"PAR1",
        b"path,genre\na\n",
        b"path,genre\n\xff\xfe,\xff\n",
        b"{\"path\":\"a\"}\n",
        b"{\"path\":\"a\",\"genre\":",
        b"path,genre\n,rock\n",
        b"path,genre\nbytes:\\q,rock\n",
        b"path,status,genre\na,maybe,rock\n",
    ] {
        let error = open(wrong).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
    }
    assert_eq!(open(b"\xef\xbb\xbfpath,genre\na,rock\n").unwrap().len(), 1);
    assert!(open(b"path,genre\n").unwrap().is_empty());
}
