//! The parts of the page that say what was evaluated, and how it was made.

use std::fmt::Write;

use super::html_text::escape;
use super::{Report, Setting, chance, html_classes, html_tags};
use crate::evaluate::Figures;

/// Writes names and values: those of the report, the chance level, and the figures that have no
/// section of their own.
pub(super) fn facts(page: &mut String, report: &Report) {
    let figures = match &report.figures {
        Figures::SingleLabel(levels) => html_classes::figures(levels),
        Figures::MultiLabel(levels) => html_tags::figures(levels),
    };
    let level = format!(
        "{:.3} ({})",
        chance::chance(&report.figures),
        chance::source(&report.figures, &report.classes)
    );
    let facts = report.facts.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let figures = figures.iter().map(|(k, v)| (*k, v.as_str()));
    page.push_str("<dl class=\"facts\">\n");
    for (name, value) in figures
        .chain([("chance level", level.as_str())])
        .chain(facts)
    {
        let (shown, value) = (escape(name), escape(value));
        let value = match name {
            "command" => format!("<code>{value}</code>"),
            _ => value,
        };
        let _ = writeln!(page, "<div><dt>{shown}</dt><dd>{value}</dd></div>");
    }
    let changed = report.settings.iter().filter_map(|setting| {
        let default = setting.default.as_ref()?;
        Some(format!(
            "{} {} (default {default})",
            setting.name, setting.value
        ))
    });
    let changed: Vec<String> = changed.collect();
    if !report.settings.is_empty() && report.settings.iter().any(|s| s.default.is_some()) {
        let changed = escape(&changed.join("; "));
        let _ = writeln!(
            page,
            "<div><dt>settings other than the defaults</dt><dd>{changed}</dd></div>"
        );
    }
    page.push_str("</dl>\n");
}

/// Writes all settings, folded.
pub(super) fn settings(page: &mut String, settings: &[Setting]) {
    if settings.is_empty() {
        return;
    }
    let count = settings.len();
    let _ = writeln!(
        page,
        "<details><summary>All {count} settings</summary>\n<dl class=\"facts\">"
    );
    for Setting { name, value, .. } in settings {
        let (name, value) = (escape(name), escape(value));
        let _ = writeln!(page, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    page.push_str("</dl>\n</details>\n");
}
