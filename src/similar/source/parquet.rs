//! Parquet: a column `path` of texts and a column `embedding` of lists.

use std::fs::File;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::Type as Physical;
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::ReaderProperties;
use parquet::file::reader::RowGroupReader;
use parquet::file::serialized_reader::SerializedRowGroupReader;

use super::Source;
use crate::classify::PARQUET_MODEL_KEY;
use crate::similar::error::SimilarError;
use crate::similar::gather::{CHUNK_ROWS, Chunk, Each, Flow, Gather, proceed};

/// A table whose parts are its row groups.
pub(super) struct Parquet {
    file: PathBuf,
    metadata: ParquetMetaData,
    model: Option<String>,
    parts: Vec<Range<u64>>,
    /// Numbers of the columns.
    path: usize,
    embedding: usize,
}

impl Parquet {
    pub(super) fn open(path: &Path) -> Result<Self, SimilarError> {
        let wrong = |why: String| SimilarError::not_a_table(path, why);
        let file = File::open(path).map_err(SimilarError::read(path))?;
        let metadata = ParquetMetaDataReader::new()
            .parse_and_finish(&file)
            .map_err(|e| wrong(e.to_string()))?;
        let about = metadata.file_metadata();
        let columns = about.schema_descr().columns();
        let find = |name: &str, lists: i16| {
            let is = |column: &parquet::schema::types::ColumnDescPtr| {
                column
                    .path()
                    .parts()
                    .first()
                    .is_some_and(|first| first == name)
                    && column.max_rep_level() == lists
            };
            columns.iter().position(is)
        };
        let text = find("path", 0).filter(|&i| columns[i].physical_type() == Physical::BYTE_ARRAY);
        let text = text.ok_or_else(|| wrong("it has no column `path` of texts".into()))?;
        let is_number = |i: &usize| {
            matches!(
                columns[*i].physical_type(),
                Physical::FLOAT | Physical::DOUBLE
            )
        };
        let vector = find("embedding", 1).filter(is_number);
        let missing = || wrong("it has no column `embedding` of lists of numbers".into());
        let vector = vector.ok_or_else(missing)?;
        let pairs = about.key_value_metadata().into_iter().flatten();
        let mut models = pairs.filter(|pair| pair.key == PARQUET_MODEL_KEY);
        let model = models.next().and_then(|pair| pair.value.clone());
        let mut parts = Vec::new();
        let mut start = 0;
        for group in metadata.row_groups() {
            let end = start + u64::from(u32::try_from(group.num_rows()).unwrap_or(0));
            parts.push(start..end);
            start = end;
        }
        Ok(Self {
            file: path.to_owned(),
            model: model.filter(|model| !model.is_empty()),
            parts,
            path: text,
            embedding: vector,
            metadata,
        })
    }

    fn wrong(&self, error: impl ToString) -> SimilarError {
        SimilarError::not_a_table(&self.file, error.to_string())
    }

    /// Returns the reader of a column of a part. Threads share no file: its position is one for
    /// all who read it.
    fn column(&self, part: usize, column: usize) -> Result<ColumnReader, SimilarError> {
        let file = File::open(&self.file).map_err(SimilarError::read(&self.file))?;
        let properties = ReaderProperties::builder().build();
        let group = SerializedRowGroupReader::new(
            Arc::new(file),
            self.metadata.row_group(part),
            self.metadata.page_index_for_row_group(part),
            Arc::new(properties),
        );
        let reader = group.and_then(|group| group.get_column_reader(column));
        reader.map_err(|e| self.wrong(e))
    }

    fn lists<T: DataType>(
        &self,
        part: usize,
        mut reader: ColumnReaderImpl<T>,
        each: Each<'_>,
    ) -> Flow
    where
        T::T: Float,
    {
        let column = self
            .metadata
            .file_metadata()
            .schema_descr()
            .column(self.embedding);
        // The level of an element that has a value, and that of one that has none, if there is one.
        let defined = column.max_def_level();
        let null = column.self_type().is_optional().then_some(defined - 1);
        let mut batch = Batch::<T>::default();
        let mut converted = Vec::new();
        let range = &self.parts[part];
        let mut left = (range.end - range.start) as usize;
        while left > 0 {
            let rows = batch.read(&mut reader, CHUNK_ROWS.min(left));
            let rows = rows.map_err(|e| self.wrong(e))?;
            if rows == 0 {
                return Err(self.wrong("a row group has less rows than it says"));
            }
            left -= rows;
            let values = T::T::floats(&batch.values, &mut converted);
            match batch.dim(rows) {
                Some(dim) => proceed!(each(Chunk { rows, dim, values })),
                None => proceed!(batch.rows(defined, null, values, each)),
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

/// Some rows of lists, as Parquet has them.
struct Batch<T: DataType> {
    definition: Vec<i16>,
    repetition: Vec<i16>,
    values: Vec<T::T>,
}

impl<T: DataType> Default for Batch<T> {
    fn default() -> Self {
        Self {
            definition: Vec::new(),
            repetition: Vec::new(),
            values: Vec::new(),
        }
    }
}

impl<T: DataType> Batch<T> {
    /// Reads up to `rows` rows, and returns how many there were.
    fn read(
        &mut self,
        reader: &mut ColumnReaderImpl<T>,
        rows: usize,
    ) -> Result<usize, ParquetError> {
        self.definition.clear();
        self.repetition.clear();
        self.values.clear();
        let (definition, repetition) = (&mut self.definition, &mut self.repetition);
        let read =
            reader.read_records(rows, Some(definition), Some(repetition), &mut self.values)?;
        Ok(read.0)
    }

    /// Returns the length of the lists if it is the same for all, and every element has a value:
    /// the values are the chunk then.
    fn dim(&self, rows: usize) -> Option<usize> {
        let levels = self.repetition.len();
        let dim = levels / rows;
        let full = self.values.len() == levels && levels == dim * rows;
        // There are as many zeros as rows, and if each is in its place, there are no others.
        let starts = self.repetition.iter().step_by(dim.max(1));
        (full && starts.into_iter().all(|&level| level == 0)).then_some(dim)
    }

    /// Calls `each` with rows of several lengths. An element without a value is no number.
    fn rows(&self, defined: i16, null: Option<i16>, values: &[f32], each: Each<'_>) -> Flow {
        let mut gather = Gather::new(each);
        let mut values = values.iter().copied();
        let mut row: Vec<f32> = Vec::new();
        let levels = self.repetition.iter().zip(&self.definition);
        for (i, (&repetition, &definition)) in levels.enumerate() {
            if repetition == 0 && i > 0 {
                proceed!(gather.push(&row));
                row.clear();
            }
            if definition == defined {
                row.push(values.next().unwrap_or(f32::NAN));
            } else if Some(definition) == null {
                row.push(f32::NAN);
            }
        }
        proceed!(gather.push(&row));
        gather.flush()
    }
}

/// A number that becomes f32.
trait Float: Sized {
    /// Returns `values` as f32, in `space` if they are none.
    fn floats<'a>(values: &'a [Self], space: &'a mut Vec<f32>) -> &'a [f32];
}

impl Float for f32 {
    fn floats<'a>(values: &'a [Self], _: &'a mut Vec<f32>) -> &'a [f32] {
        values
    }
}

impl Float for f64 {
    fn floats<'a>(values: &'a [Self], space: &'a mut Vec<f32>) -> &'a [f32] {
        space.clear();
        space.extend(values.iter().map(|&value| value as f32));
        space
    }
}

impl Source for Parquet {
    fn parts(&self) -> &[Range<u64>] {
        &self.parts
    }

    fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    fn vectors(&self, part: usize, each: Each<'_>) -> Flow {
        match self.column(part, self.embedding)? {
            ColumnReader::FloatColumnReader(reader) => self.lists(part, reader, each),
            ColumnReader::DoubleColumnReader(reader) => self.lists(part, reader, each),
            _ => Err(self.wrong("its embeddings are no numbers")),
        }
    }

    fn paths(&self, part: usize, each: &mut dyn FnMut(u64, &str)) -> Result<(), SimilarError> {
        let ColumnReader::ByteArrayColumnReader(mut reader) = self.column(part, self.path)? else {
            return Err(self.wrong("its paths are no texts"));
        };
        let (mut definition, mut values) = (Vec::new(), Vec::new());
        let mut row = self.parts[part].start;
        while row < self.parts[part].end {
            definition.clear();
            values.clear();
            let read = reader.read_records(CHUNK_ROWS, Some(&mut definition), None, &mut values);
            let (rows, ..) = read.map_err(|e| self.wrong(e))?;
            if rows == 0 {
                return Err(self.wrong("a row group has less rows than it says"));
            }
            // A required column has no levels.
            definition.resize(rows, 1);
            let mut texts = values.iter();
            for &level in &definition {
                let text = match level {
                    0 => None,
                    _ => texts.next(),
                };
                let bytes = text.map_or(&[][..], |text| text.data());
                each(row, &String::from_utf8_lossy(bytes));
                row += 1;
            }
        }
        Ok(())
    }
}
