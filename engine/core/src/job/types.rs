//! Arrow types in text: as Arrow writes them, but `us` for microseconds, zones without quotes, `Utf8` for all kinds of
//! strings, and so within structs and lists: `Struct("size": Int64, "labels": List(Utf8))`, with names as JSON strings.

use std::str::FromStr;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, TimeUnit};

use crate::error::{EngineError, Result};

/// Types within types.
const MAX_DEPTH: usize = 64;

/// A type in text.
pub fn type_text(data_type: &DataType) -> String {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "Utf8".to_owned(),
        DataType::Timestamp(unit, None) => format!("Timestamp({})", unit_text(*unit)),
        DataType::Timestamp(unit, Some(zone)) => format!("Timestamp({}, {zone})", unit_text(*unit)),
        DataType::List(item) => format!("List({})", field_type_text(item)),
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|field| {
                    let name = serde_json::Value::from(field.name().as_str());
                    format!("{name}: {}", field_type_text(field))
                })
                .collect();
            format!("Struct({})", fields.join(", "))
        }
        other => other.to_string().replace('µ', "u"),
    }
}

fn field_type_text(field: &Field) -> String {
    let required = if field.is_nullable() { "" } else { "non-null " };
    format!("{required}{}", type_text(field.data_type()))
}

/// The Arrow type that [`type_text`] wrote. Strings become `Utf8View`.
///
/// # Errors
/// InvalidJob UNKNOWN_TYPE.
pub fn parse_type(text: &str) -> Result<DataType> {
    parse(text, 0).ok_or_else(|| {
        EngineError::invalid_job("UNKNOWN_TYPE", format!("There is no type {text:?}."))
            .hint("Types are such as Int64, Float64, Decimal128(18, 2), Utf8, Date32, Timestamp(us), Boolean, List(Int64) and Struct(\"a\": Int64).")
    })
}

fn parse(text: &str, depth: usize) -> Option<DataType> {
    let text = text.trim();
    if depth > MAX_DEPTH {
        return None;
    }
    if matches!(text, "Utf8" | "LargeUtf8" | "Utf8View") {
        return Some(DataType::Utf8View);
    }
    let inside = |name: &str| {
        let rest = text.strip_prefix(name)?.trim_start();
        rest.strip_prefix('(')?.strip_suffix(')')
    };
    if let Some(inner) = inside("Timestamp") {
        return parse_timestamp(inner);
    }
    if let Some(inner) = inside("List") {
        return Some(DataType::List(Arc::new(parse_field(
            Field::LIST_FIELD_DEFAULT_NAME,
            inner,
            depth,
        )?)));
    }
    if let Some(inner) = inside("Struct") {
        let fields: Option<Vec<Field>> = members(inner)?
            .into_iter()
            .map(|(name, inner)| parse_field(&name, inner, depth))
            .collect();
        return Some(DataType::Struct(fields?.into()));
    }
    DataType::from_str(text).ok()
}

fn parse_field(name: &str, text: &str, depth: usize) -> Option<Field> {
    let text = text.trim();
    let nullable = text.strip_prefix("non-null ");
    let data_type = parse(nullable.unwrap_or(text), depth + 1)?;
    Some(Field::new(name, data_type, nullable.is_none()))
}

/// `"name": type` several times, between commas.
fn members(text: &str) -> Option<Vec<(String, &str)>> {
    let mut members = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut names = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let name = names.next()?.ok()?;
        let after = rest[names.byte_offset()..].trim_start().strip_prefix(':')?;
        let end = comma(after);
        members.push((name, &after[..end]));
        rest = match after[end..].strip_prefix(',') {
            Some(next) if !next.trim_start().is_empty() => next.trim_start(),
            Some(_) => return None,
            None => "",
        };
    }
    Some(members)
}

/// The first comma outside quotes and parentheses, or the end.
fn comma(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    for (at, byte) in text.bytes().enumerate() {
        let was_escaped = std::mem::take(&mut escaped);
        match byte {
            b'\\' if quoted => escaped = !was_escaped,
            b'"' if !was_escaped => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            b',' if !quoted && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn parse_timestamp(inner: &str) -> Option<DataType> {
    let (unit, zone) = match inner.split_once(',') {
        Some((unit, zone)) => (unit, Some(zone.trim().trim_matches('"'))),
        None => (inner, None),
    };
    let unit = match unit.trim() {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" | "µs" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        _ => return None,
    };
    Some(DataType::Timestamp(unit, zone.map(Into::into)))
}

fn unit_text(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types_are_read_as_they_are_written() {
        let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        let inner = DataType::Struct(
            vec![
                Field::new("a, (\"µ\"\\", DataType::Utf8View, true),
                Field::new("", DataType::Decimal128(18, 2), false),
                Field::new("at", moment, true),
            ]
            .into(),
        );
        let list = DataType::List(Arc::new(Field::new_list_field(inner, true)));
        let data_type = DataType::Struct(vec![Field::new("rows", list, true)].into());
        let text = type_text(&data_type);
        assert_eq!(
            text,
            r#"Struct("rows": List(Struct("a, (\"µ\"\\": Utf8, "": non-null Decimal128(18, 2), "at": Timestamp(us, UTC))))"#
        );
        assert_eq!(parse_type(&text).expect("it is a type"), data_type);
        assert_eq!(
            parse_type("List( Struct( \"a\" : Int64 ) )").expect("it is a type"),
            parse_type("List(Struct(\"a\": Int64))").expect("it is a type")
        );
    }

    #[test]
    fn what_is_no_type_is_refused() {
        let deep = format!("{}Int64{}", "List(".repeat(100), ")".repeat(100));
        for text in [
            "List()",
            "List(Int64",
            "Struct(a: Int64)",
            "Struct(\"a\" Int64)",
            "Struct(\"a\": Int64,)",
            "Struct(\"a\": )",
            "Struct(\"a\": Int64 \"b\": Int64)",
            "Number",
            &deep,
        ] {
            assert!(parse_type(text).is_err(), "{text}");
        }
    }
}
