//! How lines of results fit their terminal.

use console::{Term, measure_text_width, pad_str, style, truncate_str};

use crate::model::Task;

/// Width of the column of paths where stdout is no terminal.
const PATH_WIDTH: usize = 44;
/// The least width of that column.
const LEAST: usize = 12;
/// What stands behind the path in a usual line of a genre: it, its confidence and the next one.
const GENRE_WIDTH: usize = 43;

/// The width of the terminal, and what of it the paths get.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// `None` if stdout is no terminal: nothing is cut off then.
    width: Option<usize>,
    path: usize,
}

impl Layout {
    /// Returns the layout for stdout as it is now.
    pub fn of_stdout(task: Task) -> Self {
        let term = Term::stdout();
        let width = term.is_term().then(|| usize::from(term.size().1));
        Self::new(width, task)
    }

    /// Returns the layout for a terminal of so many columns, or for no terminal.
    fn new(width: Option<usize>, task: Task) -> Self {
        let path = width.map_or(PATH_WIDTH, |width| {
            let path = match task {
                Task::SingleLabel => width.saturating_sub(GENRE_WIDTH),
                Task::MultiLabel => width / 2 - width / 10,
            };
            path.clamp(LEAST, 2 * PATH_WIDTH)
        });
        Self { width, path }
    }

    /// Returns a path as wide as its column. One that is longer keeps its end.
    pub fn path(&self, path: &str) -> String {
        let path = match self.width {
            Some(_) => end_of(path, self.path),
            None => path.to_owned(),
        };
        pad_str(&path, self.path, console::Alignment::Left, None).into_owned()
    }

    /// Cuts a line off at the terminal's edge.
    pub fn line(&self, line: String) -> String {
        match self.width {
            Some(width) => truncate_str(&line, width, "…").into_owned(),
            None => line,
        }
    }
}

/// Returns the end of a text that has at most `width` columns.
fn end_of(text: &str, width: usize) -> String {
    if measure_text_width(text) <= width {
        return text.to_owned();
    }
    let mut used = 1;
    let mut start = text.len();
    for (i, c) in text.char_indices().rev() {
        used += measure_text_width(c.encode_utf8(&mut [0; 4]));
        if used > width {
            break;
        }
        start = i;
    }
    format!("…{}", &text[start..])
}

/// A label that is given.
pub fn strong(text: impl Into<String>) -> String {
    style(text.into()).bold().to_string()
}

/// What stands in a line and is not its answer.
pub fn faint(text: impl Into<String>) -> String {
    style(text.into()).dim().to_string()
}

/// A doubt.
pub fn doubt(text: impl Into<String>) -> String {
    style(text.into()).yellow().to_string()
}

/// A failure, on stderr.
pub fn failure(text: impl Into<String>) -> String {
    style(text.into()).for_stderr().red().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_its_terminal() {
        let path = "music/Ein sehr langer Ordner/音楽のフォルダ/Übung.flac";
        for width in [30, 60, 80, 120, 300] {
            for task in [Task::SingleLabel, Task::MultiLabel] {
                let layout = Layout::new(Some(width), task);
                let column = layout.path(path);
                assert_eq!(measure_text_width(&column), layout.path, "{column}");
                assert!(column.trim_end().ends_with("Übung.flac"), "{column}");
                let line = layout.line(format!("{column}  {}", "tag 12.3%, ".repeat(40)));
                assert_eq!(measure_text_width(&line), width);
            }
        }
        let narrow = Layout::new(Some(60), Task::SingleLabel);
        let line = format!(
            "{}  {:<10} {:>9.1}%  {}",
            narrow.path(path),
            "classical",
            100.0,
            "electronic 10.0%"
        );
        assert_eq!(narrow.line(line.clone()), line);
        // A file or a pipe gets everything.
        assert!(
            Layout::new(None, Task::SingleLabel)
                .path(path)
                .starts_with(path)
        );
    }
}
