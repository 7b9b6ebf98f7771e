//! Statistics of one column, batch by batch.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef};
use serde_json::{Map, Value};

use super::ColumnProfile;
use super::frequent::Frequent;
use super::sample::Sample;
use super::sketch::{Sketch, hash_number, hash_text};
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
    least: Option<Extreme>,
    greatest: Option<Extreme>,
    moments: Moments,
    sample: Sample,
    temporal: Option<Scalar>,
    numeric: bool,
}

/// The least or greatest value.
struct Extreme {
    key: Key,
    shown: Value,
}

/// What values are compared by.
#[derive(Clone, PartialEq, PartialOrd)]
enum Key {
    Whole(i128),
    Float(f64),
    Text(Box<[u8]>),
}

/// One value that is not text.
struct Number {
    key: Key,
    hash: u64,
    float: f64,
}

impl Statistics {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            count: 0,
            null_count: 0,
            distinct: Sketch::new(),
            frequent: Frequent::new(limits.frequent),
            least: None,
            greatest: None,
            moments: Moments::default(),
            sample: Sample::new(limits.sample),
            temporal: None,
            numeric: false,
        }
    }

    pub(super) fn update(&mut self, array: &ArrayRef) -> Result<()> {
        let column = TextColumn::of(array)?;
        self.count += array.len() as u64;
        match &column.cells {
            Cells::Scalar(scalar) => self.update_scalars(&column, scalar, array.len()),
            Cells::View(strings) => {
                self.update_texts(&column, array.len(), |row| strings.value(row).as_bytes())
            }
            Cells::Utf8(strings) => {
                self.update_texts(&column, array.len(), |row| strings.value(row).as_bytes())
            }
            Cells::LargeUtf8(strings) => {
                self.update_texts(&column, array.len(), |row| strings.value(row).as_bytes())
            }
            Cells::Null | Cells::List(..) | Cells::Struct(_) | Cells::Map(..) => {
                for row in 0..array.len() {
                    if column.is_null(row) {
                        self.null_count += 1;
                    } else {
                        let hash = hash_text(table_text(&column, row).as_bytes());
                        self.distinct.add(hash);
                        self.frequent.add(hash, || json(&column, row));
                    }
                }
            }
        }
        Ok(())
    }

    fn update_scalars(&mut self, column: &TextColumn, scalar: &Scalar, rows: usize) {
        let counts_apart = matches!(scalar, Scalar::Bool(_));
        self.numeric = !scalar.is_temporal() && !counts_apart;
        if scalar.is_temporal() && self.temporal.is_none() {
            self.temporal = Some(scalar.of_ticks(0));
        }
        let mut batch = Moments::default();
        for row in 0..rows {
            if column.is_null(row) {
                self.null_count += 1;
                continue;
            }
            let number = number(scalar, row);
            self.distinct.add(number.hash);
            self.frequent.add(number.hash, || scalar_json(scalar, row));
            if number.float.is_nan() {
                continue;
            }
            if number.float.is_finite() && !counts_apart {
                batch.add(number.float);
                self.sample.add(number.float);
            }
            self.compare(&number.key, || scalar_json(scalar, row));
        }
        if self.numeric {
            self.moments.merge(&batch);
        }
    }

    fn update_texts<'a>(
        &mut self,
        column: &TextColumn,
        rows: usize,
        text: impl Fn(usize) -> &'a [u8],
    ) {
        let (mut least, mut greatest): (Option<&[u8]>, Option<&[u8]>) = (None, None);
        for row in 0..rows {
            if column.is_null(row) {
                self.null_count += 1;
                continue;
            }
            let bytes = text(row);
            let hash = hash_text(bytes);
            self.distinct.add(hash);
            self.frequent.add(hash, || shown(bytes));
            if least.is_none_or(|least| bytes < least) {
                least = Some(bytes);
            }
            if greatest.is_none_or(|greatest| bytes > greatest) {
                greatest = Some(bytes);
            }
        }
        for bytes in [least, greatest].into_iter().flatten() {
            self.compare(&Key::Text(bytes.into()), || shown(bytes));
        }
    }

    #[inline]
    fn compare(&mut self, key: &Key, shown: impl Fn() -> Value) {
        let replaces = |extreme: &Option<Extreme>, wanted| {
            extreme
                .as_ref()
                .is_none_or(|extreme| key.partial_cmp(&extreme.key) == Some(wanted))
        };
        if replaces(&self.least, Ordering::Less) {
            self.least = Some(Extreme {
                key: key.clone(),
                shown: shown(),
            });
        }
        if replaces(&self.greatest, Ordering::Greater) {
            self.greatest = Some(Extreme {
                key: key.clone(),
                shown: shown(),
            });
        }
    }

    pub(super) fn finish(mut self, column: Column) -> ColumnProfile {
        self.sample.sort();
        let shown = |extreme: Option<Extreme>| extreme.map_or(Value::Null, |extreme| extreme.shown);
        ColumnProfile {
            column,
            count: self.count,
            null_count: self.null_count,
            approx_distinct: self
                .frequent
                .exact_distinct()
                .unwrap_or_else(|| self.distinct.estimate()),
            quantiles: self.quantiles(),
            histogram: if self.numeric {
                self.sample.histogram()
            } else {
                None
            },
            mean: self.moments.mean(),
            stddev: self.moments.stddev(),
            min: shown(self.least),
            max: shown(self.greatest),
            top_values: self.frequent.top(),
        }
    }

    fn quantiles(&self) -> Option<Map<String, Value>> {
        let mut quantiles = Map::new();
        for (name, share) in QUANTILES {
            let found = self.sample.quantile(share)?;
            let value = match &self.temporal {
                Some(clock) => scalar_json(&clock.of_ticks(found as i64), 0),
                None => found.into(),
            };
            quantiles.insert(name.to_owned(), value);
        }
        Some(quantiles)
    }
}

fn shown(bytes: &[u8]) -> Value {
    shortened_to(&String::from_utf8_lossy(bytes), SHOWN_BYTES).into()
}

#[inline]
fn number(scalar: &Scalar, row: usize) -> Number {
    let whole = |value: i128| Number {
        key: Key::Whole(value),
        hash: hash_number(value),
        float: value as f64,
    };
    let float = |value: f64| {
        // Both zeros are one value, and so are all NaNs.
        let value = if value.is_nan() {
            f64::NAN
        } else {
            value + 0.0
        };
        Number {
            key: Key::Float(value),
            hash: hash_number(value.to_bits().into()),
            float: value,
        }
    };
    match scalar {
        Scalar::I8(v) => whole(v[row].into()),
        Scalar::I16(v) => whole(v[row].into()),
        Scalar::I32(v) => whole(v[row].into()),
        Scalar::I64(v) => whole(v[row].into()),
        Scalar::U8(v) => whole(v[row].into()),
        Scalar::U16(v) => whole(v[row].into()),
        Scalar::U32(v) => whole(v[row].into()),
        Scalar::U64(v) => whole(v[row].into()),
        Scalar::F32(v) => float(v[row].into()),
        Scalar::F64(v) => float(v[row]),
        Scalar::Bool(v) => whole(v.value(row).into()),
        Scalar::Decimal { values, scale } => {
            let mut number = whole(values[row]);
            number.float /= 10_f64.powi(*scale as i32);
            number
        }
        Scalar::Date(v) => whole(v[row].into()),
        Scalar::Timestamp { values, .. } => whole(values[row].into()),
    }
}

/// Mean and spread of numbers, added up batch by batch so that large counts lose nothing.
#[derive(Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    #[inline]
    fn add(&mut self, number: f64) {
        self.count += 1.0;
        let before = number - self.mean;
        self.mean += before / self.count;
        self.squares += before * (number - self.mean);
    }

    fn merge(&mut self, other: &Self) {
        if other.count == 0.0 {
            return;
        }
        let count = self.count + other.count;
        let apart = other.mean - self.mean;
        self.mean += apart * other.count / count;
        self.squares += other.squares + apart * apart * self.count * other.count / count;
        self.count = count;
    }

    fn mean(&self) -> Option<f64> {
        (self.count > 0.0)
            .then_some(self.mean)
            .filter(|mean| mean.is_finite())
    }

    fn stddev(&self) -> Option<f64> {
        let variance = (self.count > 1.0).then(|| self.squares / (self.count - 1.0))?;
        Some(variance.sqrt()).filter(|stddev| stddev.is_finite())
    }
}
