//! One cell as a JSON value, for people who look at it in a browser.

use serde_json::{Number, Value};

use crate::sink::{Cells, MAX_SCALAR_BYTES, Scalar, TextColumn, write_json};

/// Longer text is cut, and marked.
pub(crate) const MAX_CELL_BYTES: usize = 4096;

/// Digits that a number in a browser holds without loss.
const EXACT_DIGITS: usize = 15;

/// Numbers that a browser holds without loss are numbers, other numbers are strings with all their digits; dates and
/// timestamps are ISO strings.
pub(crate) fn json(column: &TextColumn, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match &column.cells {
        Cells::Null => Value::Null,
        Cells::View(array) => shortened(array.value(row)),
        Cells::Utf8(array) => shortened(array.value(row)),
        Cells::LargeUtf8(array) => shortened(array.value(row)),
        Cells::Scalar(scalar) => scalar_json(scalar, row),
        nested => {
            let mut bytes = Vec::new();
            write_json(nested, row, &mut bytes);
            if bytes.len() <= MAX_CELL_BYTES
                && let Ok(value) = serde_json::from_slice(&bytes)
            {
                return value;
            }
            shortened(&String::from_utf8_lossy(&bytes))
        }
    }
}

pub(crate) fn scalar_json(scalar: &Scalar, row: usize) -> Value {
    if let Scalar::Bool(values) = scalar {
        return Value::Bool(values.value(row));
    }
    let mut out = [0; MAX_SCALAR_BYTES];
    let length = scalar.write(row, &mut out);
    let text = String::from_utf8_lossy(&out[..length]).into_owned();
    number(scalar, row, &text).unwrap_or(Value::String(text))
}

fn number(scalar: &Scalar, row: usize, text: &str) -> Option<Value> {
    if scalar.is_temporal() || scalar.is_not_finite(row) {
        return None;
    }
    let is_float = matches!(scalar, Scalar::F32(_) | Scalar::F64(_));
    let digits = text.trim_start_matches(['-', '0', '.']);
    let digits = digits.bytes().filter(u8::is_ascii_digit).count();
    if !is_float && digits > EXACT_DIGITS {
        return None;
    }
    match text.parse::<i64>() {
        Ok(whole) => Some(whole.into()),
        Err(_) => Number::from_f64(text.parse().ok()?).map(Value::Number),
    }
}

/// The text, cut where it is too long.
pub(crate) fn shortened(text: &str) -> Value {
    shortened_to(text, MAX_CELL_BYTES).into()
}

/// The first `limit_bytes` of a text and `…`, or all of it.
pub(crate) fn shortened_to(text: &str, limit_bytes: usize) -> String {
    if text.len() <= limit_bytes {
        return text.to_owned();
    }
    let mut end = limit_bytes;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}
