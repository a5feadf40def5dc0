//! The report as one HTML file: no script, no network, readable on a phone.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Mistake, Report, plots};
use crate::evaluate::{ClassScore, LevelMetrics};

const STYLE: &str = include_str!("style.css");

/// Returns the report as one self-contained page.
pub fn html(report: &Report) -> String {
    let mut page = String::new();
    let title = escape(&report.title);
    page += "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    page += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    page += &format!("<title>{title}</title>\n<link rel=\"icon\" href=\"data:,\">\n");
    page += &format!("<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n");
    headline(&mut page, report);
    facts(&mut page, report);
    let curves = plots::curves(&report.epochs);
    if !curves.is_empty() {
        page += "<h2>Training</h2>\n<div class=\"plots\">\n";
        for svg in curves {
            page += &format!("<figure>{svg}</figure>\n");
        }
        page += "</div>\n";
    }
    classes(&mut page, report);
    confusion(&mut page, report);
    calibration(&mut page, report);
    mistakes(&mut page, &report.mistakes);
    page += "</main>\n</body>\n</html>\n";
    page
}

fn headline(page: &mut String, report: &Report) {
    page.push_str("<div class=\"headline\">\n");
    for (name, level) in [("files", &report.files), ("clips", &report.clips)] {
        let (low, high) = level.interval;
        let _ = writeln!(
            page,
            "<p><strong>{:.1} %</strong> of {} {name} classified correctly<br><small>95 % interval {:.1} to {:.1} % (Wilson)</small></p>",
            level.accuracy * 100.0,
            level.total(),
            low * 100.0,
            high * 100.0
        );
    }
    page.push_str("</div>\n");
}

fn facts(page: &mut String, report: &Report) {
    page.push_str("<div class=\"scroll\"><table class=\"facts\">\n");
    let row = |page: &mut String, name: &str, value: &str| {
        let (name, value) = (escape(name), escape(value));
        let _ = writeln!(
            page,
            "<tr><th scope=\"row\">{name}</th><td>{value}</td></tr>"
        );
    };
    for (name, value) in &report.facts {
        row(page, name, value);
    }
    let both = |value: fn(&LevelMetrics) -> f64| {
        format!(
            "{:.3} by file, {:.3} by clip",
            value(&report.files),
            value(&report.clips)
        )
    };
    row(page, "true class among the first three", &both(|l| l.top3));
    row(page, "macro F1", &both(|l| l.macro_f1));
    row(page, "cross-entropy, nats", &both(|l| l.loss));
    row(page, "calibration error (ECE)", &both(|l| l.ece));
    page.push_str("</table></div>\n");
}

fn classes(page: &mut String, report: &Report) {
    page.push_str("<h2>Classes, by file</h2>\n<div class=\"scroll\"><table>\n<tr><th scope=\"col\">class</th>");
    for head in ["precision", "recall", "F1", "files"] {
        let _ = write!(page, "<th scope=\"col\">{head}</th>");
    }
    page.push_str("</tr>\n");
    let figure = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v:.2}"));
    for (name, score) in report.classes.iter().zip(&report.files.classes) {
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

fn confusion(page: &mut String, report: &Report) {
    page.push_str(
        "<h2>Confusion matrix, by file</h2>\n<p>Rows: true classes. Columns: predicted classes.</p>\n",
    );
    page.push_str("<div class=\"scroll\"><table class=\"confusion\">\n<tr><td></td>");
    for name in &report.classes {
        let _ = write!(page, "<th scope=\"col\"><span>{}</span></th>", escape(name));
    }
    page.push_str("</tr>\n");
    let counts = &report.files.confusion;
    for (truth, name) in report.classes.iter().enumerate() {
        let _ = write!(page, "<tr><th scope=\"row\">{}</th>", escape(name));
        let total = report.files.classes[truth].support.max(1);
        for predicted in 0..report.classes.len() {
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

fn calibration(page: &mut String, report: &Report) {
    if let Some(svg) = plots::reliability(&report.clips) {
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
        let _ = writeln!(
            page,
            "<figure><img src=\"data:image/png;base64,{}\" alt=\"Spectrogram of {file}\">\n\
             <figcaption><strong>{truth}</strong> predicted as <strong>{predicted}</strong> ({:.0} %)<br>{file}, from {:.0} s</figcaption></figure>",
            STANDARD.encode(&m.png),
            m.confidence * 100.0,
            m.start
        );
    }
    page.push_str("</div>\n");
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
