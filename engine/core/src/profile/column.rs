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

/// Rows that are looked at together; batches may have more.
const STEP_ROWS: usize = 8192;

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
    floats: Vec<f64>,
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
            floats: Vec::new(),
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

    /// Count all values by their hashes; `unseen` is called for those that may not have been seen before.
    #[inline]
    fn count_values(
        &mut self,
        column: &TextColumn,
        rows: Range<usize>,
        hash: impl Fn(usize) -> u64,
        mut unseen: impl FnMut(usize),
        shown: impl Fn(usize) -> Value,
    ) {
        let mut values = 0;
        let all = rows.len();
        for row in rows {
            if column.is_null(row) {
                continue;
            }
            values += 1;
            let hash = hash(row);
            if self.frequent.hit(hash) {
                continue;
            }
            self.distinct.add(hash);
            self.frequent.enter(hash, row);
            unseen(row);
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
                self.update_numbers(column, scalar, rows, |row| values[row]);
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
        self.floats.clear();
        let present = rows.filter(|row| !column.is_null(*row));
        let floats = present.map(|row| value(row).float());
        self.floats.extend(floats.filter(|float| float.is_finite()));
        self.sample.add(&self.floats);
        self.numeric = !scalar.is_temporal();
        if self.numeric {
            self.moments.add(&self.floats);
        } else if self.temporal.is_none() {
            self.temporal = Some(scalar.of_ticks(0));
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
        self.update_hashed(column, rows, hash, |row| texts.value(row).as_bytes());
    }

    fn update_texts<'a>(
        &mut self,
        column: &TextColumn,
        rows: Range<usize>,
        text: impl Fn(usize) -> &'a [u8],
    ) {
        self.update_hashed(column, rows, |row| hash_text(text(row)), &text);
    }

    fn update_hashed<'a>(
        &mut self,
        column: &TextColumn,
        rows: Range<usize>,
        hash: impl Fn(usize) -> u64,
        text: impl Fn(usize) -> &'a [u8],
    ) {
        let (mut least, mut greatest): (Option<&[u8]>, Option<&[u8]>) = (None, None);
        let unseen = |row| {
            let bytes = text(row);
            if least.is_none_or(|least| bytes < least) {
                least = Some(bytes);
            }
            if greatest.is_none_or(|greatest| bytes > greatest) {
                greatest = Some(bytes);
            }
        };
        self.count_values(column, rows, hash, unseen, |row| shown(text(row)));
        if let Some(bytes) = least {
            self.extremes
                .may_be_least(Key::Text(bytes.into()), || shown(bytes));
        }
        if let Some(bytes) = greatest {
            self.extremes
                .may_be_greatest(Key::Text(bytes.into()), || shown(bytes));
        }
    }

    pub(super) fn finish(mut self, column: Column) -> ColumnProfile {
        self.sample.sort(self.divisor);
        let (min, max) = self.extremes.shown();
        let quantiles = quantiles(&self.sample, self.temporal.as_ref());
        ColumnProfile {
            column,
            count: self.count,
            null_count: self.null_count,
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

fn shown(bytes: &[u8]) -> Value {
    shortened_to(&String::from_utf8_lossy(bytes), SHOWN_BYTES).into()
}
