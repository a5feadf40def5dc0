//! `--report` of `classify` and `merge`: a page to look at.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::words::{is_stdout, note};
use crate::classify::journal::{JournalSettings, journal_of};
use crate::classify::{PageInfo, write_page};
use crate::evaluate::report;
use crate::gpu::Compute;
use crate::model::Task;

/// How many inputs a heading names.
const NAMED: usize = 3;

const MAP_HINT: &str = "A run with --report and a new --out, or with --fresh, keeps embeddings.";

/// `--report`.
#[derive(clap::Args)]
pub struct PageArgs {
    /// Also write a page to look at: counts, confidence, a table, a map of the tracks and a player
    /// in one HTML file that needs no network. A new run then keeps embeddings in its journal.
    #[arg(long, value_name = "FILE.html", requires = "out")]
    pub report: Option<PathBuf>,
}

impl PageArgs {
    /// Checks that the page is for a table in a file, and goes to one itself.
    pub fn check(&self, out: Option<&Path>) -> anyhow::Result<()> {
        let Some(page) = &self.report else {
            return Ok(());
        };
        ensure!(
            out.is_some(),
            "--report needs the journal beside the result table: add --out FILE"
        );
        ensure!(
            !is_stdout(page),
            "--report is written to a file: name one instead of -"
        );
        Ok(())
    }

    /// Writes the page of the table `out`, if it is wanted. `names` are what was classified, and
    /// `facts` what else is known about it.
    pub fn write<'a>(
        &self,
        settings: &JournalSettings,
        out: &Path,
        names: impl IntoIterator<Item = &'a PathBuf>,
        facts: &[(&str, String)],
    ) -> anyhow::Result<()> {
        let Some(page) = &self.report else {
            return Ok(());
        };
        let what = match settings.task {
            Task::SingleLabel => "Genres",
            Task::MultiLabel => "Tags",
        };
        let version = env!("CARGO_PKG_VERSION");
        let made = [
            ("made", format!("{} by sonoprint {version}", report::now())),
            ("command", command()),
            ("table", out.display().to_string()),
        ];
        let facts = made.iter().chain(facts);
        let info = PageInfo {
            title: format!("{what} of {}", heading(names)),
            facts: facts.map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
            settings: settings.clone(),
            map_hint: Some(MAP_HINT.into()),
        };
        write_page(&info, &journal_of(out), page)?;
        note(format_args!("wrote {}", page.display()));
        Ok(())
    }
}

/// Returns the name of a device.
pub fn device(compute: &Compute) -> String {
    match compute {
        Compute::Cpu => "cpu".into(),
        Compute::Gpu(gpu) => gpu.info.name.clone(),
    }
}

/// Returns the names of inputs as a heading.
fn heading<'a>(paths: impl IntoIterator<Item = &'a PathBuf>) -> String {
    let name = |path: &PathBuf| {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let name = whole.file_name().unwrap_or(whole.as_os_str());
        match is_stdout(path) {
            true => "a list".into(),
            false => name.to_string_lossy().into_owned(),
        }
    };
    let mut names: Vec<String> = paths.into_iter().map(name).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match more {
        0 => names.join(", "),
        _ => format!("{} and {more} more", names.join(", ")),
    }
}

/// Returns this process's command line, as a shell takes it.
fn command() -> String {
    let mut words: Vec<String> = std::env::args_os().map(|word| quoted(&word)).collect();
    if let Some(program) = words.first_mut() {
        *program = "sonoprint".into();
    }
    words.join(" ")
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=,:+@%".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.into_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted() {
        for (word, want) in [
            ("--out=a.csv", "--out=a.csv"),
            ("", "''"),
            ("my music", "'my music'"),
            ("it's", r"'it'\''s'"),
            ("$(rm)", "'$(rm)'"),
        ] {
            assert_eq!(quoted(word.as_ref()), want);
        }
    }

    #[test]
    fn a_heading_names_some_inputs() {
        let paths: Vec<PathBuf> = ["a/one", "/b/two/", "3", "4", "5"].map(Into::into).to_vec();
        assert_eq!(heading(&paths), "one, two, 3 and 2 more");
        assert_eq!(heading(&paths[..1]), "one");
        assert_eq!(heading(&["/".into()]), "/");
    }
}
