//! Rows that a query only sorts are carried as the text that they are in the result, beside the columns that they are
//! sorted by: one value for each row goes through the sort and the exchange instead of all its columns, and is
//! written as it is. That is for CSV in the dialect of its one file, see [`karyaksham_text::CsvScan::carrying`].

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result as DataFusionResult;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::sorts::sort_preserving_merge::SortPreservingMergeExec;
use karyaksham_text::TEXT_COLUMN;

use crate::error::Result;
use crate::job::{FileFormat, Job};
use crate::numbered::Numbered;
use crate::scan::{self, Table, TextFile};
use crate::sink;

type Plan = Arc<dyn ExecutionPlan>;

/// Whether rows of the sources of a job can be carried as text.
///
/// # Errors
/// SourceError for files that are gone or have changed.
pub(crate) fn can_be(job: &Job) -> Result<bool> {
    let ([source], Some(delimiter)) = (job.sources.as_slice(), sink::takes_text(&job.output))
    else {
        return Ok(false);
    };
    let [file] = source.files.as_slice() else {
        return Ok(false);
    };
    if source.format != FileFormat::Csv || !file.partition.is_empty() {
        return Ok(false);
    }
    let schema = Table::new(0, source, 1)?.schema();
    Ok(TextFile::open(source, 0)?.carries(schema, delimiter))
}

/// The plan with its rows carried as text, where it is a sort of a text source with nothing above or below that makes
/// values, else as it is. What it makes is one column, which only the sink of the result knows how to take.
///
/// # Errors
/// Faults of ours.
pub(crate) fn rows(plan: Plan, job: &Job) -> Result<Plan> {
    match sink::takes_text(&job.output).filter(|_| job.carries_text) {
        Some(delimiter) => Ok(carried(&plan, delimiter)?.unwrap_or(plan)),
        None => Ok(plan),
    }
}

fn carried(plan: &Plan, delimiter: u8) -> DataFusionResult<Option<Plan>> {
    let (plan, above) = choices(plan);
    let merge = plan.downcast_ref::<SortPreservingMergeExec>();
    let (plan, between) = choices(merge.map_or(plan, |merge| merge.input()));
    let Some(sort) = plan.downcast_ref::<SortExec>() else {
        return Ok(None);
    };
    // Of a few rows only those few are made.
    let numbered = sort.input().downcast_ref::<Numbered>();
    let Some(numbered) = numbered.filter(|_| sort.fetch().is_none()) else {
        return Ok(None);
    };
    let (plan, below) = choices(numbered.children()[0]);
    if scan::source_of(plan.as_ref()).is_none() {
        return Ok(None);
    }
    let width = plan.schema().fields().len();
    let at_leaf = |place: usize| below.as_ref().map_or(place, |choice| choice[place]);
    let numbered_width = below.as_ref().map_or(width, Vec::len);
    // Columns of the result, by their places in the leaf.
    let mut text: Vec<usize> = between.unwrap_or_else(|| (0..numbered_width).collect());
    if let Some(above) = &above {
        text = above.iter().map(|place| text[*place]).collect();
    }
    if text.iter().any(|place| *place >= numbered_width) {
        return Ok(None);
    }
    let text: Vec<usize> = text.into_iter().map(at_leaf).collect();
    let mut keys: Vec<usize> = Vec::new();
    for sorted in sort.expr() {
        let columns = collect_columns(&sorted.expr);
        let places = columns.iter().map(Column::index);
        keys.extend(places.filter(|place| *place < numbered_width));
    }
    keys.sort_unstable();
    keys.dedup();
    let key_places: Vec<usize> = keys.iter().map(|place| at_leaf(*place)).collect();
    let Some(leaf) = scan::carrying(plan.as_ref(), &key_places, &text, delimiter) else {
        return Ok(None);
    };
    // From the columns of the sort to those that are left: keys, text, number.
    let moved = |place: usize| match keys.binary_search(&place) {
        Ok(at) => at,
        Err(_) => keys.len() + 1,
    };
    let order = remapped(sort.expr(), &moved)?;
    let leaf_schema = leaf.schema();
    let sorted = SortExec::new(
        order,
        Arc::new(Numbered::new(Arc::new(CooperativeExec::new(leaf)))),
    )
    .with_preserve_partitioning(sort.preserve_partitioning());
    let kept = (0..=keys.len()).map(|at| column(leaf_schema.field(at).name(), at));
    let mut result: Plan = Arc::new(ProjectionExec::try_new(kept, Arc::new(sorted))?);
    if let Some(merge) = merge {
        // The merge goes by the keys that were asked for, in the columns that the sort left of them.
        let to_sort = |place: usize| match &choices_of(merge) {
            Some(between) => moved(between[place]),
            None => moved(place),
        };
        let order = remapped(merge.expr(), &to_sort)?;
        result = Arc::new(
            SortPreservingMergeExec::new(order, result).with_round_robin_repartition(false),
        );
    }
    let only = [column(TEXT_COLUMN, keys.len())];
    Ok(Some(Arc::new(ProjectionExec::try_new(only, result)?)))
}

fn choices_of(merge: &SortPreservingMergeExec) -> Option<Vec<usize>> {
    choices(merge.input()).1
}

/// The plan below a projection that only chooses columns, and which it chooses.
fn choices(plan: &Plan) -> (&Plan, Option<Vec<usize>>) {
    let plan = without_wrapper(plan);
    let Some(projection) = plan.downcast_ref::<ProjectionExec>() else {
        return (plan, None);
    };
    let chosen = projection.expr().iter().map(|projected| {
        let column = projected.expr.downcast_ref::<Column>();
        column.map(Column::index)
    });
    match chosen.collect::<Option<Vec<usize>>>() {
        Some(chosen) => (without_wrapper(projection.input()), Some(chosen)),
        None => (plan, None),
    }
}

/// What makes the operators of other threads wait in turn does nothing to rows.
fn without_wrapper(plan: &Plan) -> &Plan {
    match plan.downcast_ref::<CooperativeExec>() {
        Some(wrapper) => wrapper.input(),
        None => plan,
    }
}

fn column(name: &str, index: usize) -> (Arc<dyn PhysicalExpr>, String) {
    (Arc::new(Column::new(name, index)), name.to_owned())
}

fn remapped(order: &LexOrdering, to: &dyn Fn(usize) -> usize) -> DataFusionResult<LexOrdering> {
    let mut moved = Vec::with_capacity(order.len());
    for sort in order {
        let expr = Arc::clone(&sort.expr).transform(|expr| {
            Ok(match expr.downcast_ref::<Column>() {
                Some(column) => {
                    let moved = Column::new(column.name(), to(column.index()));
                    Transformed::yes(Arc::new(moved) as Arc<dyn PhysicalExpr>)
                }
                None => Transformed::no(expr),
            })
        });
        moved.push(PhysicalSortExpr::new(expr.data()?, sort.options));
    }
    LexOrdering::new(moved)
        .ok_or_else(|| datafusion::common::internal_datafusion_err!("a sort has keys"))
}
