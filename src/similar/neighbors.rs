//! A table of neighbors.

use std::io::{self, Write};

use crate::classify::{Cell, ColumnType, Format, Header, RowWriter, npy};
use crate::files::Ours;

/// Returns how a matrix of [`write_matrix`](super::write_matrix) is recognized.
pub fn ours_matrix() -> Ours {
    npy::OURS
}

/// A table of neighbors that is being written:
///
/// | column | type | meaning |
/// |---|---|---|
/// | `path` | text | path of the query |
/// | `rank` | int | from 1, most similar first |
/// | `neighbor` | text | path of a row |
/// | `similarity` | float | cosine of the angle between both, -1 to 1 |
pub struct NeighborTable<'w> {
    writer: Box<dyn RowWriter + 'w>,
}

impl<'w> NeighborTable<'w> {
    /// Starts a table. `model` is the fingerprint of the checkpoint, if it is known.
    ///
    /// # Errors
    /// The error of `out`; `Unsupported` if this build cannot write the format, or it has no
    /// columns.
    pub fn new(
        out: impl Write + Send + 'w,
        format: Format,
        model: Option<&str>,
    ) -> io::Result<Self> {
        if !format.has_columns() || format == Format::Audacity {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let columns = [
            ("path", ColumnType::Text),
            ("rank", ColumnType::Int),
            ("neighbor", ColumnType::Text),
            ("similarity", ColumnType::Float),
        ];
        let header = Header {
            columns: columns.map(|(name, kind)| (name.to_owned(), kind)).to_vec(),
            model: model.unwrap_or_default().to_owned(),
            rows: None,
        };
        let open = format.opener();
        Ok(Self {
            writer: open(Box::new(out), header)?,
        })
    }

    /// Adds a neighbor.
    ///
    /// # Errors
    /// The error of the output: a full disk, for example.
    pub fn write(
        &mut self,
        path: &str,
        rank: usize,
        neighbor: &str,
        similarity: f32,
    ) -> io::Result<()> {
        self.writer.row(vec![
            Cell::Text(path.to_owned()),
            Cell::Int(rank.try_into().unwrap_or(i32::MAX)),
            Cell::Text(neighbor.to_owned()),
            Cell::Float(similarity),
        ])
    }

    /// Writes the end of the table.
    ///
    /// # Errors
    /// As [`NeighborTable::write`].
    pub fn finish(self) -> io::Result<()> {
        self.writer.finish()
    }
}
