//! Which columns of a Parquet file get a dictionary. The writer would try one for every column and give it up when it has
//! grown too large, after a third of the rows perhaps; the first rows tell how it will end.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::hash_utils::{RandomState, create_hashes};
use parquet::file::properties::DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT;

use crate::error::Result;

/// Fewer rows tell nothing.
const MIN_ROWS: usize = 1024;

/// For linear counting: enough for the rows of some batches.
const BITS: usize = 1 << 16;

/// Columns of `batch` whose dictionary would become too large, judging by its rows.
///
/// # Errors
/// Faults of ours.
pub(super) fn too_large(batch: &RecordBatch) -> Result<Vec<usize>> {
    let mut found = Vec::new();
    if batch.num_rows() < MIN_ROWS {
        return Ok(found);
    }
    let mut hashes = vec![0; batch.num_rows()];
    for (index, column) in batch.columns().iter().enumerate() {
        let Some(width) = average_bytes(column) else {
            continue;
        };
        let random = RandomState::with_seed(0);
        create_hashes(std::slice::from_ref(column), &random, &mut hashes)?;
        let values = distinct_in_all(distinct(&hashes), hashes.len() as f64);
        if values * width > DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT as f64 {
            found.push(index);
        }
    }
    Ok(found)
}

/// What a value takes in a dictionary; None for types that are left alone.
fn average_bytes(column: &ArrayRef) -> Option<f64> {
    let rows = column.len() as f64;
    Some(match column.data_type() {
        DataType::Boolean => return None,
        DataType::Decimal128(precision, _) => {
            if *precision <= 18 {
                8.0
            } else {
                16.0
            }
        }
        DataType::Utf8View => {
            4.0 + column
                .as_string_view()
                .lengths()
                .map(f64::from)
                .sum::<f64>()
                / rows
        }
        other => other.primitive_width()? as f64,
    })
}

/// How many of the hashes differ, within some percent.
fn distinct(hashes: &[u64]) -> f64 {
    let mut seen = vec![0_u64; BITS / 64];
    for hash in hashes {
        let bit = (hash >> 32) as usize % BITS;
        seen[bit / 64] |= 1 << (bit % 64);
    }
    let set: u32 = seen.iter().map(|word| word.count_ones()).sum();
    let bits = BITS as f64;
    -bits * (1.0 - f64::from(set) / bits).max(1.0 / bits).ln()
}

/// How many values a column has of which `rows` random rows have `seen`; infinite where nearly all rows differ.
fn distinct_in_all(seen: f64, rows: f64) -> f64 {
    if seen > 0.99 * rows {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (seen, rows * rows);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if middle * (1.0 - (-rows / middle).exp()) < seen {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringViewArray};

    use super::*;

    #[test]
    fn columns_of_many_values_get_no_dictionary() {
        let number = |of: u64| -> ArrayRef {
            let mut state = 1_u64;
            let mut random = || {
                state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                ((state >> 32) % of) as i64
            };
            Arc::new((0..8_192).map(|_| random()).collect::<Int64Array>())
        };
        let text: StringViewArray = (0..8_192).map(|n| Some(format!("text {n}"))).collect();
        let columns = [
            ("few", number(7)),
            ("ten thousand", number(10_000)),
            ("a million", number(1_000_000)),
            ("all", number(1 << 32)),
            ("text", Arc::new(text)),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        assert_eq!(too_large(&batch).unwrap(), [2, 3, 4]);
        assert!(too_large(&batch.slice(0, 100)).unwrap().is_empty());
    }
}
