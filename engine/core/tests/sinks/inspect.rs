//! What a file is said to be.

use karyaksham_core::EngineError;
use karyaksham_core::inspect::{Sniffed, sniff};
use karyaksham_core::job::{Column, DialectOverrides, FileFormat, OutputFormat};

use crate::support::{Bench, Random, column, output, random_batch};

fn inspect(path: &str) -> Result<Sniffed, EngineError> {
    sniff(
        path,
        &Default::default(),
        None,
        &DialectOverrides::default(),
        None,
    )
}

fn with_columns(path: &str, columns: &[Column]) -> Result<Sniffed, EngineError> {
    sniff(
        path,
        &Default::default(),
        None,
        &DialectOverrides::default(),
        Some(columns),
    )
}

fn code(result: Result<Sniffed, EngineError>) -> (String, String) {
    let error = result.unwrap_err();
    (error.kind().to_owned(), error.to_fault().code.into_owned())
}

fn pairs(sniffed: &Sniffed) -> Vec<(&str, &str)> {
    let columns = sniffed.columns.iter();
    columns
        .map(|c| (c.name.as_str(), c.data_type.as_str()))
        .collect()
}

#[test]
fn what_is_no_table_is_named() {
    let bench = Bench::new();
    let parquet = {
        let batch = random_batch(&mut Random::new(1), 100);
        bench.write("whole.parquet", &output(OutputFormat::Parquet), &[batch]);
        std::fs::read(bench.path("whole.parquet")).unwrap()
    };
    let cases = [
        (
            bench.path("missing.csv").to_str().unwrap().to_owned(),
            "SOURCE_NOT_FOUND",
        ),
        (
            bench.dir.path().to_str().unwrap().to_owned(),
            "UNSUPPORTED_FORMAT",
        ),
        ("/dev/null".to_owned(), "UNSUPPORTED_FORMAT"),
        (bench.file("empty.csv", ""), "EMPTY_FILE"),
        (
            bench.file("binary", [0_u8, 1, 2, 3, 255, 254].repeat(100)),
            "BINARY_FILE",
        ),
        (
            bench.file("rows.json", "[\n{\"a\":1},\n{\"a\":2}\n]\n"),
            "UNSUPPORTED_FORMAT",
        ),
        (
            bench.file("cut.parquet", &parquet[..parquet.len() - 9]),
            "INVALID_PARQUET",
        ),
        (
            bench.file("cut.arrow", b"ARROW1\0\0\xff\xff\xff\xff"),
            "INVALID_ARROW",
        ),
    ];
    for (path, expected) in cases {
        let found = code(inspect(&path));
        assert_eq!(
            found,
            ("SourceError".to_owned(), expected.to_owned()),
            "{path}"
        );
    }
}

#[test]
fn messages_name_the_file_and_not_its_folder() {
    let bench = Bench::new();
    let error = inspect(bench.path("missing.csv").to_str().unwrap()).unwrap_err();
    let message = error.to_fault().message;
    assert!(message.contains("missing.csv"), "{message}");
    assert!(
        !message.contains(bench.dir.path().to_str().unwrap()),
        "{message}"
    );
}

#[test]
fn text_has_a_dialect_and_typed_columns() {
    let bench = Bench::new();
    let path = bench.file(
        "a.csv",
        "id;price;zip\n1;2.50;00501\n2;13.25;10001\n3;7.00;02134\n",
    );
    let sniffed = inspect(&path).unwrap();
    assert_eq!(sniffed.format, FileFormat::Csv);
    assert_eq!(sniffed.size_bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(sniffed.dialect.as_ref().unwrap().delimiter, ";");
    assert_eq!(
        pairs(&sniffed),
        [
            ("id", "Int64"),
            ("price", "Decimal128(18, 2)"),
            ("zip", "Utf8")
        ]
    );
    assert!(
        sniffed
            .columns
            .iter()
            .all(|column| column.evidence.is_some())
    );
}

#[test]
fn ndjson_is_known_by_its_lines_and_nests() {
    let bench = Bench::new();
    let text = "{\"id\":1,\"at\":\"2024-01-02T03:04:05Z\",\"who\":{\"name\":\"a\",\"tags\":[\"x\"]},\"n\":1}\n\
                \n{\"id\":2,\"who\":{\"age\":7},\"n\":2.5,\"odd\":[]}\n{\"odd\":{}}\n";
    let path = bench.file("rows.txt", text);
    let sniffed = inspect(&path).unwrap();
    assert_eq!(
        (sniffed.format, sniffed.dialect.is_none()),
        (FileFormat::Ndjson, true)
    );
    assert_eq!(
        pairs(&sniffed),
        [
            ("id", "Int64"),
            ("at", "Timestamp(us, UTC)"),
            (
                "who",
                "Struct(\"name\": Utf8, \"tags\": List(Utf8), \"age\": Int64)"
            ),
            ("n", "Float64"),
            ("odd", "Utf8"),
        ]
    );
    let given = with_columns(
        &path,
        &[
            column("who", "Struct(\"age\": Utf8)"),
            column("id", "Float64"),
        ],
    );
    assert_eq!(
        pairs(&given.unwrap())[..3],
        [
            ("id", "Float64"),
            ("at", "Timestamp(us, UTC)"),
            ("who", "Struct(\"age\": Utf8)")
        ]
    );
    let renamed = code(with_columns(&path, &[column("key", "Int64")]));
    assert_eq!(renamed, ("InvalidJob".into(), "UNKNOWN_COLUMN".into()));
}

#[test]
fn a_dialect_that_is_given_holds() {
    let bench = Bench::new();
    let path = bench.file("a.csv", "a;b,c\n1;2,3\n4;5,6\n");
    let overrides = DialectOverrides {
        delimiter: Some(",".into()),
        has_header: Some(false),
        ..DialectOverrides::default()
    };
    let sniffed = sniff(
        &path,
        &Default::default(),
        Some(FileFormat::Csv),
        &overrides,
        None,
    )
    .unwrap();
    assert_eq!(sniffed.columns.len(), 2);
    assert_eq!(sniffed.columns[0].name, "column_1");
}

#[test]
fn columns_that_are_given_hold() {
    let bench = Bench::new();
    let path = bench.file("a.csv", "id,price\n1,2.50\n2,13.25\n");
    let one = with_columns(&path, &[column("id", "Utf8")]).unwrap();
    assert_eq!(
        pairs(&one),
        [("id", "Utf8"), ("price", "Decimal128(18, 2)")]
    );
    let renamed = with_columns(
        &path,
        &[column("key", "Utf8View"), column("price", "Float64")],
    )
    .unwrap();
    assert_eq!(pairs(&renamed), [("key", "Utf8"), ("price", "Float64")]);
    let unknown = code(with_columns(&path, &[column("idd", "Utf8")]));
    assert_eq!(unknown, ("InvalidJob".into(), "UNKNOWN_COLUMN".into()));
    let no_type = code(with_columns(&path, &[column("id", "Number")]));
    assert_eq!(no_type, ("InvalidJob".into(), "UNKNOWN_TYPE".into()));
}

#[test]
fn parquet_and_arrow_tell_their_columns() {
    let bench = Bench::new();
    let batch = random_batch(&mut Random::new(2), 100);
    for (format, found) in [
        (OutputFormat::Parquet, FileFormat::Parquet),
        (OutputFormat::Arrow, FileFormat::Arrow),
    ] {
        bench.write("file", &output(format), std::slice::from_ref(&batch));
        let path = bench.path("file");
        let sniffed = inspect(path.to_str().unwrap()).unwrap();
        assert_eq!((sniffed.format, sniffed.dialect.is_none()), (found, true));
        assert_eq!(
            pairs(&sniffed)[..9],
            [
                ("text", "Utf8"),
                ("whole", "Int64"),
                ("money", "Decimal128(18, 2)"),
                ("wide", "Decimal128(38, 10)"),
                ("float", "Float64"),
                ("day", "Date32"),
                ("at", "Timestamp(us)"),
                ("at_utc", "Timestamp(us, UTC)"),
                ("flag", "Boolean"),
            ]
        );
        let retyped = code(with_columns(
            path.to_str().unwrap(),
            &[column("whole", "Utf8")],
        ));
        assert_eq!(retyped, ("InvalidJob".into(), "INVALID_COLUMNS".into()));
    }
}
