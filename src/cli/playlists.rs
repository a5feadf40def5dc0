//! `--playlists` of `classify` and `merge`.

use std::path::{Path, PathBuf};

use super::words::print_line_lossy;
use crate::classify::journal::journal_of;
use crate::classify::{Playlists, Schema};

/// `--playlists`.
#[derive(clap::Args)]
pub struct PlaylistsArg {
    /// Also write a playlist (.m3u8) per genre or tag into DIR when the run ends: paths relative to
    /// DIR, the most probable first, without unsure files.
    #[arg(long, value_name = "DIR", requires = "out")]
    playlists: Option<PathBuf>,
}

impl PlaylistsArg {
    /// Plans the playlists, if there are to be any, and checks that they may be written. `out` is
    /// the table's file: its journal has the results.
    pub fn plan<'a>(
        &self,
        out: Option<&Path>,
        schema: &Schema,
        inputs: impl IntoIterator<Item = &'a Path>,
    ) -> anyhow::Result<Option<Plan>> {
        let Some(folder) = &self.playlists else {
            return Ok(None);
        };
        let Some(out) = out else {
            anyhow::bail!("--playlists needs the journal beside the result table: add --out FILE");
        };
        super::args::check_folder(folder)?;
        Ok(Some(Plan {
            playlists: Playlists::plan(folder, &schema.classes, inputs)?,
            folder: folder.clone(),
            journal: journal_of(out),
            schema: schema.clone(),
        }))
    }
}

/// Playlists to be written.
pub struct Plan {
    playlists: Playlists,
    folder: PathBuf,
    journal: PathBuf,
    schema: Schema,
}

impl Plan {
    /// Writes the playlists from the journal, and says how many.
    pub fn write(&self) -> anyhow::Result<()> {
        let counts = self.playlists.write(&self.journal, &self.schema.rule)?;
        print_line_lossy(format_args!(
            "{} playlists with {} tracks in {}",
            counts.playlists,
            counts.tracks,
            self.folder.display()
        ));
        Ok(())
    }
}
