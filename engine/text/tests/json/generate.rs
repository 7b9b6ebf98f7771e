//! Files of generated records: objects in many spellings, some with a byte changed.

use arrow_schema::{DataType, Field};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::harness::Case;

fn item(data_type: DataType) -> DataType {
    DataType::List(Field::new_list_field(data_type, true).into())
}

fn structure(fields: &[(&str, DataType)]) -> DataType {
    let fields = fields
        .iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
    DataType::Struct(fields.collect())
}

fn data_types() -> Vec<DataType> {
    let point = structure(&[("a", DataType::Boolean), ("b", DataType::Date32)]);
    vec![
        DataType::Int64,
        DataType::Float64,
        DataType::Boolean,
        DataType::Date32,
        DataType::Utf8View,
        point.clone(),
        item(DataType::Int64),
        item(point.clone()),
        structure(&[("a", DataType::Utf8View), ("longer name", item(point))]),
        item(item(DataType::Utf8View)),
    ]
}

fn blanks() -> impl Strategy<Value = String> {
    prop_oneof![8 => Just(""), 2 => Just(" "), 1 => Just("\t \r")].prop_map(str::to_owned)
}

fn string() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        6 => "[a-z1]{0,14}",
        1 => Just("é中😀".to_owned()),
        2 => select(&[r#"\""#, r"\\", r"\/\b\f\n\r\t", r"\u0061", r"\uD83D\uDE00", r"\ud83d", r"\x", r"\u12", "{}[]:,", "\u{7f}"])
            .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..3).prop_map(|parts| format!("\"{}\"", parts.concat()))
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => any::<i32>().prop_map(|number| number.to_string()),
        1 => (0..200_u8).prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| format!("{f:e}")),
        3 => select(&["null", "true", "false", "0", "-0", "1.50", "-1E+2", "1e400", "123456789012", "9223372036854775807",
            "9223372036854775808", "01", "1.", ".5", "+1", "-", "nul", "True", "NaN", "\"\"", "\" \"", "\" 1\\t\"",
            "\"1970-01-01\"", "\"1970-03-01\"", "\"1970-13-01\"", "\"yes\"", "\"17\"", "\"1.5\""]).prop_map(str::to_owned),
        3 => string(),
    ]
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let key = prop_oneof![
        20 => select(&["\"a\"", "\"b\"", "\"c\"", "\"longer name\"", "\"d\"", "\"\""]).prop_map(str::to_owned),
        1 => select(&["\"\\u0061\"", "\"é\"", "\"very long key, longer than two words\"", "a", "\"a"]).prop_map(str::to_owned),
    ];
    let member =
        (key, blanks(), blanks(), value, blanks()).prop_map(|(key, before, after, value, end)| {
            (key.clone(), format!("{key}{before}:{after}{value}{end}"))
        });
    (
        prop::collection::vec(member, 0..6),
        blanks(),
        prop::bool::weighted(0.97),
    )
        .prop_map(|(mut members, blanks, is_unique)| {
            if is_unique {
                let mut seen = std::collections::HashSet::new();
                members.retain(|(key, _)| seen.insert(key.clone()));
            }
            let members: Vec<_> = members.into_iter().map(|(_, member)| member).collect();
            format!("{{{blanks}{}}}", members.join(&format!(",{blanks}")))
        })
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(4, 24, 5, |inner| {
        let list = (prop::collection::vec(inner.clone(), 0..5), blanks())
            .prop_map(|(items, blanks)| format!("[{blanks}{}]", items.join(&format!("{blanks},"))));
        prop_oneof![1 => list, 2 => object(inner)]
    })
}

/// One byte of a record changed, added or taken away.
#[derive(Debug, Clone)]
struct Change {
    place: Index,
    byte: u8,
    how: u8,
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let at = self.place.index(bytes.len());
        match self.how {
            0 => bytes[at] = self.byte,
            1 => bytes.insert(at, self.byte),
            _ => drop(bytes.remove(at)),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let junk = select(&b"{}[]\":,\\ \n\t\r01-eu.nt\x00\xff\xc3"[..]);
    (any::<Index>(), junk, 0..3_u8).prop_map(|(place, byte, how)| Change { place, byte, how })
}

fn record() -> impl Strategy<Value = Vec<u8>> {
    let plain = (blanks(), object(value()), blanks())
        .prop_map(|(before, object, after)| format!("{before}{object}{after}").into_bytes());
    let changed = (object(value()), change()).prop_map(|(object, change)| {
        let mut bytes = object.into_bytes();
        change.apply(&mut bytes);
        bytes
    });
    prop_oneof![
        12 => plain,
        4 => changed,
        1 => blanks().prop_map(String::into_bytes),
        1 => value().prop_map(String::into_bytes),
    ]
}

fn file() -> impl Strategy<Value = Vec<u8>> {
    let end = prop_oneof![6 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n")];
    // A few records many times over, as files have them, so that there is something to learn, and some of them changed a
    // little, so that what was learned is put to the test.
    let place = (any::<Index>(), prop::option::weighted(0.3, change()));
    (
        prop::collection::vec((record(), end), 1..8),
        prop::collection::vec(place, 0..30),
        any::<bool>(),
    )
        .prop_map(|(records, order, ends)| {
            let mut file = vec![];
            for (index, change) in order {
                let (record, end) = &records[index.index(records.len())];
                let mut record = record.clone();
                if let Some(change) = change {
                    change.apply(&mut record);
                }
                file.extend_from_slice(&record);
                file.extend_from_slice(end.as_bytes());
            }
            if !ends {
                file.pop();
            }
            file
        })
}

pub fn cases() -> impl Strategy<Value = Case> {
    let names = ["a", "b", "c", "longer name", "d"];
    let fields = prop::collection::vec((select(data_types()), prop::bool::weighted(0.9)), 5)
        .prop_map(move |types| {
            types
                .into_iter()
                .zip(names)
                .map(|((data_type, nullable), name)| Field::new(name, data_type, nullable))
                .collect::<Vec<_>>()
        });
    (
        file(),
        fields,
        prop::collection::vec(0..5_usize, 0..5),
        prop_oneof![4 => Just(1 << 24), 1 => 1..200_usize],
        select(&[1_usize, 64, 100, 1 << 18][..]),
        select(&[1_usize, 3, 8192][..]),
    )
        .prop_map(
            |(file, fields, projection, max_record_bytes, chunk_bytes, batch_rows)| Case {
                file,
                fields,
                projection,
                max_record_bytes,
                chunk_bytes,
                batch_rows,
            },
        )
}
