//! `avg` of whole numbers and decimals, from their exact sum and count, as a Float64. DataFusion's own keeps four more
//! digits than the column has and cuts the rest off, and averages whole numbers as floats, so that the last digits
//! depend on the order of the rows. Floats and durations are left to it.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Float64Array, PrimitiveArray, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::functions_aggregate::average::Avg;
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::{AggregateOrderSensitivity, format_state_name};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, EmitTo, GroupsAccumulator, ReversedUDAF, Signature, Volatility};

/// The most digits that a sum can have.
const SUM_PRECISION: u8 = 38;

/// See the module.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct ExactAvg {
    signature: Signature,
    aliases: Vec<String>,
    inexact: Avg,
}

impl ExactAvg {
    /// The function `avg`, also called `mean`.
    pub fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
            aliases: vec!["mean".to_owned()],
            inexact: Avg::new(),
        }
    }
}

impl Default for ExactAvg {
    fn default() -> Self {
        Self::new()
    }
}

/// The scale of a type whose sum is exact; None for the others.
fn exact_scale(data_type: &DataType) -> Option<i8> {
    match data_type {
        DataType::Int64 => Some(0),
        DataType::Decimal128(_, scale) => Some(*scale),
        _ => None,
    }
}

fn coerced(data_type: &DataType) -> Result<DataType> {
    use DataType as T;
    Ok(match data_type {
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => T::Int64,
        T::UInt64 => T::Decimal128(20, 0),
        T::Decimal32(precision, scale) | T::Decimal64(precision, scale) => T::Decimal128(*precision, *scale),
        T::Decimal128(..) | T::Decimal256(..) | T::Duration(_) => data_type.clone(),
        T::Null | T::Float16 | T::Float32 | T::Float64 => T::Float64,
        T::Dictionary(_, values) => coerced(values)?,
        other => return plan_err!("avg takes numbers, not {other}; use CAST or TRY_CAST"),
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
        match exact_scale(&arg_types[0]) {
            Some(_) => Ok(DataType::Float64),
            None => self.inexact.return_type(arg_types),
        }
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn reverse_expr(&self) -> ReversedUDAF {
        ReversedUDAF::Identical
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        match exact_scale(args.expr_fields[0].data_type()) {
            None => self.inexact.accumulator(args),
            Some(scale) if args.is_distinct => Ok(Box::new(super::avg_distinct::DistinctMean::new(scale))),
            Some(scale) => Ok(Box::new(RunningMean { mean: Mean::default(), scale })),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let Some(scale) = exact_scale(args.input_fields[0].data_type()) else {
            return self.inexact.state_fields(args);
        };
        let sum = DataType::Decimal128(SUM_PRECISION, scale);
        let field = |name: &str, data_type| Arc::new(Field::new(format_state_name(args.name, name), data_type, true));
        if args.is_distinct {
            return Ok(vec![field("distinct", DataType::List(Arc::new(Field::new_list_field(sum, true))))]);
        }
        Ok(vec![field("count", DataType::UInt64), field("sum", sum)])
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        match exact_scale(args.expr_fields[0].data_type()) {
            Some(_) => !args.is_distinct,
            None => self.inexact.groups_accumulator_supported(args),
        }
    }

    fn create_groups_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        match exact_scale(args.expr_fields[0].data_type()) {
            Some(scale) => Ok(Box::new(GroupMeans { scale, sums: Vec::new(), counts: Vec::new(), overflowed: false })),
            None => self.inexact.create_groups_accumulator(args),
        }
    }
}

/// An exact sum and its count.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mean {
    pub(super) sum: i128,
    pub(super) count: u64,
}

impl Mean {
    /// None without values. Both operands are rounded once at most, and the quotient once.
    pub(super) fn value(self, scale: i8) -> Option<f64> {
        (self.count > 0).then(|| self.sum as f64 / (self.count as f64 * 10f64.powi(i32::from(scale))))
    }
}

pub(super) fn sum_array(values: Vec<i128>, scale: i8) -> Result<Decimal128Array> {
    Ok(Decimal128Array::from(values).with_precision_and_scale(SUM_PRECISION, scale)?)
}

/// Call `f` with each value that is not NULL.
pub(super) fn for_each_value(values: &ArrayRef, mut f: impl FnMut(i128)) -> Result<()> {
    match values.data_type() {
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().flatten().for_each(|v| f(i128::from(v))),
        DataType::Decimal128(..) => values.as_primitive::<Decimal128Type>().iter().flatten().for_each(f),
        other => return exec_err!("avg got {other}"),
    }
    Ok(())
}

fn overflow<T>() -> Result<T> {
    exec_err!("avg overflows: the sum has more than 38 digits")
}

#[derive(Debug)]
struct RunningMean {
    mean: Mean,
    scale: i8,
}

impl RunningMean {
    fn apply(&mut self, values: &ArrayRef, add: bool) -> Result<()> {
        let mut mean = self.mean;
        let mut overflowed = false;
        for_each_value(values, |value| {
            let (sum, over) = if add { mean.sum.overflowing_add(value) } else { mean.sum.overflowing_sub(value) };
            mean.sum = sum;
            mean.count = if add { mean.count + 1 } else { mean.count - 1 };
            overflowed |= over;
        })?;
        self.mean = mean;
        if overflowed { overflow() } else { Ok(()) }
    }
}

impl Accumulator for RunningMean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.apply(&values[0], true)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.apply(&values[0], false)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Float64(self.mean.value(self.scale)))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sum = ScalarValue::Decimal128(Some(self.mean.sum), SUM_PRECISION, self.scale);
        Ok(vec![ScalarValue::UInt64(Some(self.mean.count)), sum])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let counts = states[0].as_primitive::<UInt64Type>();
        let sums = states[1].as_primitive::<Decimal128Type>();
        for (count, sum) in counts.iter().zip(sums.iter()) {
            self.mean.count += count.unwrap_or(0);
            match self.mean.sum.checked_add(sum.unwrap_or(0)) {
                Some(sum) => self.mean.sum = sum,
                None => return overflow(),
            }
        }
        Ok(())
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}

#[derive(Debug)]
struct GroupMeans {
    scale: i8,
    sums: Vec<i128>,
    counts: Vec<u64>,
    overflowed: bool,
}

impl GroupMeans {
    fn update<T>(&mut self, values: &PrimitiveArray<T>, groups: &[usize], filter: Option<&BooleanArray>)
    where
        T: ArrowPrimitiveType,
        T::Native: Into<i128>,
    {
        let mut overflowed = false;
        let mut add = |group: usize, value: T::Native| {
            let (sum, over) = self.sums[group].overflowing_add(value.into());
            self.sums[group] = sum;
            self.counts[group] += 1;
            overflowed |= over;
        };
        if filter.is_none() && values.null_count() == 0 {
            for (group, value) in groups.iter().zip(values.values()) {
                add(*group, *value);
            }
        } else {
            for (row, group) in groups.iter().enumerate() {
                if values.is_valid(row) && filter.is_none_or(|f| f.is_valid(row) && f.value(row)) {
                    add(*group, values.value(row));
                }
            }
        }
        self.overflowed |= overflowed;
    }

    fn grow(&mut self, groups: usize) {
        self.sums.resize(groups, 0);
        self.counts.resize(groups, 0);
    }

    fn check(&self) -> Result<()> {
        if self.overflowed { overflow() } else { Ok(()) }
    }
}

impl GroupsAccumulator for GroupMeans {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.grow(total_num_groups);
        match values[0].data_type() {
            DataType::Int64 => self.update(values[0].as_primitive::<Int64Type>(), group_indices, opt_filter),
            DataType::Decimal128(..) => self.update(values[0].as_primitive::<Decimal128Type>(), group_indices, opt_filter),
            other => return exec_err!("avg got {other}"),
        }
        self.check()
    }

    fn merge_batch(&mut self, values: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.grow(total_num_groups);
        let counts = values[0].as_primitive::<UInt64Type>();
        let sums = values[1].as_primitive::<Decimal128Type>();
        for (row, group) in group_indices.iter().enumerate() {
            if counts.is_valid(row) && sums.is_valid(row) {
                let (sum, over) = self.sums[*group].overflowing_add(sums.value(row));
                self.sums[*group] = sum;
                self.counts[*group] += counts.value(row);
                self.overflowed |= over;
            }
        }
        self.check()
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let sums = emit_to.take_needed(&mut self.sums);
        let counts = emit_to.take_needed(&mut self.counts);
        let means = sums.into_iter().zip(counts).map(|(sum, count)| Mean { sum, count }.value(self.scale));
        Ok(Arc::new(means.collect::<Float64Array>()))
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let sums = sum_array(emit_to.take_needed(&mut self.sums), self.scale)?;
        let counts = UInt64Array::from(emit_to.take_needed(&mut self.counts));
        Ok(vec![Arc::new(counts), Arc::new(sums)])
    }

    fn convert_to_state(&self, values: &[ArrayRef], opt_filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let kept = |row: usize| values[0].is_valid(row) && opt_filter.is_none_or(|f| f.is_valid(row) && f.value(row));
        let counts: UInt64Array = (0..values[0].len()).map(|row| Some(u64::from(kept(row)))).collect();
        let value = |row: usize| match values[0].data_type() {
            DataType::Int64 => i128::from(values[0].as_primitive::<Int64Type>().value(row)),
            _ => values[0].as_primitive::<Decimal128Type>().value(row),
        };
        let sums = (0..values[0].len()).map(|row| if kept(row) { value(row) } else { 0 }).collect();
        Ok(vec![Arc::new(counts), Arc::new(sum_array(sums, self.scale)?)])
    }

    fn size(&self) -> usize {
        self.sums.capacity() * size_of::<i128>() + self.counts.capacity() * size_of::<u64>()
    }
}
