//! Columns of whole numbers, dates, times and short decimals, as the differences between neighbours
//! (DELTA_BINARY_PACKED): 128 of them share their least one, and 32 a width in bits.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use parquet::basic::Encoding;
use parquet::file::statistics::Statistics;

use super::chunk::{Page, page_buffer};
use super::packed::{self, pack_block, varint, zigzag};

const BLOCK: usize = 128;
const MINIBLOCK: usize = packed::BLOCK;

/// The most digits of a decimal in 32 bits, and in 64.
const NARROW_PRECISION: u8 = 9;
const WIDE_PRECISION: u8 = 18;

/// The values of a page in the making.
pub(super) struct Whole {
    is_narrow: bool,
    values: Vec<i64>,
    bounds: Option<(i64, i64)>,
}

/// Whether a type is stored in 32 bits; None: not as whole numbers with a sign.
pub(super) fn is_narrow(data_type: &DataType) -> Option<bool> {
    use DataType as T;
    match data_type {
        T::Int32 | T::Date32 => Some(true),
        T::Int64 => Some(false),
        T::Timestamp(unit, _) => (*unit != TimeUnit::Second).then_some(false),
        T::Decimal128(precision, _) if *precision <= WIDE_PRECISION => {
            Some(*precision <= NARROW_PRECISION)
        }
        _ => None,
    }
}

impl Whole {
    pub(super) fn new(is_narrow: bool) -> Self {
        Self {
            is_narrow,
            values: Vec::new(),
            bounds: None,
        }
    }

    pub(super) fn append(&mut self, column: &ArrayRef) {
        match column.data_type() {
            DataType::Int32 => self.extend::<Int32Type>(column, i64::from),
            DataType::Date32 => self.extend::<Date32Type>(column, i64::from),
            DataType::Decimal128(..) => self.extend::<Decimal128Type>(column, |v| v as i64),
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                self.extend::<TimestampMillisecondType>(column, |v| v);
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                self.extend::<TimestampMicrosecondType>(column, |v| v);
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                self.extend::<TimestampNanosecondType>(column, |v| v);
            }
            _ => self.extend::<Int64Type>(column, |v| v),
        }
    }

    fn extend<T: ArrowPrimitiveType>(&mut self, column: &ArrayRef, to: impl Fn(T::Native) -> i64) {
        let column = column.as_primitive::<T>();
        if column.null_count() == 0 {
            self.values.extend(column.values().iter().map(|v| to(*v)));
        } else {
            self.values.extend(column.iter().flatten().map(to));
        }
    }

    /// The values since the last page, as a page.
    pub(super) fn page(&mut self) -> Page {
        let mut bytes = page_buffer(self.values.len() * 2);
        let bounds = self.values.first().map(|first| {
            let (mut least, mut greatest) = (*first, *first);
            for value in &self.values {
                least = least.min(*value);
                greatest = greatest.max(*value);
            }
            (least, greatest)
        });
        if let Some((least, greatest)) = bounds {
            let (low, high) = self.bounds.unwrap_or((least, greatest));
            self.bounds = Some((low.min(least), high.max(greatest)));
        }
        if self.is_narrow {
            deltas(&self.values, |delta| i64::from(delta as i32), &mut bytes);
        } else {
            deltas(&self.values, |delta| delta, &mut bytes);
        }
        self.values.clear();
        Page {
            bytes,
            encoding: Encoding::DELTA_BINARY_PACKED,
            bounds: bounds.map(|(least, greatest)| (self.stored(least), self.stored(greatest))),
            text_bytes: None,
        }
    }

    fn stored(&self, value: i64) -> Vec<u8> {
        if self.is_narrow {
            (value as i32).to_le_bytes().to_vec()
        } else {
            value.to_le_bytes().to_vec()
        }
    }

    /// How bounds, as they are stored, are ordered.
    pub(super) fn compare(&self, a: &[u8], b: &[u8]) -> std::cmp::Ordering {
        let value = |bytes: &[u8]| match (bytes.try_into(), bytes.try_into()) {
            (Ok(wide), _) => i64::from_le_bytes(wide),
            (_, Ok(narrow)) => i64::from(i32::from_le_bytes(narrow)),
            _ => 0,
        };
        value(a).cmp(&value(b))
    }

    /// Of all pages.
    pub(super) fn statistics(&self, nulls: u64) -> Statistics {
        let (least, greatest) = self.bounds.unzip();
        if self.is_narrow {
            let narrow = |value: Option<i64>| value.map(|value| value as i32);
            return Statistics::int32(narrow(least), narrow(greatest), None, Some(nulls), false);
        }
        Statistics::int64(least, greatest, None, Some(nulls), false)
    }
}

/// Append `values`. In 32 bits differences wrap around, as `wrapped` does, so that none needs 33.
fn deltas(values: &[i64], wrapped: impl Fn(i64) -> i64, out: &mut Vec<u8>) {
    varint(BLOCK as u64, out);
    varint((BLOCK / MINIBLOCK) as u64, out);
    varint(values.len() as u64, out);
    let first = values.first().copied().unwrap_or(0);
    zigzag(first, out);
    let mut previous = first;
    let mut block = [0_i64; BLOCK];
    for values in values.get(1..).unwrap_or_default().chunks(BLOCK) {
        let mut least = i64::MAX;
        for (delta, value) in block.iter_mut().zip(values) {
            *delta = wrapped(value.wrapping_sub(previous));
            least = least.min(*delta);
            previous = *value;
        }
        // What is missing of the last block is never read, and zeros are the shortest.
        block[values.len()..].fill(least);
        zigzag(least, out);
        let widths_at = out.len();
        out.extend_from_slice(&[0; BLOCK / MINIBLOCK]);
        let (miniblocks, _) = block.as_chunks::<MINIBLOCK>();
        let needed = values.len().div_ceil(MINIBLOCK);
        for (number, miniblock) in miniblocks.iter().take(needed).enumerate() {
            let (mut above, mut all) = ([0; MINIBLOCK], 0);
            for (above, delta) in above.iter_mut().zip(miniblock) {
                *above = delta.wrapping_sub(least) as u64;
                all |= *above;
            }
            let width = u64::BITS - all.leading_zeros();
            out[widths_at + number] = width as u8;
            pack_block(&above, width, out);
        }
    }
}
