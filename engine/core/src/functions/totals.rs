//! The accumulators of `sum` and `avg` over exact totals: one for many groups, and one for a single group or a window.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, Decimal128Array, Float64Array,
    Float64Builder, Int64Array, ListBuilder, PrimitiveArray, UInt64Array,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, FieldRef, Float64Type, Int64Type, UInt64Type,
};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, EmitTo, GroupsAccumulator};

use super::exact::{Float, Total, Whole};
use super::few_groups;

/// The most digits that a sum of decimals can have.
const SUM_PRECISION: u8 = 38;

/// What becomes of a total.
#[derive(Debug, Clone, Copy)]
pub(super) enum Finish {
    /// It is the result.
    Sum,
    /// It is divided by the number of values.
    Mean,
}

/// A total and how many values are in it.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell<T> {
    pub(super) total: T,
    pub(super) count: u64,
}

/// A kind of total that has arrays: of its values, of its state between stages, and of its results.
pub(super) trait ArrayTotal: Total {
    /// Call `f` with each row that has a value.
    fn for_each(values: &ArrayRef, f: impl FnMut(usize, Self::Value)) -> Result<()>;

    /// Add each value to the cell of its group.
    fn add_all(cells: &mut [Cell<Self>], values: &ArrayRef, groups: &[usize]) -> Result<()> {
        Self::for_each(values, |row, value| {
            let cell = &mut cells[groups[row]];
            cell.total.add(value);
            cell.count += 1;
        })
    }

    /// The totals as one array, for a later stage.
    fn to_state(cells: &[Cell<Self>], scale: i8) -> Result<ArrayRef>;

    /// Add the total in each row of a state to a cell.
    fn merge_state(state: &ArrayRef, add: impl FnMut(usize, Self::Value)) -> Result<()>;

    /// The results.
    fn finish(cells: &[Cell<Self>], finish: Finish, scale: i8) -> Result<ArrayRef>;
}

/// The fields of the state of a total of `data_type`.
pub(super) fn state_fields(name: &str, data_type: &DataType) -> Vec<FieldRef> {
    let total = match data_type {
        DataType::Decimal128(_, scale) => DataType::Decimal128(SUM_PRECISION, *scale),
        DataType::Float64 => {
            DataType::List(Arc::new(Field::new_list_field(DataType::Float64, true)))
        }
        _ => DataType::Decimal128(SUM_PRECISION, 0),
    };
    let field = |part: &str, data_type| {
        Arc::new(Field::new(format_state_name(name, part), data_type, true))
    };
    vec![field("count", DataType::UInt64), field("total", total)]
}

/// A decimal array of unscaled values.
pub(super) fn decimals(values: Vec<i128>, scale: i8) -> Result<Decimal128Array> {
    Ok(Decimal128Array::from(values).with_precision_and_scale(SUM_PRECISION, scale)?)
}

#[inline]
fn each<T: ArrowPrimitiveType>(values: &PrimitiveArray<T>, mut f: impl FnMut(usize, T::Native)) {
    if values.null_count() == 0 {
        values
            .values()
            .iter()
            .enumerate()
            .for_each(|(row, value)| f(row, *value));
    } else {
        values.iter().enumerate().for_each(|(row, value)| {
            if let Some(value) = value {
                f(row, value);
            }
        });
    }
}

impl ArrayTotal for Whole {
    #[inline]
    fn for_each(values: &ArrayRef, mut f: impl FnMut(usize, i128)) -> Result<()> {
        match values.data_type() {
            DataType::Int64 => each(values.as_primitive::<Int64Type>(), |row, value| {
                f(row, i128::from(value))
            }),
            DataType::Decimal128(..) => each(values.as_primitive::<Decimal128Type>(), f),
            other => return exec_err!("{other} can't be added up exactly"),
        }
        Ok(())
    }

    fn to_state(cells: &[Cell<Self>], scale: i8) -> Result<ArrayRef> {
        check(cells)?;
        Ok(Arc::new(decimals(
            cells.iter().map(|cell| cell.total.sum).collect(),
            scale,
        )?))
    }

    fn merge_state(state: &ArrayRef, add: impl FnMut(usize, i128)) -> Result<()> {
        Self::for_each(state, add)
    }

    fn finish(cells: &[Cell<Self>], finish: Finish, scale: i8) -> Result<ArrayRef> {
        check(cells)?;
        match finish {
            Finish::Sum => {
                let sums: Result<Int64Array> = cells.iter().map(whole_sum).collect();
                Ok(Arc::new(sums?))
            }
            Finish::Mean => {
                let means = cells
                    .iter()
                    .map(|cell| mean(cell.total.sum, cell.count, scale));
                Ok(Arc::new(means.collect::<Float64Array>()))
            }
        }
    }
}

fn check(cells: &[Cell<Whole>]) -> Result<()> {
    if cells.iter().any(|cell| cell.total.overflowed) {
        return exec_err!("a sum has more than {SUM_PRECISION} digits");
    }
    Ok(())
}

fn whole_sum(cell: &Cell<Whole>) -> Result<Option<i64>> {
    match i64::try_from(cell.total.sum) {
        Ok(sum) => Ok((cell.count > 0).then_some(sum)),
        Err(_) => exec_err!(
            "the sum {} is no Int64; CAST the column to DECIMAL(38, 0)",
            cell.total.sum
        ),
    }
}

/// None without values. Both operands are rounded once at most, and the quotient once.
pub(super) fn mean(sum: i128, count: u64, scale: i8) -> Option<f64> {
    (count > 0).then(|| sum as f64 / (count as f64 * 10f64.powi(i32::from(scale))))
}

impl ArrayTotal for Float {
    #[inline]
    fn for_each(values: &ArrayRef, f: impl FnMut(usize, f64)) -> Result<()> {
        each(values.as_primitive::<Float64Type>(), f);
        Ok(())
    }

    fn add_all(cells: &mut [Cell<Self>], values: &ArrayRef, groups: &[usize]) -> Result<()> {
        let floats = values.as_primitive::<Float64Type>();
        if floats.null_count() == 0
            && let Some(sums) = few_groups::add(floats.values(), groups, cells.len())
        {
            for (cell, (parts, count)) in cells.iter_mut().zip(sums) {
                parts.into_iter().for_each(|part| cell.total.add(part));
                cell.count += count;
            }
            return Ok(());
        }
        each(floats, |row, value| {
            let cell = &mut cells[groups[row]];
            cell.total.add(value);
            cell.count += 1;
        });
        Ok(())
    }

    fn to_state(cells: &[Cell<Self>], _scale: i8) -> Result<ArrayRef> {
        let mut lists = ListBuilder::with_capacity(Float64Builder::new(), cells.len());
        for cell in cells {
            cell.total
                .parts()
                .for_each(|part| lists.values().append_value(part));
            lists.append(true);
        }
        Ok(Arc::new(lists.finish()))
    }

    fn merge_state(state: &ArrayRef, mut add: impl FnMut(usize, f64)) -> Result<()> {
        for (row, parts) in state.as_list::<i32>().iter().enumerate() {
            if let Some(parts) = parts {
                each(parts.as_primitive::<Float64Type>(), |_, part| {
                    add(row, part)
                });
            }
        }
        Ok(())
    }

    fn finish(cells: &[Cell<Self>], finish: Finish, _scale: i8) -> Result<ArrayRef> {
        let result = |cell: &Cell<Self>| {
            (cell.count > 0).then(|| match finish {
                Finish::Sum => cell.total.value(),
                Finish::Mean => cell.total.value() / cell.count as f64,
            })
        };
        Ok(Arc::new(cells.iter().map(result).collect::<Float64Array>()))
    }
}

/// Totals of many groups.
#[derive(Debug)]
pub(super) struct GroupTotals<T> {
    cells: Vec<Cell<T>>,
    finish: Finish,
    scale: i8,
}

impl<T: ArrayTotal> GroupTotals<T> {
    pub(super) fn new(finish: Finish, scale: i8) -> Self {
        Self {
            cells: Vec::new(),
            finish,
            scale,
        }
    }
}

#[inline]
fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn counts<T>(cells: &[Cell<T>]) -> ArrayRef {
    Arc::new(
        cells
            .iter()
            .map(|cell| Some(cell.count))
            .collect::<UInt64Array>(),
    )
}

impl<T: ArrayTotal> GroupsAccumulator for GroupTotals<T> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.cells.resize_with(total_num_groups, Cell::default);
        let cells = &mut self.cells;
        if opt_filter.is_none() {
            return T::add_all(cells, &values[0], group_indices);
        }
        T::for_each(&values[0], |row, value| {
            if passes(opt_filter, row) {
                let cell = &mut cells[group_indices[row]];
                cell.total.add(value);
                cell.count += 1;
            }
        })
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.cells.resize_with(total_num_groups, Cell::default);
        let cells = &mut self.cells;
        each(values[0].as_primitive::<UInt64Type>(), |row, count| {
            cells[group_indices[row]].count += count
        });
        T::merge_state(&values[1], |row, value| {
            cells[group_indices[row]].total.add(value)
        })
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        T::finish(
            &emit_to.take_needed(&mut self.cells),
            self.finish,
            self.scale,
        )
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let cells = emit_to.take_needed(&mut self.cells);
        Ok(vec![counts(&cells), T::to_state(&cells, self.scale)?])
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut cells: Vec<Cell<T>> = vec![Cell::default(); values[0].len()];
        T::for_each(&values[0], |row, value| {
            if passes(opt_filter, row) {
                cells[row].total.add(value);
                cells[row].count = 1;
            }
        })?;
        Ok(vec![counts(&cells), T::to_state(&cells, self.scale)?])
    }

    fn size(&self) -> usize {
        self.cells.capacity() * size_of::<Cell<T>>()
    }
}

/// The total of one group, or of the rows in a window.
#[derive(Debug)]
pub(super) struct OneTotal<T> {
    cell: Cell<T>,
    finish: Finish,
    scale: i8,
}

impl<T: ArrayTotal> OneTotal<T> {
    pub(super) fn new(finish: Finish, scale: i8) -> Self {
        Self {
            cell: Cell::default(),
            finish,
            scale,
        }
    }
}

impl<T: ArrayTotal> Accumulator for OneTotal<T> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let cell = &mut self.cell;
        T::for_each(&values[0], |_, value| {
            cell.total.add(value);
            cell.count += 1;
        })
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let cell = &mut self.cell;
        T::for_each(&values[0], |_, value| {
            cell.total.remove(value);
            cell.count -= 1;
        })
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let cell = &mut self.cell;
        each(states[0].as_primitive::<UInt64Type>(), |_, count| {
            cell.count += count
        });
        T::merge_state(&states[1], |_, value| cell.total.add(value))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let total = T::to_state(std::slice::from_ref(&self.cell), self.scale)?;
        Ok(vec![
            ScalarValue::UInt64(Some(self.cell.count)),
            ScalarValue::try_from_array(&total, 0)?,
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(
            &T::finish(std::slice::from_ref(&self.cell), self.finish, self.scale)?,
            0,
        )
    }

    fn size(&self) -> usize {
        size_of::<Self>()
    }
}
