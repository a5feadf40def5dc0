//! The parts of the page that show one label per file.

use std::fmt::Write;

use super::html_text::{escape, scrolling};
use crate::evaluate::{ClassScore, Confusion, LevelMetrics, Levels};

/// The most classes whose matrix has cells of full size.
const FEW: usize = 15;
/// Number of confusions that are listed.
const LISTED: usize = 8;

/// Writes the accuracies, with their intervals.
pub(super) fn headline(page: &mut String, levels: &Levels<LevelMetrics>) {
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
pub(super) fn figures(levels: &Levels<LevelMetrics>) -> Vec<(&'static str, String)> {
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

/// Writes the table of classes.
pub(super) fn table(page: &mut String, names: &[String], files: &LevelMetrics) {
    let mut table = String::from("<table class=\"striped\">\n<tr><th scope=\"col\">class</th>");
    for head in ["precision", "recall", "F1", "files"] {
        let _ = write!(table, "<th scope=\"col\">{head}</th>");
    }
    table.push_str("</tr>\n");
    let figure = |v: Option<f64>| v.map_or("–".to_owned(), |v| format!("{v:.2}"));
    for (name, score) in names.iter().zip(&files.classes) {
        let ClassScore {
            precision,
            recall,
            f1,
            support,
        } = *score;
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{support}</td></tr>",
            escape(name),
            figure(precision),
            figure(recall),
            figure(f1)
        );
    }
    table.push_str("</table>");
    page.push_str("<section>\n<h2>Classes, by file</h2>\n");
    scrolling(page, "Classes", &table);
    page.push_str("</section>\n");
}

/// Writes the confusion matrix, and its largest cells as a list.
pub(super) fn confusion(page: &mut String, names: &[String], counts: &Confusion) {
    let kind = if names.len() > FEW {
        "confusion many"
    } else {
        "confusion"
    };
    let mut table = format!("<table class=\"{kind}\">\n<tr><td></td>");
    let names: Vec<String> = names.iter().map(|name| escape(name)).collect();
    for name in &names {
        let _ = write!(table, "<th scope=\"col\"><span>{name}</span></th>");
    }
    table.push_str("</tr>\n");
    let mut confused = Vec::new();
    for (truth, name) in names.iter().enumerate() {
        let _ = write!(table, "<tr><th scope=\"row\">{name}</th>");
        let total = counts.score(truth).support;
        for (predicted, other) in names.iter().enumerate() {
            let n = counts.count(truth, predicted);
            if n == 0 {
                table.push_str("<td></td>");
                continue;
            }
            let share = n as f64 / total as f64;
            let kind = if truth == predicted { "hit" } else { "miss" };
            if truth != predicted {
                confused.push((n, total, name, other));
            }
            let _ = write!(
                table,
                "<td class=\"{kind}\" style=\"--share:{share:.3}\" title=\"{name} predicted as {other}: {n} of {total}\">{n}</td>"
            );
        }
        table.push_str("</tr>\n");
    }
    table.push_str("</table>");
    page.push_str(
        "<section>\n<h2>Confusion matrix, by file</h2>\n<p>Rows: true classes. Columns: predicted classes.</p>\n",
    );
    scrolling(page, "Confusion matrix", &table);
    confused.sort_by_key(|&(n, ..)| std::cmp::Reverse(n));
    if !confused.is_empty() && names.len() > 2 {
        page.push_str("<p>Most frequent confusions: ");
        let listed = confused.iter().take(LISTED).map(|(n, total, name, other)| {
            format!("<strong>{name}</strong> as <strong>{other}</strong> ({n} of {total})")
        });
        page.push_str(&listed.collect::<Vec<_>>().join(", "));
        page.push_str(".</p>\n");
    }
    page.push_str("</section>\n");
}
