//! In place of Parquet where it was left out of the build.

use std::convert::Infallible;
use std::io::{self, Write};
use std::marker::PhantomData;

use super::schema::{Cell, Column};

/// A table that there is none of.
pub(super) struct Parquet<W: Write + Send> {
    never: Infallible,
    out: PhantomData<W>,
}

impl<W: Write + Send> Parquet<W> {
    pub(super) fn new(_: W, _: Vec<Column>, _: &str) -> io::Result<Self> {
        let why = "this sonoprint was built without Parquet: build it with --features parquet";
        Err(io::Error::new(io::ErrorKind::Unsupported, why))
    }

    pub(super) fn push(&mut self, _: Vec<Cell>) -> io::Result<()> {
        match self.never {}
    }

    pub(super) fn finish(self) -> io::Result<()> {
        match self.never {}
    }
}
