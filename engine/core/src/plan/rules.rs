//! What makes the values of a result depend on its rows alone, and not on how they were cut into shards: aggregates whose
//! result depends on the order of their input see all rows in one place. For the order of a result see `order`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

use crate::exchange::Rebatch;

/// Rows of a batch for aggregates that depend on it.
const BATCH_ROWS: usize = 8192;

/// Aggregates that give the same result for any grouping of their rows into shards, in the order of the file.
const INSENSITIVE: [&str; 18] = [
    "count",
    "min",
    "max",
    "bool_and",
    "bool_or",
    "bit_and",
    "bit_or",
    "bit_xor",
    "approx_distinct",
    "median",
    "first_value",
    "last_value",
    "nth_value",
    "array_agg",
    "string_agg",
    "grouping",
    "sum",
    "avg",
];

/// Aggregates whose distinct values come out of a hash table.
const UNORDERED_WHEN_DISTINCT: [&str; 2] = ["array_agg", "string_agg"];

/// Makes one aggregate of a partial and a final one, where adding up parts would give other last digits than adding up
/// rows: variances, estimated percentiles. Batches end where they would end in any number of shards,
/// because floats are added up in lanes batch by batch.
#[derive(Debug)]
pub struct OrderSensitiveAggregates;

impl PhysicalOptimizerRule for OrderSensitiveAggregates {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|plan| {
            Ok(single(&plan)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &str {
        "OrderSensitiveAggregates"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn single(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(last) = plan.downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let Some(first) = last.input().downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let in_two_steps = matches!(
        last.mode(),
        AggregateMode::Final | AggregateMode::FinalPartitioned
    ) && *first.mode() == AggregateMode::Partial;
    let input_schema = first.input_schema();
    if !in_two_steps
        || first
            .aggr_expr()
            .iter()
            .all(|aggregate| insensitive(aggregate, &input_schema))
    {
        return Ok(None);
    }
    let whole = AggregateExec::try_new(
        AggregateMode::Single,
        first.group_expr().clone(),
        first.aggr_expr().to_vec(),
        first.filter_expr().to_vec(),
        Arc::new(Rebatch::new(Arc::clone(first.input()), BATCH_ROWS)),
        input_schema,
    )?;
    Ok(Some(Arc::new(
        whole.with_limit_options(last.limit_options()),
    )))
}

fn insensitive(aggregate: &AggregateFunctionExpr, input: &Schema) -> bool {
    let name = aggregate.fun().name();
    if !INSENSITIVE.contains(&name) || !aggregate.order_bys().is_empty() {
        return false;
    }
    if aggregate.is_distinct() && UNORDERED_WHEN_DISTINCT.contains(&name) {
        return false;
    }
    // Sums and means of floats are exact, see `functions`; those of distinct ones are not.
    let is_float = |data_type: DataType| {
        matches!(
            data_type,
            DataType::Float16 | DataType::Float32 | DataType::Float64
        )
    };
    let adds_up = aggregate.is_distinct() && matches!(name, "sum" | "avg");
    !adds_up
        || aggregate
            .expressions()
            .iter()
            .all(|expr| expr.data_type(input).is_ok_and(|t| !is_float(t)))
}
