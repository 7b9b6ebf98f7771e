//! `avg` as a Float64 from the exact sum and the count. DataFusion's own keeps four more digits than a decimal column has
//! and cuts the rest off, and averages whole numbers as floats. Durations are left to it.

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDFImpl, GroupsAccumulator, ReversedUDAF, Signature, Volatility,
};

use super::avg_distinct::{self, DistinctMean};
use super::exact::{Float, Whole};
use super::totals::{Finish, GroupTotals, OneTotal, state_fields};

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExactAvg {
    signature: Signature,
    aliases: Vec<String>,
    other: Avg,
}

impl ExactAvg {
    /// The function `avg`, also called `mean`.
    pub fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: vec!["mean".to_owned()],
            other: Avg::new(),
        }
    }
}

impl Default for ExactAvg {
    fn default() -> Self {
        Self::new()
    }
}

/// How values of a type are added up.
enum Kind {
    Whole(i8),
    Float,
    Other,
}

fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Int64 => Kind::Whole(0),
        DataType::Decimal128(_, scale) => Kind::Whole(*scale),
        DataType::Float64 => Kind::Float,
        _ => Kind::Other,
    }
}

fn coerced(data_type: &DataType) -> Result<DataType> {
    use DataType as T;
    Ok(match data_type {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => T::Int64,
        T::UInt64 => T::Decimal128(20, 0),
        T::Decimal32(precision, scale) | T::Decimal64(precision, scale) => {
            T::Decimal128(*precision, *scale)
        }
        T::Decimal128(..) | T::Decimal256(..) | T::Duration(_) => data_type.clone(),
        T::Null | T::Float16 | T::Float32 | T::Float64 => T::Float64,
        T::Dictionary(_, values) => coerced(values)?,
        other => return plan_err!("avg takes numbers, not {other}"),
    })
}

impl AggregateUDFImpl for ExactAvg {
    fn name(&self) -> &str {
        "avg"
    }

    fn aliases(&self) -> &[String] {
        &self.aliases
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        match arg_types {
            [one] => Ok(vec![coerced(one)?]),
            _ => plan_err!("avg takes one argument"),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match kind(&arg_types[0]) {
            Kind::Whole(_) | Kind::Float => Ok(DataType::Float64),
            Kind::Other => self.other.return_type(arg_types),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match kind(args.expr_fields[0].data_type()) {
            Kind::Whole(scale) if args.is_distinct => Ok(Box::new(DistinctMean::new(scale))),
            Kind::Whole(scale) => Ok(Box::new(OneTotal::<Whole>::new(Finish::Mean, scale))),
            Kind::Float if !args.is_distinct => {
                Ok(Box::new(OneTotal::<Float>::new(Finish::Mean, 0)))
            }
            Kind::Float | Kind::Other => self.other.accumulator(args),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let data_type = args.input_fields[0].data_type();
        match kind(data_type) {
            Kind::Whole(scale) if args.is_distinct => {
                Ok(avg_distinct::state_fields(args.name, scale))
            }
            Kind::Float if args.is_distinct => self.other.state_fields(args),
            Kind::Whole(_) | Kind::Float => Ok(state_fields(args.name, data_type)),
            Kind::Other => self.other.state_fields(args),
        }
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match kind(args.expr_fields[0].data_type()) {
            Kind::Whole(_) | Kind::Float => !args.is_distinct,
            Kind::Other => self.other.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        match kind(args.expr_fields[0].data_type()) {
            Kind::Whole(scale) => Ok(Box::new(GroupTotals::<Whole>::new(Finish::Mean, scale))),
            Kind::Float => Ok(Box::new(GroupTotals::<Float>::new(Finish::Mean, 0))),
            Kind::Other => self.other.create_groups_accumulator(args),
        }
    }
}
