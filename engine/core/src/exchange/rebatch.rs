//! Batches of one size, for what depends on where they end.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    PlanProperties,
};
use futures::TryStreamExt;

use crate::error::EngineError;

/// The same rows in batches of exactly one size, the last one smaller.
#[derive(Debug)]
pub struct Rebatch {
    input: Arc<dyn ExecutionPlan>,
    rows: usize,
    properties: Arc<PlanProperties>,
}

impl Rebatch {
    /// Batches of `rows` rows, of the rows of all partitions of `input`.
    pub fn new(input: Arc<dyn ExecutionPlan>, rows: usize) -> Self {
        let properties = Arc::clone(input.properties());
        Self {
            input,
            rows,
            properties,
        }
    }
}

impl DisplayAs for Rebatch {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Rebatch: rows={}", self.rows)
    }
}

impl ExecutionPlan for Rebatch {
    fn name(&self) -> &str {
        "Rebatch"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        match children.pop() {
            Some(input) => Ok(Arc::new(Self::new(input, self.rows))),
            None => Err(EngineError::internal("Rebatch needs an input").into()),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let input = self.input.execute(partition, context)?;
        let coalescer = Some(BatchCoalescer::new(self.schema(), self.rows));
        let batches =
            futures::stream::try_unfold((input, coalescer), |(mut input, coalescer)| async move {
                let Some(mut coalescer) = coalescer else {
                    return Ok(None);
                };
                loop {
                    if let Some(batch) = coalescer.next_completed_batch() {
                        return Ok(Some((batch, (input, Some(coalescer)))));
                    }
                    match input.try_next().await? {
                        Some(batch) => coalescer.push_batch(batch)?,
                        None => {
                            coalescer.finish_buffered_batch()?;
                            let last: Option<RecordBatch> = coalescer.next_completed_batch();
                            return Ok(last.map(|batch| (batch, (input, None))));
                        }
                    }
                }
            });
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            batches,
        )))
    }
}
