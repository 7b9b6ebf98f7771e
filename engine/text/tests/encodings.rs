//! Text that is no UTF-8: detected, read as what it is, and rejected where it is nothing.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_schema::{DataType, Field, Schema};
use karyaksham_text::decode::{self, Encoding, UTF_8};
use karyaksham_text::{
    BadRowPolicy, CsvScan, Dialect, DialectOverrides, ReadAt, Reject, RejectCode, ScanOptions,
    ShardRange, Sniffed, Start, TextScan, cut, sniff,
};

const TEXT: &str = "stadt,größe\nMünchen,\"7,50 € \"\"netto\"\"\"\n北京,2\nplain,3\n";

fn named(label: &str) -> &'static Encoding {
    decode::encoding_named(label).expect("there is such an encoding")
}

fn sniffed(stored: &[u8], encoding: Option<&'static Encoding>) -> (Arc<dyn ReadAt>, Sniffed) {
    let stored: Arc<dyn ReadAt> = Arc::new(stored.to_vec());
    let encoding = encoding.or_else(|| decode::utf16_of(&*stored).expect("memory can be read"));
    let text =
        decode::text_of(stored, None, encoding.unwrap_or(UTF_8), None).expect("memory can be read");
    let overrides = DialectOverrides {
        encoding,
        ..DialectOverrides::default()
    };
    let sniffed = sniff(&*text, &overrides).expect("it is a table");
    (text, sniffed)
}

/// All fields as text, and the rejects, of shards of about `shard_bytes`.
fn rows(
    text: &Arc<dyn ReadAt>,
    sniffed: &Sniffed,
    shard_bytes: u64,
) -> (Vec<Vec<String>>, Vec<Reject>) {
    let fields = sniffed.columns.iter();
    let fields: Vec<Field> = fields
        .map(|column| Field::new(&column.name, DataType::Utf8View, true))
        .collect();
    let options = Arc::new(ScanOptions {
        dialect: sniffed.dialect.clone(),
        projection: (0..fields.len()).collect(),
        schema: Arc::new(Schema::new(fields)),
        bad_rows: BadRowPolicy::RejectRow,
        batch_rows: 8192,
        max_record_bytes: 16 << 20,
    });
    let start = sniffed.data_start;
    let ranges = match text.is_stream() {
        true => vec![ShardRange {
            lo: start,
            hi: text.size_bytes(),
            start: Start::Exact(start),
        }],
        false => cut(start, text.size_bytes(), shard_bytes),
    };
    let (mut rows, mut rejects) = (vec![], vec![]);
    for range in ranges {
        let mut scan = CsvScan::new(Arc::clone(text), Arc::clone(&options), range);
        while let Some(batch) = scan.next_batch().expect("memory can be read") {
            for row in 0..batch.num_rows() {
                let columns = batch.columns().iter();
                rows.push(
                    columns
                        .map(|c| c.as_string_view().value(row).to_owned())
                        .collect(),
                );
            }
        }
        rejects.extend(scan.take_rejects());
    }
    (rows, rejects)
}

fn names(sniffed: &Sniffed) -> Vec<&str> {
    sniffed.columns.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn utf16_is_told_by_its_mark_and_by_its_zero_bytes() {
    let expected = [
        ["München", "7,50 € \"netto\""],
        ["北京", "2"],
        ["plain", "3"],
    ];
    for (little, mark) in [(true, true), (false, true), (true, false), (false, false)] {
        // Without a mark most of the text must be ASCII.
        let text = if mark {
            TEXT.to_owned()
        } else {
            format!("{TEXT}{}", "a,1\n".repeat(40))
        };
        let text = if mark {
            format!("\u{feff}{text}")
        } else {
            text
        };
        let units = text.encode_utf16();
        let stored: Vec<u8> = units
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect();
        let (text, found) = sniffed(&stored, None);
        let name = if little { "UTF-16LE" } else { "UTF-16BE" };
        assert_eq!(found.dialect.encoding.name(), name);
        assert!(
            found.evidence.iter().any(|e| e.contains(name)),
            "{:?}",
            found.evidence
        );
        assert_eq!(names(&found), ["stadt", "größe"]);
        let (rows, rejects) = rows(&text, &found, 1 << 20);
        assert_eq!(rows[..3], expected);
        assert!(rejects.is_empty());
    }
}

#[test]
fn a_lone_surrogate_is_a_reject() {
    let mut stored: Vec<u8> = "\u{feff}a,b\n1,x\n2,y\n3,z\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let y = stored.iter().position(|b| *b == b'y').expect("it is there");
    stored[y..y + 2].copy_from_slice(&0xd800_u16.to_le_bytes());
    let (text, found) = sniffed(&stored, None);
    let (rows, rejects) = rows(&text, &found, 1 << 20);
    assert_eq!(rows, [["1", "x"], ["3", "z"]]);
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].code, RejectCode::InvalidEncoding);
    assert_eq!(rejects[0].raw, "2,\u{fffd}");
}

#[test]
fn latin_1_is_windows_1252_with_evidence_and_less_confidence_and_is_cut() {
    let mut text = "stadt,größe\n".to_owned();
    for row in 0..500 {
        text += &format!("München an der Straße no {row},\"{row} €\"\n");
    }
    let (stored, _, _) = named("latin-1").encode(&text);
    let (source, found) = sniffed(&stored, None);
    assert_eq!(found.dialect.encoding.name(), "windows-1252");
    assert!(found.confidence < 0.85, "{}", found.confidence);
    assert!(found.evidence.iter().any(|e| e.contains("windows-1252")));
    assert_eq!(names(&found), ["stadt", "größe"]);
    assert!(!source.is_stream());
    let whole = rows(&source, &found, 1 << 20);
    assert_eq!(whole.0.len(), 500);
    assert_eq!(whole.0[7], ["München an der Straße no 7", "7 €"]);
    assert_eq!(rows(&source, &found, 100), whole);
}

#[test]
fn bytes_that_are_valid_utf8_by_chance_are_not_taken_for_it() {
    // "Ã©" in latin-1 is "é" in UTF-8.
    let stored = b"word\n\xc3\xa9\n\xe9t\xe9\n\xfcber\n";
    let (text, found) = sniffed(stored, None);
    assert_eq!(rows(&text, &found, 1 << 20).0, [["Ã©"], ["été"], ["über"]]);
}

#[test]
fn a_bad_byte_in_utf8_is_a_reject_and_not_another_encoding() {
    let mut stored = "a,b\n".to_owned().into_bytes();
    for row in 0..50 {
        stored.extend_from_slice(format!("{row},grün\n").as_bytes());
    }
    stored.extend_from_slice(b"50,gr\xfcn\n51,blau\n");
    let (text, found) = sniffed(&stored, None);
    assert_eq!(found.dialect.encoding, UTF_8);
    assert!(found.evidence.iter().any(|e| e.contains("not valid UTF-8")));
    let (rows, rejects) = rows(&text, &found, 1 << 20);
    assert_eq!((rows.len(), rejects.len()), (51, 1));
    assert_eq!(rejects[0].code, RejectCode::InvalidEncoding);
    assert_eq!(rejects[0].raw, "50,gr\u{fffd}n");
}

#[test]
fn encodings_that_are_given_hold() {
    // In these a byte of a character can be a delimiter, a quote or a backslash.
    for label in ["shift_jis", "gb18030", "big5", "euc-kr", "iso-2022-jp"] {
        let text = "id,name\n1,\"東京,表\"\n2,中文\n";
        let text = if label == "euc-kr" {
            "id,name\n1,\"서울,똠\"\n2,한국\n"
        } else {
            text
        };
        let (stored, _, lossy) = named(label).encode(text);
        assert!(!lossy, "{label}");
        let (source, found) = sniffed(&stored, Some(named(label)));
        assert_eq!(found.dialect.encoding, named(label));
        assert_eq!(names(&found), ["id", "name"], "{label}");
        let first: Vec<&str> = text.lines().skip(1).map(|l| &l[2..]).collect();
        let (rows, rejects) = rows(&source, &found, 1 << 20);
        assert_eq!(rows[0][1], first[0].trim_matches('"'), "{label}");
        assert_eq!(rows[1][1], first[1], "{label}");
        assert!(rejects.is_empty());
    }
    let (stored, _, _) = named("koi8-r").encode("имя\nМосква\n");
    let (source, found) = sniffed(&stored, Some(named("koi8-r")));
    assert_eq!(names(&found), ["имя"]);
    assert_eq!(rows(&source, &found, 1 << 20).0, [["Москва"]]);
}

#[test]
fn a_byte_that_the_encoding_does_not_have_is_a_reject() {
    // 0xd2 is no character of windows-1253.
    let (source, found) = sniffed(b"a,b\n1,\xe1\n2,\xd2\n", Some(named("windows-1253")));
    let (rows, rejects) = rows(&source, &found, 1 << 20);
    assert_eq!(rows, [["1", "α"]]);
    assert_eq!(rejects.len(), 1);
    assert_eq!(rejects[0].code, RejectCode::InvalidEncoding);
}

#[test]
fn labels_mean_what_the_web_takes_them_for() {
    for (label, name) in [
        ("latin-1", "windows-1252"),
        ("ISO-8859-1", "windows-1252"),
        ("ascii", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16LE"),
        ("cp1251", "windows-1251"),
    ] {
        assert_eq!(named(label).name(), name);
    }
    for label in ["", "klingon", "iso-2022-kr"] {
        assert!(decode::encoding_named(label).is_none(), "{label}");
    }
    assert_eq!(Dialect::default().encoding, UTF_8);
}
