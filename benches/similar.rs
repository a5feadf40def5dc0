//! `similar` on a large table: one track against all, from opening the table to the paths.
//!
//!     cargo bench --bench similar -- [ROWS] [NUMBERS] [ROUNDS] [TABLE]
//!
//! TABLE is written if it is not there, in the format of its ending. The last line is the peak
//! memory of the process, which wrote the table, too, unless it was there.

use std::path::{Path, PathBuf};
use std::time::Instant;

use sonoprint::classify::{Content, FileResult, Format, Outcome, Prediction, Schema, Table};
use sonoprint::model::Task;
use sonoprint::similar::{EmbeddingTable, Query, Rule, find, named, nearest};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    let number = |i: usize, default: usize| words.get(i).map_or(Ok(default), |word| word.parse());
    let (rows, dim, rounds) = (number(0, 100_000)?, number(1, 200)?, number(2, 5)?);
    let folder = tempfile::tempdir()?;
    let table = match words.get(3) {
        Some(path) => PathBuf::from(path),
        None => folder.path().join("embeddings.parquet"),
    };
    if !table.exists() {
        write(&table, rows, dim)?;
    }
    let bytes = table.metadata()?.len();
    println!("{rows} rows of {dim} numbers, {} MB", bytes / 1_000_000);
    let rule = Rule {
        top: 10,
        copies: false,
    };
    for _ in 0..rounds {
        let (start, cpu) = (Instant::now(), cpu_seconds());
        let open = EmbeddingTable::open(&table)?;
        let found = find(&open, &[path(rows / 2).into()])?.remove(0);
        let vector = open.vectors(found[0]..found[0] + 1)?;
        let query = Query::new(vector, found).ok_or("the query has no direction")?;
        let looked_up = start.elapsed();
        let (neighbors, _) = nearest(&open, &[query], rule)?;
        let names = named(&open, &neighbors)?;
        println!(
            "{:.2} s, {:.2} s of the CPU ({:.2} s until the query was found); best {:.4}",
            start.elapsed().as_secs_f64(),
            cpu_seconds() - cpu,
            looked_up.as_secs_f64(),
            names[0][0].1
        );
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!(
        "{}",
        status
            .lines()
            .find(|line| line.starts_with("VmHWM"))
            .unwrap_or("")
    );
    Ok(())
}

fn path(row: usize) -> String {
    format!(
        "/music/artist {:04}/album {:02}/{row:07}.mp3",
        row / 1000,
        row / 100 % 10
    )
}

/// Writes noise, as `classify` writes embeddings.
fn write(table: &Path, rows: usize, dim: usize) -> Result<(), Box<dyn std::error::Error>> {
    let schema = Schema {
        classes: vec!["a".into()],
        top: 1,
        model: "0123456789ab".into(),
        rule: Task::SingleLabel.into(),
    };
    let format = Format::of(table).ok_or("the table has no format")?;
    let file = std::io::BufWriter::new(std::fs::File::create(table)?);
    let mut out = Table::new(file, Content::Embeddings, format, schema)?;
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    };
    for row in 0..rows {
        let prediction = Prediction {
            probabilities: vec![1.0],
            seconds: 180.0,
            clips: 6,
            silent: 0,
            padded: false,
            damaged: None,
            embedding: (0..dim).map(|_| random()).collect(),
            timeline: Vec::new(),
        };
        out.write(&FileResult {
            path: path(row).into(),
            stamp: None,
            outcome: Outcome::Ok(prediction),
        })?;
    }
    Ok(out.finish()?)
}

/// Returns the time that the process had on the cores.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    // In hundredths of a second: user, then system.
    let ticks = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}
