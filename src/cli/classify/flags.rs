//! The flags of `classify`.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::console_args::ConsoleArgs;
use super::inputs::InputArgs;
use crate::audio::{ExcerptPlace, Excerpts};
use crate::classify::{Format, Shard};
use crate::cli::playlists::PlaylistsArg;
use crate::cli::walk_args::WalkArgs;
use crate::cli::{args, page};
use crate::model::ModelName;

/// Names the genre, or the tags, of audio files and folders.
///
/// Prints one line per file, or writes a table. A file that cannot be read is a row with its
/// reason; the rest goes on.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub(super) inputs: InputArgs,
    /// Print the files that would be classified, one per line, and do nothing. With --out, those
    /// that are done already are left out (-v names them).
    #[arg(long)]
    pub(super) list: bool,
    #[command(flatten)]
    pub(super) walk: WalkArgs,
    /// Classify only shard I of N, for several machines that share the files: 2/8 is the second of
    /// eight.
    #[arg(long, value_name = "I/N", default_value_t)]
    pub(super) shard: Shard,
    #[command(flatten)]
    pub(super) model: args::ModelArg,
    /// Write the result table to FILE, and a journal to FILE.journal. If the run is killed or
    /// stopped, the same command resumes it; if it is complete, the same command classifies only
    /// new and changed files. - is stdout, without a journal.
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Format of the result table; chosen by the extension of --out if absent. Without --out, the
    /// table goes to stdout in place of the lines for people.
    #[arg(long)]
    pub(super) format: Option<Format>,
    /// Sort the rows by path at the end.
    #[arg(long, requires = "out")]
    pub(super) sorted: bool,
    /// Start over: drop what an earlier run wrote to the same --out.
    #[arg(long, requires = "out")]
    pub(super) fresh: bool,
    /// Also write a table with one row per clip: CSV, or the format of the extension (.jsonl,
    /// .parquet; .txt is a label track for Audacity, of one audio file). - is stdout.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub(super) timeline: Option<PathBuf>,
    /// Also write a table of embeddings (what the network's last layer reads, the mean over a file's
    /// clips), for search and clustering: JSON Lines, or Parquet or a NumPy matrix if the extension is
    /// .parquet or .npy. - is stdout.
    #[arg(long, value_name = "FILE", requires = "out")]
    pub(super) embeddings: Option<PathBuf>,
    #[command(flatten)]
    pub(super) page: page::PageArgs,
    #[command(flatten)]
    pub(super) playlists: PlaylistsArg,
    /// Fraction of a clip that it shares with the next one, from 0 to 0.95.
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0, value_parser = overlap)]
    pub(super) clip_overlap: f64,
    /// Read only N excerpts of each track that is longer than they are, by seeking; whole tracks if
    /// absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) excerpts: Option<u32>,
    /// Length of an excerpt in seconds; it holds as many clips as fit, and at least one. 15 if absent.
    #[arg(long, value_name = "S", requires = "excerpts", value_parser = args::clip_seconds)]
    pub(super) excerpt_seconds: Option<f64>,
    /// Where excerpts lie: each in the middle of its share of the track (spread), or one behind the
    /// other (start, middle, end).
    #[arg(long, value_name = "PLACE", requires = "excerpts", value_parser = excerpt_place())]
    pub(super) excerpt_at: Option<ExcerptPlace>,
    /// Number of decoder threads; one per core if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) workers: Option<u16>,
    /// Clips per batch; chosen by the device if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) batch: Option<u16>,
    /// Compute in f16, if the adapter can: half the memory and traffic. Probabilities differ in the
    /// third digit.
    #[arg(long)]
    pub(super) half: bool,
    #[command(flatten)]
    pub(super) labels: args::LabelArgs,
    #[command(flatten)]
    pub(super) device: args::DeviceArg,
    #[command(flatten)]
    pub(super) console: ConsoleArgs,
}

impl Args {
    /// Returns the files that the command line names as inputs.
    pub(super) fn named(&self) -> impl Iterator<Item = &Path> {
        let model = match &self.model.model {
            ModelName::File(path) => Some(path),
            ModelName::Builtin(_) => None,
        };
        let all = self
            .inputs
            .paths
            .iter()
            .chain(&self.inputs.files_from)
            .chain(model);
        all.map(PathBuf::as_path)
    }

    /// Returns the excerpts that are asked for.
    pub(super) fn excerpts(&self) -> Option<Excerpts> {
        self.excerpts.map(|count| Excerpts {
            count,
            seconds: self.excerpt_seconds.unwrap_or(Excerpts::SECONDS),
            at: self.excerpt_at.unwrap_or_default(),
        })
    }
}

fn overlap(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if (0.0..=0.95).contains(&fraction) => Ok(fraction),
        _ => Err("must be from 0 to 0.95".into()),
    }
}

/// Parses where excerpts lie.
fn excerpt_place() -> impl TypedValueParser<Value = ExcerptPlace> {
    let names = ExcerptPlace::ALL.map(ExcerptPlace::name);
    PossibleValuesParser::new(names).try_map(|name| name.parse::<ExcerptPlace>())
}
