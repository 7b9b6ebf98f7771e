//! A physical plan into stages. A pipeline is a chain of operators over one source in which no row meets a row of
//! another partition; it can run on any shard alone, so each becomes a scan stage. Where rows must meet, they go through
//! an exchange: to the partition of their hash, to their range of a sort order, or all to one partition. What lies
//! between exchanges is a merge stage; each of its partitions can run alone.
//!
//! Results depend neither on the number of shards nor on that of tasks: blocks come in the order of their tasks, and the
//! number of partitions follows from the job.

use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::union::{InterleaveExec, UnionExec};
use datafusion::physical_plan::{
    Distribution, ExecutionPlan, ExecutionPlanProperties, Partitioning,
};

use crate::error::{EngineError, Result};
use crate::exchange::{Concat, ExchangeSource};
use crate::part::Layout;
use crate::scan;

type Plan = Arc<dyn ExecutionPlan>;

/// A plan in stages: first those that scan, then those that merge, each after those that it reads. The last makes the
/// result.
#[derive(Debug, Clone)]
pub struct Stages(pub Vec<Stage>);

/// What one stage does.
#[derive(Debug, Clone)]
pub struct Stage {
    /// Index of the source; None: it merges what other stages left.
    pub source: Option<usize>,
    /// Scans: over the stand-in for a shard. Merges: over [`ExchangeSource`]s.
    pub plan: Plan,
    /// The stages that it reads.
    pub inputs: Vec<usize>,
    /// What it hands on; None: the result.
    pub layout: Option<Layout>,
    /// Each of its blocks has an order, which blocks of several partitions would not have.
    pub is_sorted: bool,
}

impl Stage {
    /// Partitions of a stage that merges.
    pub fn partitions(&self) -> usize {
        self.plan.output_partitioning().partition_count()
    }
}

/// Cut a plan; rows that must meet do so in `partitions` partitions.
///
/// # Errors
/// Faults of ours.
pub fn cut(plan: &Plan, partitions: usize) -> Result<Stages> {
    let mut cutter = Cutter {
        stages: Vec::new(),
        partitions,
    };
    let last = match pipeline_source(plan) {
        Some(_) => Arc::clone(plan),
        None => match cutter.cut_off(plan, true)? {
            unbound if is_unbound(&unbound) => one_partition(unbound),
            bound => bound,
        },
    };
    cutter.push(last, None, false);
    in_order(cutter.stages)
}

struct Cutter {
    stages: Vec<Stage>,
    partitions: usize,
}

impl Cutter {
    /// Make a stage of `plan`; returns its number.
    fn push(&mut self, plan: Plan, layout: Option<Layout>, is_sorted: bool) -> usize {
        self.stages.push(Stage {
            is_sorted,
            source: pipeline_source(&plan),
            inputs: inputs_of(&plan),
            plan,
            layout,
        });
        self.stages.len() - 1
    }

    /// What stands for the rows of `plan` in the stage that reads it.
    fn exchange(&mut self, plan: Plan, layout: Layout, keeps_order: bool) -> Plan {
        let (schema, ordering) = (plan.schema(), plan.output_ordering().cloned());
        let ordering = ordering.filter(|_| keeps_order);
        let stage = self.push(plan, Some(layout.clone()), ordering.is_some());
        Arc::new(ExchangeSource::new(stage, schema, ordering, layout))
    }

    /// The plan over the exchanges below it. `is_result`: its rows are the result, in the order of its partitions.
    fn cut_off(&mut self, plan: &Plan, is_result: bool) -> Result<Plan> {
        if pipeline_source(plan).is_some() {
            return Ok(self.exchange(Arc::clone(plan), Layout::Whole, true));
        }
        if let Some(repartition) = plan.downcast_ref::<RepartitionExec>() {
            if self.partitions <= 1 {
                let below = self.cut_off(repartition.input(), false)?;
                return Ok(self.single(below));
            }
            let layout = match repartition.partitioning() {
                Partitioning::Hash(keys, partitions) => Layout::Hashed {
                    keys: keys.clone(),
                    partitions: *partitions,
                },
                _ => Layout::Whole,
            };
            let below = self.below(repartition.input())?;
            return Ok(self.exchange(below, layout, repartition.preserve_order()));
        }
        if let Some(coalesce) = plan.downcast_ref::<CoalescePartitionsExec>() {
            let below = self.cut_off(coalesce.input(), false)?;
            return Ok(limited(self.single(below), coalesce.fetch()));
        }
        if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
            let below = self.below(merge.input())?;
            if is_single(&below) {
                return Ok(limited(below, merge.fetch()));
            }
            if is_result && merge.fetch().is_none() && self.partitions > 1 {
                let order = merge.expr().clone();
                let ranges = self.partitions;
                return Ok(self.exchange(below, Layout::Sorted { order, ranges }, true));
            }
            let blocks = self.exchange(below, Layout::Whole, true);
            let merged = SortPreservingMergeExec::new(merge.expr().clone(), blocks)
                .with_fetch(merge.fetch())
                .with_round_robin_repartition(false);
            return Ok(Arc::new(merged));
        }
        let is_result = is_result && (plan.is::<ProjectionExec>() || plan.is::<CooperativeExec>());
        let mut children = Vec::with_capacity(plan.children().len());
        for child in plan.children() {
            children.push(self.cut_off(child, is_result)?);
        }
        if !is_by_partition(plan, &children) {
            children = children.into_iter().map(|c| self.single(c)).collect();
        }
        Ok(with_children(plan, children)?)
    }

    /// A pipeline as it is, anything else over its exchanges.
    fn below(&mut self, plan: &Plan) -> Result<Plan> {
        match pipeline_source(plan) {
            Some(_) => Ok(Arc::clone(plan)),
            None => self.cut_off(plan, false),
        }
    }

    /// All rows of `plan` in one partition. Partitions that can run alone do so in a stage of their own.
    fn single(&mut self, plan: Plan) -> Plan {
        if is_single(&plan) || plan.is::<ExchangeSource>() || plan.is::<UnionExec>() {
            return one_partition(plan);
        }
        let blocks = self.exchange(plan, Layout::Whole, true);
        one_partition(blocks)
    }
}

/// Whether a plan can run on each partition of its inputs alone.
fn is_by_partition(plan: &Plan, children: &[Plan]) -> bool {
    if plan.is::<UnionExec>() || plan.is::<InterleaveExec>() {
        return false;
    }
    let needs = plan.input_distribution_requirements();
    let needs_all = |need: &Distribution| matches!(need, Distribution::SinglePartition);
    if needs.per_child_distributions().any(needs_all) {
        return false;
    }
    let count = |child: &Plan| child.output_partitioning().partition_count();
    !children.iter().any(is_unbound)
        && children
            .windows(2)
            .all(|two| count(&two[0]) == count(&two[1]))
}

/// Whether a plan has as many partitions as there will be blocks.
fn is_unbound(plan: &Plan) -> bool {
    let exchange = plan.downcast_ref::<ExchangeSource>();
    exchange.is_some_and(|exchange| matches!(exchange.layout(), Layout::Whole))
}

fn is_single(plan: &Plan) -> bool {
    pipeline_source(plan).is_none()
        && !is_unbound(plan)
        && plan.output_partitioning().partition_count() == 1
}

/// Scans first, and the numbers of stages as they are then.
fn in_order(stages: Vec<Stage>) -> Result<Stages> {
    let scans = stages.iter().filter(|stage| stage.source.is_some()).count();
    let (mut scan, mut merge) = (0, scans);
    let numbers: Vec<usize> = stages
        .iter()
        .map(|stage| {
            let next = match stage.source {
                Some(_) => &mut scan,
                None => &mut merge,
            };
            *next += 1;
            *next - 1
        })
        .collect();
    let mut ordered: Vec<(usize, Stage)> = Vec::with_capacity(stages.len());
    for (number, stage) in numbers.iter().zip(stages) {
        let plan = match stage.source {
            Some(_) => stage.plan,
            None => with_exchanges(&stage.plan, &mut |exchange| {
                Ok(Arc::new(exchange.renumbered(numbers[exchange.stage()])))
            })?,
        };
        let inputs = stage.inputs.iter().map(|input| numbers[*input]).collect();
        ordered.push((
            *number,
            Stage {
                plan,
                inputs,
                ..stage
            },
        ));
    }
    ordered.sort_by_key(|(number, _)| *number);
    Ok(Stages(
        ordered.into_iter().map(|(_, stage)| stage).collect(),
    ))
}

/// The stages whose rows a plan reads.
fn inputs_of(plan: &Plan) -> Vec<usize> {
    if let Some(exchange) = plan.downcast_ref::<ExchangeSource>() {
        return vec![exchange.stage()];
    }
    let mut inputs: Vec<usize> = plan.children().into_iter().flat_map(inputs_of).collect();
    inputs.sort_unstable();
    inputs.dedup();
    inputs
}

/// The source under a pipeline; None where the plan is none.
fn pipeline_source(plan: &Plan) -> Option<usize> {
    if is_exchange(plan) {
        return None;
    }
    match plan.children().as_slice() {
        [] => scan::source_of(plan.as_ref()),
        [child] => pipeline_source(child),
        _ => None,
    }
}

fn is_exchange(plan: &Plan) -> bool {
    plan.is::<CoalescePartitionsExec>()
        || plan.is::<SortPreservingMergeExec>()
        || plan.is::<RepartitionExec>()
}

/// The rows of all partitions in one, whatever the number of blocks will be: merged where they are sorted, since an
/// operator above may rely on it, else one partition after the other.
fn one_partition(plan: Plan) -> Plan {
    if is_single(&plan) {
        return plan;
    }
    match plan.output_ordering().cloned() {
        Some(ordering) => Arc::new(
            SortPreservingMergeExec::new(ordering, plan).with_round_robin_repartition(false),
        ),
        None => Arc::new(Concat::new(plan)),
    }
}

fn limited(plan: Plan, fetch: Option<usize>) -> Plan {
    match fetch {
        Some(_) => Arc::new(GlobalLimitExec::new(plan, 0, fetch)),
        None => plan,
    }
}

fn with_children(plan: &Plan, children: Vec<Plan>) -> DataFusionResult<Plan> {
    let recompute = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    let changed = Arc::clone(plan).replace_children(children, recompute)?;
    // A merge forgets here that rows that tie come in the order of their partitions.
    Ok(match changed.downcast_ref::<SortPreservingMergeExec>() {
        Some(merge) => Arc::new(
            SortPreservingMergeExec::new(merge.expr().clone(), Arc::clone(merge.input()))
                .with_fetch(merge.fetch())
                .with_round_robin_repartition(false),
        ),
        None => changed,
    })
}

/// A pipeline with `bind` applied to its leaf.
///
/// # Errors
/// Those of `bind`.
pub fn with_leaf(
    pipeline: &Plan,
    bind: &mut dyn FnMut(&DataSourceExec) -> Result<Plan>,
) -> Result<Plan> {
    match pipeline.children().as_slice() {
        [] => match pipeline.downcast_ref::<DataSourceExec>() {
            Some(leaf) => bind(leaf),
            None => Err(EngineError::internal("a pipeline ends in no source")),
        },
        [child] => Ok(with_children(pipeline, vec![with_leaf(child, bind)?])?),
        _ => Err(EngineError::internal("a pipeline has one source")),
    }
}

/// A final plan with `bind` applied to each of its exchanges.
///
/// # Errors
/// Those of `bind`.
pub fn with_exchanges(
    plan: &Plan,
    bind: &mut dyn FnMut(&ExchangeSource) -> Result<Plan>,
) -> Result<Plan> {
    if let Some(exchange) = plan.downcast_ref::<ExchangeSource>() {
        return bind(exchange);
    }
    if plan.children().is_empty() {
        // Some leaves remember how far they were read.
        return Ok(Arc::clone(plan).reset_state()?);
    }
    let mut children = Vec::with_capacity(plan.children().len());
    for child in plan.children() {
        children.push(with_exchanges(child, bind)?);
    }
    Ok(with_children(plan, children)?)
}
