//! What stands in the tables, before it has a form: columns with a kind each, and a row's cells.

use super::Schema;
use crate::classify::row::ranked;
use crate::classify::{ClipPrediction, FileResult, Outcome, Prediction};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// A probability.
    Float,
    /// Seconds.
    Double,
    Int,
    Bool,
    /// A vector, the same number of values in every row.
    Floats,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Text(String),
    Float(f32),
    Double(f64),
    Int(i32),
    Bool(bool),
    Floats(Vec<f32>),
}

/// A column's name and kind.
pub(super) type Column = (String, Kind);

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A row a file: `path, status, genre, confidence`, then `genre_2, confidence_2, ..` up to the asked number, then
    /// `seconds, clips, silent, padded, reason, message`, then the probability of every class (`p_blues, ..`), then
    /// `model`, the fingerprint of the checkpoint.
    Files,
    /// A row a clip: `path, start, end, genre, confidence` and the probability of every class.
    Clips,
    /// A row a file that could be read: `path, embedding`.
    Embeddings,
}

impl Content {
    pub(super) fn columns(self, schema: &Schema) -> Vec<Column> {
        let mut all: Vec<Column> = Vec::new();
        let mut add = |name: &str, kind| all.push((name.to_owned(), kind));
        add("path", Kind::Text);
        match self {
            Self::Files => {
                add("status", Kind::Text);
                add("genre", Kind::Text);
                add("confidence", Kind::Float);
                for n in 2..=schema.top {
                    add(&format!("genre_{n}"), Kind::Text);
                    add(&format!("confidence_{n}"), Kind::Float);
                }
                add("seconds", Kind::Double);
                add("clips", Kind::Int);
                add("silent", Kind::Int);
                add("padded", Kind::Bool);
                add("reason", Kind::Text);
                add("message", Kind::Text);
            }
            Self::Clips => {
                add("start", Kind::Double);
                add("end", Kind::Double);
                add("genre", Kind::Text);
                add("confidence", Kind::Float);
            }
            Self::Embeddings => add("embedding", Kind::Floats),
        }
        if self != Self::Embeddings {
            for class in &schema.classes {
                add(&format!("p_{class}"), Kind::Float);
            }
        }
        if self == Self::Files {
            add("model", Kind::Text);
        }
        all
    }

    /// The rows that a file gives: one, or none, or one a clip.
    pub(super) fn cells(self, schema: &Schema, row: &FileResult) -> Vec<Vec<Cell>> {
        match (self, &row.outcome) {
            (Self::Files, outcome) => vec![file(schema, row, outcome)],
            (_, Outcome::Failed { .. }) => Vec::new(),
            (Self::Clips, Outcome::Ok(answer)) => clips(schema, row, answer),
            (Self::Embeddings, Outcome::Ok(answer)) => {
                vec![vec![path(row), Cell::Floats(answer.embedding.clone())]]
            }
        }
    }
}

fn path(row: &FileResult) -> Cell {
    Cell::Text(row.path.display().to_string())
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

fn floats(probabilities: &[f32]) -> impl Iterator<Item = Cell> + '_ {
    probabilities.iter().map(|&p| Cell::Float(p))
}

fn file(schema: &Schema, row: &FileResult, outcome: &Outcome) -> Vec<Cell> {
    let mut cells = vec![path(row)];
    match outcome {
        Outcome::Ok(answer) => {
            cells.push(text("ok"));
            for (class, p) in ranked(&answer.probabilities).into_iter().take(schema.top) {
                cells.extend([text(&schema.classes[class]), Cell::Float(p)]);
            }
            let count = |n: usize| Cell::Int(n.try_into().unwrap_or(i32::MAX));
            cells.extend([
                Cell::Double(answer.seconds),
                count(answer.clips),
                count(answer.silent),
                Cell::Bool(answer.padded),
            ]);
            match &answer.damaged {
                Some(message) => cells.extend([text("damaged"), text(message)]),
                None => cells.extend([Cell::Null, Cell::Null]),
            }
            cells.extend(floats(&answer.probabilities));
        }
        Outcome::Failed { reason, message } => {
            cells.push(text("failed"));
            cells.extend(vec![Cell::Null; 2 * schema.top + 4]);
            cells.extend([text(reason), text(message)]);
            cells.extend(vec![Cell::Null; schema.classes.len()]);
        }
    }
    cells.push(text(&schema.model));
    cells
}

fn clips(schema: &Schema, row: &FileResult, answer: &Prediction) -> Vec<Vec<Cell>> {
    let clip = |clip: &ClipPrediction| {
        let mut cells = vec![path(row), Cell::Double(clip.start), Cell::Double(clip.end)];
        match ranked(&clip.probabilities).first() {
            Some(&(best, p)) => cells.extend([text(&schema.classes[best]), Cell::Float(p)]),
            None => cells.extend([Cell::Null, Cell::Null]),
        }
        cells.extend(floats(&clip.probabilities));
        cells
    };
    answer.timeline.iter().map(clip).collect()
}
