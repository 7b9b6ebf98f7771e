//! Filters of a query that a text scan applies itself, so that unwanted rows are never made.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result as DataFusionResult};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_expr::PhysicalExpr;
use karyaksham_text::RowFilter;

use super::project;

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

    /// For one scan.
    pub(super) fn boxed(&self) -> Box<dyn RowFilter> {
        Box::new(self.clone())
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl RowFilter for Filter {
    fn columns(&self) -> &[usize] {
        &self.columns
    }

    fn keep(&mut self, batch: &RecordBatch) -> Result<BooleanBuffer, Box<dyn Error + Send + Sync>> {
        let wanted = self
            .condition
            .evaluate(batch)?
            .into_array(batch.num_rows())?;
        let wanted = as_boolean_array(&wanted)?;
        // A row for which nobody can say is not wanted.
        Ok(match wanted.nulls() {
            None => wanted.values().clone(),
            Some(known) => wanted.values() & known.inner(),
        })
    }
}
