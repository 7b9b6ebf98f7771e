//! `sum` of floats that is exact until it is rounded once, and of whole numbers that says when it is too large instead
//! of beginning again at the other end. Decimals and the rest are left to DataFusion's own.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature,
};

use super::exact::{Float, Whole};
use super::totals::{Finish, GroupTotals, OneTotal, state_fields};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExactSum {
    other: Sum,
}

impl ExactSum {
    /// The function `sum`.
    pub fn new() -> Self {
        Self { other: Sum::new() }
    }
}

impl Default for ExactSum {
    fn default() -> Self {
        Self::new()
    }
}

fn is_ours(data_type: &DataType, is_distinct: bool) -> bool {
    !is_distinct && matches!(data_type, DataType::Int64 | DataType::Float64)
}

impl AggregateUDFImpl for ExactSum {
    fn name(&self) -> &str {
        "sum"
    }

    fn signature(&self) -> &Signature {
        self.other.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.other.return_type(arg_types)
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match args.expr_fields[0].data_type() {
            data_type if !is_ours(data_type, args.is_distinct) => self.other.accumulator(args),
            DataType::Float64 => Ok(Box::new(OneTotal::<Float>::new(Finish::Sum, 0))),
            _ => Ok(Box::new(OneTotal::<Whole>::new(Finish::Sum, 0))),
        }
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if is_ours(args.expr_fields[0].data_type(), args.is_distinct) {
            return self.accumulator(args);
        }
        self.other.create_sliding_accumulator(args)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let data_type = args.input_fields[0].data_type();
        if is_ours(data_type, args.is_distinct) {
            return Ok(state_fields(args.name, data_type));
        }
        self.other.state_fields(args)
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        is_ours(args.expr_fields[0].data_type(), args.is_distinct)
            || self.other.groups_accumulator_supported(args)
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match args.expr_fields[0].data_type() {
            data_type if !is_ours(data_type, args.is_distinct) => {
                self.other.create_groups_accumulator(args)
            }
            DataType::Float64 => Ok(Box::new(GroupTotals::<Float>::new(Finish::Sum, 0))),
            _ => Ok(Box::new(GroupTotals::<Whole>::new(Finish::Sum, 0))),
        }
    }
}
