//! Rows that a query does not want, dropped chunk by chunk: the records of a chunk are read into columns of their own, and
//! the wanted rows of these moved to the batch. All that is wrong with a record was found by then, so that a filter never
//! changes which are rejected.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, Schema, SchemaRef};

use crate::{RowFilter, TextError};

use super::columns::Members;

/// A filter at work, and the rows that it wanted.
pub(super) struct Filtered {
    filter: Box<dyn RowFilter>,
    /// Of what it looks at.
    schema: SchemaRef,
    /// The columns that it looks at, and those of the output, by their place in the table.
    seen: Vec<usize>,
    outputs: Vec<usize>,
    /// The wanted rows: the table's columns, of which those of the output are filled.
    pub wanted: Members,
}

impl Filtered {
    /// `place` tells where in the table a column of the file is, `wanted` is made as the table.
    pub fn new(
        filter: Box<dyn RowFilter>,
        schema: &Schema,
        place: impl Fn(&usize) -> usize,
        outputs: &[usize],
        wanted: Members,
    ) -> Result<Self, TextError> {
        let seen = schema.project(filter.columns()).map_err(internal)?;
        Ok(Self {
            schema: Arc::new(seen),
            seen: filter.columns().iter().map(place).collect(),
            outputs: outputs.to_vec(),
            wanted,
            filter,
        })
    }

    /// Move the wanted rows out of `table`, and leave none there. How many were wanted.
    pub fn sift(&mut self, table: &mut Members) -> Result<usize, TextError> {
        let rows = table.rows();
        let arrays: Result<Vec<_>, ArrowError> = self
            .seen
            .iter()
            .map(|place| match self.outputs.contains(place) {
                true => table.columns[*place].clone().take(),
                false => table.columns[*place].take(),
            })
            .collect();
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        let batch = RecordBatch::try_new_with_options(schema, arrays.map_err(internal)?, &options)
            .map_err(internal)?;
        let kept = self.filter.keep(&batch).map_err(TextError::Filter)?;
        if kept.len() != rows {
            return Err(TextError::Internal("a filter answers for each row".into()));
        }
        let kept: Vec<u32> = kept.set_indices_u32().collect();
        for (place, column) in self.wanted.columns.iter_mut().enumerate() {
            if self.outputs.contains(&place) {
                column.extend(&table.columns[place], &kept);
            }
        }
        self.wanted.add_rows(kept.len());
        table.truncate(0);
        Ok(kept.len())
    }
}

/// A fault of ours.
pub(super) fn internal(error: ArrowError) -> TextError {
    TextError::Internal(error.to_string())
}
