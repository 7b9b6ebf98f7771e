//! `avg(DISTINCT x)` of whole numbers and decimals.

use std::collections::HashSet;
use std::mem::{size_of, size_of_val};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;

use super::avg::{Mean, for_each_value, sum_array};

#[derive(Debug)]
pub(super) struct DistinctMean {
    values: HashSet<i128>,
    scale: i8,
}

impl DistinctMean {
    pub(super) fn new(scale: i8) -> Self {
        Self { values: HashSet::new(), scale }
    }
}

impl Accumulator for DistinctMean {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for_each_value(&values[0], |value| {
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
        let values = sum_array(values, self.scale)?;
        Ok(vec![SingleRowListArrayBuilder::new(Arc::new(values)).build_list_scalar()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut sum: i128 = 0;
        for value in &self.values {
            match sum.checked_add(*value) {
                Some(next) => sum = next,
                None => return exec_err!("avg overflows: the sum has more than 38 digits"),
            }
        }
        let mean = Mean { sum, count: self.values.len() as u64 };
        Ok(ScalarValue::Float64(mean.value(self.scale)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.values.capacity() * size_of::<i128>()
    }
}
