//! Promise: labels come from a CSV file or from the files' tags, whatever is left out is said, and a
//! network learns, is resumed and is measured on several labels per file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lofty::config::WriteOptions;
use lofty::tag::{ItemKey, ItemValue, Tag, TagExt, TagItem, TagType};
use sonoprint::dataset::{Dataset, DatasetError, LabelRules, LabelSource, Labeled, Split, Subset};
use sonoprint::evaluate::{Epoch, EvaluatedClip, Evaluation, Validation, report};
use sonoprint::model::Task;

use crate::support::audio_files::{flac, mp3_silence};
use crate::support::{noise, tone, turn, wav};

const ALL: LabelRules = LabelRules {
    min_files: 1,
    single: false,
    hidden: false,
};

/// Makes an empty file at each of `paths`, and a CSV file.
fn folder(paths: &[&str], csv: &str) -> (tempfile::TempDir, LabelSource) {
    let dir = tempfile::tempdir().unwrap();
    for path in paths {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"").unwrap();
    }
    let list = dir.path().join("labels.csv");
    fs::write(&list, csv).unwrap();
    (dir, LabelSource::Csv(list))
}

/// Returns each file with its labels.
fn labels(data: &Dataset) -> BTreeMap<String, String> {
    let entries = data.entries.iter();
    let labels = entries.map(|entry| (entry.key(), data.label_text(entry)));
    labels.collect()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    let pairs = pairs.map(|&(file, labels)| (file.to_owned(), labels.to_owned()));
    pairs.collect()
}

#[test]
fn a_csv_file_gives_labels_and_what_is_left_out_is_said() {
    let csv = "\u{feff}artist, Tags ,FILE\n\
        x,rock|guitar,a.wav\n\
        x,Rock;  slow  ,./b/1.mp3\n\
        x,rock,b\\1.mp3\n\
        x,piano,b/1.mp3\n\
        x,piano,c.flac\n\
        x,guitar,gone.wav\n\
        x, ,d.wav\n\
        x,polka,e.wav\n";
    let paths = [
        "a.wav", "b/1.mp3", "c.flac", "d.wav", "e.wav", "f.wav", ".g.wav", "h.txt",
    ];
    let (dir, source) = folder(&paths, csv);
    let read = |rules| Dataset::labeled(dir.path(), &source, rules);

    let Labeled { data, notes } = read(ALL).unwrap();
    assert_eq!(data.classes, ["guitar", "piano", "polka", "rock", "slow"]);
    let want = [
        ("a.wav", "guitar|rock"),
        ("b/1.mp3", "piano|rock|slow"),
        ("c.flac", "piano"),
        ("e.wav", "polka"),
    ];
    assert_eq!(labels(&data), map(&want));
    assert!(data.has_several_labels());
    assert_eq!(
        notes,
        [
            "1 file left out, listed but not in the folder: gone.wav",
            "1 file left out, not listed: f.wav",
            "1 label of several spellings: Rock and rock are rock",
            "1 file left out, without a label: d.wav",
            "left out: 2 files that are not audio (1 .csv, 1 .txt)",
            "left out: 1 hidden file or folder",
        ]
    );

    let Labeled { data, notes } = read(LabelRules {
        min_files: 2,
        ..ALL
    })
    .unwrap();
    assert_eq!(data.classes, ["piano", "rock"]);
    let want = [
        ("a.wav", "rock"),
        ("b/1.mp3", "piano|rock"),
        ("c.flac", "piano"),
    ];
    assert_eq!(labels(&data), map(&want));
    assert_eq!(
        notes[4..6],
        [
            "3 labels of fewer than 2 files left out: guitar (1), polka (1), slow (1)",
            "1 file left out, without another label: e.wav",
        ]
    );

    let Labeled { data, notes } = read(LabelRules {
        single: true,
        ..ALL
    })
    .unwrap();
    assert_eq!(
        labels(&data),
        map(&[("c.flac", "piano"), ("e.wav", "polka")])
    );
    assert_eq!(
        notes[4],
        "2 files left out, with several labels: a.wav, b/1.mp3"
    );

    // What is written is read back.
    let copy = dir.path().join("copy.csv");
    let all = read(ALL).unwrap().data;
    all.write_labels(&copy).unwrap();
    let again = Dataset::labeled(dir.path(), &LabelSource::Csv(copy), ALL).unwrap();
    assert_eq!(
        (&again.data.classes, labels(&again.data)),
        (&all.classes, labels(&all))
    );
}

#[test]
fn csv_errors_name_the_place() {
    let error = |csv: &str| {
        let (dir, source) = folder(&["a.wav", "b.wav"], csv);
        Dataset::labeled(dir.path(), &source, ALL).unwrap_err()
    };
    for (csv, at, word) in [
        ("file,split\na.wav,train\n", 1, "labels"),
        ("name,labels\na.wav,x\n", 1, "file"),
        ("file,labels\na.wav,x\n,y\n", 3, "no name"),
        ("file,labels\na.wav,x,y\n", 2, "3 fields"),
    ] {
        match error(csv) {
            DatasetError::CsvFile { line, why, .. } => {
                assert_eq!(line, at, "{why}");
                assert!(why.contains(word), "{why}");
            }
            other => panic!("{other}"),
        }
    }
    let none = error("file,labels\nx.wav,rock\n");
    assert!(matches!(none, DatasetError::NoLabels { .. }));
    assert!(
        none.to_string().contains("; 1 file left out, listed but"),
        "{none}"
    );
    let one = error("file,labels\na.wav,rock\nb.wav,rock\n");
    assert!(matches!(one, DatasetError::OneClass { class } if class == "rock"));
}

/// Writes the genres into a tag of an existing file.
fn put_genres(path: &Path, kind: TagType, genres: &[&str]) {
    let mut tag = Tag::new(kind);
    for &genre in genres {
        tag.push(TagItem::new(ItemKey::Genre, ItemValue::Text(genre.into())));
    }
    tag.save_to_path(path, WriteOptions::default()).unwrap();
}

#[test]
fn tags_of_the_files_give_labels() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["a.wav", "b.wav", "plain.wav"] {
        wav(&at(name), 0.1, 440.0);
    }
    fs::write(at("c.flac"), flac(&[0; 1000], 1000)).unwrap();
    for name in ["d.mp3", "e.mp3", "f.mp3"] {
        fs::write(at(name), mp3_silence(8)).unwrap();
    }
    fs::write(at("g.au"), b".snd").unwrap();
    put_genres(&at("a.wav"), TagType::Id3v2, &["Rock", "Drum & Bass"]);
    put_genres(&at("b.wav"), TagType::RiffInfo, &["rock / Jazz"]);
    put_genres(
        &at("c.flac"),
        TagType::VorbisComments,
        &["Jazz", "ROCK;Other"],
    );
    // The numbers of ID3: 8 is Jazz, 17 is Rock.
    put_genres(&at("d.mp3"), TagType::Id3v2, &["(17)(8)"]);
    put_genres(&at("e.mp3"), TagType::Id3v1, &["Jazz"]);
    // The first tag that has genres wins: an ID3v1 tag is a copy of less.
    put_genres(&at("f.mp3"), TagType::Id3v1, &["Blues"]);
    put_genres(&at("f.mp3"), TagType::Id3v2, &["Rock/Jazz"]);

    let Labeled { data, notes } = Dataset::labeled(dir.path(), &LabelSource::Tags, ALL).unwrap();
    let want = [
        ("a.wav", "Drum & Bass|Rock"),
        ("b.wav", "Jazz|Rock"),
        ("c.flac", "Jazz|Rock"),
        ("d.mp3", "Jazz|Rock"),
        ("e.mp3", "Jazz"),
        ("f.mp3", "Jazz|Rock"),
    ];
    assert_eq!(labels(&data), map(&want), "{notes:?}");
    assert_eq!(
        notes,
        [
            "1 file left out, without readable tags: g.au",
            "1 genre left out, of no meaning: Other (1)",
            "1 label of several spellings: ROCK and Rock and rock are Rock",
            "1 file left out, without a label: plain.wav",
        ]
    );
}

#[test]
fn files_with_several_labels_are_split_by_label() {
    let mut csv = String::from("file,labels\n");
    let names: Vec<String> = (0..60).map(|i| format!("{i:02}.wav")).collect();
    for (i, name) in names.iter().enumerate() {
        let extra = if i % 6 == 0 { "|rare" } else { "" };
        csv += &format!("{name},{}{extra}\n", ["a", "b", "a|b"][i % 3]);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (dir, source) = folder(&names, &csv);
    let data = Dataset::labeled(dir.path(), &source, ALL).unwrap().data;
    let split = Split::stratified(&data, 1, (0.2, 0.2)).unwrap();
    for (subset, files, rare) in [
        (Subset::Train, 36, 6),
        (Subset::Valid, 12, 2),
        (Subset::Test, 12, 2),
    ] {
        let got = split.subset(subset);
        assert!(got.len().abs_diff(files) <= 1, "{subset:?}: {}", got.len());
        let with = got.iter().filter(|&&i| data.entries[i].labels.contains(&2));
        assert_eq!(with.count(), rare, "{subset:?}");
    }
    let table = split.summary(&data);
    let total: Vec<&str> = table.lines().last().unwrap().split_whitespace().collect();
    let sum: usize = total[1..].iter().map(|n| n.parse::<usize>().unwrap()).sum();
    assert_eq!(sum, 60, "a file with two labels counts once: {table}");
    // The same through a file.
    let path = dir.path().join("split.csv");
    split.write_csv(&data, &path).unwrap();
    assert_eq!(Split::from_csv(&data, &path).unwrap(), split);

    let folds = Split::folds(&data, 4, 1).unwrap();
    let mut tested: Vec<usize> = folds.iter().flat_map(|fold| fold.test.clone()).collect();
    tested.sort_unstable();
    assert_eq!(tested, (0..60).collect::<Vec<_>>());
    assert!(folds.iter().all(|fold| fold.test.len().abs_diff(15) <= 1));
}

fn sonoprint(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sonoprint"));
    command.args(arguments).args(["--device", "cpu"]);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// 24 files of half a second with a tone, noise or both, and their labels; one label is rare.
fn music(root: &Path) -> PathBuf {
    let mut csv = String::from("file,labels\n");
    for i in 0..24usize {
        let (hum, hiss) = [(0.5, 0.02), (0.02, 0.4), (0.4, 0.3)][i % 3];
        let spec = hound::WavSpec {
            channels: 1,
            sample_rate: 22_050,
            bits_per_sample: 16,
            sample_format: hound::SampleFormat::Int,
        };
        let mut file = hound::WavWriter::create(root.join(format!("{i:02}.wav")), spec).unwrap();
        let tone = tone(11_025, 200.0 + 20.0 * i as f64, hum);
        for (t, n) in tone.iter().zip(noise(11_025, i as u32)) {
            file.write_sample(((t + hiss * n) * 32_767.0) as i16)
                .unwrap();
        }
        file.finalize().unwrap();
        let rare = if i == 0 { "|rare" } else { "" };
        csv += &format!("{i:02}.wav,{}{rare}\n", ["hum", "hiss", "hum|hiss"][i % 3]);
    }
    let list = root.join("labels.csv");
    fs::write(&list, csv).unwrap();
    list
}

#[test]
fn a_network_learns_several_labels_per_file() {
    let _turn = turn();
    let dir = tempfile::tempdir().unwrap();
    let list = music(dir.path());
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (root, list, run) = (path(""), list.to_str().unwrap(), path("run"));
    let trained = sonoprint(&[
        "train",
        &root,
        "--labels",
        list,
        "--out",
        &run,
        "--clip-seconds",
        "0.5",
        "--size",
        "24x32",
        "--epochs",
        "2",
        "--batch",
        "6",
        "--mixup",
        "0.3",
    ]);
    let (out, err) = (text(&trained.stdout), text(&trained.stderr));
    assert!(trained.status.success(), "{err}");
    let rare = "1 label of fewer than 5 files left out: rare (1)";
    assert!(err.contains(rare), "{err}");
    for want in ["PR-AUC", "several labels per file", "hum"] {
        assert!(out.contains(want), "{want}: {out}");
    }
    let read = |name: &str| fs::read_to_string(Path::new(&run).join(name)).unwrap();
    assert!(read("run.toml").contains("task = \"multi_label\""));
    assert!(read("log.txt").contains(rare));
    let metrics = read("metrics.csv");
    assert_eq!(
        metrics.lines().next().unwrap(),
        "epoch,lr,train_loss,train_precision_at_1,valid_loss,valid_precision_at_1,valid_roc_auc,\
         valid_pr_auc,seconds"
    );
    for line in metrics.lines().skip(1) {
        let auc: f64 = line.split(',').nth(7).unwrap().parse().unwrap();
        assert!((0.0..=1.0).contains(&auc), "{line}");
    }
    let json: serde_json::Value = serde_json::from_str(&read("metrics.json")).unwrap();
    assert_eq!(json["task"], "multi_label");
    assert_eq!(json["classes"], serde_json::json!(["hiss", "hum"]));
    assert_eq!(json["files"]["tags"].as_array().unwrap().len(), 2);
    assert!(!read("report.html").contains("Confusion matrix"));

    // Repeated from its record, whatever became of the labels, it is the same run.
    fs::write(list, "file,labels\n").unwrap();
    let (config, again) = (path("run/run.toml"), path("again"));
    let done = sonoprint(&["train", "--config", &config, "--out", &again]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let weights = |run: &str| fs::read(Path::new(run).join("best.safetensors")).unwrap();
    assert!(weights(&run) == weights(&again));
    let done = sonoprint(&["train", "--resume", &again]);
    assert!(done.status.success(), "{}", text(&done.stderr));

    // Evaluated by itself, the checkpoint has the figures of the run's end.
    let (labels, split) = (path("run/labels.csv"), path("run/split.csv"));
    let more = format!("{}00.wav,polka\n", fs::read_to_string(&labels).unwrap());
    fs::write(&labels, more.replace("hiss", "HISS")).unwrap();
    let (checkpoint, evaluation) = (path("run/best.safetensors"), path("evaluation"));
    let done = sonoprint(&[
        "evaluate",
        &root,
        "--labels",
        &labels,
        "--checkpoint",
        &checkpoint,
        "--split",
        &split,
        "--out",
        &evaluation,
    ]);
    let err = text(&done.stderr);
    assert!(done.status.success(), "{err}");
    let unmatched = "1 of 3 labels are no classes of the checkpoint and left out: polka";
    assert!(err.contains(unmatched), "{err}");
    let other = fs::read_to_string(Path::new(&evaluation).join("metrics.json")).unwrap();
    let other: serde_json::Value = serde_json::from_str(&other).unwrap();
    assert_eq!(other["files"], json["files"]);
}

/// Two files of three tags; nobody has the last.
fn tags_report() -> report::Report {
    let clip = |file, labels: &[usize], probabilities: [f32; 3]| EvaluatedClip {
        file,
        start: 0,
        labels: labels.to_vec(),
        probabilities: probabilities.to_vec(),
    };
    let clips = vec![
        clip(0, &[0, 1], [0.9, 0.2, 0.6]),
        clip(0, &[0, 1], [0.9, 0.7, 0.1]),
        clip(1, &[1], [0.8, 0.6, 0.0]),
        clip(2, &[0], [0.9, 0.3, 0.1]),
    ];
    let e = Evaluation::new(Task::MultiLabel, clips, 3);
    let worst = e.worst(9);
    let of = |i: usize| (worst[i].clip.file, worst[i].predicted, worst[i].missed);
    assert_eq!(worst.len(), 2, "the last clip ranks its tag first");
    assert_eq!((of(0), of(1)), ((0, 2, 1), (1, 0, 1)));
    let valid = |auc| Validation {
        loss: 0.3,
        clip_accuracy: 0.5,
        correct: 1,
        files: 2,
        auc,
    };
    let epoch = |epoch| Epoch {
        epoch,
        lr: 1e-3,
        loss: 0.5,
        accuracy: 0.5,
        clips_per_second: 1.0,
        seconds: 1.0,
        best: true,
        valid: Some(valid(Some(sonoprint::evaluate::Auc {
            roc_auc: 0.6,
            pr_auc: 0.5,
        }))),
    };
    report::Report {
        title: "tags".into(),
        facts: Vec::new(),
        classes: vec!["rock".into(), "<b>slow</b>".into(), "nobody".into()],
        figures: e.figures,
        settings: Vec::new(),
        kept: None,
        epochs: vec![epoch(1), epoch(2)],
        mistakes: vec![report::Mistake {
            file: "a.wav".into(),
            start: 0.0,
            truth: "rock, <b>slow</b>".into(),
            predicted: "nobody".into(),
            confidence: 0.6,
            missed: Some(("<b>slow</b>".into(), 0.2)),
            png: Some(vec![0x89]),
        }],
    }
}

#[test]
fn the_report_of_tags_has_the_areas_and_no_confusion() {
    let report = tags_report();
    let page = report::html(&report);
    assert!(!page.contains("<b>slow") && !page.contains("Confusion matrix"));
    // By file: tag 0 has files 0 and 2, both above file 1. Tag 1 has files 0 (.45) and 1 (.6),
    // both above file 2.
    let row = |tag: &str| {
        let row = page.split(&format!("<th scope=\"row\">{tag}</th>")).nth(1);
        row.unwrap().split("</tr>").next().unwrap().to_owned()
    };
    assert_eq!(
        row("rock"),
        "<td>1.000</td><td>1.000</td><td>2</td><td>0.667</td>"
    );
    assert_eq!(
        row("nobody"),
        "<td>–</td><td>–</td><td>0</td><td>0.000</td>"
    );
    assert!(page.contains("1: all files have it or none has"));
    assert!(page.contains("<strong>nobody</strong> (60 %) above <strong>&lt;b&gt;slow"));
    assert_eq!(page.matches("<svg").count(), 3);
    for tag in [
        "table", "tr", "td", "th", "figure", "div", "p", "strong", "small",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["files"]["roc_auc"], 1.0);
    assert!(json["files"]["tags"][2]["pr_auc"].is_null());
    assert_eq!(json["files"]["tags_scored"], 2);
    assert_eq!(json["clips"]["items"], 4);
    assert_eq!(json["epochs"][1]["valid"]["auc"]["pr_auc"], 0.5);
}
