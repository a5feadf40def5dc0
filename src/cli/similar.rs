//! `sonoprint similar`.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};

use super::words::{is_stdout, note};
use super::{Done, args, progress};
use crate::classify::{Format, M3u8, names_of};
use crate::files::{Claims, Ours, Part, path_of_text, text_of_path};
use crate::inference::Predictor;
use crate::model::Checkpoint;
use crate::similar::{
    EmbeddingTable, Named, NeighborTable, Query, Rule, SimilarError, find, for_each_row, named,
    nearest, ours_matrix, write_matrix,
};

/// Finds the tracks that sound most like others, by their embeddings.
///
/// Prints the cosine of the angle between both embeddings, from -1 to 1, and the path. Every row is
/// compared, without an index. The track itself is left out, and so are rows with the same numbers.
#[derive(clap::Args)]
pub struct Args {
    /// Tracks: paths as the table has them, or audio files that are not in it, which the model
    /// embeds.
    #[arg(
        required_unless_present = "all",
        conflicts_with = "all",
        value_name = "FILE|ID"
    )]
    queries: Vec<PathBuf>,
    /// The table that `classify --embeddings` wrote: Parquet, JSON Lines or .npy.
    #[arg(long = "in", value_name = "TABLE")]
    table: PathBuf,
    /// For every row of the table. To a .npy file: the matrix of each with each.
    #[arg(long)]
    all: bool,
    /// Neighbors per track.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    top: u32,
    /// Keep copies of a track: rows with the same numbers.
    #[arg(long)]
    copies: bool,
    /// Write a playlist, to stdout if --out is absent.
    #[arg(long, conflicts_with_all = ["all", "format"])]
    m3u8: bool,
    /// Write to FILE: a table (.csv, .jsonl, .parquet), a playlist (.m3u8), or the matrix (.npy,
    /// with --all). - is stdout.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Format of the table; chosen by the extension of --out if absent. Without --out, the table
    /// goes to stdout in place of the lines for people.
    #[arg(long)]
    format: Option<Format>,
    #[command(flatten)]
    model: args::ModelArg,
    #[command(flatten)]
    device: args::DeviceArg,
}

/// What is written.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Lines,
    Table(Format),
    Playlist,
    Matrix,
}

impl Kind {
    fn of(args: &Args) -> anyhow::Result<Self> {
        let file = args.out.as_deref().filter(|out| !is_stdout(out));
        let ending = file.and_then(Path::extension);
        let is_list = ending.is_some_and(|e| e.eq_ignore_ascii_case("m3u8"));
        if args.m3u8 || (is_list && args.format.is_none()) {
            ensure!(!args.all, "a playlist is of some tracks: leave out --all");
            return Ok(Self::Playlist);
        }
        let format = match (args.format, file) {
            (Some(format), _) => format,
            (None, Some(path)) => match (Format::of(path), ending) {
                (Some(format), _) => format,
                (None, None) => Format::Csv,
                (None, Some(ending)) => bail!(
                    "cannot write {}: no format has the ending .{}",
                    path.display(),
                    ending.to_string_lossy()
                ),
            },
            (None, None) if args.out.is_some() => Format::Csv,
            (None, None) => return Ok(Self::Lines),
        };
        ensure!(
            file.is_some() || format.streams(),
            "a {format} file does not go to stdout: use --out FILE"
        );
        ensure!(
            format.is_built(),
            "this build of sonoprint has no {format} support"
        );
        match format {
            Format::Npy if args.all => Ok(Self::Matrix),
            Format::Audacity => bail!(
                "a label track is of the clips of a file: end the name in .csv, .jsonl or .parquet"
            ),
            format if format.has_columns() => Ok(Self::Table(format)),
            format => bail!("a {format} file is the matrix of every row with each: use --all"),
        }
    }

    fn ours(self) -> Ours {
        match self {
            Self::Lines => Format::Csv.ours(),
            Self::Table(format) => format.ours(),
            Self::Playlist => crate::classify::m3u8::OURS,
            Self::Matrix => ours_matrix(),
        }
    }
}

pub fn run(args: &Args) -> anyhow::Result<Done> {
    let kind = Kind::of(args)?;
    let file = args.out.as_deref().filter(|out| !is_stdout(out));
    if let Some(file) = file {
        let mut claims = Claims::default();
        args.queries.iter().for_each(|query| claims.input(query));
        claims.input(&args.table);
        claims.input(&names_of(&args.table));
        claims.output(file, kind.ours())?;
    }
    let table = EmbeddingTable::open(&args.table)?;
    // Before the output is begun: a query that is not there leaves no file.
    let queries = match args.all {
        true => Queries::default(),
        false => Queries::find(args, &table)?,
    };
    match file {
        None => write(args, &table, kind, &queries, Path::new("."), io::stdout())?,
        Some(path) => {
            let failed = || format!("cannot write {}", path.display());
            let (part, out) = Part::create(path).with_context(failed)?;
            let folder = path.parent().unwrap_or(Path::new(""));
            write(args, &table, kind, &queries, folder, out).with_context(failed)?;
            part.commit().with_context(failed)?;
        }
    }
    Ok(if queries.failed == 0 {
        Done::All
    } else {
        Done::Some
    })
}

/// Writes what the command was asked for. Paths in a playlist are relative to `folder`.
fn write(
    args: &Args,
    table: &EmbeddingTable,
    kind: Kind,
    queries: &Queries,
    folder: &Path,
    out: impl Write + Send,
) -> anyhow::Result<()> {
    let mut out = BufWriter::new(out);
    let rule = Rule {
        top: args.top as usize,
        copies: args.copies,
    };
    let rows = usize::try_from(table.rows()).unwrap_or(usize::MAX);
    let bar = || progress::bar(rows, "{bar:30} {pos}/{len} rows, {eta} left");
    if kind == Kind::Matrix {
        let bar = bar();
        let without = write_matrix(table, &mut out, |done| bar.set_position(done))?;
        bar.finish_and_clear();
        out.flush()?;
        note_left_out(table, without, 0);
        return Ok(());
    }
    let mut output = Output::new(args, kind, table, folder, &mut out)?;
    if args.all {
        let bar = bar();
        let left_out = for_each_row(table, rule, |path, neighbors| {
            bar.inc(1);
            output.write(path, neighbors)
        })?;
        bar.finish_and_clear();
        output.finish()?;
        note_left_out(table, left_out.without_direction, left_out.copies);
    } else {
        let (found, without) = nearest(table, &queries.all, rule)?;
        for (name, neighbors) in queries.names.iter().zip(named(table, &found)?) {
            output.write(name, &neighbors)?;
        }
        output.finish()?;
        let copies = found.iter().map(|nearest| nearest.copies).sum();
        note_left_out(table, without, copies);
    }
    out.flush()?;
    Ok(())
}

/// Says which rows are neighbors of nobody.
fn note_left_out(table: &EmbeddingTable, without_direction: u64, copies: u64) {
    let table = table.path().display();
    if without_direction > 0 {
        note(format_args!(
            "{without_direction} rows of {table} have no embedding, or one that is zero or not finite: left out"
        ));
    }
    if copies > 0 {
        note(format_args!(
            "{copies} copies, with the same numbers, are left out (--copies keeps them)"
        ));
    }
}

/// The queries that the command line names.
#[derive(Default)]
struct Queries {
    all: Vec<Query>,
    /// Their paths, as in a table.
    names: Vec<String>,
    /// How many could not be used.
    failed: usize,
}

impl Queries {
    fn find(args: &Args, table: &EmbeddingTable) -> anyhow::Result<Self> {
        let mut predictor = None;
        let mut queries = Self::default();
        let mut last = None;
        for (path, rows) in args.queries.iter().zip(find(table, &args.queries)?) {
            let vector = match rows.first() {
                Some(&row) => table.vectors(row..row + 1)?,
                None if path.is_file() => {
                    let predictor = match &mut predictor {
                        Some(predictor) => predictor,
                        none => none.insert(open_model(args, table)?),
                    };
                    match predictor.embed_file(path) {
                        Ok(vector) => vector,
                        Err(e) => {
                            last = queries.fail(last, e.into());
                            continue;
                        }
                    }
                }
                None => {
                    let (path, table) = (path.display(), table.path().display());
                    let e = anyhow::anyhow!("{path} is neither a row of {table} nor a file");
                    last = queries.fail(last, e);
                    continue;
                }
            };
            let name = match rows.first() {
                Some(row) => table.paths(&[*row])?.remove(row).unwrap_or_default(),
                None => text_of_path(path),
            };
            match Query::new(vector, rows) {
                Some(query) => {
                    queries.all.push(query);
                    queries.names.push(name);
                }
                None => {
                    let e = SimilarError::NoDirection(path.clone());
                    last = queries.fail(last, e.into());
                }
            }
        }
        match last {
            Some(e) if queries.all.is_empty() => return Err(e),
            Some(e) => note(super::facts(&e)),
            None => {}
        }
        Ok(queries)
    }

    /// Says the error before, and keeps this one: if there is no other query, it ends the command.
    fn fail(&mut self, before: Option<anyhow::Error>, e: anyhow::Error) -> Option<anyhow::Error> {
        self.failed += 1;
        if let Some(before) = before {
            note(super::facts(&before));
        }
        Some(e)
    }
}

/// Opens the model, which must be the one that made the table.
fn open_model(args: &Args, table: &EmbeddingTable) -> anyhow::Result<Predictor> {
    let compute = args.device.open()?;
    let checkpoint = Checkpoint::open(&args.model.model, &compute.burn())?;
    match table.model() {
        Some(model) if model != checkpoint.fingerprint => bail!(SimilarError::Model {
            path: table.path().to_owned(),
            found: model.to_owned(),
            expected: checkpoint.fingerprint,
        }),
        Some(_) => {}
        None => note(format_args!(
            "{} does not say which model made it: taken as {}",
            table.path().display(),
            args.model.model
        )),
    }
    Ok(Predictor::new(&compute, checkpoint)?)
}

/// Where neighbors go.
enum Output<'w> {
    Lines {
        out: &'w mut (dyn Write + Send),
        /// Whether a line with the query stands before its neighbors.
        headings: bool,
    },
    Table(NeighborTable<'w>),
    Playlist {
        out: &'w mut (dyn Write + Send),
        m3u8: M3u8,
    },
}

impl<'w> Output<'w> {
    fn new(
        args: &Args,
        kind: Kind,
        table: &EmbeddingTable,
        folder: &Path,
        out: &'w mut (dyn Write + Send),
    ) -> anyhow::Result<Self> {
        Ok(match kind {
            Kind::Table(format) => Self::Table(NeighborTable::new(out, format, table.model())?),
            Kind::Playlist => {
                let names = args.queries.iter().filter_map(|query| query.file_stem());
                let names: Vec<_> = names.map(|name| name.to_string_lossy()).collect();
                out.write_all(M3u8::start(&format!("Like {}", names.join(", "))).as_bytes())?;
                let m3u8 = M3u8::new(folder)?;
                Self::Playlist { out, m3u8 }
            }
            Kind::Lines | Kind::Matrix => Self::Lines {
                out,
                headings: args.all || args.queries.len() > 1,
            },
        })
    }

    fn write(&mut self, query: &str, neighbors: &[Named]) -> anyhow::Result<()> {
        match self {
            Self::Lines { out, headings } => {
                if *headings {
                    writeln!(out, "{query}")?;
                }
                for (path, similarity) in neighbors {
                    writeln!(out, "{similarity:7.4}  {path}")?;
                }
            }
            Self::Table(table) => {
                for (rank, (path, similarity)) in (1..).zip(neighbors) {
                    table.write(query, rank, path, *similarity)?;
                }
            }
            Self::Playlist { out, m3u8 } => {
                for (text, _) in neighbors {
                    let path = path_of_text(text).unwrap_or_else(|| text.into());
                    out.write_all(m3u8.entry(&path, None).as_bytes())?;
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> anyhow::Result<()> {
        match self {
            Self::Table(table) => Ok(table.finish()?),
            Self::Lines { .. } | Self::Playlist { .. } => Ok(()),
        }
    }
}
