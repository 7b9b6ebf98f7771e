//! Statistics of one column, batch by batch. A value that was seen lately only adds to a count: it can be neither new,
//! nor less or greater than all before.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, StringViewArray};
use serde_json::{Map, Value};

use super::ColumnProfile;
use super::frequent::Frequent;
use super::moments::Moments;
use super::sample::Sample;
use super::sketch::{SHORT_BYTES, Sketch, hash_short, hash_text};
use super::value::{Extremes, Key, Number};
use crate::error::Result;
use crate::job::Column;
use crate::preview::cell::{json, scalar_json, shortened_to};
use crate::sink::{Cells, Scalar, TextColumn, table_text};

const QUANTILES: [(&str, f64); 5] = [
    ("0.05", 0.05),
    ("0.25", 0.25),
    ("0.5", 0.5),
    ("0.75", 0.75),
    ("0.95", 0.95),
];

/// Longer frequent values, and longer least and greatest texts, are shown cut.
const SHOWN_BYTES: usize = 256;

/// What an entry of the table of frequent values takes, about.
const ENTRY_BYTES: usize = 128;

/// What a column takes beside its entries and its sample: sketch, bits of values seen once, text.
const FIXED_BYTES: usize = 32 << 10;

/// Rows that are looked at together; batches may have more.
const STEP_ROWS: usize = 8192;

/// Numbers that are made floats together.
const FLOATS: usize = 1024;

/// What one column may hold on to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    frequent: usize,
    sample: usize,
}

impl Limits {
    pub(super) fn within(memory_bytes: usize, columns: usize) -> Self {
        let share = memory_bytes / columns.max(1) / 2;
        Self {
            frequent: (share / ENTRY_BYTES).clamp(256, 16 << 10),
            sample: (share / size_of::<f64>()).clamp(1 << 10, 64 << 10),
        }
    }

    /// At most, of one column.
    pub(super) fn bytes(self) -> usize {
        self.frequent * ENTRY_BYTES + self.sample * size_of::<f64>() + FIXED_BYTES
    }
}

/// What is known of a column so far.
pub(super) struct Statistics {
    count: u64,
    null_count: u64,
    distinct: Sketch,
    frequent: Frequent,
    extremes: Extremes,
    moments: Moments,
    sample: Sample,
    temporal: Option<Scalar>,
    numeric: bool,
    /// Of decimals, whose digits are counted as whole numbers.
    divisor: f64,
}

impl Statistics {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            count: 0,
            null_count: 0,
            distinct: Sketch::new(),
            frequent: Frequent::new(limits.frequent),
            extremes: Extremes::default(),
            moments: Moments::default(),
            sample: Sample::new(limits.sample),
            temporal: None,
            numeric: false,
            divisor: 1.0,
        }
    }

    pub(super) fn update(&mut self, array: &ArrayRef) -> Result<()> {
        let column = TextColumn::of(array)?;
        self.count += array.len() as u64;
        for start in (0..array.len()).step_by(STEP_ROWS) {
            let rows = start..array.len().min(start + STEP_ROWS);
            match &column.cells {
                Cells::Scalar(scalar) => self.update_scalars(&column, scalar, rows),
                Cells::View(texts) => self.update_views(&column, texts, rows),
                Cells::Utf8(texts) => {
                    self.update_texts(&column, rows, |row| texts.value(row).as_bytes())
                }
                Cells::LargeUtf8(texts) => {
                    self.update_texts(&column, rows, |row| texts.value(row).as_bytes())
                }
                Cells::Null | Cells::List(..) | Cells::Struct(_) | Cells::Map(..) => {
                    let hash = |row| hash_text(table_text(&column, row).as_bytes());
                    self.count_values(&column, rows, hash, |_| {}, |row| json(&column, row));
                }
            }
        }
        Ok(())
    }

    /// Add what is known of other rows of the column. Counts, extremes, distinct values, and while they are exact frequent
    /// values and the sample, come to the same as if all rows had been looked at here; mean and deviation but for
    /// rounding.
    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.null_count += other.null_count;
        self.distinct.merge(&other.distinct);
        self.frequent.merge(other.frequent);
        self.extremes.merge(other.extremes);
        self.moments.merge(&other.moments);
        self.sample.merge(other.sample);
        self.temporal = self.temporal.take().or(other.temporal);
        self.numeric |= other.numeric;
        self.divisor = self.divisor.max(other.divisor);
    }

    /// Count all values by their hashes; `unseen` is called for those that may not have been seen before.
    #[inline(always)]
    fn count_values(
        &mut self,
        column: &TextColumn,
        rows: Range<usize>,
        hash: impl Fn(usize) -> u64,
        mut unseen: impl FnMut(usize),
        shown: impl Fn(usize) -> Value,
    ) {
        let all = rows.len();
        let mut values = 0;
        let (frequent, distinct) = (&mut self.frequent, &mut self.distinct);
        let has_nulls = column.has_nulls();
        for row in rows {
            if has_nulls && column.is_null(row) {
                continue;
            }
            values += 1;
            let hash = hash(row);
            if !frequent.hit(hash) {
                distinct.add(hash);
                frequent.enter(hash, row);
                unseen(row);
            }
        }
        self.frequent.settle(values, shown);
        self.null_count += (all - values) as u64;
    }

    fn update_scalars(&mut self, column: &TextColumn, scalar: &Scalar, rows: Range<usize>) {
        match scalar {
            Scalar::I8(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::I16(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::I32(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::I64(v) => self.update_numbers(column, scalar, rows, |row| v[row]),
            Scalar::U8(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::U16(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::U32(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::U64(v) => self.update_numbers(column, scalar, rows, |row| i128::from(v[row])),
            Scalar::F32(v) => self.update_numbers(column, scalar, rows, |row| f64::from(v[row])),
            Scalar::F64(v) => self.update_numbers(column, scalar, rows, |row| v[row]),
            Scalar::Bool(v) => {
                self.update_numbers(column, scalar, rows, |row| i64::from(v.value(row)))
            }
            Scalar::Decimal { values, scale } => {
                self.divisor = 10_f64.powi(*scale as i32);
                // Nearly all fit 64 bits, which the processor knows how to convert.
                let is_short = |value: &i128| *value == i128::from(*value as i64);
                if values[rows.clone()].iter().all(is_short) {
                    self.update_numbers(column, scalar, rows, |row| values[row] as i64);
                } else {
                    self.update_numbers(column, scalar, rows, |row| values[row]);
                }
            }
            Scalar::Date(v) => self.update_numbers(column, scalar, rows, |row| i64::from(v[row])),
            Scalar::Timestamp { values, .. } => {
                self.update_numbers(column, scalar, rows, |row| values[row])
            }
        }
    }

    fn update_numbers<N: Number>(
        &mut self,
        column: &TextColumn,
        scalar: &Scalar,
        rows: Range<usize>,
        value: impl Fn(usize) -> N,
    ) {
        let shown = |row| scalar_json(scalar, row);
        let mut least: Option<(N, usize)> = None;
        let mut greatest: Option<(N, usize)> = None;
        let unseen = |row| {
            let number = value(row);
            if number.partial_cmp(&number).is_none() {
                return;
            }
            if least.is_none_or(|(least, _)| number < least) {
                least = Some((number, row));
            }
            if greatest.is_none_or(|(greatest, _)| number > greatest) {
                greatest = Some((number, row));
            }
        };
        self.count_values(column, rows.clone(), |row| value(row).hash(), unseen, shown);
        if let Some((number, row)) = least {
            self.extremes.may_be_least(number.key(), || shown(row));
        }
        if let Some((number, row)) = greatest {
            self.extremes.may_be_greatest(number.key(), || shown(row));
        }
        if matches!(scalar, Scalar::Bool(_)) {
            return;
        }
        let is_temporal = scalar.is_temporal();
        self.numeric |= !is_temporal;
        if is_temporal && self.temporal.is_none() {
            self.temporal = Some(scalar.of_ticks(0));
        }
        let mut floats = [0.0; FLOATS];
        for start in rows.clone().step_by(FLOATS) {
            let mut count = 0;
            for row in start..rows.end.min(start + FLOATS) {
                let float = value(row).float();
                floats[count] = float;
                count += usize::from(float.is_finite() && !column.is_null(row));
            }
            self.sample.add(&floats[..count]);
            if !is_temporal {
                self.moments.add(&floats[..count]);
            }
        }
    }

    /// Short texts lie in their views, and hash as they lie.
    fn update_views(&mut self, column: &TextColumn, texts: &StringViewArray, rows: Range<usize>) {
        let views = texts.views();
        let hash = |row: usize| {
            let view = views[row];
            match view as u32 as usize {
                0..=SHORT_BYTES => hash_short(view),
                _ => hash_text(texts.value(row).as_bytes()),
            }
        };
        let first = |row: usize| ((views[row] >> 32) as u32).swap_bytes();
        self.update_hashed(column, rows, hash, first, |row| texts.value(row).as_bytes());
    }

    fn update_texts<'a>(
        &mut self,
        column: &TextColumn,
        rows: Range<usize>,
        text: impl Fn(usize) -> &'a [u8],
    ) {
        let first = |row| first_bytes(text(row));
        self.update_hashed(column, rows, |row| hash_text(text(row)), first, &text);
    }

    /// `first` tells most texts apart: see [`first_bytes`].
    #[inline(always)]
    fn update_hashed<'a>(
        &mut self,
        column: &TextColumn,
        rows: Range<usize>,
        hash: impl Fn(usize) -> u64,
        first: impl Fn(usize) -> u32,
        text: impl Fn(usize) -> &'a [u8],
    ) {
        let mut least: Option<(u32, &[u8])> = None;
        let mut greatest: Option<(u32, &[u8])> = None;
        let unseen = |row| {
            let first = first(row);
            if least.is_none_or(|(lo, _)| first <= lo) {
                let here = (first, text(row));
                least = Some(least.map_or(here, |least| least.min(here)));
            }
            if greatest.is_none_or(|(hi, _)| first >= hi) {
                let here = (first, text(row));
                greatest = Some(greatest.map_or(here, |greatest| greatest.max(here)));
            }
        };
        self.count_values(column, rows, hash, unseen, |row| shown(text(row)));
        if let Some((_, bytes)) = least {
            self.extremes
                .may_be_least(Key::Text(bytes.into()), || shown(bytes));
        }
        if let Some((_, bytes)) = greatest {
            self.extremes
                .may_be_greatest(Key::Text(bytes.into()), || shown(bytes));
        }
    }

    pub(super) fn finish(mut self, column: Column, rejected: u64) -> ColumnProfile {
        self.sample.sort(self.divisor);
        let (min, max) = self.extremes.shown();
        let quantiles = quantiles(&self.sample, self.temporal.as_ref());
        ColumnProfile {
            column,
            count: self.count,
            null_count: self.null_count,
            rejected,
            approx_distinct: self
                .frequent
                .exact_distinct()
                .unwrap_or_else(|| self.distinct.estimate()),
            quantiles,
            histogram: if self.numeric {
                self.sample.histogram()
            } else {
                None
            },
            mean: self.moments.mean().map(|mean| mean / self.divisor),
            stddev: self.moments.stddev().map(|spread| spread / self.divisor),
            min,
            max,
            top_values: self.frequent.top(),
        }
    }
}

fn quantiles(sample: &Sample, temporal: Option<&Scalar>) -> Option<Map<String, Value>> {
    let mut quantiles = Map::new();
    for (name, share) in QUANTILES {
        let found = sample.quantile(share)?;
        let value = match temporal {
            Some(clock) => scalar_json(&clock.of_ticks(found as i64), 0),
            None => found.into(),
        };
        quantiles.insert(name.to_owned(), value);
    }
    Some(quantiles)
}

/// The first four bytes, zeros where there are fewer, as a number that is in the order of the texts.
fn first_bytes(text: &[u8]) -> u32 {
    let mut first = [0; 4];
    let length = text.len().min(4);
    first[..length].copy_from_slice(&text[..length]);
    u32::from_be_bytes(first)
}

fn shown(bytes: &[u8]) -> Value {
    shortened_to(&String::from_utf8_lossy(bytes), SHOWN_BYTES).into()
}
