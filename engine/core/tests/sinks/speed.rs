//! How fast rows are written, by the time that the thread had a processor; run by hand:
//! `cargo test --release -p karyaksham-core --test sinks speed -- --ignored --nocapture --test-threads 1`.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringViewArray,
};
use karyaksham_core::job::OutputFormat;
use karyaksham_core::part::Keep;
use karyaksham_core::sink;

use crate::support::{Bench, Random, output};

const BATCHES: usize = 80;
const ROWS: usize = 8_192;

/// Rows like those of TPC-H's lineitem: 16 columns, a comment of some words.
fn lineitem() -> RecordBatch {
    let mut random = Random::new(42);
    let mut whole = |limit: u64| -> ArrayRef {
        Arc::new(
            (0..ROWS)
                .map(|_| Some(random.below(limit) as i64 + 1))
                .collect::<Int64Array>(),
        )
    };
    let (order, part, supplier, line) = (whole(6_000_000), whole(200_000), whole(10_000), whole(7));
    let mut money = |limit: u64| -> ArrayRef {
        let array: Decimal128Array = (0..ROWS)
            .map(|_| Some(i128::from(random.below(limit))))
            .collect();
        Arc::new(array.with_precision_and_scale(18, 2).unwrap())
    };
    let (quantity, price, discount, tax) = (money(5_000), money(10_000_000), money(11), money(9));
    let mut day = || -> ArrayRef {
        Arc::new(
            (0..ROWS)
                .map(|_| Some(8_035 + random.below(2_500) as i32))
                .collect::<Date32Array>(),
        )
    };
    let (shipped, committed, received) = (day(), day(), day());
    let mut word = |words: &[&str], many: u64| -> ArrayRef {
        let text = |random: &mut Random| {
            let picked: Vec<&str> = (0..1 + random.below(many))
                .map(|_| words[random.below(words.len() as u64) as usize])
                .collect();
            picked.join(" ")
        };
        Arc::new(
            (0..ROWS)
                .map(|_| Some(text(&mut random)))
                .collect::<StringViewArray>(),
        )
    };
    let flag = word(&["A", "N", "R"], 1);
    let status = word(&["O", "F"], 1);
    let instruct = word(
        &[
            "DELIVER IN PERSON",
            "COLLECT COD",
            "NONE",
            "TAKE BACK RETURN",
        ],
        1,
    );
    let mode = word(
        &["AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"],
        1,
    );
    let comment = word(
        &[
            "carefully",
            "final",
            "deposits",
            "sleep",
            "quickly",
            "above, the",
            "ideas",
        ],
        5,
    );
    let names = [
        "orderkey",
        "partkey",
        "suppkey",
        "linenumber",
        "quantity",
        "extendedprice",
        "discount",
        "tax",
        "returnflag",
        "linestatus",
        "shipdate",
        "commitdate",
        "receiptdate",
        "shipinstruct",
        "shipmode",
        "comment",
    ];
    let columns = [
        order, part, supplier, line, quantity, price, discount, tax, flag, status, shipped,
        committed, received, instruct, mode, comment,
    ];
    RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap()
}

/// What this thread has used of a processor, so that other work on the machine does not count.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

fn measure(what: &str, format: OutputFormat, keep: Keep, batch: &RecordBatch) {
    let bench = Bench::new();
    let mut best = f64::INFINITY;
    let mut size_bytes = 0;
    for _ in 0..3 {
        let destination = bench.destination(keep);
        let began = cpu_seconds();
        let mut writer = sink::open(&output(format), batch.schema(), &destination).unwrap();
        for _ in 0..BATCHES {
            writer.write(batch).unwrap();
        }
        size_bytes = writer.finish().unwrap().size_bytes();
        best = best.min(cpu_seconds() - began);
    }
    let megabytes = size_bytes as f64 / 1e6;
    let rows = (BATCHES * batch.num_rows()) as f64 / 1e6;
    println!(
        "{what:24} {:7.0} MB/s {:6.2} M rows/s",
        megabytes / best,
        rows / best
    );
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let lineitem = lineitem();
    for keep in [Keep::Memory, Keep::File] {
        for format in [
            OutputFormat::Csv,
            OutputFormat::Ndjson,
            OutputFormat::Arrow,
            OutputFormat::Parquet,
        ] {
            measure(
                &format!("lineitem {format:?} {keep:?}"),
                format,
                keep,
                &lineitem,
            );
        }
    }
    for (column, field) in lineitem
        .schema()
        .fields()
        .iter()
        .enumerate()
        .skip(3)
        .step_by(4)
    {
        let single = lineitem.project(&[column]).unwrap();
        measure(
            &format!("csv of {}", field.name()),
            OutputFormat::Csv,
            Keep::Memory,
            &single,
        );
    }
    let floats = Float64Array::from_iter_values((0..ROWS).map(|n| n as f64 / 7.0));
    let floats = RecordBatch::try_from_iter([("float", Arc::new(floats) as ArrayRef)]).unwrap();
    measure("csv of floats", OutputFormat::Csv, Keep::Memory, &floats);
}
