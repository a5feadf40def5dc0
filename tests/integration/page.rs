//! Promise: the page of a result table stands alone, says what it leaves out, escapes every name,
//! and is written at the end of each run that asks for it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sonoprint::classify::journal::{self, Journal, JournalSettings, journal_of};
use sonoprint::classify::{
    FileResult, MAX_TRACKS, Outcome, PageInfo, Prediction, Shard, path_of_text, write_page,
};
use sonoprint::model::Task;

use crate::support::{rendered, tones};

/// Names that are markup, that end a string or a script, or that are no text.
const ODD: [&str; 9] = [
    "<script>alert(1)</script>.wav",
    "\"onmouseover=\"alert(1).wav",
    "'onfocus='alert(1) autofocus.wav",
    "&amp;&lt;b&gt;.wav",
    "</script><img src=x onerror=alert(1)>.wav",
    "<!--{{ page }}{% raw %}.wav",
    "line\u{2028}two\nthree\\u003c.wav",
    "\u{202e}\u{5d0}\u{5d1}\u{5d2}.wav",
    r"bytes:caf\xe9.wav",
];

/// What stands before the data.
const DATA: &str = "<script type=\"application/json\" id=\"data\">";

fn settings(task: Task, embeddings: bool) -> JournalSettings {
    JournalSettings {
        journal: journal::VERSION,
        model: "0123456789ab".into(),
        classes: ["blues", "<b>jazz</b>", "rock"].map(str::to_owned).to_vec(),
        task,
        threshold: task.default_threshold(),
        min_confidence: Some(0.5),
        overlap: 0.0,
        excerpts: None,
        timeline: false,
        embeddings,
        half: false,
        shard: Shard::default(),
    }
}

fn ok(path: &str, probabilities: [f32; 3], embedding: &[f32]) -> FileResult {
    let prediction = Prediction {
        probabilities: probabilities.to_vec(),
        seconds: 30.0,
        clips: 1,
        silent: 0,
        padded: false,
        damaged: None,
        embedding: embedding.to_vec(),
        timeline: Vec::new(),
    };
    FileResult {
        path: path_of_text(path).unwrap(),
        stamp: None,
        outcome: Outcome::Ok(prediction),
    }
}

fn failed(path: &str, message: &str) -> FileResult {
    FileResult {
        path: path_of_text(path).unwrap(),
        stamp: None,
        outcome: Outcome::Failed {
            reason: "damaged".into(),
            message: message.into(),
        },
    }
}

/// Writes a journal and its page, and returns the page.
fn page(settings: &JournalSettings, rows: impl IntoIterator<Item = FileResult>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (journal, html) = (
        folder.path().join("a.journal"),
        folder.path().join("a.html"),
    );
    let mut file = Journal::open(&journal).unwrap();
    file.start(settings).unwrap();
    for row in rows {
        file.row(&row).unwrap();
    }
    let info = PageInfo {
        title: "<h9>&".into(),
        facts: vec![("<i>".into(), "\"><script>alert(2)</script>".into())],
        settings: settings.clone(),
        map_hint: Some("<em>hint".into()),
    };
    write_page(&info, &journal, &html).unwrap();
    std::fs::read_to_string(html).unwrap()
}

/// Returns the data that the page's script reads.
fn data(page: &str) -> Value {
    let json = page.split(DATA).nth(1).unwrap();
    serde_json::from_str(json.split("</script>").next().unwrap()).unwrap()
}

fn texts(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect()
}

#[test]
fn every_name_is_escaped() {
    let good = ODD.map(|name| ok(name, [0.1, 0.8, 0.1], &[]));
    let bad = ODD.map(|name| failed(&format!("bad {name}"), &format!("no {name}")));
    let long = "x".repeat(300);
    let rows = good
        .into_iter()
        .chain(bad)
        .chain([ok(&long, [0.9, 0.1, 0.0], &[])]);
    let page = page(&settings(Task::SingleLabel, false), rows);
    // The template's own elements, and no others.
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    let (head, rest) = page.split_once(DATA).unwrap();
    let (json, script) = rest.split_once("</script>").unwrap();
    for raw in [
        "<img",
        "<b>",
        "<i>",
        "<em>",
        "<h9>",
        "<!--",
        "\"onmouse",
        "'onfocus",
        "http://",
        "https://",
    ] {
        assert!(!head.contains(raw) && !script.contains(raw), "{raw}");
    }
    assert!(!json.contains(['<', '>', '&', '\u{2028}']));
    assert!(page.contains("&lt;script&gt;alert(1)"));
    let data = data(&page);
    let mut want = ODD.to_vec();
    want.push(&long);
    let mut paths = texts(&data["path"]);
    want.sort();
    paths.sort();
    assert_eq!(paths, want);
    for url in texts(&data["url"]) {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~%/".contains(c);
        assert!(url.chars().all(plain), "{url}");
    }
    for tag in [
        "main", "section", "table", "tbody", "tr", "td", "th", "ul", "li", "label", "span", "p",
        "div", "details", "dl", "dt", "dd", "body", "html", "style",
    ] {
        // The script has no markup.
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn counts_are_of_all_files_and_the_table_is_a_sample() {
    let extra = 1500;
    let rows = (0..MAX_TRACKS + extra).map(|i| {
        let p = [[0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.4, 0.3, 0.3]][i % 3];
        ok(&format!("{i:05}.wav"), p, &[])
    });
    let settings = settings(Task::SingleLabel, false);
    let page = page(&settings, rows);
    let spaces = page.replace('\u{202f}', " ");
    assert!(spaces.contains("show 10 000 of 11 500 tracks, drawn at random"));
    let tile = |n: &str, what: &str| format!("<strong>{n}</strong> <span>{what}</span>");
    for tile in [
        tile("11 500", "tracks"),
        tile("3 833", "unsure"),
        tile("2", "genres"),
    ] {
        assert!(spaces.contains(&tile), "{tile}");
    }
    for bar in [
        "90 to 95 %: 3 834",
        "70 to 75 %: 3 833",
        "40 to 45 %: 3 833",
    ] {
        assert!(spaces.contains(bar), "{bar}");
    }
    let data = data(&page);
    assert_eq!(texts(&data["path"]).len(), MAX_TRACKS);
    assert!(texts(&data["path"]).is_sorted());
    assert!(page.contains("A map of the answers") && page.contains("&lt;em&gt;hint"));
}

#[test]
fn the_map_is_of_the_embeddings() {
    // Two heaps of directions, of any length.
    let rows = (0..40).map(|i| {
        let (a, b) = if i % 2 == 0 { (1.0, 0.1) } else { (0.1, 1.0) };
        let length = 1.0 + i as f32;
        ok(
            &format!("{i:02}.wav"),
            [0.6, 0.4, 0.0],
            &[a * length, b * length, 0.5 * length],
        )
    });
    let page = page(&settings(Task::SingleLabel, true), rows);
    assert!(
        page.contains("components of the tracks&rsquo; embeddings")
            && !page.contains("&lt;em&gt;hint")
    );
    let data = data(&page);
    let x: Vec<i64> = data["x"]
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_i64().unwrap())
        .collect();
    let side = x[0].signum();
    assert!(
        x.iter()
            .enumerate()
            .all(|(i, &x)| x.abs() > 9000 && x.signum() == if i % 2 == 0 { side } else { -side }),
        "{x:?}"
    );
}

#[test]
fn tags_are_counted_and_an_empty_table_has_a_page() {
    let multi = settings(Task::MultiLabel, false);
    let rows = [
        ok("a", [0.9, 0.8, 0.1], &[]),
        ok("b", [0.6, 0.2, 0.1], &[]),
        ok("c", [0.1, 0.1, 0.1], &[]),
    ];
    let tags = page(&multi, rows);
    let data = data(&tags);
    assert_eq!(data["labels"], serde_json::json!([2, 1, 0]));
    assert_eq!(
        data["ranked"][0],
        serde_json::json!([0, 9000, 1, 8000, 2, 1000])
    );
    assert!(
        tags.contains("<h2 id=\"labels-title\">Tags</h2>")
            && tags.contains("1 tag without a track")
    );
    for settings in [multi, settings(Task::SingleLabel, true)] {
        let empty = page(&settings, []);
        assert!(empty.contains("No track has a") && empty.contains("There is no map"));
    }
}

/// A folder with a few tones and a file that is no audio.
struct Place {
    root: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let music = tones(root.path(), 4);
        std::fs::write(music.join("<u>noise.mp3"), [0x5a; 3000]).unwrap();
        Self { root }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
        command.current_dir(self.root.path()).args(arguments);
        if arguments[0] == "classify" {
            command.args(["music", "--device", "cpu", "--model", &rendered()]);
        }
        command.output().unwrap()
    }

    #[track_caller]
    fn page(&self, arguments: &[&str]) -> String {
        let page = self.at("page.html");
        let _ = std::fs::remove_file(&page);
        let output = self.run(&[arguments, &["--report", "page.html"]].concat());
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}");
        assert!(words.contains("wrote page.html"), "{words}");
        std::fs::read_to_string(page).unwrap()
    }
}

fn embeddings(out: &Path) -> bool {
    journal::settings(&journal_of(out))
        .unwrap()
        .unwrap()
        .embeddings
}

#[test]
fn each_run_that_asks_for_a_page_writes_it() {
    let place = Place::new();
    let page = place.page(&["classify", "--out", "a.csv"]);
    assert!(page.contains("<h1 dir=\"auto\">Genres of music</h1>"));
    assert!(page.contains("1 file without an answer") && page.contains("&lt;u&gt;noise.mp3"));
    let urls = data(&page);
    assert_eq!(texts(&urls["url"])[0], "music/00.wav");
    assert!(embeddings(&place.at("a.csv")), "a map needs them");

    // A run that goes on, with and without a page.
    assert_eq!(
        place.run(&["classify", "--out", "a.csv"]).status.code(),
        Some(1)
    );
    let again = place.page(&["classify", "--out", "a.csv"]);
    assert_eq!(data(&again), data(&page));

    // A table without embeddings stays so, and its page says so.
    assert_eq!(
        place.run(&["classify", "--out", "b.csv"]).status.code(),
        Some(1)
    );
    let without = place.page(&["classify", "--out", "b.csv"]);
    assert!(without.contains("A map of the answers") && !embeddings(&place.at("b.csv")));
    let fresh = place.page(&["classify", "--out", "b.csv", "--fresh"]);
    assert!(fresh.contains("embeddings, and holds") && embeddings(&place.at("b.csv")));

    // A finished table, labeled again.
    let merged = ["merge", "a.csv", "--out", "c.csv", "--min-confidence", "1"];
    let unsure = place.page(&merged);
    assert!(unsure.contains("<strong>4</strong> <span>unsure</span>"));
}

#[test]
fn a_page_goes_to_a_file_of_its_own() {
    let place = Place::new();
    std::fs::write(
        place.at("mine.html"),
        "<!doctype html>\n<html lang=\"en\">\n",
    )
    .unwrap();
    for (arguments, why) in [
        (&["--report", "a.html"][..], "--out"),
        (&["--out", "-", "--report", "a.html"], "add --out FILE"),
        (
            &["--out", "a.csv", "--report", "-"],
            "name one instead of -",
        ),
        (
            &["--out", "a.csv", "--report", "mine.html"],
            "mine.html exists",
        ),
        (&["--out", "a.csv", "--report", "./a.csv"], "the same file"),
        (
            &["--out", "a.csv", "--report", "a.csv.journal"],
            "the same file",
        ),
    ] {
        let output = place.run(&[&["classify"], arguments].concat());
        let words = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{words}");
        assert!(words.contains(why), "{why}: {words}");
    }
    let mine = std::fs::read_to_string(place.at("mine.html")).unwrap();
    assert!(mine.ends_with("lang=\"en\">\n"), "it is untouched");
}
