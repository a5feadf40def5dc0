//! What a page says beside the results.

use crate::classify::journal::JournalSettings;

/// What a page says beside the results.
#[derive(Clone, Debug)]
pub struct PageInfo {
    /// The heading.
    pub title: String,
    /// How and when the results were made, for people: names and values. The page adds what it
    /// knows from the journal's settings.
    pub facts: Vec<(String, String)>,
    /// What the journal's rows were made with, and how they are labeled.
    pub settings: JournalSettings,
    /// How to get a map of embeddings, for people. Shown if the journal has none.
    pub map_hint: Option<String>,
}
