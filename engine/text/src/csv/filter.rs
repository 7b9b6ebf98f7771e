//! Rows that a query does not want, found before their other columns are made. A filter never changes which rows are
//! rejected: what is wrong with a row is found whether it is wanted or not.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{Schema, SchemaRef};

use crate::{ScanOptions, TextError};

use super::column::Column;
use super::field::{Found, Rows};
use super::scan::internal;

/// Says which rows are wanted.
pub trait RowFilter: Send {
    /// The columns of the file that it looks at, in the order of its batches; at least one.
    fn columns(&self) -> &[usize];

    /// Which rows of a batch of those columns are wanted; called once for each row that can be read.
    ///
    /// # Errors
    /// Whatever went wrong; the scan ends with [`TextError::Filter`].
    fn keep(
        &mut self,
        batch: &RecordBatch,
    ) -> Result<BooleanBuffer, Box<dyn std::error::Error + Send + Sync>>;
}

/// Where more than one row in so many is kept, all columns of all rows are made at once, and the others dropped.
const SPARSE_PART: u64 = 3;

/// A filter at work, and what it looks at.
pub(super) struct Filtered {
    filter: Box<dyn RowFilter>,
    schema: SchemaRef,
    columns: Vec<Column>,
    arrays: Vec<ArrayRef>,
    rows_seen: u64,
    rows_kept: u64,
}

impl Filtered {
    pub fn new(filter: Box<dyn RowFilter>, options: &ScanOptions) -> Result<Self, TextError> {
        let numbers = filter.columns();
        let columns: Result<Vec<_>, _> = numbers
            .iter()
            .map(|number| Column::of(*number, options))
            .collect();
        let fields: Vec<_> = numbers
            .iter()
            .map(|number| options.schema.fields()[*number].clone())
            .collect();
        Ok(Self {
            columns: columns?,
            schema: Arc::new(Schema::new(fields)),
            filter,
            arrays: vec![],
            rows_seen: 0,
            rows_kept: 0,
        })
    }

    /// Which of its columns is the file's column `number`.
    pub fn position(&self, number: usize) -> Option<usize> {
        self.filter
            .columns()
            .iter()
            .position(|column| *column == number)
    }

    /// So few rows are wanted that their other columns had better be made afterwards.
    pub fn is_sparse(&self) -> bool {
        self.rows_kept * SPARSE_PART <= self.rows_seen
    }

    /// Make its columns of these rows.
    pub fn read(&mut self, rows: Rows<'_>, found: &mut Found) {
        for column in &mut self.columns {
            column.append(rows, found);
        }
    }

    /// Which of the rows that were read are wanted, of those in `good`, or of all `count`.
    pub fn keep(&mut self, count: usize, good: Option<&[u32]>) -> Result<Vec<u32>, TextError> {
        if let Some(good) = good {
            for column in &mut self.columns {
                column.select(0, good);
            }
        }
        let count = good.map_or(count, <[u32]>::len);
        self.arrays = self.columns.iter_mut().map(|c| c.take(count)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch =
            RecordBatch::try_new_with_options(self.schema.clone(), self.arrays.clone(), &options)
                .map_err(internal)?;
        let wanted = self.filter.keep(&batch).map_err(TextError::Filter)?;
        if wanted.len() != count {
            return Err(TextError::Internal("a filter answers for each row".into()));
        }
        let kept: Vec<u32> = wanted.set_indices_u32().collect();
        self.rows_seen += count as u64;
        self.rows_kept += kept.len() as u64;
        Ok(kept)
    }

    /// The values of one of its columns, in the rows that [`Filtered::keep`] was asked about.
    pub fn array(&self, position: usize) -> &ArrayRef {
        &self.arrays[position]
    }
}
