//! How the rows of a block are laid out for the stage that reads it.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr};

use crate::error::Result;

/// What a stage makes of its rows for the next one. The same for all blocks of a stage.
#[derive(Debug, Clone)]
pub enum Layout {
    /// One partition, read as a whole.
    Whole,
    /// Rows with equal keys are in the same partition, the same in all blocks.
    Hashed {
        /// Over the columns of the block.
        keys: Vec<Arc<dyn PhysicalExpr>>,
        /// How many.
        partitions: usize,
    },
    /// Sorted, to be read in ranges of the order that the rows of all blocks have together.
    Sorted {
        /// Of the rows.
        order: LexOrdering,
        /// How many.
        ranges: usize,
    },
}

impl Layout {
    /// How many partitions there are to read; of whole blocks as many as there are blocks.
    pub fn partitions(&self) -> Option<usize> {
        match self {
            Self::Whole => None,
            Self::Hashed { partitions, .. } => Some(*partitions),
            Self::Sorted { ranges, .. } => Some(*ranges),
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => write!(f, "whole"),
            Self::Hashed { keys, partitions } => {
                write!(f, "hashed by [")?;
                for (n, key) in keys.iter().enumerate() {
                    write!(f, "{}{key}", if n > 0 { ", " } else { "" })?;
                }
                write!(f, "] into {partitions}")
            }
            Self::Sorted { order, ranges } => write!(f, "sorted by [{order}], {ranges} ranges"),
        }
    }
}

/// Sort keys as bytes that compare as the rows do.
#[derive(Debug)]
pub struct SortKeys {
    order: LexOrdering,
    converter: RowConverter,
}

impl SortKeys {
    /// Of rows of `schema`.
    ///
    /// # Errors
    /// Faults of ours.
    pub fn new(order: &LexOrdering, schema: &Schema) -> Result<Self> {
        let mut fields = Vec::with_capacity(order.len());
        for sort in order {
            let data_type = sort.expr.data_type(schema)?;
            fields.push(SortField::new_with_options(data_type, sort.options));
        }
        Ok(Self {
            order: order.clone(),
            converter: RowConverter::new(fields)?,
        })
    }

    /// The keys of a batch, row by row.
    ///
    /// # Errors
    /// Those of the expressions.
    pub fn of(&mut self, batch: &RecordBatch) -> Result<Rows> {
        let mut columns = Vec::with_capacity(self.order.len());
        for sort in &self.order {
            columns.push(match sort.expr.downcast_ref::<Column>() {
                Some(column) => Arc::clone(batch.column(column.index())),
                None => sort.expr.evaluate(batch)?.into_array(batch.num_rows())?,
            });
        }
        Ok(self.converter.convert_columns(&columns)?)
    }
}
