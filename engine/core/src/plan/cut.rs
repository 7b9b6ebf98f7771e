//! A physical plan into stages. A pipeline is a chain of operators over one source in which no row meets a row of
//! another partition; it can run on any shard alone, so each becomes a scan stage. The rest runs once, in one partition,
//! over what the pipelines left.

use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::limit::GlobalLimitExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};

use crate::error::{EngineError, Result};
use crate::exchange::{Concat, ExchangeSource};
use crate::scan;

type Plan = Arc<dyn ExecutionPlan>;

/// A plan in stages.
#[derive(Debug, Clone)]
pub struct Stages {
    /// The scan stages: the source of each, and what is done with its rows.
    pub pipelines: Vec<Pipeline>,
    /// What is done with what they left. None: the one pipeline is the whole plan.
    pub last: Option<Plan>,
}

/// What a scan stage does with each shard of its source.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Index of the source.
    pub source: usize,
    /// Over the stand-in for a shard.
    pub plan: Plan,
}

/// Cut a plan.
///
/// # Errors
/// Faults of ours.
pub fn cut(plan: &Plan) -> Result<Stages> {
    if let Some(source) = pipeline_source(plan) {
        let only = Pipeline {
            source,
            plan: Arc::clone(plan),
        };
        return Ok(Stages {
            pipelines: vec![only],
            last: None,
        });
    }
    let mut pipelines = Vec::new();
    let last = one_partition(cut_off(plan, &mut pipelines)?);
    Ok(Stages {
        pipelines,
        last: Some(last),
    })
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

/// The plan with its pipelines replaced by what they leave, and with what joins partitions made to keep their order.
fn cut_off(plan: &Plan, pipelines: &mut Vec<Pipeline>) -> Result<Plan> {
    if let Some(source) = pipeline_source(plan) {
        let left = ExchangeSource::new(pipelines.len(), plan);
        pipelines.push(Pipeline {
            source,
            plan: Arc::clone(plan),
        });
        return Ok(Arc::new(left));
    }
    let mut children = Vec::with_capacity(plan.children().len());
    for child in plan.children() {
        children.push(cut_off(child, pipelines)?);
    }
    if let Some(coalesce) = plan.downcast_ref::<CoalescePartitionsExec>() {
        return Ok(limited(one_partition(only(children)?), coalesce.fetch()));
    }
    if plan.is::<RepartitionExec>() {
        return Ok(one_partition(only(children)?));
    }
    if let Some(merge) = plan.downcast_ref::<SortPreservingMergeExec>() {
        let merged = SortPreservingMergeExec::new(merge.expr().clone(), only(children)?)
            .with_fetch(merge.fetch())
            .with_round_robin_repartition(false);
        return Ok(Arc::new(merged));
    }
    let children = children.into_iter().map(one_partition).collect();
    Ok(with_children(plan, children)?)
}

/// The rows of all partitions in one, whatever the number of blocks will be: merged where they are sorted, since an
/// operator above may rely on it, else one partition after the other.
fn one_partition(plan: Plan) -> Plan {
    if !plan.is::<ExchangeSource>() && plan.output_partitioning().partition_count() == 1 {
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

fn only(mut children: Vec<Plan>) -> Result<Plan> {
    match (children.pop(), children.is_empty()) {
        (Some(child), true) => Ok(child),
        _ => Err(EngineError::internal("an exchange has one input")),
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
