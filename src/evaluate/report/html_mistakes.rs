//! The part of the page that shows the worst mistakes.

use std::fmt::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Mistake;
use super::html_text::{escape, scrolling};

/// Writes the mistakes that have an image side by side, and the others in a table.
pub(super) fn mistakes(page: &mut String, mistakes: &[Mistake]) {
    if mistakes.is_empty() {
        return;
    }
    page.push_str("<section>\n<h2>The most confident mistakes</h2>\n<div class=\"mistakes\">\n");
    for m in mistakes {
        let Some(png) = &m.png else { continue };
        let file = escape(&m.file);
        let _ = writeln!(
            page,
            "<figure><img src=\"data:image/png;base64,{}\" alt=\"Spectrogram of {file}\">\n\
             <figcaption>{}<br>{file}, from {}</figcaption></figure>",
            STANDARD.encode(png),
            what(m),
            place(m.start)
        );
    }
    page.push_str("</div>\n");
    let rest: Vec<&Mistake> = mistakes.iter().filter(|m| m.png.is_none()).collect();
    if !rest.is_empty() {
        let count = rest.len();
        let mut table = String::from("<table class=\"striped left\">\n<tr>");
        for head in ["file", "from", "mistake"] {
            let _ = write!(table, "<th scope=\"col\">{head}</th>");
        }
        table.push_str("</tr>\n");
        for m in rest {
            let (file, start, what) = (escape(&m.file), place(m.start), what(m));
            let _ = writeln!(
                table,
                "<tr><td>{file}</td><td>{start}</td><td>{what}</td></tr>"
            );
        }
        table.push_str("</table>");
        let _ = writeln!(page, "<details><summary>The next {count}</summary>");
        scrolling(page, "More mistakes", &table);
        page.push_str("</details>\n");
    }
    page.push_str("</section>\n");
}

/// Says what was taken for what.
fn what(m: &Mistake) -> String {
    let (truth, predicted) = (escape(&m.truth), escape(&m.predicted));
    let confidence = m.confidence * 100.0;
    match &m.missed {
        None => format!(
            "<strong>{truth}</strong> predicted as <strong>{predicted}</strong> ({confidence:.0} %)"
        ),
        Some((missed, probability)) => format!(
            "<strong>{predicted}</strong> ({confidence:.0} %) above <strong>{}</strong> ({:.0} %); labeled {truth}",
            escape(missed),
            probability * 100.0
        ),
    }
}

/// Writes a place in a file, in minutes and seconds.
fn place(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}
