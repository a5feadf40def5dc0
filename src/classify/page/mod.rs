//! A page to look at for a result table: counts, a histogram, a table, a map and a player in one
//! HTML file that needs no network.
//!
//! Counts and the histogram are of all files of the journal. The table and the map show a sample
//! of at most [`MAX_TRACKS`] tracks, so that neither this program nor a browser holds a million
//! rows.

mod collect;
mod data;
mod error;
mod info;
mod link;
mod logits;
mod pca;
mod render;
mod sample;
mod words;
mod write;

use crate::files::Ours;

pub use collect::{MAX_FAILURES, MAX_TRACKS};
pub use error::PageError;
pub use info::PageInfo;
pub use write::write_page;

/// How a page is recognized: by its head. It is replaced as a whole, and none is cut off.
pub(super) const OURS: Ours = Ours {
    what: "a page of results",
    is: |head| head.start.starts_with(HEAD.as_bytes()),
};

/// The start of `page.html`.
const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
                    <meta name=\"generator\" content=\"sonoprint results\">\n";

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_begins_with_what_a_page_is_recognized_by() {
        assert!(include_str!("page.html").starts_with(super::HEAD));
    }
}
