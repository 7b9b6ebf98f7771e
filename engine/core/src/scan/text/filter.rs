//! Filters of a query that a text scan applies itself, so that unwanted rows are never made.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result as DataFusionResult};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::PhysicalExpr;
use karyaksham_text::RowFilter;

use crate::error::Result;
use crate::job::Source;
use crate::scan::shape::{Shape, project};

/// A condition on some columns of a file.
#[derive(Debug, Clone)]
pub(in crate::scan) struct Filter {
    condition: Arc<dyn PhysicalExpr>,
    columns: Vec<usize>,
}

/// Whether a scan can apply a condition: it looks at the row alone, and is the same each time it is asked.
pub(in crate::scan) fn applies(condition: &Expr) -> bool {
    let is_subquery = |expr: &Expr| {
        Ok(matches!(
            expr,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
        ))
    };
    !condition.is_volatile()
        && !condition.column_refs().is_empty()
        && !condition.exists(is_subquery).unwrap_or(true)
}

impl Filter {
    /// All of `conditions` on rows of `schema`; None where there are none.
    ///
    /// # Errors
    /// Those of planning an expression.
    pub(in crate::scan) fn new(
        conditions: &[Expr],
        schema: &SchemaRef,
        session: &dyn Session,
    ) -> DataFusionResult<Option<Self>> {
        let Some(condition) = conjunction(conditions.to_vec()) else {
            return Ok(None);
        };
        let mut columns = Vec::new();
        for column in condition.column_refs() {
            columns.push(schema.index_of(&column.name)?);
        }
        columns.sort_unstable();
        columns.dedup();
        let unqualified = condition
            .transform(|expr| {
                Ok(match expr {
                    Expr::Column(column) => {
                        Transformed::yes(Expr::Column(Column::new_unqualified(column.name)))
                    }
                    other => Transformed::no(other),
                })
            })?
            .data;
        let seen = DFSchema::try_from(project(schema, &columns))?;
        let condition = session.create_physical_expr(unqualified, &seen)?;
        Ok(Some(Self { condition, columns }))
    }

    /// For the scan of one file of a table with the columns `table`.
    ///
    /// # Errors
    /// Those of [`Shape::of_text`], and of the condition.
    pub(in crate::scan) fn for_file(
        &self,
        source: &Source,
        number: usize,
        table: &SchemaRef,
    ) -> Result<Chosen> {
        let (shape, _) = Shape::of_text(source, number, table, &self.columns)?;
        if !shape.read().is_empty() {
            return Ok(Chosen::By(Box::new(OfFile {
                condition: Arc::clone(&self.condition),
                shape,
            })));
        }
        // All that it looks at is the same for all rows of the file.
        let one = RecordBatchOptions::new().with_row_count(Some(1));
        let row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &one)?;
        Ok(
            match wanted(&*self.condition, &shape.apply(row)?)?.value(0) {
                true => Chosen::All,
                false => Chosen::Nothing,
            },
        )
    }
}

/// What a filter leaves of a file.
pub(in crate::scan) enum Chosen {
    All,
    Nothing,
    By(Box<dyn RowFilter>),
}

/// A filter on the columns that a file has of those it looks at.
struct OfFile {
    condition: Arc<dyn PhysicalExpr>,
    shape: Shape,
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl RowFilter for OfFile {
    fn columns(&self) -> &[usize] {
        self.shape.read()
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanBuffer, Box<dyn Error + Send + Sync>> {
        Ok(wanted(&*self.condition, &self.shape.apply(batch.clone())?)?)
    }
}

fn wanted(condition: &dyn PhysicalExpr, batch: &RecordBatch) -> DataFusionResult<BooleanBuffer> {
    let wanted = condition.evaluate(batch)?.into_array(batch.num_rows())?;
    let wanted = as_boolean_array(&wanted)?;
    // A row for which nobody can say is not wanted.
    Ok(match wanted.nulls() {
        None => wanted.values().clone(),
        Some(known) => wanted.values() & known.inner(),
    })
}
