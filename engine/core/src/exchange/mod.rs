//! What stands between stages: [`ExchangeSource`] hands on the blocks of earlier stages, partition by partition as they
//! were laid out ([`Layout`]), and [`Concat`] makes one partition of many in their order. DataFusion's own coalescing
//! and repartitioning take batches as they come, which would make results depend on timing; here the blocks of a stage
//! come in the order of its tasks. [`Rebatch`] makes batches of one size, for what depends on where they end.

mod concat;
mod ranges;
mod rebatch;

use std::fmt;
use std::sync::{Arc, OnceLock};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, LexOrdering, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, SchedulingType};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};

pub use self::concat::Concat;
use self::ranges::Ranges;
pub use self::rebatch::Rebatch;
use crate::error::{EngineError, Result};
use crate::part::{Batches, Block, Layout};
use crate::progress::CancelToken;

/// The rows of an earlier stage, in the partitions of its layout; of whole blocks, one partition a block.
#[derive(Debug, Clone)]
pub struct ExchangeSource {
    stage: usize,
    schema: SchemaRef,
    ordering: Option<LexOrdering>,
    layout: Layout,
    blocks: Vec<Block>,
    cancel: CancelToken,
    ranges: Arc<OnceLock<Ranges>>,
    properties: Arc<PlanProperties>,
}

impl ExchangeSource {
    /// A stand-in for the rows of the stage number `stage`, whose blocks are laid out so; `ordering` is that of each
    /// block, where it is to be kept.
    pub fn new(
        stage: usize,
        schema: SchemaRef,
        ordering: Option<LexOrdering>,
        layout: Layout,
    ) -> Self {
        let cancel = CancelToken::default();
        Self::with(stage, schema, ordering, layout, Vec::new(), cancel)
    }

    fn with(
        stage: usize,
        schema: SchemaRef,
        ordering: Option<LexOrdering>,
        layout: Layout,
        blocks: Vec<Block>,
        cancel: CancelToken,
    ) -> Self {
        let orderings: Vec<LexOrdering> = ordering.iter().cloned().collect();
        let eq = EquivalenceProperties::new_with_orderings(Arc::clone(&schema), orderings);
        let partitioning = match &layout {
            Layout::Whole => Partitioning::UnknownPartitioning(blocks.len().max(1)),
            Layout::Hashed { keys, partitions } => Partitioning::Hash(keys.clone(), *partitions),
            Layout::Sorted { ranges, .. } => Partitioning::UnknownPartitioning(*ranges),
        };
        let properties = PlanProperties::new(
            eq,
            partitioning,
            EmissionType::Incremental,
            Boundedness::Bounded,
        )
        .with_scheduling_type(SchedulingType::Cooperative);
        Self {
            stage,
            schema,
            ordering,
            layout,
            blocks,
            cancel,
            ranges: Arc::default(),
            properties: Arc::new(properties),
        }
    }

    /// Which stage it stands for.
    pub fn stage(&self) -> usize {
        self.stage
    }

    /// In which its rows are.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The same, of a stage that has got another number.
    #[must_use]
    pub fn renumbered(&self, stage: usize) -> Self {
        Self {
            stage,
            ..self.clone()
        }
    }

    /// The same with the blocks of the stage.
    #[must_use]
    pub fn with_blocks(&self, blocks: Vec<Block>, cancel: CancelToken) -> Self {
        Self::with(
            self.stage,
            Arc::clone(&self.schema),
            self.ordering.clone(),
            self.layout.clone(),
            blocks,
            cancel,
        )
    }

    /// The rows of each block that belong to a partition.
    fn pieces(&self, partition: usize) -> Result<Vec<Batches>> {
        if self.blocks.is_empty() {
            return Err(EngineError::internal("a plan ran without its blocks"));
        }
        match &self.layout {
            Layout::Whole => self.blocks[partition].batches().map(|all| vec![all]),
            Layout::Hashed { .. } => {
                let of = |block: &Block| block.partition(partition);
                self.blocks.iter().map(of).collect()
            }
            Layout::Sorted { order, ranges } => {
                if self.ranges.get().is_none() {
                    let found = Ranges::of(&self.blocks, order, &self.schema, *ranges)?;
                    // Another partition may have been quicker to find the same.
                    let _ = self.ranges.set(found);
                }
                let ranges = self.ranges.get();
                let ranges = ranges.ok_or_else(|| EngineError::internal("no ranges"))?;
                let of = |(number, block)| {
                    let (from, to) = ranges.rows_of(number, partition)?;
                    Block::slice(block, from, to)
                };
                self.blocks.iter().enumerate().map(of).collect()
            }
        }
    }

    fn stream(&self, batches: impl Iterator<Item = Result<BatchOf>> + Send + 'static) -> Stream {
        let schema = Arc::clone(&self.schema);
        let cancel = self.cancel.clone();
        let batches = batches.map(move |batch| {
            cancel.check()?;
            // A block may have been through a file, which does not keep every detail of a schema.
            batch?
                .with_schema(Arc::clone(&schema))
                .map_err(DataFusionError::from)
        });
        let stream =
            RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(batches));
        Box::pin(datafusion::physical_plan::coop::cooperative(stream))
    }
}

type BatchOf = datafusion::arrow::array::RecordBatch;
type Stream = SendableRecordBatchStream;

impl DisplayAs for ExchangeSource {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "ExchangeSource: stage={}, {}", self.stage, self.layout)
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

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> DataFusionResult<Stream> {
        let pieces = self.pieces(partition)?;
        let ordering = match &self.layout {
            Layout::Whole => None,
            Layout::Hashed { .. } => self.ordering.as_ref(),
            Layout::Sorted { order, .. } => Some(order),
        };
        let Some(ordering) = ordering else {
            return Ok(self.stream(pieces.into_iter().flatten()));
        };
        let filled = pieces.into_iter().filter(|piece| !piece.is_empty());
        let streams: Vec<Stream> = filled.map(|piece| self.stream(piece)).collect();
        if streams.is_empty() {
            return Ok(self.stream(std::iter::empty()));
        }
        // Rows that tie come in the order of the blocks.
        StreamingMergeBuilder::new()
            .with_streams(streams)
            .with_schema(Arc::clone(&self.schema))
            .with_expressions(ordering)
            .with_metrics(BaselineMetrics::new(
                &ExecutionPlanMetricsSet::new(),
                partition,
            ))
            .with_batch_size(context.session_config().batch_size())
            .with_reservation(MemoryConsumer::new("ExchangeSource").register(context.memory_pool()))
            .with_round_robin_tie_breaker(false)
            .build()
    }
}
