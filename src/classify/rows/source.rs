//! What a format gives: rows, or what is wrong with them.

use std::io;

use super::cells::Role;
use super::row::TableRow;

/// What is wrong with a row or a table, without their names.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    /// The row is damaged, and the next may not be.
    Row(String),
    /// There is nothing behind it.
    End(String),
    NotATable(String),
}

/// Rows as a format gives them.
pub(super) type Rows = Box<dyn Iterator<Item = Result<TableRow, Fault>> + Send>;

/// Checks that a table with these columns is one of files.
pub(super) fn check(roles: &[Role]) -> Result<(), Fault> {
    let has = |role: &Role| roles.contains(role);
    let wrong = |why: &str| Err(Fault::NotATable(why.into()));
    if !has(&Role::Path) {
        return wrong("it has no column `path`");
    }
    if has(&Role::Start) {
        return wrong("it has a row per clip");
    }
    if has(&Role::Embedding) {
        return wrong("it has embeddings");
    }
    match has(&Role::Genre(1)) || has(&Role::Tags) {
        true => Ok(()),
        false => wrong("it has no column `genre` or `tags`"),
    }
}
