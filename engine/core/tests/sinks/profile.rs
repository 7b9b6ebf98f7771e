//! Statistics of whole files.

use karyaksham_core::job::OutputFormat;
use karyaksham_core::profile::{ColumnProfile, profile, profile_in_pieces};
use serde_json::{Value, json};

use crate::support::{Bench, Random, output, random_batch};

fn named<'a>(profiles: &'a [ColumnProfile], name: &str) -> &'a ColumnProfile {
    profiles.iter().find(|p| p.column.name == name).unwrap()
}

fn orders(bench: &Bench, rows: u64) -> String {
    let mut text = "id,price,city,day,at,note,flag\n".to_owned();
    for n in 0..rows {
        let city = ["Oslo", "Pune", "Lima"][if n % 10 < 6 { 0 } else { 1 + n as usize % 2 }];
        let note = if n % 4 == 0 {
            String::new()
        } else {
            format!("note number {n}")
        };
        let (day, hour) = (1 + n % 28, n % 24);
        text.push_str(&format!(
            "{n},{}.{:02},{city},2024-01-{day:02},2024-01-{day:02}T{hour:02}:00:00,{note},{}\n",
            n % 1_000,
            n % 100,
            n % 3 == 0
        ));
    }
    bench.file("orders.csv", text)
}

#[test]
fn columns_are_described_exactly_while_they_are_small() {
    let bench = Bench::new();
    let source = bench.source(&orders(&bench, 10_000));
    let profiles = profile(&source, 1, None).unwrap();
    assert_eq!(profiles.len(), 7);

    let id = named(&profiles, "id");
    assert_eq!(
        (id.count, id.null_count, id.approx_distinct),
        (10_000, 0, 10_000)
    );
    assert_eq!((&id.min, &id.max), (&json!(0), &json!(9_999)));
    assert_eq!(id.mean, Some(4_999.5));
    assert!((id.stddev.unwrap() - 2_886.895_68).abs() < 1e-4);
    assert_eq!(id.quantiles.as_ref().unwrap()["0.5"], json!(5_000.0));
    let bins = id.histogram.as_ref().unwrap();
    assert_eq!(bins.iter().map(|bin| bin.count).sum::<u64>(), 10_000);

    let price = named(&profiles, "price");
    assert_eq!(price.column.data_type, "Decimal128(18, 2)");
    assert_eq!((&price.min, &price.max), (&json!(0.0), &json!(999.99)));

    let city = named(&profiles, "city");
    let top: Vec<(&Value, u64)> = city
        .top_values
        .iter()
        .map(|top| (&top.value, top.count))
        .collect();
    assert_eq!(
        top,
        [
            (&json!("Oslo"), 6_000),
            (&json!("Lima"), 2_000),
            (&json!("Pune"), 2_000)
        ]
    );
    assert_eq!(
        (&city.min, &city.max, city.mean),
        (&json!("Lima"), &json!("Pune"), None)
    );
    assert_eq!((city.approx_distinct, city.histogram.is_none()), (3, true));

    let day = named(&profiles, "day");
    assert_eq!(
        (&day.min, &day.max),
        (&json!("2024-01-01"), &json!("2024-01-28"))
    );
    assert_eq!(day.quantiles.as_ref().unwrap()["0.5"], json!("2024-01-14"));
    let at = named(&profiles, "at");
    assert_eq!(at.min, json!("2024-01-01T00:00:00"));

    assert_eq!(named(&profiles, "note").null_count, 2_500);
    let flag = named(&profiles, "flag");
    assert_eq!(
        (&flag.min, &flag.max, flag.approx_distinct),
        (&json!(false), &json!(true), 2)
    );
    assert_eq!(flag.top_values[0].count, 6_666);
    assert_eq!((flag.mean, flag.quantiles.is_none()), (None, true));
}

#[test]
fn the_answer_does_not_depend_on_threads() {
    let bench = Bench::new();
    let source = bench.source(&orders(&bench, 200_000));
    let alone = profile(&source, 1, Some(8 << 20)).unwrap();
    assert_eq!(profile(&source, 3, Some(8 << 20)).unwrap(), alone);
    let id = named(&alone, "id");
    let off = id.approx_distinct.abs_diff(200_000);
    assert!(off < 6_000, "{}", id.approx_distinct);
    assert_eq!(id.top_values, []);
    let Value::Number(median) = &id.quantiles.as_ref().unwrap()["0.5"] else {
        panic!("no number");
    };
    assert!((median.as_f64().unwrap() - 100_000.0).abs() < 4_000.0);
}

/// Means and deviations without the last digits, which depend on the order of additions, and without those of numbers
/// so large that their sum may be infinite.
fn rounded(mut profiles: Vec<ColumnProfile>) -> Vec<ColumnProfile> {
    let round = |number: f64| format!("{number:.9e}").parse().unwrap();
    for found in &mut profiles {
        found.column.evidence = None;
        found.mean = found
            .mean
            .map(round)
            .filter(|mean: &f64| mean.abs() < 1e290);
        found.stddev = found.stddev.map(round);
    }
    profiles
}

#[test]
fn pieces_of_text_come_to_the_same_as_the_whole() {
    let bench = Bench::new();
    // Line ends and quotes in fields, so that a piece can take the inside of a field for records.
    let mut text = "id,note,price\n".to_owned();
    for n in 0..8_000 {
        let note = match n % 5 {
            0 => format!("\"{n}\n{n},a,1.5\n{n},b,2.5\n\""),
            1 => "\"say \"\"hi\"\"\n\"".to_owned(),
            2 => String::new(),
            _ => format!("plain {}", n % 100),
        };
        text.push_str(&format!("{n},{note},{}.{:02}\n", n % 50, n % 100));
    }
    let source = bench.source(&bench.file("notes.csv", text));
    let whole = rounded(profile(&source, 1, None).unwrap());
    assert_eq!(whole[0].count, 8_000);
    for piece_bytes in [3_001, 40_007, 150_000] {
        let alone = profile_in_pieces(&source, 1, None, piece_bytes).unwrap();
        let shared = profile_in_pieces(&source, 5, None, piece_bytes).unwrap();
        assert_eq!(shared, alone, "{piece_bytes}");
        assert_eq!(rounded(alone), whole, "{piece_bytes}");
    }
}

#[test]
fn pieces_of_other_formats_come_to_the_same_as_the_whole() {
    let batch = random_batch(&mut Random::new(11), 3_000);
    let bench = Bench::new();
    for format in [
        OutputFormat::Ndjson,
        OutputFormat::Arrow,
        OutputFormat::Parquet,
    ] {
        let batches: Vec<_> = (0..10).map(|n| batch.slice(n * 300, 300)).collect();
        bench.write("file", &output(format), &batches);
        let source = bench.source(bench.path("file").to_str().unwrap());
        let whole = rounded(profile(&source, 1, None).unwrap());
        for piece_bytes in [8_000, 60_000] {
            let pieces = profile_in_pieces(&source, 3, None, piece_bytes).unwrap();
            assert_eq!(rounded(pieces), whole, "{format:?} {piece_bytes}");
        }
    }
}

#[test]
fn many_rows_in_pieces_are_close_to_the_whole() {
    let bench = Bench::new();
    let source = bench.source(&orders(&bench, 200_000));
    let memory = Some(16 << 20);
    let whole = profile(&source, 1, memory).unwrap();
    let alone = profile_in_pieces(&source, 1, memory, 1 << 20).unwrap();
    assert_eq!(
        profile_in_pieces(&source, 4, memory, 1 << 20).unwrap(),
        alone
    );
    for (whole, pieces) in whole.iter().zip(&alone) {
        assert_eq!(pieces.count, whole.count);
        assert_eq!(pieces.null_count, whole.null_count);
        assert_eq!((&pieces.min, &pieces.max), (&whole.min, &whole.max));
        assert_eq!(pieces.approx_distinct, whole.approx_distinct);
    }
    let id = named(&alone, "id");
    let median = id.quantiles.as_ref().unwrap()["0.5"].as_f64().unwrap();
    assert!((median - 100_000.0).abs() < 4_000.0, "{median}");
    assert_eq!(id.top_values, []);
    assert_eq!(named(&alone, "city").top_values.len(), 3);
}

#[test]
fn a_changed_file_is_an_error_in_pieces_too() {
    let bench = Bench::new();
    let path = orders(&bench, 2_000);
    let source = bench.source(&path);
    std::fs::write(&path, "id\n1\n").unwrap();
    let error = profile_in_pieces(&source, 3, None, 1_000).unwrap_err();
    assert!(error.to_string().contains("bytes"), "{error}");
}

#[test]
fn formats_agree_on_the_same_rows() {
    let batch = random_batch(&mut Random::new(9), 2_000);
    let bench = Bench::new();
    let mut seen: Vec<Vec<ColumnProfile>> = Vec::new();
    for format in [
        OutputFormat::Csv,
        OutputFormat::Parquet,
        OutputFormat::Arrow,
    ] {
        bench.write("file", &output(format), std::slice::from_ref(&batch));
        let source = bench.source(bench.path("file").to_str().unwrap());
        seen.push(rounded(profile(&source, 2, None).unwrap()));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[1], seen[2]);
}

#[test]
fn a_column_of_nulls_has_nothing_to_say() {
    let bench = Bench::new();
    let source = bench.source(&bench.file("a.csv", "n,empty\n1,\n2,\n3,\n"));
    let profiles = profile(&source, 1, None).unwrap();
    let empty = named(&profiles, "empty");
    assert_eq!(
        (empty.count, empty.null_count, empty.approx_distinct),
        (3, 3, 0)
    );
    assert_eq!(
        (&empty.min, empty.mean, &empty.quantiles),
        (&Value::Null, None, &None)
    );
}
