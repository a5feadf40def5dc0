//! The parts of the page that show tags.

use std::cmp::Ordering;
use std::fmt::Write;

use super::html_text::{escape, scrolling};
use crate::evaluate::{Levels, TagMetrics};

/// Writes the mean areas, with their intervals.
pub(super) fn headline(page: &mut String, levels: &Levels<TagMetrics>) {
    let files = &levels.files;
    page.push_str("<div class=\"headline\">\n");
    for (name, value, interval) in [
        ("PR-AUC", files.pr_auc, files.pr_auc_interval),
        ("ROC-AUC", files.roc_auc, files.roc_auc_interval),
    ] {
        let interval = interval.map_or(String::new(), |(low, high)| {
            format!("<br><small>95 % interval {low:.3} to {high:.3} (bootstrap over files)</small>")
        });
        let _ = writeln!(
            page,
            "<p><strong>{}</strong> {name}, the mean of {} tags over {} files{interval}</p>",
            figure(value),
            files.tags_scored,
            files.items
        );
    }
    page.push_str("</div>\n");
}

/// Returns the names and values of the figures that have no section of their own.
pub(super) fn figures(levels: &Levels<TagMetrics>) -> Vec<(&'static str, String)> {
    let both = |value: fn(&TagMetrics) -> Option<f64>| {
        let (files, clips) = (value(&levels.files), value(&levels.clips));
        format!("{} by file, {} by clip", figure(files), figure(clips))
    };
    let mut rows = vec![
        ("mean PR-AUC", both(|l| l.pr_auc)),
        ("mean ROC-AUC", both(|l| l.roc_auc)),
        (
            "most probable tag is right",
            both(|l| Some(l.precision_at_1)),
        ),
        ("binary cross-entropy per tag, nats", both(|l| Some(l.loss))),
        (
            "calibration error (ECE) over all tags",
            both(|l| Some(l.ece)),
        ),
    ];
    let unscored = levels.files.tags.len() - levels.files.tags_scored;
    if unscored > 0 {
        let why = format!("{unscored}: all files have it or none has");
        rows.push(("tags without figures", why));
    }
    rows
}

/// Writes the table of tags: those that are ranked best first, those without figures last.
pub(super) fn table(page: &mut String, names: &[String], levels: &Levels<TagMetrics>) {
    let mut table = String::from("<table class=\"striped\">\n<tr><th scope=\"col\">tag</th>");
    for head in ["ROC-AUC", "PR-AUC", "files with it", "their share"] {
        let _ = write!(table, "<th scope=\"col\">{head}</th>");
    }
    table.push_str("</tr>\n");
    let mut tags: Vec<_> = names.iter().zip(&levels.files.tags).collect();
    tags.sort_by(|(_, a), (_, b)| match (a.roc_auc, b.roc_auc) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    });
    for (name, score) in tags {
        let share = score.positives as f64 / levels.files.items.max(1) as f64;
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td>{share:.3}</td></tr>",
            escape(name),
            figure(score.roc_auc),
            figure(score.pr_auc),
            score.positives
        );
    }
    table.push_str("</table>");
    page.push_str(
        "<section>\n<h2>Tags, by file</h2>\n<p>PR-AUC of a random order is the share.</p>\n",
    );
    scrolling(page, "Tags", &table);
    page.push_str("</section>\n");
}

fn figure(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), |v| format!("{v:.3}"))
}
