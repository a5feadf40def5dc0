//! The report as one HTML file: no script, no network, readable on a phone.

use std::fmt::Write;

use super::html_text::escape;
use super::plots::{self, Chart};
use super::{Report, html_classes, html_facts, html_mistakes, html_tags};
use crate::evaluate::Figures;

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
        Figures::SingleLabel(levels) => html_classes::headline(&mut page, levels),
        Figures::MultiLabel(levels) => html_tags::headline(&mut page, levels),
    }
    html_facts::facts(&mut page, report);
    page += "<div class=\"plots\">\n";
    for chart in plots::charts(report) {
        figure(&mut page, &chart);
    }
    page += "</div>\n";
    match &report.figures {
        Figures::SingleLabel(levels) => {
            page += "<div class=\"pair\">\n";
            html_classes::table(&mut page, &report.classes, &levels.files);
            html_classes::confusion(&mut page, &report.classes, &levels.files.confusion);
            page += "</div>\n";
        }
        Figures::MultiLabel(levels) => html_tags::table(&mut page, &report.classes, levels),
    }
    html_mistakes::mistakes(&mut page, &report.mistakes);
    html_facts::settings(&mut page, &report.settings);
    page += "</main>\n</body>\n</html>\n";
    page
}

/// Writes a chart with its heading above and its legend below.
fn figure(page: &mut String, chart: &Chart) {
    let Chart {
        title, svg, legend, ..
    } = chart;
    let _ = write!(
        page,
        "<figure><h2>{}</h2>\n{svg}\n<figcaption>",
        escape(title)
    );
    for (class, name) in legend {
        let name = escape(name);
        let _ = write!(page, "<span class=\"key {class}\">{name}</span> ");
    }
    page.push_str("</figcaption></figure>\n");
}
