//! Parquet tables, by the `parquet` crate's reader of rows: a page per column is in memory.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::cells::{Cells, Role, Value};
use super::source::{Fault, Rows, check};

/// Reads the metadata, and returns the rows.
pub(super) fn open(file: File) -> Result<Rows, Fault> {
    let open = || SerializedFileReader::new(file);
    let reader = guarded(open)?.map_err(|e| Fault::NotATable(e.to_string()))?;
    let schema = reader.metadata().file_metadata().schema();
    let fields = schema.get_fields().iter();
    let roles: Vec<Role> = fields.map(|field| Role::of(field.name())).collect();
    check(&roles)?;
    let mut rows = reader.into_iter();
    let rows = std::iter::from_fn(move || {
        let row = match guarded(|| rows.next()) {
            Ok(row) => row?,
            Err(fault) => return Some(Err(fault)),
        };
        Some(row.map_err(fault).and_then(|row| {
            let mut cells = Cells::default();
            for (role, (_, field)) in roles.iter().zip(row.get_column_iter()) {
                if *role != Role::Other {
                    cells.add(role, cell(field));
                }
            }
            cells.row().map_err(Fault::Row)
        }))
    });
    Ok(Box::new(rows))
}

fn cell(field: &Field) -> Value {
    match field {
        Field::Str(text) => Value::Text(text.clone()),
        Field::Float(x) => Value::Number(f64::from(*x)),
        Field::Double(x) => Value::Number(*x),
        Field::Int(n) => Value::Number(f64::from(*n)),
        Field::Long(n) => Value::Number(*n as f64),
        Field::ListInternal(list) => {
            let texts = list.elements().iter().filter_map(|field| match field {
                Field::Str(text) => Some(text.clone()),
                _ => None,
            });
            Value::Texts(texts.collect())
        }
        _ => Value::Null,
    }
}

/// Damaged pages cannot be skipped.
fn fault(e: ParquetError) -> Fault {
    Fault::End(e.to_string())
}

/// The crate may panic on damaged bytes.
fn guarded<T>(read: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(read)).map_err(|_| Fault::End("its bytes are damaged".into()))
}
