//! Fields of structs that a query does not touch are not read: where all it takes of a column are some of its fields, the
//! column becomes a struct of these. Only NDJSON gains by it, and only a projection right above a source tells; the
//! planner puts one there.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::expressions::{Column, Literal};
use datafusion::physical_plan::projection::ProjectionExec;

use crate::scan;

type Plan = Arc<dyn ExecutionPlan>;

/// The rule.
#[derive(Debug)]
pub struct TouchedFields;

impl PhysicalOptimizerRule for TouchedFields {
    fn optimize(&self, plan: Plan, _config: &ConfigOptions) -> Result<Plan> {
        plan.transform_down(|plan| {
            Ok(narrowed(&plan)?.map_or_else(|| Transformed::no(plan), Transformed::yes))
        })
        .data()
    }

    fn name(&self) -> &str {
        "TouchedFields"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What is taken of a column.
#[derive(Debug, Clone, Default, PartialEq)]
enum Taken {
    #[default]
    Nothing,
    Fields(BTreeMap<String, Taken>),
    All,
}

impl Taken {
    /// The field at the end of `path` as well.
    fn add(&mut self, path: &[&str]) {
        match (path, &mut *self) {
            (_, Self::All) => {}
            ([], _) => *self = Self::All,
            ([first, rest @ ..], Self::Fields(fields)) => {
                fields.entry((*first).to_owned()).or_default().add(rest);
            }
            ([..], Self::Nothing) => {
                *self = Self::Fields(BTreeMap::new());
                self.add(path);
            }
        }
    }

    /// A struct of what is taken of one.
    fn of(&self, data_type: &DataType) -> DataType {
        let (Self::Fields(taken), DataType::Struct(fields)) = (self, data_type) else {
            return data_type.clone();
        };
        let kept = fields.iter().filter_map(|field| {
            let inner = taken.get(field.name())?.of(field.data_type());
            Some(Field::new(field.name(), inner, field.is_nullable()))
        });
        let kept: Vec<Field> = kept.collect();
        if kept.is_empty() {
            return data_type.clone();
        }
        DataType::Struct(kept.into())
    }
}

fn narrowed(plan: &Plan) -> Result<Option<Plan>> {
    let Some(projection) = plan.downcast_ref::<ProjectionExec>() else {
        return Ok(None);
    };
    let input = projection.input();
    let mut taken = vec![Taken::default(); input.schema().fields().len()];
    for expr in projection.expr() {
        collect(&expr.expr, &mut taken);
    }
    match source(input, &taken)? {
        Some(input) => Ok(Some(over(plan, input)?)),
        None => Ok(None),
    }
}

/// The source with columns of what is taken; None: nothing changes, or this is none.
fn source(plan: &Plan, taken: &[Taken]) -> Result<Option<Plan>> {
    if plan.is::<CooperativeExec>() {
        let [child] = plan.children()[..] else {
            return Ok(None);
        };
        return match source(child, taken)? {
            Some(child) => Ok(Some(over(plan, child)?)),
            None => Ok(None),
        };
    }
    let narrow = |number: usize, data_type: &DataType| taken[number].of(data_type);
    let leaf = plan.downcast_ref::<DataSourceExec>();
    Ok(leaf.and_then(|leaf| scan::with_types(leaf, &narrow)))
}

fn over(plan: &Plan, child: Plan) -> Result<Plan> {
    let recompute = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(plan).replace_children(vec![child], recompute)
}

/// Note what an expression takes of each column.
fn collect(expr: &Arc<dyn PhysicalExpr>, taken: &mut [Taken]) {
    if let Some((column, path)) = field_path(expr) {
        taken[column].add(&path);
    } else {
        for child in expr.children() {
            collect(child, taken);
        }
    }
}

/// A column, or a field of a struct, or of a struct within it.
fn field_path(expr: &Arc<dyn PhysicalExpr>) -> Option<(usize, Vec<&str>)> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Some((column.index(), vec![]));
    }
    let call = expr.downcast_ref::<ScalarFunctionExpr>()?;
    let (base, names) = call.args().split_first()?;
    let (column, mut path) = field_path(base).filter(|_| call.fun().name() == "get_field")?;
    for name in names {
        path.push(name.downcast_ref::<Literal>()?.value().try_as_str()??);
    }
    Some((column, path))
}
