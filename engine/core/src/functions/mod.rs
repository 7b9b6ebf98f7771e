//! Functions of SQL that are ours instead of DataFusion's.

mod avg;
mod avg_distinct;
mod exact;
mod few_groups;
mod sum;
mod totals;

use std::sync::Arc;

use datafusion::logical_expr::AggregateUDF;

pub use avg::ExactAvg;
pub use sum::ExactSum;

/// Aggregates that replace those of the same name.
pub fn aggregates() -> Vec<Arc<AggregateUDF>> {
    vec![
        Arc::new(AggregateUDF::from(ExactAvg::new())),
        Arc::new(AggregateUDF::from(ExactSum::new())),
    ]
}
