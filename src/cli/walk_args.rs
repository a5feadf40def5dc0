//! Flags that say which files of a folder are taken.

use crate::classify::{Glob, Search, Shard};

/// `--hidden`, `--include`, `--exclude` and `--max-depth`.
#[derive(clap::Args)]
pub struct WalkArgs {
    /// Search hidden files and folders too.
    #[arg(long)]
    hidden: bool,
    /// Take only files of folders that match GLOB: `*.flac` by name, `live/**` by the path below the
    /// folder. Several are alternatives. A file that is named is always taken.
    #[arg(long, value_name = "GLOB")]
    include: Vec<Glob>,
    /// Leave out files and folders that match GLOB, whatever --include takes: `*karaoke*` by name,
    /// `drafts/` only folders.
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<Glob>,
    /// Search folders no deeper than N levels: 1 is the files in a folder, without subfolders.
    #[arg(long, value_name = "N")]
    max_depth: Option<usize>,
}

impl WalkArgs {
    /// Returns how folders are searched for the files of `shard`.
    pub fn search(&self, shard: Shard) -> Search {
        Search {
            shard,
            hidden: self.hidden,
            include: self.include.clone(),
            exclude: self.exclude.clone(),
            max_depth: self.max_depth,
            ..Search::default()
        }
    }
}
