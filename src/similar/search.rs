//! The nearest rows of some queries.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::error::SimilarError;
use super::table::{Block, EmbeddingTable};
use crate::model::ops::product::product;

/// Queries that a block is compared with at once: the products fit into a core's cache.
const TILE: usize = 128;
/// The shortest and the longest vector that has a direction: f32 holds its products.
const LENGTHS: std::ops::Range<f64> = 1e-30..3e38;
/// Vectors with a larger cosine may be the same.
const SAME: f32 = 0.9999;

/// A vector whose neighbors are searched.
#[derive(Clone, Debug)]
pub struct Query {
    vector: Vec<f32>,
    /// The same direction, of length 1.
    unit: Vec<f32>,
    /// Rows of the table that are the query itself.
    rows: Vec<u64>,
}

impl Query {
    /// Makes a query of a vector, and of the rows that are the query itself. Returns `None` if the
    /// vector has no direction: it is zero, or not finite.
    pub fn new(vector: Vec<f32>, rows: Vec<u64>) -> Option<Self> {
        let factor = factor(&vector)?;
        Some(Self {
            unit: vector
                .iter()
                .map(|&x| (f64::from(x) * factor) as f32)
                .collect(),
            vector,
            rows,
        })
    }
}

/// A row that is like a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbor {
    /// Number of the row, from 0.
    pub row: u64,
    /// Cosine of the angle between both, from -1 to 1.
    pub similarity: f32,
}

impl Eq for Neighbor {}

impl Ord for Neighbor {
    /// The more similar one is greater; of equals, the one that comes first in the table.
    fn cmp(&self, other: &Self) -> Ordering {
        let similarity = self.similarity.total_cmp(&other.similarity);
        similarity.then(other.row.cmp(&self.row))
    }
}

impl PartialOrd for Neighbor {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a search keeps.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Neighbors per query, at least 1.
    pub top: usize,
    /// Whether copies of the query are kept: rows of the same numbers.
    pub copies: bool,
}

/// The neighbors of a query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Nearest {
    /// The most similar rows, the most similar first. Equals are in the table's order.
    pub neighbors: Vec<Neighbor>,
    /// Copies of the query that were left out.
    pub copies: u64,
}

/// Compares every row of `table` with each of `queries`. Also returns how many rows have no
/// direction: they have no embedding, or one that is zero or not finite. They are neighbors of
/// nobody.
///
/// Memory is that of the queries and their neighbors, and a few MiB per core.
///
/// # Errors
/// [`SimilarError::Query`] if a query has not the length of the table's embeddings; as
/// [`EmbeddingTable::open`].
pub fn nearest(
    table: &EmbeddingTable,
    queries: &[Query],
    rule: Rule,
) -> Result<(Vec<Nearest>, u64), SimilarError> {
    let dim = table.dim();
    if let Some(query) = queries.iter().find(|query| query.unit.len() != dim) {
        return Err(SimilarError::Query {
            path: table.path().to_owned(),
            found: query.unit.len(),
            expected: dim,
        });
    }
    let units: Vec<f32> = queries
        .iter()
        .flat_map(|query| &query.unit)
        .copied()
        .collect();
    let search = Search {
        queries,
        units,
        dim,
        rule,
    };
    let new = || State {
        best: queries.iter().map(|_| Best::default()).collect(),
        ..State::default()
    };
    let state = table.scan(
        new,
        |state, block| search.add(state, block),
        |mut a, b| {
            for (best, other) in a.best.iter_mut().zip(b.best) {
                best.copies += other.copies;
                other
                    .heap
                    .into_iter()
                    .for_each(|Reverse(n)| best.push(n, rule.top));
            }
            a.without_direction += b.without_direction;
            a
        },
    )?;
    let nearest = state.best.into_iter().map(|best| Nearest {
        neighbors: best
            .heap
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(n)| n)
            .collect(),
        copies: best.copies,
    });
    Ok((nearest.collect(), state.without_direction))
}

struct Search<'a> {
    queries: &'a [Query],
    /// `[queries][dim]`
    units: Vec<f32>,
    dim: usize,
    rule: Rule,
}

/// What a thread has found.
#[derive(Default)]
struct State {
    best: Vec<Best>,
    without_direction: u64,
    /// Space for factors and products.
    factors: Vec<f32>,
    products: Vec<f32>,
}

/// The best rows of a query.
#[derive(Default)]
struct Best {
    /// The worst is at the top.
    heap: BinaryHeap<Reverse<Neighbor>>,
    copies: u64,
}

impl Best {
    fn push(&mut self, neighbor: Neighbor, top: usize) {
        match self.heap.peek() {
            Some(Reverse(worst)) if self.heap.len() >= top => {
                if neighbor > *worst {
                    self.heap.pop();
                    self.heap.push(Reverse(neighbor));
                }
            }
            _ => self.heap.push(Reverse(neighbor)),
        }
    }

    /// Returns the least similarity that matters.
    fn floor(&self, top: usize) -> f32 {
        match self.heap.peek() {
            Some(Reverse(worst)) if self.heap.len() >= top => worst.similarity,
            _ => f32::NEG_INFINITY,
        }
    }
}

impl Search<'_> {
    /// Compares the rows of a block with all queries.
    fn add(&self, state: &mut State, block: Block<'_>) {
        let Some(values) = block.values else {
            state.without_direction += block.rows as u64;
            return;
        };
        let State {
            best,
            without_direction,
            factors,
            products,
        } = state;
        *without_direction += row_factors(values, self.dim, factors);
        for (tile, units) in self.units.chunks(TILE * self.dim).enumerate() {
            multiply(values, units, self.dim, products);
            for (query, column) in products.chunks_exact(block.rows).enumerate() {
                let number = tile * TILE + query;
                let best = &mut best[number];
                let mut floor = best.floor(self.rule.top);
                for (row, (&product, &factor)) in column.iter().zip(factors.iter()).enumerate() {
                    let similarity = product * factor;
                    // Neither holds for what is not a number. Copies are counted, whatever the floor.
                    if similarity >= floor || similarity > SAME {
                        let vector = &values[row * self.dim..(row + 1) * self.dim];
                        let neighbor = Neighbor {
                            row: block.first + row as u64,
                            similarity: similarity.min(1.0),
                        };
                        self.offer(&self.queries[number], best, neighbor, vector);
                        floor = best.floor(self.rule.top);
                    }
                }
            }
        }
    }

    /// Keeps a neighbor, unless it is the query itself or its copy.
    fn offer(&self, query: &Query, best: &mut Best, neighbor: Neighbor, vector: &[f32]) {
        if query.rows.contains(&neighbor.row) {
            return;
        }
        if !self.rule.copies && neighbor.similarity > SAME && query.vector == vector {
            best.copies += 1;
            return;
        }
        best.push(neighbor, self.rule.top);
    }
}

/// Computes the products of each query with each row: `[queries][rows]` of `[rows][dim]` and
/// `[queries][dim]`.
pub(super) fn multiply(rows: &[f32], queries: &[f32], dim: usize, products: &mut Vec<f32>) {
    let [m, n] = [rows.len() / dim, queries.len() / dim];
    products.resize(m * n, 0.0);
    let sizes = [m, n, dim];
    product(
        (products, [1, m]),
        (rows, [dim, 1]),
        (queries, [1, dim]),
        sizes,
        false,
    );
}

/// Sets the factor of each row that makes its length 1; not a number where it has no direction.
/// Returns how many have none.
pub(super) fn row_factors(values: &[f32], dim: usize, factors: &mut Vec<f32>) -> u64 {
    let of_row = |row| factor(row).map_or(f32::NAN, |factor| factor as f32);
    factors.clear();
    factors.extend(values.chunks_exact(dim).map(of_row));
    factors.iter().filter(|factor| factor.is_nan()).count() as u64
}

/// Returns the factor that makes a vector's length 1, if it has a direction.
fn factor(vector: &[f32]) -> Option<f64> {
    // Eight sums, which the compiler keeps in vector registers.
    let mut sums = [0.0; 8];
    let (chunks, rest) = vector.as_chunks::<8>();
    for chunk in chunks {
        for (sum, &x) in sums.iter_mut().zip(chunk) {
            *sum += f64::from(x) * f64::from(x);
        }
    }
    let rest: f64 = rest.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    let length = (sums.iter().sum::<f64>() + rest).sqrt();
    LENGTHS.contains(&length).then(|| 1.0 / length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_every_size_have_a_direction() {
        for scale in [1e-25, 1.0, 1e30] {
            let query = Query::new(vec![3.0 * scale, 0.0, -4.0 * scale], Vec::new()).unwrap();
            assert!((query.unit[0] - 0.6).abs() < 1e-6 && (query.unit[2] + 0.8).abs() < 1e-6);
        }
        for none in [0.0, f32::NAN, f32::INFINITY] {
            assert!(Query::new(vec![0.0, none], Vec::new()).is_none());
        }
    }

    #[test]
    fn of_equals_the_first_row_is_kept() {
        let mut best = Best::default();
        for row in [5, 1, 4, 2] {
            let similarity = if row == 4 { 0.9 } else { 0.5 };
            best.push(Neighbor { row, similarity }, 2);
        }
        let rows = best
            .heap
            .into_sorted_vec()
            .into_iter()
            .map(|Reverse(n)| n.row);
        assert_eq!(rows.collect::<Vec<_>>(), [4, 1]);
    }
}
