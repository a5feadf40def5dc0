//! From the cells of a row, in any format, to the row.

use super::row::{RowLabels, RowStatus, TableRow};
use crate::files::path_of_text;

/// A cell as a format has it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// A text. In CSV, every cell.
    Text(String),
    /// A number.
    Number(f64),
    /// A list of texts.
    Texts(Vec<String>),
}

/// What a column holds. Columns of other names are ignored.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Role {
    Path,
    Status,
    /// `genre` is the first, `genre_2` the second.
    Genre(usize),
    Confidence(usize),
    Tags,
    Tag(usize),
    Score(usize),
    Probability(String),
    Seconds,
    Reason,
    Message,
    Model,
    /// Columns that no table of files has.
    Start,
    Embedding,
    Other,
}

impl Role {
    /// Returns the role of the column `name`.
    pub(super) fn of(name: &str) -> Self {
        let rank = |rest: &str| {
            rest.strip_prefix('_')?
                .parse()
                .ok()
                .filter(|n| (1..=9999).contains(n))
        };
        match name {
            "path" => Self::Path,
            "status" => Self::Status,
            "genre" => Self::Genre(1),
            "confidence" => Self::Confidence(1),
            "tags" => Self::Tags,
            "seconds" => Self::Seconds,
            "reason" => Self::Reason,
            "message" => Self::Message,
            "model" => Self::Model,
            "start" => Self::Start,
            "embedding" => Self::Embedding,
            name => {
                let ranked = |prefix: &str| name.strip_prefix(prefix).and_then(rank);
                if let Some(n) = ranked("genre") {
                    Self::Genre(n)
                } else if let Some(n) = ranked("confidence") {
                    Self::Confidence(n)
                } else if let Some(n) = ranked("tag") {
                    Self::Tag(n)
                } else if let Some(n) = ranked("score") {
                    Self::Score(n)
                } else if let Some(class) = name.strip_prefix("p_") {
                    Self::Probability(class.to_owned())
                } else {
                    Self::Other
                }
            }
        }
    }
}

/// The cells of a row so far.
#[derive(Debug, Default)]
pub(super) struct Cells {
    path: Option<String>,
    status: Option<String>,
    /// Ranked labels and their probabilities, by rank.
    genres: Ranked,
    tags: Ranked,
    given: Option<Vec<String>>,
    /// Whether there are columns of genres, and of tags.
    single: bool,
    probabilities: Vec<(String, f32)>,
    seconds: Option<f64>,
    reason: Option<String>,
    message: Option<String>,
    model: Option<String>,
}

/// Labels and probabilities by rank.
type Ranked = Vec<(Option<String>, Option<f32>)>;

impl Cells {
    /// Adds a cell.
    pub(super) fn add(&mut self, role: &Role, value: Value) {
        match role {
            Role::Path => self.path = text(value),
            Role::Status => self.status = text(value),
            Role::Genre(n) => {
                self.single = true;
                rank(&mut self.genres, *n).0 = text(value);
            }
            Role::Confidence(n) => rank(&mut self.genres, *n).1 = probability(&value),
            Role::Tags => self.given = Some(texts(value)),
            Role::Tag(n) => rank(&mut self.tags, *n).0 = text(value),
            Role::Score(n) => rank(&mut self.tags, *n).1 = probability(&value),
            Role::Probability(class) => {
                if let Some(p) = probability(&value) {
                    self.probabilities.push((class.clone(), p));
                }
            }
            Role::Seconds => self.seconds = number(&value),
            Role::Reason => self.reason = text(value),
            Role::Message => self.message = text(value),
            Role::Model => self.model = text(value),
            Role::Start | Role::Embedding | Role::Other => {}
        }
    }

    /// Returns the row, or why the cells are none.
    pub(super) fn row(self) -> Result<TableRow, String> {
        let path = self.path.ok_or("the path is empty")?;
        let path = path_of_text(&path).ok_or("the path is no path")?;
        let labels = match self.given {
            Some(given) => {
                let score = |name: &String| {
                    let known = self.probabilities.iter().find(|(class, _)| class == name);
                    let ranked = || self.tags.iter().find(|(tag, _)| tag.as_ref() == Some(name));
                    known
                        .map(|(_, p)| *p)
                        .or_else(|| ranked().and_then(|(_, p)| *p))
                };
                let tags = given.into_iter().map(|name| {
                    let score = score(&name);
                    (name, score)
                });
                RowLabels::Tags(tags.collect())
            }
            None if self.single => {
                let named = self.genres.into_iter();
                RowLabels::Genres(named.filter_map(|(name, p)| Some((name?, p))).collect())
            }
            None => return Err("it has neither `genre` nor `tags`".into()),
        };
        let status = match self.status.as_deref() {
            Some("failed") => RowStatus::Failed,
            Some("unsure") => RowStatus::Unsure,
            // Tables that people make need no status.
            Some("ok") | None => RowStatus::Ok,
            Some(other) => return Err(format!("its status is `{other}`")),
        };
        Ok(TableRow {
            path,
            status,
            labels,
            probabilities: self.probabilities,
            seconds: self.seconds,
            reason: self.reason,
            message: self.message,
            model: self.model,
        })
    }
}

fn rank(ranked: &mut Ranked, n: usize) -> &mut (Option<String>, Option<f32>) {
    let index = n.saturating_sub(1);
    if ranked.len() <= index {
        ranked.resize(index + 1, (None, None));
    }
    &mut ranked[index]
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Texts(texts) => texts,
        Value::Text(text) => {
            let parts = text.split("; ").map(str::trim).filter(|t| !t.is_empty());
            parts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

fn probability(value: &Value) -> Option<f32> {
    number(value).map(|p| p as f32)
}

fn number(value: &Value) -> Option<f64> {
    let number: Option<f64> = match value {
        Value::Number(n) => Some(*n),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|n| n.is_finite())
}
