//! Parquet by the `parquet` crate's column writers, without Arrow: a tenth of its build.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::schema::{Cell, Column, Kind};

/// Rows a row group: what is held in memory.
const GROUP: usize = 8192;
/// The metadata key of the checkpoint's fingerprint.
const MODEL: &str = "sonoprint.model";

/// A table that is being written. Without [`Parquet::finish`] it is no Parquet file.
pub(super) struct Parquet<W: Write + Send> {
    kinds: Vec<Kind>,
    rows: Vec<Vec<Cell>>,
    writer: SerializedFileWriter<W>,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(out: W, columns: Vec<Column>, model: &str) -> io::Result<Self> {
        let fields: Result<Vec<TypePtr>, _> = columns.iter().map(field).collect();
        let schema = Type::group_type_builder("sonoprint").with_fields(fields?);
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(concat!("sonoprint ", env!("CARGO_PKG_VERSION")).into())
            .set_key_value_metadata(Some(vec![KeyValue::new(MODEL.into(), model.to_owned())]))
            .build();
        Ok(Self {
            kinds: columns.into_iter().map(|(_, kind)| kind).collect(),
            rows: Vec::new(),
            writer: SerializedFileWriter::new(out, schema.build()?.into(), properties.into())?,
        })
    }

    pub(super) fn push(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        self.rows.push(cells);
        if self.rows.len() == GROUP {
            self.flush()?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.writer.close()?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (i, kind) in self.kinds.iter().enumerate() {
            let Some(column) = group.next_column()? else {
                break;
            };
            let cells = self.rows.iter_mut().map(|row| &mut row[i]);
            write(column, *kind, cells)?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

/// A column may be empty in a row; a vector is a list in the form that every reader knows.
fn field((name, kind): &Column) -> Result<TypePtr, ParquetError> {
    let optional = |physical| {
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL)
    };
    let built = match kind {
        Kind::Text => optional(Physical::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .build(),
        Kind::Float => optional(Physical::FLOAT).build(),
        Kind::Double => optional(Physical::DOUBLE).build(),
        Kind::Int => optional(Physical::INT32).build(),
        Kind::Bool => optional(Physical::BOOLEAN).build(),
        Kind::Floats => {
            let element = Type::primitive_type_builder("element", Physical::FLOAT)
                .with_repetition(Repetition::REQUIRED);
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![Arc::new(element.build()?)]);
            Type::group_type_builder(name)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(Some(LogicalType::List))
                .with_fields(vec![Arc::new(list.build()?)])
                .build()
        }
    };
    built.map(Arc::new)
}

fn write<'a>(
    mut column: SerializedColumnWriter<'_>,
    kind: Kind,
    cells: impl Iterator<Item = &'a mut Cell>,
) -> Result<(), ParquetError> {
    // Which rows have a value, and the values of those that do.
    macro_rules! optional {
        ($type:ty, $pattern:pat => $value:expr) => {{
            let mut there: Vec<i16> = Vec::new();
            let mut values = Vec::new();
            for cell in cells {
                match cell {
                    $pattern => {
                        there.push(1);
                        values.push($value);
                    }
                    _ => there.push(0),
                }
            }
            let column = column.typed::<$type>();
            column.write_batch(&values, Some(&there), None)?;
        }};
    }
    match kind {
        Kind::Text => {
            optional!(ByteArrayType, Cell::Text(t) => ByteArray::from(std::mem::take(t).into_bytes()));
        }
        Kind::Float => optional!(FloatType, Cell::Float(p) => *p),
        Kind::Double => optional!(DoubleType, Cell::Double(s) => *s),
        Kind::Int => optional!(Int32Type, Cell::Int(n) => *n),
        Kind::Bool => optional!(BoolType, Cell::Bool(b) => *b),
        Kind::Floats => {
            let (mut there, mut repeated) = (Vec::new(), Vec::new());
            let mut values: Vec<f32> = Vec::new();
            for cell in cells {
                let vector = match cell {
                    Cell::Floats(vector) => vector.as_slice(),
                    _ => &[],
                };
                // An empty list is one level without a value.
                let levels = vector.len().max(1);
                there.extend(vec![i16::from(!vector.is_empty()); levels]);
                repeated.extend((0..levels).map(|i| i16::from(i > 0)));
                values.extend_from_slice(vector);
            }
            let column = column.typed::<FloatType>();
            column.write_batch(&values, Some(&there), Some(&repeated))?;
        }
    }
    column.close()
}
