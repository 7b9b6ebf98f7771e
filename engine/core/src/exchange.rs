//! What stands between stages in a final plan: [`ExchangeSource`] hands on the blocks of an earlier stage, and
//! [`Concat`] makes one partition of many in their order. DataFusion's own coalescing takes batches as they come, which
//! would make results depend on timing. [`Rebatch`] makes batches of one size, for what depends on where they end.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::BatchCoalescer;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use datafusion::physical_plan::{Distribution, InputDistributionRequirements};
use futures::{StreamExt, TryStreamExt};

use crate::error::EngineError;
use crate::part::Block;
use crate::progress::CancelToken;

fn properties(eq: EquivalenceProperties, partitions: usize) -> Arc<PlanProperties> {
    let partitioning = Partitioning::UnknownPartitioning(partitions);
    Arc::new(
        PlanProperties::new(
            eq,
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative),
    )
}

/// The rows of an earlier stage: one partition a block, in the order of its shards.
#[derive(Debug, Clone)]
pub struct ExchangeSource {
    stage: usize,
    schema: SchemaRef,
    ordering: Option<LexOrdering>,
    blocks: Vec<Block>,
    cancel: CancelToken,
    properties: Arc<PlanProperties>,
}

impl ExchangeSource {
    /// A stand-in for the stage's rows, as `pipeline` makes them.
    pub fn new(stage: usize, pipeline: &Arc<dyn ExecutionPlan>) -> Self {
        Self::with(
            stage,
            pipeline.schema(),
            pipeline.output_ordering().cloned(),
            Vec::new(),
            CancelToken::default(),
        )
    }

    fn with(
        stage: usize,
        schema: SchemaRef,
        ordering: Option<LexOrdering>,
        blocks: Vec<Block>,
        cancel: CancelToken,
    ) -> Self {
        let orderings: Vec<LexOrdering> = ordering.iter().cloned().collect();
        let eq = EquivalenceProperties::new_with_orderings(Arc::clone(&schema), orderings);
        let properties = properties(eq, blocks.len().max(1));
        Self {
            stage,
            schema,
            ordering,
            blocks,
            cancel,
            properties,
        }
    }

    /// Which stage it stands for.
    pub fn stage(&self) -> usize {
        self.stage
    }

    /// The same with the blocks of the stage.
    #[must_use]
    pub fn with_blocks(&self, blocks: Vec<Block>, cancel: CancelToken) -> Self {
        Self::with(
            self.stage,
            Arc::clone(&self.schema),
            self.ordering.clone(),
            blocks,
            cancel,
        )
    }
}

impl DisplayAs for ExchangeSource {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "ExchangeSource: stage={}", self.stage)
    }
}

impl ExecutionPlan for ExchangeSource {
    fn name(&self) -> &str {
        "ExchangeSource"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        _context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let block = self
            .blocks
            .get(partition)
            .ok_or_else(|| EngineError::internal("a plan ran without its blocks"))?;
        let schema = Arc::clone(&self.schema);
        let cancel = self.cancel.clone();
        let batches = block.batches()?.map(move |batch| {
            cancel.check()?;
            // A block may have been through a file, which does not keep every detail of a schema.
            batch?
                .with_schema(Arc::clone(&schema))
                .map_err(DataFusionError::from)
        });
        let stream =
            RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches));
        Ok(Box::pin(datafusion::physical_plan::coop::cooperative(
            stream,
        )))
    }
}

/// All partitions of its input, one after the other.
#[derive(Debug)]
pub struct Concat {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
}

impl Concat {
    /// Over `input`, of which it makes one partition.
    pub fn new(input: Arc<dyn ExecutionPlan>) -> Self {
        let mut eq = input.equivalence_properties().clone();
        eq.clear_orderings();
        eq.clear_per_partition_constants();
        let properties = PlanProperties::new(
            eq,
            Partitioning::UnknownPartitioning(1),
            input.pipeline_behavior(),
            input.boundedness(),
        )
        .with_scheduling_type(input.properties().scheduling_type);
        Self {
            input,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for Concat {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Concat")
    }
}

impl ExecutionPlan for Concat {
    fn name(&self) -> &str {
        "Concat"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
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
            Some(input) => Ok(Arc::new(Self::new(input))),
            None => Err(EngineError::internal("Concat needs an input").into()),
        }
    }

    fn execute(
        &self,
        _partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        let partitions = self.input.output_partitioning().partition_count();
        let input = Arc::clone(&self.input);
        // A partition is opened when the one before it has ended: that many files open at once are too many.
        let streams = futures::stream::iter(0..partitions)
            .map(move |p| input.execute(p, Arc::clone(&context)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            streams.try_flatten(),
        )))
    }
}

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
