//! Neighbors by their paths.

use super::error::SimilarError;
use super::search::{Nearest, Query, Rule, nearest};
use super::table::EmbeddingTable;

/// Queries that are compared at once, at most.
const MAX_QUERIES: u64 = 16 << 10;
/// Neighbors that are held at once, about: 32 MiB per core.
const MAX_NEIGHBORS: u64 = 2 << 20;

/// The path and the similarity of a neighbor.
pub type Named = (String, f32);

/// What was left out of the neighbors of all rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Rows without a direction.
    pub without_direction: u64,
    /// Copies of a row, for each row.
    pub copies: u64,
}

/// Returns the paths and similarities of neighbors, in the order of [`Nearest`], but equals by
/// their paths.
///
/// # Errors
/// As [`EmbeddingTable::open`].
pub fn named(table: &EmbeddingTable, nearest: &[Nearest]) -> Result<Vec<Vec<Named>>, SimilarError> {
    let all = nearest.iter().flat_map(|nearest| &nearest.neighbors);
    let mut rows: Vec<u64> = all.map(|neighbor| neighbor.row).collect();
    rows.sort_unstable();
    rows.dedup();
    let paths = table.paths(&rows)?;
    let name = |nearest: &Nearest| {
        let path = |row| paths.get(row).cloned().unwrap_or_default();
        let neighbors = nearest.neighbors.iter();
        let mut named: Vec<Named> = neighbors.map(|n| (path(&n.row), n.similarity)).collect();
        named.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        named
    };
    Ok(nearest.iter().map(name).collect())
}

/// Calls `each` with the path of every row that has a direction and its neighbors, in the order of
/// the table.
///
/// The table is read once per 16 384 rows, or less if `rule.top` is large.
///
/// # Errors
/// As [`nearest`], or what `each` returns.
pub fn for_each_row<E: From<SimilarError>>(
    table: &EmbeddingTable,
    rule: Rule,
    mut each: impl FnMut(&str, &[Named]) -> Result<(), E>,
) -> Result<LeftOut, E> {
    let step = (MAX_NEIGHBORS / rule.top.max(1) as u64).clamp(1, MAX_QUERIES);
    let mut left_out = LeftOut::default();
    let mut start = 0;
    while start < table.rows() {
        let end = table.rows().min(start + step);
        let values = table.vectors(start..end)?;
        let vectors = (start..end).zip(values.chunks_exact(table.dim()));
        let queries = vectors.filter_map(|(row, vector)| {
            let query = Query::new(vector.to_vec(), vec![row])?;
            Some((row, query))
        });
        let (rows, queries): (Vec<u64>, Vec<Query>) = queries.unzip();
        let (found, without_direction) = nearest(table, &queries, rule)?;
        left_out.without_direction = without_direction;
        left_out.copies += found.iter().map(|nearest| nearest.copies).sum::<u64>();
        let paths = table.paths(&rows)?;
        for (row, neighbors) in rows.iter().zip(named(table, &found)?) {
            each(paths.get(row).map_or("", String::as_str), &neighbors)?;
        }
        start = end;
    }
    Ok(left_out)
}
