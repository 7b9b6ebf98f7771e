//! `avg(DISTINCT x)` of whole numbers and decimals.

use std::collections::HashSet;
use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

use super::exact::{Total, Whole};
use super::totals::{ArrayTotal, decimals, mean};

/// The fields of its state.
pub(super) fn state_fields(name: &str, scale: i8) -> Vec<FieldRef> {
    let value = Field::new_list_field(DataType::Decimal128(38, scale), true);
    let values = DataType::List(Arc::new(value));
    vec![Arc::new(Field::new(
        format_state_name(name, "distinct"),
        values,
        true,
    ))]
}

/// The values seen.
#[derive(Debug)]
pub(super) struct DistinctMean {
    values: HashSet<i128>,
    scale: i8,
}

impl DistinctMean {
    pub(super) fn new(scale: i8) -> Self {
        Self {
            values: HashSet::new(),
            scale,
        }
    }
}

impl Accumulator for DistinctMean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        Whole::for_each(&values[0], |_, value| {
            self.values.insert(value);
        })
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for values in states[0].as_list::<i32>().iter().flatten() {
            self.update_batch(&[values])?;
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let mut values: Vec<i128> = self.values.iter().copied().collect();
        values.sort_unstable();
        let values = decimals(values, self.scale)?;
        Ok(vec![
            SingleRowListArrayBuilder::new(Arc::new(values)).build_list_scalar(),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut total = Whole::default();
        self.values.iter().for_each(|value| total.add(*value));
        if total.overflowed {
            return exec_err!("a sum has more than 38 digits");
        }
        Ok(ScalarValue::Float64(mean(
            total.sum,
            self.values.len() as u64,
            self.scale,
        )))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<i128>()
    }
}
