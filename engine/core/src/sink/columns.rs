//! Row groups of a Parquet file, column by column. The columns that most files are full of are encoded here: texts in
//! [`text`], and whole numbers, dates, times and short decimals whose differences are to be packed in [`whole`]. The
//! writer of the parquet crate looks every value up three times over (for its dictionary, its bounds, its levels); ours
//! takes a page of a column at a time, so that each of these is one loop over a few thousand values. All other columns,
//! nested ones above all, are left to that writer; both put their chunks into the same row group.

mod chunk;
mod codec;
mod packed;
mod text;
mod whole;
mod words;

use std::io::Write;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, NullBufferBuilder, RecordBatch};
use arrow::datatypes::{DataType, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnDescPtr;

use bytes::Bytes;
use chunk::{Chunk, Dictionary};
use codec::Codec;
use text::Texts;
use whole::Whole;

/// A page ends when it has so many bytes of text,
const PAGE_BYTES: usize = 1 << 20;

/// or with the batch in which it gets so many rows.
const PAGE_ROWS: usize = 16 << 10;

/// Rows that are looked at together.
const STEP_ROWS: usize = 8 << 10;

/// A Parquet file in the making.
pub(super) struct Columns<W: Write + Send> {
    schema: SchemaRef,
    /// How each column is encoded here; None: it is left to the parquet crate.
    encodings: Vec<Option<Ours>>,
    writer: SerializedFileWriter<W>,
    factory: ArrowRowGroupWriterFactory,
    codec: Codec,
    compression: Compression,
    max_rows: usize,
    max_bytes: usize,
    group: Vec<Column>,
    rows: usize,
}

/// How a column is encoded here.
#[derive(Debug, Clone, Copy)]
enum Ours {
    Whole { is_narrow: bool },
    Text { has_dictionary: bool },
}

impl Ours {
    /// `told`: how the column is to be encoded instead of in a dictionary.
    fn of(data_type: &DataType, told: Option<Encoding>) -> Option<Self> {
        match (data_type, told) {
            (DataType::Utf8View, told) => Some(Self::Text {
                has_dictionary: told.is_none(),
            }),
            (_, Some(Encoding::DELTA_BINARY_PACKED)) => Some(Self::Whole {
                is_narrow: whole::is_narrow(data_type)?,
            }),
            _ => None,
        }
    }
}

impl<W: Write + Send> Columns<W> {
    /// For rows of `schema`; `told` has the encodings of columns that get no dictionary.
    pub(super) fn new(
        out: W,
        schema: &SchemaRef,
        properties: WriterProperties,
        compression: Compression,
        told: &[(usize, Encoding)],
    ) -> Result<Self> {
        let stored = ArrowSchemaConverter::new().convert(schema)?;
        let (max_rows, max_bytes) = (
            properties.max_row_group_row_count().unwrap_or(usize::MAX),
            properties.max_row_group_bytes().unwrap_or(usize::MAX),
        );
        let writer =
            SerializedFileWriter::new(out, stored.root_schema_ptr(), Arc::new(properties))?;
        let told = |column| {
            told.iter()
                .find(|(at, _)| *at == column)
                .map(|(_, how)| *how)
        };
        let fields = schema.fields().iter().enumerate();
        Ok(Self {
            schema: Arc::clone(schema),
            encodings: fields
                .map(|(column, field)| Ours::of(field.data_type(), told(column)))
                .collect(),
            factory: ArrowRowGroupWriterFactory::new(&writer, Arc::clone(schema)),
            writer,
            codec: Codec::new(compression)?,
            compression,
            max_rows,
            max_bytes,
            group: Vec::new(),
            rows: 0,
        })
    }

    /// Add rows.
    pub(super) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut at = 0;
        while at < batch.num_rows() {
            let step = STEP_ROWS
                .min(batch.num_rows() - at)
                .min(self.max_rows - self.rows);
            if self.group.is_empty() {
                self.begin_group()?;
            }
            for (index, column) in self.group.iter_mut().enumerate() {
                let values = batch.column(index).slice(at, step);
                column.write(&self.schema, index, &values, &mut self.codec)?;
            }
            self.rows += step;
            at += step;
            let size_bytes: usize = self.group.iter().map(Column::size_bytes).sum();
            if self.rows >= self.max_rows || size_bytes >= self.max_bytes {
                self.end_group()?;
            }
        }
        Ok(())
    }

    /// The end of the file.
    pub(super) fn finish(mut self) -> Result<W> {
        self.end_group()?;
        self.writer.into_inner()
    }

    fn begin_group(&mut self) -> Result<()> {
        let number = self.writer.flushed_row_groups().len();
        let writers = self.factory.create_column_writers(number)?;
        let stored = self.writer.schema_descr();
        self.group = self
            .encodings
            .iter()
            .map(|_| Column::Theirs(Vec::new()))
            .collect();
        for (leaf, writer) in writers.into_iter().enumerate() {
            let root = stored.get_column_root_idx(leaf);
            match (self.encodings[root], &mut self.group[root]) {
                (Some(ours), column) => {
                    let encoded = Encoded::new(ours, stored.column(leaf), self.compression);
                    *column = Column::Ours(Box::new(encoded));
                }
                (None, Column::Theirs(leaves)) => leaves.push(writer),
                (None, Column::Ours(_)) => {}
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<()> {
        self.rows = 0;
        if self.group.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for column in self.group.drain(..) {
            match column {
                Column::Ours(column) => {
                    let (bytes, closed) = column.close(&mut self.codec)?;
                    group.append_column(&bytes, closed)?;
                }
                Column::Theirs(leaves) => {
                    for leaf in leaves {
                        leaf.close()?.append_to_row_group(&mut group)?;
                    }
                }
            }
        }
        group.close()?;
        Ok(())
    }
}

/// A column of a row group.
enum Column {
    Ours(Box<Encoded>),
    /// Nested columns have several.
    Theirs(Vec<ArrowColumnWriter>),
}

impl Column {
    fn write(
        &mut self,
        schema: &Schema,
        index: usize,
        values: &ArrayRef,
        codec: &mut Codec,
    ) -> Result<()> {
        match self {
            Self::Ours(column) => column.write(values, codec),
            Self::Theirs(writers) => {
                let leaves = compute_leaves(schema.field(index), values)?;
                writers
                    .iter_mut()
                    .zip(&leaves)
                    .try_for_each(|(writer, leaf)| writer.write(leaf))
            }
        }
    }

    fn size_bytes(&self) -> usize {
        match self {
            Self::Ours(column) => column.chunk.size_bytes(),
            Self::Theirs(leaves) => leaves
                .iter()
                .map(ArrowColumnWriter::get_estimated_total_bytes)
                .sum(),
        }
    }
}

/// A column that is encoded here.
struct Encoded {
    chunk: Chunk,
    values: Values,
    /// Of the page in the making.
    valid: NullBufferBuilder,
    dictionary: Option<Dictionary>,
}

enum Values {
    Whole(Whole),
    Text(Box<Texts>),
}

impl Encoded {
    fn new(how: Ours, descriptor: ColumnDescPtr, compression: Compression) -> Self {
        Self {
            chunk: Chunk::new(descriptor, compression),
            values: match how {
                Ours::Whole { is_narrow } => Values::Whole(Whole::new(is_narrow)),
                Ours::Text { has_dictionary } => Values::Text(Box::new(Texts::new(has_dictionary))),
            },
            valid: NullBufferBuilder::new(PAGE_ROWS),
            dictionary: None,
        }
    }

    fn write(&mut self, values: &ArrayRef, codec: &mut Codec) -> Result<()> {
        let mut at = 0;
        while at < values.len() {
            let left = values.slice(at, values.len() - at);
            let taken = match &mut self.values {
                Values::Whole(whole) => {
                    whole.append(&left);
                    left.len()
                }
                Values::Text(texts) => texts.append(left.as_string_view()),
            };
            match left.nulls() {
                Some(nulls) => self.valid.append_buffer(&nulls.slice(0, taken)),
                None => self.valid.append_n_non_nulls(taken),
            }
            at += taken;
            if self.valid.len() >= PAGE_ROWS || taken < left.len() {
                self.end_page(codec)?;
            }
        }
        Ok(())
    }

    fn end_page(&mut self, codec: &mut Codec) -> Result<()> {
        let rows = self.valid.len();
        if rows > 0 {
            let page = match &mut self.values {
                Values::Whole(whole) => whole.page(),
                Values::Text(texts) => texts.page(),
            };
            let valid = self.valid.finish();
            self.chunk.add(page, rows, valid.as_ref(), codec)?;
        }
        if let Values::Text(texts) = &mut self.values
            && texts.is_dictionary_full()
        {
            self.dictionary = texts.take_dictionary().filter(|words| words.values > 0);
        }
        Ok(())
    }

    fn close(mut self, codec: &mut Codec) -> Result<(Bytes, ColumnCloseResult)> {
        self.end_page(codec)?;
        let nulls = self.chunk.nulls();
        match self.values {
            Values::Whole(whole) => {
                let statistics = whole.statistics(nulls);
                let compare = |a: &[u8], b: &[u8]| whole.compare(a, b);
                self.chunk.close(None, statistics, compare, codec)
            }
            Values::Text(mut texts) => {
                let statistics = texts.statistics(nulls);
                let dictionary = self.dictionary.or_else(|| texts.take_dictionary());
                self.chunk
                    .close(dictionary, statistics, Texts::compare, codec)
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use arrow::array::{Int32Array, Int64Array};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    fn round_trip(column: ArrayRef) {
        let batch = RecordBatch::try_from_iter_with_nullable([("n", column, true)]).unwrap();
        let told = [(0, Encoding::DELTA_BINARY_PACKED)];
        let properties = WriterProperties::default();
        let compression = Compression::SNAPPY;
        let columns = Columns::new(Vec::new(), &batch.schema(), properties, compression, &told);
        let mut columns = columns.unwrap();
        columns.write(&batch).unwrap();
        let bytes = Bytes::from(columns.finish().unwrap());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap();
        let mut read = reader.with_batch_size(batch.num_rows()).build().unwrap();
        assert_eq!(read.next().unwrap().unwrap().columns(), batch.columns());
    }

    #[test]
    fn differences_wrap_around() {
        for rows in [1, 2, 32, 33, 128, 129, 130, 1_000, 20_000] {
            let wide = [i64::MIN, i64::MAX, -1, 0, 7, i64::MAX, i64::MAX];
            let narrow = [i32::MIN, i32::MAX, -1, 0, 7, i32::MAX, i32::MAX];
            let at = |row: usize| row * row / 3 % 7;
            let has = |row: usize| !row.is_multiple_of(5);
            let values = |has: &dyn Fn(usize) -> bool| {
                round_trip(Arc::new(
                    (0..rows)
                        .map(|row| has(row).then(|| wide[at(row)]))
                        .collect::<Int64Array>(),
                ));
                round_trip(Arc::new(
                    (0..rows)
                        .map(|row| has(row).then(|| narrow[at(row)]))
                        .collect::<Int32Array>(),
                ));
            };
            values(&has);
            values(&|_| true);
            values(&|_| false);
        }
    }
}
