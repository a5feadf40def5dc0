//! Parquet, by the `parquet` crate's column writers. They take a tenth of Arrow's build time.

use std::io;
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::row_writer::{Header, RowWriter, Sink};
use super::schema::{Cell, Column, ColumnType};
use crate::files::Ours;

/// Rows per row group: they are held in memory until the group is full.
const GROUP_ROWS: usize = 8192;

/// Metadata key of the checkpoint's fingerprint.
pub(crate) const MODEL_KEY: &str = "sonoprint.model";

/// Recognized by the fingerprint in the metadata, which stands at the end.
pub(super) const OURS: Ours = Ours {
    what: "a Parquet table",
    is: |head| head.start.starts_with(b"PAR1") && head.end_contains(MODEL_KEY),
};

/// Starts a table. Without its end it is no Parquet file.
pub(super) fn open(sink: Sink<'_>, header: Header) -> io::Result<Box<dyn RowWriter + '_>> {
    let Header { columns, model, .. } = header;
    let fields: Result<Vec<TypePtr>, _> = columns.iter().map(field).collect();
    let schema = Type::group_type_builder("sonoprint").with_fields(fields?);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(concat!("sonoprint ", env!("CARGO_PKG_VERSION")).into())
        .set_key_value_metadata(Some(vec![KeyValue::new(MODEL_KEY.into(), model)]));
    // Vectors neither repeat nor compress. As they are, they are read at the speed of the disk.
    for (name, _) in columns
        .iter()
        .filter(|(_, kind)| *kind == ColumnType::Floats)
    {
        let path = [name.as_str(), "list", "element"]
            .map(str::to_owned)
            .to_vec();
        let column = ColumnPath::from(path);
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    let properties = properties.build();
    Ok(Box::new(Parquet {
        types: columns.into_iter().map(|(_, kind)| kind).collect(),
        rows: Vec::new(),
        writer: SerializedFileWriter::new(sink, schema.build()?.into(), properties.into())?,
    }))
}

struct Parquet<'w> {
    types: Vec<ColumnType>,
    /// Rows of the current group.
    rows: Vec<Vec<Cell>>,
    writer: SerializedFileWriter<Sink<'w>>,
}

impl RowWriter for Parquet<'_> {
    fn row(&mut self, cells: Vec<Cell>) -> io::Result<()> {
        self.rows.push(cells);
        if self.rows.len() == GROUP_ROWS {
            self.write_group()?;
        }
        Ok(())
    }

    /// Does nothing: a row group for each file would be too small.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.write_group()?;
        self.writer.close()?;
        Ok(())
    }
}

impl Parquet<'_> {
    fn write_group(&mut self) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (i, kind) in self.types.iter().enumerate() {
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

/// Returns a column's Parquet type. A scalar is optional; a vector is a list in the standard
/// three-level form. A list of texts is optional, too.
fn field((name, kind): &Column) -> Result<TypePtr, ParquetError> {
    let optional = |physical| {
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL)
    };
    let built = match kind {
        ColumnType::Text => optional(Physical::BYTE_ARRAY)
            .with_logical_type(Some(LogicalType::String))
            .build(),
        ColumnType::Float => optional(Physical::FLOAT).build(),
        ColumnType::Double => optional(Physical::DOUBLE).build(),
        ColumnType::Int => optional(Physical::INT32).build(),
        ColumnType::Bool => optional(Physical::BOOLEAN).build(),
        ColumnType::Floats => list(name, Repetition::REQUIRED, Physical::FLOAT, None),
        ColumnType::Texts => {
            let text = Some(LogicalType::String);
            list(name, Repetition::OPTIONAL, Physical::BYTE_ARRAY, text)
        }
    };
    built.map(Arc::new)
}

/// Returns the type of a list, whose elements always have a value.
fn list(
    name: &str,
    repetition: Repetition,
    physical: Physical,
    logical: Option<LogicalType>,
) -> Result<Type, ParquetError> {
    let element = Type::primitive_type_builder("element", physical)
        .with_logical_type(logical)
        .with_repetition(Repetition::REQUIRED);
    let list = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![Arc::new(element.build()?)]);
    Type::group_type_builder(name)
        .with_repetition(repetition)
        .with_logical_type(Some(LogicalType::List))
        .with_fields(vec![Arc::new(list.build()?)])
        .build()
}

/// Writes the cells of one column of a row group.
fn write<'a>(
    mut column: SerializedColumnWriter<'_>,
    kind: ColumnType,
    cells: impl Iterator<Item = &'a mut Cell>,
) -> Result<(), ParquetError> {
    // Definition levels (1 where a row has a value, else 0), and the values that there are.
    macro_rules! optional {
        ($type:ty, $pattern:pat => $value:expr) => {{
            let mut definition: Vec<i16> = Vec::new();
            let mut values = Vec::new();
            for cell in cells {
                match cell {
                    $pattern => {
                        definition.push(1);
                        values.push($value);
                    }
                    _ => definition.push(0),
                }
            }
            let column = column.typed::<$type>();
            column.write_batch(&values, Some(&definition), None)?;
        }};
    }
    match kind {
        ColumnType::Text => {
            let bytes = |text: &mut String| ByteArray::from(std::mem::take(text).into_bytes());
            optional!(ByteArrayType, Cell::Text(text) => bytes(text));
        }
        ColumnType::Float => optional!(FloatType, Cell::Float(p) => *p),
        ColumnType::Double => optional!(DoubleType, Cell::Double(s) => *s),
        ColumnType::Int => optional!(Int32Type, Cell::Int(n) => *n),
        ColumnType::Bool => optional!(BoolType, Cell::Bool(b) => *b),
        ColumnType::Floats => {
            let (mut definition, mut repetition) = (Vec::new(), Vec::new());
            let mut values: Vec<f32> = Vec::new();
            for cell in cells {
                let vector = match cell {
                    Cell::Floats(vector) => vector.as_slice(),
                    _ => &[],
                };
                // An empty list is one level without a value.
                let levels = vector.len().max(1);
                definition.extend(vec![i16::from(!vector.is_empty()); levels]);
                repetition.extend((0..levels).map(|i| i16::from(i > 0)));
                values.extend_from_slice(vector);
            }
            let column = column.typed::<FloatType>();
            column.write_batch(&values, Some(&definition), Some(&repetition))?;
        }
        ColumnType::Texts => {
            let (mut definition, mut repetition) = (Vec::new(), Vec::new());
            let mut values: Vec<ByteArray> = Vec::new();
            for cell in cells {
                // No value is level 0, an empty list 1, an element 2.
                let texts = match cell {
                    Cell::Texts(texts) => texts,
                    _ => {
                        definition.push(0);
                        repetition.push(0);
                        continue;
                    }
                };
                let levels = texts.len().max(1);
                definition.extend(vec![if texts.is_empty() { 1 } else { 2 }; levels]);
                repetition.extend((0..levels).map(|i| i16::from(i > 0)));
                let bytes = texts.drain(..).map(|text| text.into_bytes().into());
                values.extend(bytes);
            }
            let column = column.typed::<ByteArrayType>();
            column.write_batch(&values, Some(&definition), Some(&repetition))?;
        }
    }
    column.close()
}
