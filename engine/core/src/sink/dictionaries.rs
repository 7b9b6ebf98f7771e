//! How the columns of a Parquet file are encoded, told by the first rows. The writer would try a dictionary for every
//! column and give it up when it has grown too large, after a third of the rows perhaps. And a dictionary costs more time
//! than all else, because every value is looked up in it: whole numbers and dates get one only where it saves more than
//! their differences do, packed into as few bits as they need, which is found out without looking anything up.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Decimal128Type, Int64Type};
use datafusion::common::hash_utils::{RandomState, create_hashes};
use parquet::basic::Encoding;
use parquet::file::properties::DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT;

use crate::error::Result;

/// Fewer rows tell nothing.
const MIN_ROWS: usize = 1024;

/// For linear counting: enough for the rows of some batches.
const BITS: usize = 1 << 16;

/// Differences that are packed together.
const BLOCK: usize = 256;

/// Bits of each value that a dictionary must save.
const SAVED_BITS: f64 = 2.0;

/// The most digits of a decimal that is stored as a whole number.
const WHOLE_PRECISION: u8 = 18;

/// The columns of `batch` that get no dictionary, and how they are encoded instead, judging by its rows.
///
/// # Errors
/// Faults of ours.
pub(super) fn without(batch: &RecordBatch) -> Result<Vec<(usize, Encoding)>> {
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
        let is_too_large = values * width > DEFAULT_DICTIONARY_PAGE_SIZE_LIMIT as f64;
        let plain_bits = width * 8.0;
        match difference_bits(column) {
            Some(bits) if is_too_large && bits < plain_bits => {
                found.push((index, Encoding::DELTA_BINARY_PACKED));
            }
            Some(bits) if !is_too_large && bits <= values.log2() + SAVED_BITS => {
                found.push((index, Encoding::DELTA_BINARY_PACKED));
            }
            _ if is_too_large => found.push((index, Encoding::PLAIN)),
            _ => {}
        }
    }
    Ok(found)
}

/// What a value takes as a difference from the one before; None for types that have none. A column of one value is left
/// to its dictionary, which takes nothing.
fn difference_bits(column: &ArrayRef) -> Option<f64> {
    use DataType as T;
    let values: Vec<i64> = match column.data_type() {
        T::Decimal128(..=WHOLE_PRECISION, _) => {
            let digits = column.as_primitive::<Decimal128Type>().iter();
            digits.flatten().map(|digits| digits as i64).collect()
        }
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::UInt8 | T::UInt16 | T::UInt32 => {
            whole(column)?
        }
        T::Date32 | T::Timestamp(..) => whole(column)?,
        _ => return None,
    };
    let differences: Vec<i64> = values
        .windows(2)
        .map(|pair| pair[1].wrapping_sub(pair[0]))
        .collect();
    let bits = |block: &[i64]| {
        let least = block.iter().min().copied().unwrap_or(0);
        let greatest = block.iter().max().copied().unwrap_or(0);
        let range = greatest.wrapping_sub(least) as u64;
        f64::from(u64::BITS - range.leading_zeros()) * block.len() as f64
    };
    let all: f64 = differences.chunks(BLOCK).map(bits).sum();
    let differs = differences.iter().any(|difference| *difference != 0);
    differs.then(|| all / differences.len() as f64)
}

fn whole(column: &ArrayRef) -> Option<Vec<i64>> {
    let cast = cast(column, &DataType::Int64).ok()?;
    Some(cast.as_primitive::<Int64Type>().iter().flatten().collect())
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

    fn numbers(of: u64) -> ArrayRef {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            ((state >> 32) % of) as i64
        };
        Arc::new((0..8_192).map(|_| random()).collect::<Int64Array>())
    }

    fn chosen(column: ArrayRef) -> Option<Encoding> {
        let batch = RecordBatch::try_from_iter([("column", column)]).unwrap();
        let found = without(&batch).unwrap();
        found.first().map(|(_, encoding)| *encoding)
    }

    #[test]
    fn a_dictionary_must_save_something() {
        let delta = Some(Encoding::DELTA_BINARY_PACKED);
        let dates = |of| {
            cast(
                &cast(&numbers(of), &DataType::Int32).unwrap(),
                &DataType::Date32,
            )
        };
        let times_1000 = |numbers: ArrayRef| -> ArrayRef {
            let numbers = numbers.as_primitive::<Int64Type>();
            Arc::new(numbers.unary::<_, Int64Type>(|n| n * 1_000))
        };
        for dense in [7, 2_500, 10_000, 1_000_000] {
            assert_eq!(chosen(numbers(dense)), delta, "{dense}");
        }
        assert_eq!(chosen(dates(2_500).unwrap()), delta);
        assert_eq!(chosen(times_1000(numbers(50))), None);
        assert_eq!(chosen(numbers(1)), None);
        let decimals = cast(&times_1000(numbers(50)), &DataType::Decimal128(38, 2)).unwrap();
        assert_eq!(chosen(decimals), None);
        for step in [1, 4] {
            let sorted: Int64Array = (0..8_192).map(|n| n / step).collect();
            assert_eq!(chosen(Arc::new(sorted)), delta);
        }
    }

    #[test]
    fn texts_of_many_values_get_no_dictionary() {
        let text = |of: usize| -> ArrayRef {
            let texts = (0..8_192).map(|n| Some(format!("text {}", n % of)));
            Arc::new(texts.collect::<StringViewArray>())
        };
        assert_eq!(chosen(text(8_192)), Some(Encoding::PLAIN));
        assert_eq!(chosen(text(100)), None);
        let floats = |of| cast(&numbers(of), &DataType::Float64).unwrap();
        assert_eq!(chosen(floats(1 << 32)), Some(Encoding::PLAIN));
        assert_eq!(chosen(floats(50)), None);
        assert_eq!(chosen(text(8_192).slice(0, 100)), None);
    }
}
