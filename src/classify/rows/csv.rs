//! CSV tables.

use std::fs::File;
use std::io;

use super::cells::{Cells, Role, Value};
use super::source::{Fault, Rows, check};

/// Reads the header, and returns the rows.
pub(super) fn open(file: File) -> Result<Rows, Fault> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers().map_err(fault)?;
    let mut names = header.iter();
    // Spreadsheets begin a file with a mark.
    let first = names.next().map(|name| name.trim_start_matches('\u{feff}'));
    let roles: Vec<Role> = first.into_iter().chain(names).map(Role::of).collect();
    check(&roles)?;
    let rows = reader.into_records().map(move |record| {
        let record = record.map_err(fault)?;
        let mut cells = Cells::default();
        for (role, cell) in roles.iter().zip(&record) {
            if *role != Role::Other {
                cells.add(role, Value::Text(cell.to_owned()));
            }
        }
        cells.row().map_err(Fault::Row)
    });
    Ok(Box::new(rows))
}

fn fault(e: csv::Error) -> Fault {
    match e.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => Fault::Row(format!("it has {len} cells, and the header {expected_len}")),
        csv::ErrorKind::Utf8 { .. } => Fault::Row("it is not UTF-8".into()),
        _ => Fault::Io(io::Error::from(e)),
    }
}
