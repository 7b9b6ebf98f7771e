//! NDJSON: rows, rejects and lines are those of the byte-at-a-time specification, read with learned keys or without, on
//! every instruction set, cut anywhere.
#![no_main]

use std::sync::Arc;

use arrow_schema::{DataType, Field};
use karyaksham_fuzz::Input;
use karyaksham_text::index::Simd;
use libfuzzer_sys::fuzz_target;

#[path = "../../text/tests/json/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "../../text/tests/json/spec.rs"]
#[allow(dead_code)]
mod spec;

use harness::{Case, Way};

fuzz_target!(|bytes: &[u8]| {
    let Some(input) = Input::new(bytes) else {
        return;
    };
    let mut case = Case {
        file: input.file.to_vec(),
        fields: fields(&input),
        projection: (0..5).collect(),
        max_record_bytes: input.choose(8, &[1 << 24, 4, 30, 200, 1000]),
        chunk_bytes: input.choose(9, &[1 << 18, 1, 64, 100]),
        batch_rows: input.choose(10, &[8192, 1, 3]),
    };
    case.projection.truncate(input.choose(7, &[5, 0, 1, 2, 3]));
    let expected = case.expected(false);
    for simd in Simd::available() {
        for is_exact in [false, true] {
            let way = Way {
                simd,
                is_exact,
                ..Way::usual()
            };
            let (outcome, _) = case.scan(&way, case.whole());
            assert_eq!(outcome, expected, "{simd:?} exact {is_exact} {case:?}");
        }
    }
    let cuts = input.cuts();
    assert_eq!(
        case.scan_shards(&Way::usual(), &cuts),
        expected,
        "{cuts:?} {case:?}"
    );
});

/// Columns `a` to `e`; options 0 to 4 pick their types, and from byte 0x40 on whether nulls are allowed. No dates: the
/// specification knows only a few.
fn fields(input: &Input) -> Vec<Field> {
    let of = |name: &str, data_type: DataType| Field::new(name, data_type, true);
    let list =
        |data_type: DataType| DataType::List(Arc::new(Field::new_list_field(data_type, true)));
    let point = [of("a", DataType::Boolean), of("b", DataType::Float64)];
    let point = DataType::Struct(point.into_iter().collect());
    let types = [
        DataType::Int64,
        DataType::Utf8View,
        DataType::Float64,
        DataType::Boolean,
        point.clone(),
        list(DataType::Int64),
        list(point),
        list(list(DataType::Utf8View)),
    ];
    let names = ["a", "b", "c", "d", "e"].into_iter().zip(input.options);
    names
        .map(|(name, byte)| {
            let data_type = types[usize::from(*byte) % types.len()].clone();
            Field::new(name, data_type, byte & 0x40 == 0)
        })
        .collect()
}
