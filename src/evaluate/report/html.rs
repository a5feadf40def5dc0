//! The report as one HTML file: no script, no network, readable on a phone.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::html_text::escape;
use super::{Mistake, Report, html_tags, plots};
use crate::evaluate::{CalibrationBin, ClassScore, Figures, LevelMetrics, Levels};

const STYLE: &str = include_str!("style.css");

/// Returns the report as one self-contained page.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    let title = escape(&report.title);
    page += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    page += &format!("<title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    page += &format!("<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n");
    match &report.figures {
        Figures::SingleLabel(levels) => {
            headline(&mut page, levels);
            facts(&mut page, &report.facts, &figures(levels));
        }
        Figures::MultiLabel(levels) => {
            html_tags::headline(&mut page, levels);
            facts(&mut page, &report.facts, &html_tags::figures(levels));
        }
    }
    let curves = plots::curves(&report.epochs);
    if !curves.is_empty() {
        page += "<h2>Training</h2>\n<div class=\"plots\">\n";
        for svg in curves {
            page += &format!("<figure>{svg}</figure>\n");
        }
        page += "</div>\n";
    }
    match &report.figures {
        Figures::SingleLabel(levels) => {
            classes(&mut page, &report.classes, &levels.files);
            confusion(&mut page, &report.classes, &levels.files);
            let axes = ("confidence", "accuracy");
            calibration(&mut page, &levels.clips.bins, axes);
        }
        Figures::MultiLabel(levels) => {
            html_tags::table(&mut page, &report.classes, levels);
            let axes = ("probability of a tag", "share of clips with it");
            calibration(&mut page, &levels.clips.bins, axes);
        }
    }
    mistakes(&mut page, &report.mistakes);
    page += "</main>\n</body>\n</html>\n";
    page
}

fn headline(page: &mut String, levels: &Levels<LevelMetrics>) {
    page.push_str("<div class=\"headline\">\n");
    let levels = [
        ("files", &levels.files, "Wilson"),
        ("clips", &levels.clips, "bootstrap over files"),
    ];
    for (name, level, method) in levels {
        let (low, high) = level.interval;
        let _ = writeln!(
            page,
            "<p><strong>{:.1} %</strong> of {} {name} classified correctly<br><small>95 % interval {:.1} to {:.1} % ({method})</small></p>",
            level.accuracy * 100.0,
            level.total(),
            low * 100.0,
            high * 100.0
        );
    }
    page.push_str("</div>\n");
}

/// Returns the names and values of the figures that have no section of their own.
fn figures(levels: &Levels<LevelMetrics>) -> Vec<(&'static str, String)> {
    let both = |value: fn(&LevelMetrics) -> f64| {
        let (files, clips) = (value(&levels.files), value(&levels.clips));
        format!("{files:.3} by file, {clips:.3} by clip")
    };
    vec![
        ("true class among the first three", both(|l| l.top3)),
        ("macro F1", both(|l| l.macro_f1)),
        ("cross-entropy, nats", both(|l| l.loss)),
        ("calibration error (ECE)", both(|l| l.ece)),
    ]
}

fn facts(page: &mut String, facts: &[(String, String)], figures: &[(&str, String)]) {
    page.push_str("<div class=\"scroll\"><table class=\"facts\">\n");
    let facts = facts.iter().map(|(name, value)| (name.as_str(), value));
    for (name, value) in facts.chain(figures.iter().map(|(name, value)| (*name, value))) {
        let (name, value) = (escape(name), escape(value));
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"
        );
    }
    page.push_str("</table></div>\n");
}

fn classes(page: &mut String, names: &[String], files: &LevelMetrics) {
    page.push_str("<h2>Classes, by file</h2>\n<div class=\"scroll\"><table>\n<tr><th scope=\"col\">class</th>");
    for head in ["precision", "recall", "F1", "files"] {
        let _ = write!(page, "<th scope=\"col\">{head}</th>");
    }
    page.push_str("</tr>\n");
    let figure = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v:.2}"));
    for (name, score) in names.iter().zip(&files.classes) {
        let ClassScore {
            precision,
            recall,
            f1,
            support,
        } = *score;
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{support}</td></tr>",
            escape(name),
            figure(precision),
            figure(recall),
            figure(f1)
        );
    }
    page.push_str("</table></div>\n");
}

fn confusion(page: &mut String, names: &[String], files: &LevelMetrics) {
    page.push_str(
        "<h2>Confusion matrix, by file</h2>\n<p>Rows: true classes. Columns: predicted classes.</p>\n",
    );
    page.push_str("<div class=\"scroll\"><table class=\"confusion\">\n<tr><td></td>");
    for name in names {
        let _ = write!(page, "<th scope=\"col\"><span>{}</span></th>", escape(name));
    }
    page.push_str("</tr>\n");
    let counts = &files.confusion;
    for (truth, name) in names.iter().enumerate() {
        let _ = write!(page, "<tr><th scope=\"row\">{}</th>", escape(name));
        let total = files.classes[truth].support.max(1);
        for predicted in 0..names.len() {
            let n = counts.count(truth, predicted);
            let share = n as f64 / total as f64;
            let kind = if truth == predicted { "hit" } else { "miss" };
            let text = if n == 0 { String::new() } else { n.to_string() };
            let _ = write!(
                page,
                "<td class=\"{kind}\" style=\"--share:{share:.3}\">{text}</td>"
            );
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table></div>\n");
}

fn calibration(page: &mut String, bins: &[CalibrationBin], axes: (&str, &str)) {
    if let Some(svg) = plots::reliability(bins, axes) {
        page.push_str(
            "<h2>Calibration (reliability diagram), by clip</h2>\n<div class=\"plots\">\n",
        );
        let _ = writeln!(page, "<figure>{svg}</figure>\n</div>");
    }
}

fn mistakes(page: &mut String, mistakes: &[Mistake]) {
    if mistakes.is_empty() {
        return;
    }
    page.push_str("<h2>The most confident mistakes</h2>\n<div class=\"mistakes\">\n");
    for m in mistakes {
        let (file, truth, predicted) = (escape(&m.file), escape(&m.truth), escape(&m.predicted));
        let confidence = m.confidence * 100.0;
        let what = match &m.missed {
            None => format!(
                "<strong>{truth}</strong> predicted as <strong>{predicted}</strong> ({confidence:.0} %)"
            ),
            Some((missed, probability)) => format!(
                "<strong>{predicted}</strong> ({confidence:.0} %) above <strong>{}</strong> ({:.0} %); labeled {truth}",
                escape(missed),
                probability * 100.0
            ),
        };
        let _ = writeln!(
            page,
            "<figure><img src=\"data:image/png;base64,{}\" alt=\"Spectrogram of {file}\">\n\
             <figcaption>{what}<br>{file}, from {:.0} s</figcaption></figure>",
            STANDARD.encode(&m.png),
            m.start
        );
    }
    page.push_str("</div>\n");
}
