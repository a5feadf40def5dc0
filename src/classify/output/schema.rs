//! The columns of tables and the cells of their rows, in no format yet. A column is added or
//! changed here only.

use crate::classify::result::{ClipPrediction, FileResult, Outcome, Prediction, ranked};
use crate::files::text_of_path;
use crate::model::{DecisionRule, Task};

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Text,
    /// A probability.
    Float,
    /// Seconds.
    Double,
    Int,
    Bool,
    /// A vector, the same number of values in every row.
    Floats,
    /// Any number of texts, or no value.
    Texts,
}

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Text(String),
    Float(f32),
    Double(f64),
    Int(i32),
    Bool(bool),
    Floats(Vec<f32>),
    Texts(Vec<String>),
}

/// A column's name and type.
pub(crate) type Column = (String, ColumnType);

/// What a table needs to know beside the results.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Classes per row, most probable first: at least one, at most as many as there are classes.
    pub top: usize,
    /// Fingerprint of the checkpoint: weights, front end and classes.
    pub model: String,
    /// How probabilities become labels. Its task decides which columns there are.
    pub rule: DecisionRule,
}

impl Schema {
    /// Returns the number of classes per row that is usual for a task.
    pub fn default_top(task: Task) -> usize {
        match task {
            Task::SingleLabel => 2,
            Task::MultiLabel => 5,
        }
    }

    /// Returns the names of the columns of the `n`-th most probable class and its probability.
    fn ranked_names(&self, n: usize) -> [String; 2] {
        match (self.rule.task, n) {
            (Task::SingleLabel, 1) => ["genre".into(), "confidence".into()],
            (Task::SingleLabel, n) => [format!("genre_{n}"), format!("confidence_{n}")],
            (Task::MultiLabel, n) => [format!("tag_{n}"), format!("score_{n}")],
        }
    }

    /// Returns how many classes are ranked in a row of clips.
    fn clip_top(&self) -> usize {
        match self.rule.task {
            Task::SingleLabel => 1,
            Task::MultiLabel => self.top,
        }
    }
}

/// Which table. Every format has the same columns: CSV leaves a cell without a value empty, JSON
/// Lines and Parquet have null. A list is an array in JSON Lines, a list in Parquet, and a text in
/// CSV: numbers with spaces between them, tags with `; `.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// One row per file.
    ///
    /// | column | type | meaning |
    /// |---|---|---|
    /// | `path` | text | path of the file, as [`text_of_path`] writes it |
    /// | `status` | text | `ok`, `unsure` ([`DecisionRule::is_unsure`]) or `failed` |
    /// | `genre`, `confidence` | text, float | most probable class and its probability, 0 to 1 |
    /// | `genre_2`, `confidence_2`, .. | text, float | the next ones, up to the requested number |
    /// | `tags` | list of text | the classes over the threshold, most probable first |
    /// | `tag_1`, `score_1`, .. | text, float | the most probable classes, over it or not |
    /// | `seconds` | double | length of the file |
    /// | `clips` | int | clips that were classified |
    /// | `silent` | int | clips that were left out because they are silent |
    /// | `padded` | bool | whether the file is shorter than a clip and was filled up, with silence or (musicnn) by repetition |
    /// | `reason` | text | why the file failed, a stable word; `damaged` if it was read in part |
    /// | `message` | text | the same for people |
    /// | `p_blues`, .. | float | probability of every class |
    /// | `model` | text | fingerprint of the checkpoint: weights, front end and classes |
    ///
    /// A single-label checkpoint has `genre`, .., a multi-label one `tags`, .. in their place. An
    /// unsure file has no `genre`, `genre_2`, .. and no `tags`. A failed file has `path`, `status`,
    /// `reason`, `message` and `model`. Parquet also has the fingerprint in its metadata, as
    /// `sonoprint.model`.
    Files,
    /// One row per classified clip: `path` (text), `start` and `end` (double, seconds), `genre` and
    /// `confidence` (or `tags` and `tag_1`, `score_1`, ..), and `p_blues`, .. as in
    /// [`Content::Files`].
    Clips,
    /// One row per file that could be read: `path` (text) and `embedding` (list of float).
    Embeddings,
}

impl Content {
    pub(super) fn columns(self, schema: &Schema) -> Vec<Column> {
        let mut all: Vec<Column> = Vec::new();
        let mut add = |name: &str, kind| all.push((name.to_owned(), kind));
        add("path", ColumnType::Text);
        match self {
            Self::Files => {
                add("status", ColumnType::Text);
                label_columns(schema, schema.top, &mut add);
                add("seconds", ColumnType::Double);
                add("clips", ColumnType::Int);
                add("silent", ColumnType::Int);
                add("padded", ColumnType::Bool);
                add("reason", ColumnType::Text);
                add("message", ColumnType::Text);
            }
            Self::Clips => {
                add("start", ColumnType::Double);
                add("end", ColumnType::Double);
                label_columns(schema, schema.clip_top(), &mut add);
            }
            Self::Embeddings => add("embedding", ColumnType::Floats),
        }
        if self != Self::Embeddings {
            for class in &schema.classes {
                add(&format!("p_{class}"), ColumnType::Float);
            }
        }
        if self == Self::Files {
            add("model", ColumnType::Text);
        }
        all
    }

    /// Returns the rows of a file: one, or one per clip, or none.
    pub(super) fn rows(self, schema: &Schema, result: &FileResult) -> Vec<Vec<Cell>> {
        match (self, &result.outcome) {
            (Self::Files, outcome) => vec![file(schema, result, outcome)],
            (_, Outcome::Failed { .. }) => Vec::new(),
            (Self::Clips, Outcome::Ok(prediction)) => {
                let clips = prediction.timeline.iter();
                clips.map(|c| clip(schema, result, c)).collect()
            }
            (Self::Embeddings, Outcome::Ok(prediction)) => {
                let embedding = Cell::Floats(prediction.embedding.clone());
                vec![vec![path(result), embedding]]
            }
        }
    }
}

fn path(result: &FileResult) -> Cell {
    Cell::Text(text_of_path(&result.path))
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// Adds the columns of labels: those that are given, and the `count` most probable classes.
fn label_columns(schema: &Schema, count: usize, add: &mut impl FnMut(&str, ColumnType)) {
    if schema.rule.task == Task::MultiLabel {
        add("tags", ColumnType::Texts);
    }
    for n in 1..=count {
        let [name, probability] = schema.ranked_names(n);
        add(&name, ColumnType::Text);
        add(&probability, ColumnType::Float);
    }
}

/// Returns the cells of [`label_columns`].
fn label_cells(schema: &Schema, probabilities: &[f32], count: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    let labels = schema.rule.labels(probabilities);
    // Where no genre is given, the ranked ones are not named either.
    let named = match schema.rule.task {
        Task::SingleLabel => !labels.is_empty(),
        Task::MultiLabel => {
            let names = labels.iter().filter_map(|&class| schema.classes.get(class));
            cells.push(Cell::Texts(names.cloned().collect()));
            true
        }
    };
    let mut ranked = ranked(probabilities).into_iter();
    for _ in 0..count {
        let best = ranked.next();
        match best.and_then(|(class, p)| Some((schema.classes.get(class)?, p))) {
            Some((name, p)) if named => cells.extend([text(name), Cell::Float(p)]),
            Some((_, p)) => cells.extend([Cell::Null, Cell::Float(p)]),
            None => cells.extend([Cell::Null, Cell::Null]),
        }
    }
    cells
}

/// Returns the cells of all probabilities, one per class.
fn all_classes(schema: &Schema, probabilities: &[f32]) -> impl Iterator<Item = Cell> {
    let cells = (0..schema.classes.len()).map(|class| probabilities.get(class));
    cells.map(|p| p.map_or(Cell::Null, |&p| Cell::Float(p)))
}

fn file(schema: &Schema, result: &FileResult, outcome: &Outcome) -> Vec<Cell> {
    let mut cells = vec![path(result)];
    match outcome {
        Outcome::Ok(prediction) => {
            let Prediction {
                probabilities,
                seconds,
                clips,
                silent,
                padded,
                damaged,
                embedding: _,
                timeline: _,
            } = prediction;
            cells.push(text(match schema.rule.is_unsure(probabilities) {
                true => "unsure",
                false => "ok",
            }));
            cells.extend(label_cells(schema, probabilities, schema.top));
            let count = |n: usize| Cell::Int(n.try_into().unwrap_or(i32::MAX));
            cells.extend([
                Cell::Double(*seconds),
                count(*clips),
                count(*silent),
                Cell::Bool(*padded),
            ]);
            match damaged {
                Some(message) => cells.extend([text("damaged"), text(message)]),
                None => cells.extend([Cell::Null, Cell::Null]),
            }
            cells.extend(all_classes(schema, probabilities));
        }
        Outcome::Failed { reason, message } => {
            cells.push(text("failed"));
            let mut labels = 0;
            label_columns(schema, schema.top, &mut |_, _| labels += 1);
            // After the labels, `seconds`, `clips`, `silent`, `padded`.
            cells.extend(vec![Cell::Null; labels + 4]);
            cells.extend([text(reason), text(message)]);
            cells.extend(vec![Cell::Null; schema.classes.len()]);
        }
    }
    cells.push(text(&schema.model));
    cells
}

fn clip(schema: &Schema, result: &FileResult, clip: &ClipPrediction) -> Vec<Cell> {
    let ClipPrediction {
        start,
        end,
        probabilities,
    } = clip;
    let mut cells = vec![path(result), Cell::Double(*start), Cell::Double(*end)];
    cells.extend(label_cells(schema, probabilities, schema.clip_top()));
    cells.extend(all_classes(schema, probabilities));
    cells
}
