//! Promise: metrics mean what their names say, and the report is one page without external files.

use sonoprint::evaluate::report::{Mistake, Report, Setting, html};
use sonoprint::evaluate::{
    Epoch, EvaluatedClip, Evaluation, LevelMetrics, Levels, Validation, wilson,
};
use sonoprint::model::Task;

fn clip(file: usize, truth: usize, probabilities: [f32; 3]) -> EvaluatedClip {
    EvaluatedClip {
        file,
        start: 0,
        labels: vec![truth],
        probabilities: probabilities.to_vec(),
    }
}

/// Three files of three classes, the last class never true.
fn evaluation() -> Evaluation {
    Evaluation::new(
        Task::SingleLabel,
        vec![
            clip(0, 0, [0.8, 0.1, 0.1]),
            clip(0, 0, [0.4, 0.5, 0.1]),
            clip(1, 1, [0.75, 0.15, 0.1]),
            clip(1, 1, [0.19, 0.61, 0.2]),
            clip(2, 1, [0.0, 0.05, 0.95]),
        ],
        3,
    )
}

fn levels() -> Levels<LevelMetrics> {
    evaluation().single_label().unwrap().clone()
}

#[test]
fn metrics_are_those_of_a_hand_count() {
    let e = levels();
    // Clips: the first and the fourth are correct. Files: means (.6, .3, .1), (.47, .38, .15) and
    // (0, .05, .95).
    assert_eq!((e.clips.correct(), e.clips.total()), (2, 5));
    assert_eq!((e.files.correct(), e.files.total()), (1, 3));
    assert_eq!(e.files.confusion.count(1, 0), 1);
    assert_eq!(e.files.confusion.count(1, 2), 1);
    let near = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-6, "{a:?} {b}");
    // By clip, class 1: predicted twice (second and fourth clip), once correctly; true three times.
    let one = e.clips.classes[1];
    near(one.precision, 1.0 / 2.0);
    near(one.recall, 1.0 / 3.0);
    near(one.f1, 2.0 / 5.0);
    // Class 2 is never true: it has no recall, but a precision of 0.
    let two = e.clips.classes[2];
    assert_eq!((two.recall, two.support), (None, 0));
    near(two.precision, 0.0);
    assert_eq!(e.clips.top3, 1.0);
    let loss = -[0.8f64, 0.4, 0.15, 0.61, 0.05]
        .iter()
        .map(|p| p.ln())
        .sum::<f64>()
        / 5.0;
    near(Some(e.clips.loss), loss);
    // Confidences .8 (correct), .5 (wrong), .75 (wrong), .61 (correct), .95 (wrong), each in a bin
    // of its own.
    near(Some(e.clips.ece), (0.2 + 0.5 + 0.75 + 0.39 + 0.95) / 5.0);
    assert_eq!(e.clips.bins.iter().map(|b| b.count).sum::<usize>(), 5);
}

/// Wilson's interval at points computed elsewhere from his formula, as tables in Brown, Cai and
/// DasGupta (2001) have them.
#[test]
fn the_interval_is_wilsons() {
    for (correct, n, low, high) in [
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (46, 120, 0.301, 0.473),
    ] {
        let (a, b) = wilson(correct, n);
        assert!(
            (a - low).abs() < 5e-4 && (b - high).abs() < 5e-4,
            "{correct}/{n}: {a} {b}"
        );
    }
    assert_eq!(wilson(0, 0), (0.0, 1.0));
    let (low, high) = wilson(10, 10);
    assert!(low < 0.73 && high > 0.9999 && high <= 1.0);
}

#[test]
fn the_worst_are_the_most_confident_and_one_per_file() {
    let e = evaluation();
    let files: Vec<usize> = e.worst(9).iter().map(|wrong| wrong.clip.file).collect();
    assert_eq!(files, [2, 1, 0]);
    assert_eq!(e.worst(1).len(), 1);
}

fn report() -> Report {
    let e = evaluation();
    let epoch = |n| Epoch {
        epoch: n,
        lr: 1e-3,
        loss: 2.0 / n as f64,
        accuracy: 0.5,
        clips_per_second: 10.0,
        seconds: 1.0,
        best: true,
        valid: Some(Validation {
            loss: 1.0,
            clip_accuracy: 0.4,
            correct: 1,
            files: 2,
            auc: None,
        }),
    };
    Report {
        title: "<script>alert('title')</script>".into(),
        facts: vec![("a & b".into(), "\"quoted\"".into())],
        classes: vec!["rock".into(), "<b>pop</b>".into(), "nobody".into()],
        figures: e.figures,
        settings: vec![
            Setting {
                name: "lr".into(),
                value: "0.002".into(),
                default: Some("0.001".into()),
            },
            Setting {
                name: "batch".into(),
                value: "16".into(),
                default: None,
            },
        ],
        epochs: vec![epoch(1), epoch(2), epoch(3)],
        kept: Some(2),
        mistakes: vec![Mistake {
            file: "x/<img src=x>.wav".into(),
            start: 10.0,
            truth: "rock".into(),
            predicted: "nobody".into(),
            confidence: 0.9,
            missed: None,
            png: Some(vec![0x89, b'P', b'N', b'G']),
        }],
    }
}

#[test]
fn the_page_stands_alone_and_escapes_what_it_is_given() {
    let page = html(&report());
    for raw in [
        "<script",
        "<b>pop",
        "<img src=x>",
        "a & b",
        "http://",
        "https://",
    ] {
        let body = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!body.contains(raw), "{raw}");
    }
    assert!(page.contains("&lt;b&gt;pop&lt;/b&gt;") && page.contains("a &amp; b"));
    assert!(page.contains("data:image/png;base64,iVBORw=="));
    assert_eq!(
        page.matches("<svg").count(),
        3,
        "two curves and the reliability diagram"
    );
    for heading in ["Confusion matrix", "Calibration (reliability diagram)"] {
        assert!(page.contains(heading), "{heading}");
    }
    assert!(page.contains("width=device-width"));
    // Every opened tag is closed.
    for tag in [
        "table", "tr", "td", "th", "figure", "div", "main", "body", "html", "svg", "h2", "p",
        "strong",
    ] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// Chance, the kept epoch, the settings, and the mistakes that are only listed.
#[test]
fn the_page_says_how_the_figures_came_about() {
    let mut report = report();
    let listed = Mistake {
        file: "listed.wav".into(),
        start: 75.0,
        png: None,
        ..report.mistakes[0].clone()
    };
    report.mistakes.push(listed);
    let page = html(&report);
    for text in [
        // Two of three files are of the second class.
        "0.667 (always &lt;b&gt;pop&lt;/b&gt;, the most frequent class: 2 of 3 files)",
        "chance 0.67",
        "kept: epoch 2",
        "lr 0.002 (default 0.001)",
        "All 2 settings",
        "cross-entropy, nats",
        "The next 1</summary>",
        "<td>listed.wav</td><td>1:15</td>",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert_eq!(page.matches("<img ").count(), 1);
    let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
    assert_eq!(json["settings"]["lr"], "0.002");
    assert!((json["chance"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9);
    // A report of an evaluation, or of a run of an earlier version, knows less.
    report.settings.clear();
    report.epochs.clear();
    report.kept = None;
    report.facts.clear();
    let page = html(&report);
    assert!(!page.contains("settings") && page.matches("<svg").count() == 1);
}

/// Labels stand around their ticks, and the last one of an axis needs room behind it.
#[test]
fn no_label_of_a_chart_is_cut_off() {
    let page = html(&report());
    let mut labels = 0;
    for svg in page.split("<svg ").skip(1) {
        let svg = svg.split("</svg>").next().unwrap();
        assert!(svg.contains("viewBox=\"0 0 400 300\""), "{svg}");
        for text in svg.split("<text ").skip(1) {
            let value = |name: &str| {
                let value = text.split(&format!("{name}=\"")).nth(1).unwrap();
                value.split('"').next().unwrap().to_owned()
            };
            let number = |name: &str| value(name).parse::<f64>().unwrap();
            let label = text.split('>').nth(1).unwrap().trim();
            let label = label.split('<').next().unwrap().trim();
            // A letter is about 0.6 of the height wide.
            let wide = number("font-size") * 0.6 * label.chars().count() as f64;
            let (left, right) = match value("text-anchor").as_str() {
                "start" => (0.0, wide),
                "end" => (wide, 0.0),
                _ => (wide / 2.0, wide / 2.0),
            };
            if !text.contains("rotate") {
                let x = number("x");
                assert!(x - left >= 0.0 && x + right <= 400.0, "{label:?} at {x}");
            }
            labels += 1;
        }
    }
    assert!(labels > 20, "{labels}");
}

/// Fifty classes: each cell says what it is, and the largest are listed.
#[test]
fn a_matrix_of_many_classes_is_read_by_its_words() {
    let clips = (0..200).map(|i| {
        let truth = i % 50;
        let predicted = if i < 150 { truth } else { (truth + 1) % 50 };
        let mut probabilities = vec![0.01; 50];
        probabilities[predicted] = 0.5;
        EvaluatedClip {
            file: i,
            start: 0,
            labels: vec![truth],
            probabilities,
        }
    });
    let e = Evaluation::new(Task::SingleLabel, clips.collect(), 50);
    let page = html(&Report {
        classes: (0..50).map(|i| format!("class {i}")).collect(),
        figures: e.figures,
        ..report()
    });
    assert!(page.contains("class=\"confusion many\""));
    assert!(page.contains("title=\"class 7 predicted as class 8: 1 of 4\">1</td>"));
    assert!(page.contains("<strong>class 0</strong> as <strong>class 1</strong> (1 of 4)"));
    assert!(page.len() < 120_000, "{} bytes", page.len());
}

#[test]
fn json_has_null_for_an_undefined_figure() {
    let json: serde_json::Value = serde_json::from_str(&report().json()).unwrap();
    assert!(json["clips"]["classes"][2]["recall"].is_null());
    assert_eq!(json["files"]["confusion"]["counts"][0], 1);
    assert_eq!(json["epochs"].as_array().unwrap().len(), 3);
    // Scripts read this key.
    assert_eq!(json["epochs"][0]["valid"]["hits"], 1);
}
