//! Every row against every other.

use std::io::Write;

use super::error::SimilarError;
use super::search::{multiply, row_factors};
use super::table::EmbeddingTable;
use crate::classify::npy;

/// Memory for the rows that are computed at once, bytes.
const MEMORY: u64 = 64 << 20;
/// The most rows that are computed at once.
const MAX_ROWS: u64 = 4096;

/// Writes the cosine of each row of `table` with each, as a `.npy` matrix of f32 in C order,
/// `[rows][rows]`. Where a row has no direction, it is not a number. `progress` is called with how
/// many rows are done. Returns how many rows have no direction.
///
/// The table is read once per 64 MiB of the matrix.
///
/// # Errors
/// [`SimilarError::Write`]; as [`EmbeddingTable::open`].
pub fn write_matrix(
    table: &EmbeddingTable,
    out: &mut impl Write,
    mut progress: impl FnMut(u64),
) -> Result<u64, SimilarError> {
    let (rows, dim) = (table.rows(), table.dim());
    let header = npy::header(rows, rows);
    out.write_all(&header).map_err(SimilarError::Write)?;
    let at_once = (MEMORY / (4 * rows.max(1))).clamp(1, MAX_ROWS);
    let mut without_direction = 0;
    let mut start = 0;
    while start < rows {
        let end = rows.min(start + at_once);
        let mut queries = table.vectors(start..end)?;
        let mut factors = Vec::new();
        without_direction += row_factors(&queries, dim, &mut factors);
        for (query, factor) in queries.chunks_exact_mut(dim).zip(factors) {
            query.iter_mut().for_each(|x| *x *= factor);
        }
        let count = (end - start) as usize;
        // `[queries][rows]` of each block.
        let mut tiles: Vec<(u64, Vec<f32>)> = table.scan(
            Vec::new,
            |tiles, block| {
                let mut tile = Vec::new();
                match block.values {
                    None => tile.resize(block.rows * count, f32::NAN),
                    Some(values) => {
                        let mut factors = Vec::new();
                        row_factors(values, dim, &mut factors);
                        multiply(values, &queries, dim, &mut tile);
                        for products in tile.chunks_exact_mut(block.rows) {
                            for (x, factor) in products.iter_mut().zip(&factors) {
                                // Clamping keeps what is not a number.
                                *x = (*x * factor).clamp(-1.0, 1.0);
                            }
                        }
                    }
                }
                tiles.push((block.first, tile));
            },
            |mut a, mut b| {
                a.append(&mut b);
                a
            },
        )?;
        tiles.sort_by_key(|(first, _)| *first);
        let mut line = Vec::with_capacity(rows as usize);
        for query in 0..count {
            line.clear();
            for (_, tile) in &tiles {
                let rows = tile.len() / count;
                line.extend_from_slice(&tile[query * rows..(query + 1) * rows]);
            }
            npy::write_values(out, &line).map_err(SimilarError::Write)?;
        }
        start = end;
        progress(start);
    }
    Ok(without_direction)
}
