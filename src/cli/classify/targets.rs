//! Where the tables of a run go, by its flags.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::flags::Args;
use crate::classify::journal::{self, journal_of};
use crate::classify::{Content, Format, Schema, TablePlan};
use crate::cli::words::is_stdout;

/// Where the tables go.
pub(super) struct Targets<'a> {
    /// The table on stdout, in place of the lines for people.
    pub(super) stdout: Option<(Content, Format)>,
    pub(super) out: Option<&'a Path>,
    timeline: Option<&'a Path>,
    embeddings: Option<&'a Path>,
}

impl<'a> Targets<'a> {
    pub(super) fn of(args: &'a Args) -> anyhow::Result<Self> {
        let file = |path: &'a Option<PathBuf>| path.as_deref().filter(|path| !is_stdout(path));
        let on_stdout = |path: &Option<PathBuf>| path.as_deref().is_some_and(is_stdout);
        let files = match (&args.out, args.format) {
            (None, format) => format,
            (Some(_), format) if on_stdout(&args.out) => Some(format.unwrap_or(Format::Csv)),
            _ => None,
        };
        let all = [
            files.map(|format| (Content::Files, format)),
            on_stdout(&args.timeline).then_some((Content::Clips, Format::Csv)),
            on_stdout(&args.embeddings).then_some((Content::Embeddings, Format::Jsonl)),
        ];
        let targets = Self {
            stdout: all.iter().flatten().next().copied(),
            out: file(&args.out),
            timeline: file(&args.timeline),
            embeddings: file(&args.embeddings),
        };
        ensure!(
            all.iter().flatten().count() < 2,
            "two tables cannot both go to stdout"
        );
        let is_track = |path: &Path| Format::of(path) == Some(Format::Audacity);
        let one_file = args.inputs.files_from.is_none()
            && matches!(args.inputs.paths.as_slice(), [path] if !path.is_dir());
        ensure!(
            one_file || !targets.timeline.is_some_and(is_track),
            "a label track (--timeline FILE.txt) is about one audio file: name one, or write a \
             table of all files (--timeline FILE.csv)"
        );
        if let Some(format) = files {
            ensure!(
                format.holds(Content::Files),
                "{format} tables hold clips only: name one with --timeline FILE.txt"
            );
            ensure!(
                format.streams(),
                "a {format} table is written to a file: add --out FILE"
            );
        }
        ensure!(
            targets.out.is_some() || !(args.sorted || args.fresh),
            "--sorted and --fresh are for a table in a file: add --out FILE"
        );
        ensure!(
            targets.out.is_some() || (args.timeline.is_none() && args.embeddings.is_none()),
            "--timeline and --embeddings need the journal beside the result table: add --out FILE"
        );
        args.page.check(targets.out)?;
        Ok(targets)
    }

    /// Returns whether the journal holds embeddings: for a table of them, or for the map of a page.
    /// A run that goes on, and needs none, goes on as it began.
    pub(super) fn has_embeddings(&self, args: &Args) -> bool {
        let out = self.out.filter(|_| !args.fresh);
        // Opening the journal says what is wrong with it.
        let earlier = out.and_then(|out| journal::settings(&journal_of(out)).ok().flatten());
        let wanted = args.page.report.is_some();
        args.embeddings.is_some() || earlier.map_or(wanted, |earlier| earlier.embeddings)
    }

    /// Plans the tables in files, if there are any, and checks that they may be written.
    pub(super) fn plan(&self, args: &Args, schema: &Schema) -> anyhow::Result<Option<TablePlan>> {
        let Some(out) = self.out else {
            return Ok(None);
        };
        let schema = schema.clone();
        let plan = TablePlan::new(out, args.format, self.timeline, self.embeddings, schema)?;
        let plan = plan.with_page(args.page.report.clone());
        plan.claim(args.named())?;
        Ok(Some(plan))
    }
}
