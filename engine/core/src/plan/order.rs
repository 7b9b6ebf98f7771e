//! What makes the order of a result depend on its rows alone. Rows that tie in a sort right over a scan keep the order of
//! the file: shards hand on their rows in it, and are themselves in it, so the number of a row in its shard is the last
//! key, and rows of different shards that tie come in the order of the shards. Every other sort orders all of its
//! columns, so that rows that tie are equal.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use crate::numbered::Numbered;
use crate::scan;

/// Makes every sort total, those keys first that were asked for.
#[derive(Debug)]
pub struct TotalOrder;

impl PhysicalOptimizerRule for TotalOrder {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            Ok(total(&plan)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &str {
        "TotalOrder"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn total(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if let Some(sort) = plan.downcast_ref::<SortExec>() {
        if keeps_file_order(sort.input()) {
            return numbered(sort).map(Some);
        }
        let by_all = extended(sort.expr(), &sort.input().schema());
        return Ok(Some(Arc::new(sorted(sort, by_all, sort.input()))));
    }
    let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() else {
        return Ok(None);
    };
    let Some(below) = merge.input().output_ordering() else {
        return Ok(None);
    };
    let begins_alike = below.len() >= merge.expr().len()
        && merge.expr().iter().zip(below.iter()).all(|(a, b)| a == b);
    let ordering = if begins_alike { below } else { merge.expr() };
    let merged = SortPreservingMergeExec::new(ordering.clone(), Arc::clone(merge.input()))
        .with_fetch(merge.fetch())
        .with_round_robin_repartition(false);
    Ok(Some(Arc::new(merged)))
}

/// Whether rows come as they are in the file, some of them left out. Partitions are brought together in their order, see
/// `cut`.
fn keeps_file_order(plan: &Arc<dyn ExecutionPlan>) -> bool {
    if scan::source_of(plan.as_ref()).is_some() {
        return true;
    }
    let keeps_order = plan.is::<FilterExec>()
        || plan.is::<ProjectionExec>()
        || plan.is::<CoalescePartitionsExec>()
        || plan.is::<RepartitionExec>();
    keeps_order && plan.children().into_iter().all(keeps_file_order)
}

/// Sorted with the number of the row as the last key, which is then dropped.
fn numbered(sort: &SortExec) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = sort.input().schema();
    let input: Arc<dyn ExecutionPlan> = Arc::new(Numbered::new(Arc::clone(sort.input())));
    let mut ordering = sort.expr().clone();
    ordering.extend([ascending(Numbered::column_name(), schema.fields().len())]);
    let sorted = Arc::new(sorted(sort, ordering, &input));
    let columns = schema.fields().iter().enumerate().map(|(index, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), index));
        (column, field.name().clone())
    });
    Ok(Arc::new(ProjectionExec::try_new_with_schema_metadata(
        columns, sorted, &schema,
    )?))
}

fn sorted(sort: &SortExec, ordering: LexOrdering, input: &Arc<dyn ExecutionPlan>) -> SortExec {
    SortExec::new(ordering, Arc::clone(input))
        .with_fetch(sort.fetch())
        .with_preserve_partitioning(sort.preserve_partitioning())
}

fn extended(ordering: &LexOrdering, schema: &Schema) -> LexOrdering {
    let mut total = ordering.clone();
    for (index, field) in schema.fields().iter().enumerate() {
        if RowConverter::supports_fields(&[SortField::new(field.data_type().clone())]) {
            total.extend([ascending(field.name(), index)]);
        }
    }
    total
}

fn ascending(name: &str, index: usize) -> PhysicalSortExpr {
    PhysicalSortExpr::new(
        Arc::new(Column::new(name, index)),
        SortOptions::new(false, false),
    )
}
