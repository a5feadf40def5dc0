//! Text in a page.

use std::fmt::Write;

/// Escapes what has a meaning in HTML.
pub(super) fn escape(text: &str) -> String {
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

/// Writes `inside`, which may be wider than the page, with a hint where it scrolls. `name` is for
/// those who do not see it.
pub(super) fn scrolling(page: &mut String, name: &str, inside: &str) {
    let _ = writeln!(
        page,
        "<div class=\"scrolls\"><p class=\"hint\">There is more to the side: scroll ↔</p>\n\
         <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{name}\">{inside}</div></div>"
    );
}
