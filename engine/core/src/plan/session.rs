//! DataFusion set up for stages: two partitions stand for any number of shards, and nothing in a plan moves rows
//! between partitions but what must: to the partition of their hash, or all of them together.

use std::sync::Arc;

use datafusion::arrow::temporal_conversions::timestamp_us_to_datetime;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::config::SpillCompression;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_optimizer::optimizer::{PhysicalOptimizer, PhysicalOptimizerRule};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;

use super::fields::TouchedFields;
use super::order::TotalOrder;
use super::rules::OrderSensitiveAggregates;
use super::sql::Query;
use crate::error::{EngineError, Result, closest};
use crate::functions;
use crate::job::{Job, Validate};
use crate::scan::Table;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;

/// The rules after which ours run, and those that would undo what ours guarantee.
const BEFORE_AGGREGATES: &str = "join_selection";
const BEFORE_ORDER: &str = "EnsureRequirements";
const LEFT_OUT: [&str; 3] = ["LimitAggregation", "TopKRepartition", "HashJoinBuffering"];

/// The configuration of every session; rows that must meet do so in `partitions` partitions.
pub fn config(partitions: usize) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_target_partitions(partitions.max(2))
        .with_batch_size(BATCH_ROWS)
        .with_information_schema(false);
    let options = config.options_mut();
    // Names are settled before the planner sees them, see `names`.
    options.sql_parser.enable_ident_normalization = false;
    let execution = &mut options.execution;
    execution.collect_statistics = false;
    execution.enable_file_stream_work_stealing = false;
    execution.spill_compression = SpillCompression::Lz4Frame;
    let optimizer = &mut options.optimizer;
    optimizer.enable_round_robin_repartition = false;
    optimizer.repartition_aggregations = partitions > 1;
    optimizer.repartition_joins = partitions > 1;
    optimizer.repartition_windows = partitions > 1;
    optimizer.prefer_existing_union = true;
    optimizer.repartition_file_scans = false;
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    optimizer.enable_topk_aggregation = false;
    optimizer.enable_topk_repartition = false;
    // A subquery that is run by an operator of its own could not be cut off from a scan that uses its result.
    optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    config
}

/// Into how many partitions rows go where they must meet.
pub fn partitions_of(job: &Job) -> usize {
    job.exchange_partitions.unwrap_or(1).max(1)
}

/// A session with the sources of a job as its tables, as of the moment the job was planned.
///
/// # Errors
/// SourceError and InvalidJob for sources that can't be read.
pub fn session(job: &Job, shards: &[usize], planned_at_us: i64) -> Result<SessionState> {
    let mut state = SessionStateBuilder::new()
        .with_config(config(partitions_of(job)))
        .with_default_features()
        .with_physical_optimizer_rules(rules(job))
        .build();
    for function in functions::aggregates() {
        datafusion::execution::FunctionRegistry::register_udaf(&mut state, function)?;
    }
    state.execution_props_mut().query_execution_start_time =
        timestamp_us_to_datetime(planned_at_us).map(|at| at.and_utc());
    let schema = state.schema_for_ref("t")?;
    for (index, source) in job.sources.iter().enumerate() {
        let table: Arc<dyn TableProvider> = Arc::new(Table::new(
            index,
            source,
            match partitions_of(job) {
                1 => shards.get(index).copied().unwrap_or(1),
                // One shard goes through the same exchanges as many.
                _ => usize::MAX,
            },
        )?);
        for name in table_names(job, index) {
            if schema.table_exist(name) {
                return Err(EngineError::invalid_job(
                    "DUPLICATE_TABLE",
                    format!("Two tables are called '{name}'."),
                ));
            }
            schema.register_table(name.to_owned(), Arc::clone(&table))?;
        }
    }
    Ok(state)
}

/// What a source may be called in SQL: its name, its aliases, and `input` where it is the only one.
pub fn table_names(job: &Job, index: usize) -> Vec<&str> {
    let source = &job.sources[index];
    let mut names = vec![source.name.as_str()];
    names.extend(source.aliases.iter().map(String::as_str));
    if job.sources.len() == 1 {
        names.push("input");
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    names
}

fn rules(job: &Job) -> Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    for rule in PhysicalOptimizer::new().rules {
        let name = rule.name().to_owned();
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        rules.push(rule);
        if name == BEFORE_AGGREGATES {
            rules.push(Arc::new(OrderSensitiveAggregates));
        }
        if name == BEFORE_ORDER {
            rules.push(Arc::new(TotalOrder));
        }
    }
    // Where all values count, all are read.
    if job.bad_rows.validate == Validate::Touched {
        rules.push(Arc::new(TouchedFields));
    }
    rules
}

/// The physical plan of a query.
///
/// # Errors
/// InvalidJob for whatever is wrong with it.
pub fn physical_plan(
    state: &SessionState,
    query: &Query,
    job: &Job,
) -> Result<Arc<dyn ExecutionPlan>> {
    check_tables(state, query, job)?;
    futures::executor::block_on(async {
        let logical: LogicalPlan = state.statement_to_plan(query.statement.clone()).await?;
        SQLOptions::new()
            .with_allow_ddl(false)
            .with_allow_dml(false)
            .with_allow_statements(false)
            .verify_plan(&logical)?;
        Ok(state.create_physical_plan(&logical).await?)
    })
}

/// Only the job's own sources are tables.
fn check_tables(state: &SessionState, query: &Query, job: &Job) -> Result<()> {
    let known: Vec<&str> = (0..job.sources.len())
        .flat_map(|index| table_names(job, index))
        .collect();
    for reference in state.resolve_table_references(&query.statement)? {
        let name = reference.table();
        let is_function = query.functions.iter().any(|function| function == name)
            && state.table_functions().contains_key(name);
        if matches!(reference, TableReference::Bare { .. })
            && (known.contains(&name) || is_function)
        {
            continue;
        }
        let error =
            EngineError::invalid_job("UNKNOWN_TABLE", format!("There is no table '{reference}'."))
                .detail("table", reference.to_string())
                .detail("tables", known.clone());
        return Err(match closest(name, &known) {
            Some(meant) => error.hint(format!("Did you mean '{meant}'?")),
            None if known.is_empty() => error.hint("This job has no sources."),
            None => error.hint(format!("The tables are: {}.", known.join(", "))),
        });
    }
    Ok(())
}
