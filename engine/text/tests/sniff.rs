//! What sniffing says of files as people have them: dialects, dirty files, files that are no tables.

use arrow_schema::{DataType, TimeUnit};
use karyaksham_text::sniff::data_start;
use karyaksham_text::{DialectOverrides, LineEnding, Sniffed, TextError, sniff};

fn sniffed_with(bytes: impl Into<Vec<u8>>, overrides: &DialectOverrides) -> Sniffed {
    let source: Vec<u8> = bytes.into();
    let sniffed = sniff(&source, overrides).expect("it is a table");
    assert_eq!(
        data_start(&source, &sniffed.dialect).expect("it has a start"),
        sniffed.data_start
    );
    assert!((0.0..=1.0).contains(&sniffed.confidence));
    assert!(!sniffed.evidence.is_empty());
    sniffed
}

fn sniffed(bytes: impl Into<Vec<u8>>) -> Sniffed {
    sniffed_with(bytes, &DialectOverrides::default())
}

/// The answer, after it was checked that overriding with it gives it again.
fn stable(bytes: impl Into<Vec<u8>>) -> Sniffed {
    let bytes = bytes.into();
    let free = sniffed(bytes.clone());
    assert_eq!(
        free,
        sniffed(bytes.clone()),
        "the same bytes gave another answer"
    );
    let dialect = &free.dialect;
    let given = DialectOverrides {
        delimiter: Some(dialect.delimiter),
        merge_delimiters: Some(dialect.merge_delimiters),
        trailing_delimiter: Some(dialect.trailing_delimiter),
        skip_initial_space: Some(dialect.skip_initial_space),
        line_ending: Some(dialect.line_ending),
        quote: Some(dialect.quote),
        escape: Some(dialect.escape),
        comment: Some(dialect.comment),
        has_header: Some(dialect.has_header),
        skip_rows: Some(dialect.skip_rows),
        encoding: Some(dialect.encoding),
    };
    let again = sniffed_with(bytes, &given);
    assert_eq!(again.dialect, free.dialect);
    assert_eq!(names(&again), names(&free));
    assert_eq!(types(&again), types(&free));
    assert_eq!(again.data_start, free.data_start);
    free
}

fn failure(bytes: impl Into<Vec<u8>>) -> (&'static str, String, Option<String>) {
    match sniff(&bytes.into(), &DialectOverrides::default()) {
        Err(TextError::NotATable {
            code,
            message,
            hint,
        }) => (code, message, hint),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn names(sniffed: &Sniffed) -> Vec<&str> {
    sniffed
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect()
}

fn types(sniffed: &Sniffed) -> Vec<&DataType> {
    sniffed
        .columns
        .iter()
        .map(|column| &column.data_type)
        .collect()
}

fn says(sniffed: &Sniffed, words: &str) -> bool {
    sniffed
        .evidence
        .iter()
        .any(|sentence| sentence.contains(words))
}

/// `rows` records of four columns, one of them text with everything that needs quotes.
fn orders(rows: usize, delimiter: char, line_end: &str) -> String {
    let d = delimiter;
    let mut text = format!("id{d}amount{d}day{d}note{line_end}");
    for i in 0..rows {
        let (cents, day) = (i * 7 % 100, i % 28 + 1);
        let note = match i % 4 {
            0 => format!("\"a{d} \"\"b\"\"{line_end}c\""),
            1 => "plain".into(),
            2 => String::new(),
            _ => format!("\"x{d}\""),
        };
        text += &format!("{i}{d}{i}.{cents:02}{d}2024-02-{day:02}{d}{note}{line_end}");
    }
    text
}

#[test]
fn delimiters_and_line_ends_are_found() {
    for delimiter in [',', ';', '\t', '|', '\u{1}', '\u{1f}'] {
        for line_end in ["\n", "\r\n", "\r"] {
            let sniffed = stable(orders(200, delimiter, line_end));
            assert_eq!(
                sniffed.dialect.delimiter, delimiter as u8,
                "{delimiter:?} {line_end:?}"
            );
            let cr = if line_end == "\r" {
                LineEnding::Cr
            } else {
                LineEnding::Lf
            };
            assert_eq!(sniffed.dialect.line_ending, cr);
            assert_eq!(names(&sniffed), ["id", "amount", "day", "note"]);
            assert_eq!(sniffed.columns[0].data_type, DataType::Int64);
            assert_eq!(sniffed.columns[1].data_type, DataType::Decimal128(18, 2));
            assert_eq!(sniffed.columns[2].data_type, DataType::Date32);
            assert_eq!(sniffed.columns[3].data_type, DataType::Utf8View);
            assert!(sniffed.confidence > 0.9, "{}", sniffed.confidence);
            assert!(says(&sniffed, "have 4 fields"));
        }
    }
}

#[test]
fn windows_over_a_long_file_begin_at_records() {
    let text = orders(300_000, ',', "\n");
    assert!(text.len() > 5 << 20);
    let free = stable(text);
    assert!((free.confidence - 1.0).abs() < 1e-9, "{:?}", free.evidence);
    assert!(says(&free, "all "), "{:?}", free.evidence);
}

#[test]
fn late_values_in_windows_change_the_type() {
    let mut text = String::from("zip,n\n");
    for i in 0..400_000 {
        let zip = if i < 200_000 {
            i.to_string()
        } else {
            format!("{i:07}")
        };
        text += &format!("{zip},{i}\n");
    }
    let free = stable(text);
    assert_eq!(types(&free), [&DataType::Utf8View, &DataType::Int64]);
    assert!(free.columns[0].evidence.contains("leading zero"));
}

#[test]
fn colons_split_only_what_is_evidently_a_table() {
    let passwd = "root:x:0:0:root:/home/r:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/sh\n";
    let free = stable(passwd);
    assert_eq!(
        (free.dialect.delimiter, free.columns.len()),
        (b':'.into(), 7)
    );
    assert!(!free.dialect.has_header);
    assert_eq!(free.columns[2].data_type, DataType::Int64);
    let times = stable("at\n2024-01-01T10:00:00\n2024-01-01T11:00:00\n");
    assert_eq!(times.columns.len(), 1);
    assert_eq!(
        times.columns[0].data_type,
        DataType::Timestamp(TimeUnit::Microsecond, None)
    );
}

#[test]
fn decimal_commas_do_not_win_over_semicolons() {
    let free = stable("2,5;3,5\n1,5;7,5\n8,0;1,5\n4,5;6,5\n");
    assert_eq!(
        (free.dialect.delimiter, free.columns.len()),
        (b';'.into(), 2)
    );
    let named = stable("a;b;c\n1,5;2,5;x\n3,5;4,5;y\n");
    assert_eq!(names(&named), ["a", "b", "c"]);
}

#[test]
fn quotes_and_escapes_are_found() {
    let single = stable("id,note\n1,'a,b'\n2,'c, d'\n3,'e'\n");
    assert_eq!(single.dialect.quote, Some(b'\''));
    let escaped = stable("id,note\n1,\"say \\\"hi\\\", you\"\n2,\"b\"\n3,\"\\\"c\\\"\"\n");
    assert_eq!(
        (escaped.dialect.quote, escaped.dialect.escape),
        (Some(b'"'), Some(b'\\'))
    );
    let paths = stable("dir,n\n\"C:\\a\\\",1\n\"C:\\b\\\",2\n\"C:\\c\\\",3\n");
    assert_eq!(paths.dialect.escape, None);
    let inches = stable("part|size\npipe|\"5\nrod|\"3\nbar|\"4\nbeam|\"7\n");
    assert_eq!(inches.dialect.quote, None);
    assert!(says(&inches, "quotes are text"));
    let all = stable("\"id\",\"note\"\n\"1\",\"a\"\n\"2\",\"b\"\n");
    assert_eq!(all.dialect.quote, Some(b'"'));
    assert_eq!(types(&all), [&DataType::Int64, &DataType::Utf8View]);
    assert_eq!(stable("a,b\n1,2\n").dialect.quote, Some(b'"'));
}

#[test]
fn comments_and_preambles_come_before_the_table() {
    let comments = stable("# made by hand\n# 2024, v1, x\nid,name\n1,a\n# later\n2,b\n");
    assert_eq!(
        (comments.dialect.comment, comments.dialect.skip_rows),
        (Some(b'#'), 0)
    );
    assert_eq!(names(&comments), ["id", "name"]);
    let preamble = stable("Report of sales\nYear 2024\n\nid,name,sum\n1,a,2\n2,b,3\n3,c,4\n");
    assert_eq!(
        (preamble.dialect.comment, preamble.dialect.skip_rows),
        (None, 3)
    );
    assert_eq!(names(&preamble), ["id", "name", "sum"]);
    assert!(says(&preamble, "3 lines before the table"));
    let vcf = stable("##fileformat=VCFv4.2\n##source=x\n#CHROM\tPOS\tID\nchr1\t5\ta\nchr1\t9\tb\n");
    assert_eq!((vcf.dialect.comment, vcf.dialect.skip_rows), (None, 2));
    assert_eq!(names(&vcf), ["#CHROM", "POS", "ID"]);
    let colours = stable("#ff0000,red\n#00ff00,green\n#0000ff,blue\n");
    assert_eq!(colours.dialect.comment, None);
}

#[test]
fn headers_are_told_from_data() {
    assert!(stable("id,name\n1,a\n2,b\n").dialect.has_header);
    assert!(!stable("1,a\n2,b\n3,c\n").dialect.has_header);
    assert!(
        stable("first,last\nAda,Lovelace\nAlan,Turing\n")
            .dialect
            .has_header
    );
    assert!(
        !stable("yes,red\nno,red\nyes,blue\nno,red\n")
            .dialect
            .has_header
    );
    let headless = stable("1,a\n2,b\n");
    assert_eq!(
        (names(&headless), headless.data_start),
        (vec!["column_1", "column_2"], 0)
    );
    let index = stable(",x,y\n0,1.5,a\n1,2.5,b\n");
    assert_eq!(names(&index), ["column_1", "x", "y"]);
    let years = stable("country,1960,1961,1962\nAruba,4.82,4.65,4.47\nBenin,6.28,6.29,6.31\n");
    assert_eq!(names(&years), ["country", "1960", "1961", "1962"]);
    assert!(
        !stable("1960,1961,1962\n1970,1971,1972\n1980,1981,1982\n")
            .dialect
            .has_header
    );
    assert!(
        !stable("a,1960,1962,1961\nb,1970,1971,1972\n")
            .dialect
            .has_header
    );
    let short = stable("x,y\nr1,1,2\nr2,3,4\nr3,5,6\n");
    assert_eq!(names(&short), ["x", "y", "column_3"]);
    assert!(says(
        &short,
        "the first line names 2 columns, the records have 3 fields"
    ));
}

#[test]
fn a_header_without_rows_is_a_table() {
    for text in ["id,name,day\n", "id,name,day", "\u{feff}id,name,day\r\n"] {
        let free = stable(text);
        assert!(free.dialect.has_header);
        assert_eq!(names(&free), ["id", "name", "day"]);
        assert!(types(&free).iter().all(|t| **t == DataType::Utf8View));
        assert!(says(&free, "a header without rows"));
        assert_eq!(free.data_start, text.len() as u64);
    }
}

#[test]
fn duplicate_and_empty_names_are_made_distinct() {
    let free = stable("id,name,name,,id\n1,a,b,c,2\n3,d,e,f,4\n");
    assert_eq!(names(&free), ["id", "name", "name_2", "column_4", "id_2"]);
    assert!(says(&free, "the name 'name' is there before"));
}

#[test]
fn one_column_is_never_silent() {
    let prose = "It was the best of times, it was the worst of times\nIt was the age of wisdom\n\
        It was the age of foolishness, the epoch of belief, of all\nIt was the season of Light\n";
    let free = stable(prose);
    assert_eq!(free.columns.len(), 1);
    assert!(free.confidence < 0.3, "{}", free.confidence);
    assert!(says(&free, "no delimiter splits"));
    assert!(!prose.as_bytes().contains(&free.dialect.delimiter.first()));
    let quoted = stable("name\n\"Lovelace, Ada\"\n\"Turing, Alan\"\n\"Hopper, Grace\"\n");
    assert_eq!(
        (names(&quoted), quoted.dialect.quote),
        (vec!["name"], Some(b'"'))
    );
    let words = stable("word\nalpha\nbeta\n");
    assert_eq!(names(&words), ["word"]);
    assert!(words.confidence < 0.7);
    assert!(says(&words, "no delimiter occurs"));
}

#[test]
fn overrides_win() {
    let text = "a;b,c\n1;2,3\n4;5,6\n";
    let given = |delimiter: u8| DialectOverrides {
        delimiter: Some(delimiter.into()),
        ..DialectOverrides::default()
    };
    assert_eq!(names(&sniffed_with(text, &given(b','))), ["a;b", "c"]);
    assert_eq!(names(&sniffed_with(text, &given(b';'))), ["a", "b,c"]);
    assert_eq!(sniffed_with(text, &given(b'|')).columns.len(), 1);
    let headless = DialectOverrides {
        has_header: Some(false),
        ..given(b';')
    };
    let free = sniffed_with(text, &headless);
    assert_eq!(
        (names(&free), free.data_start),
        (vec!["column_1", "column_2"], 0)
    );
    assert_eq!(types(&free), [&DataType::Utf8View; 2]);
    let skipping = DialectOverrides {
        skip_rows: Some(1),
        ..given(b';')
    };
    assert!(!sniffed_with(text, &skipping).dialect.has_header);
    let quoteless = DialectOverrides {
        quote: Some(None),
        ..DialectOverrides::default()
    };
    let free = sniffed_with("a,b\n\"1\",2\n\"3\",4\n", &quoteless);
    assert_eq!(
        (free.dialect.quote, &free.columns[0].data_type),
        (None, &DataType::Utf8View)
    );
}

#[test]
fn overrides_must_not_contradict_each_other() {
    let given = |delimiter: u8, quote| DialectOverrides {
        delimiter: Some(delimiter.into()),
        quote,
        ..DialectOverrides::default()
    };
    let source = b"a,b\n1,2\n".to_vec();
    for overrides in [given(b'\n', None), given(b',', Some(Some(b',')))] {
        let refused = sniff(&source, &overrides);
        assert!(matches!(
            refused,
            Err(TextError::NotATable {
                code: "NOT_A_TABLE",
                ..
            })
        ));
    }
    let quotes = sniff(&b"a\"b\n1\"2\n".to_vec(), &given(b'"', None)).expect("it is a table");
    assert_eq!((quotes.columns.len(), quotes.dialect.quote), (2, None));
    assert!(sniff(&source, &given(b'"', None)).is_ok());
    let commas_quote = DialectOverrides {
        quote: Some(Some(b',')),
        ..DialectOverrides::default()
    };
    let other = sniff(&b",a;b,;c\n1;2\n".to_vec(), &commas_quote).expect("it is a table");
    assert_eq!(
        (other.columns.len(), other.dialect.delimiter),
        (2, b';'.into())
    );
    assert!(sniff(&source, &given(b'\'', None)).is_ok());
}

#[test]
fn refusals_say_what_the_bytes_are() {
    for (bytes, name) in [
        (&b"\x1f\x8b\x08\0"[..], "gzip"),
        (b"\x28\xb5\x2f\xfd\x04", "Zstandard"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"\xfd7zXZ\0", "xz"),
        (b"PK\x03\x04", "ZIP"),
        (b"\xff\xfea\0,\0b\0\n\0", "UTF-16"),
    ] {
        let (code, message, hint) = failure(bytes);
        assert_eq!(code, "UNSUPPORTED_FORMAT");
        assert!(message.contains(name), "{message}");
        assert!(hint.is_some());
    }
    assert_eq!(
        failure((0..=255).cycle().take(9000).collect::<Vec<u8>>()).0,
        "BINARY_FILE"
    );
    for empty in ["", "\n", "\r\n\r\n", "\u{feff}", "\u{feff}\n\n", " \n \t\n"] {
        assert_eq!(failure(empty).0, "EMPTY_FILE", "{empty:?}");
    }
}

#[test]
fn gigantic_lines_end() {
    let (code, message, _) = failure(vec![b'x'; 100_000_000]);
    assert_eq!(code, "NOT_A_TABLE");
    assert!(message.contains("16 MiB"));
    let (code, ..) = failure(b"a,".repeat(1 << 20));
    assert_eq!(code, "NOT_A_TABLE");
    let mut body = b"id,note\n1,a\n2,".to_vec();
    body.resize(40_000_000, b'y');
    let free = stable(body);
    assert_eq!(names(&free), ["id", "note"]);
    let wide: Vec<String> = (0..400_000)
        .map(|i| format!("c{i:05}"))
        .take(50_000)
        .collect();
    let free = stable(format!(
        "{}\n{}\n",
        wide.join(","),
        vec!["1"; 50_000].join(",")
    ));
    assert_eq!(free.columns.len(), 50_000);
    let first = format!("id,note\n1,\"{}\"\n2,b\n", "long\n".repeat(600_000));
    assert_eq!(names(&stable(first)), ["id", "note"]);
}

#[test]
fn time_zones_and_booleans_have_types() {
    let free = stable(
        "at,ok,naive\n2024-01-01T00:00:00Z,true,2024-01-01 00:00:00\n2024-01-01 00:00:00+02:00,false,2024-01-01 00:00:00.5\n",
    );
    let micros =
        |zone: Option<&str>| DataType::Timestamp(TimeUnit::Microsecond, zone.map(Into::into));
    assert_eq!(
        types(&free),
        [&micros(Some("UTC")), &DataType::Boolean, &micros(None)]
    );
}

/// What was understood of a table of text, after it was checked that it is stable: names of columns and the delimiter.
fn shape(text: &str) -> (Sniffed, Vec<String>, String) {
    let sniffed = stable(text);
    let columns = names(&sniffed).into_iter().map(str::to_owned).collect();
    let delimiter = sniffed
        .dialect
        .delimiter
        .as_bytes()
        .escape_ascii()
        .to_string();
    (sniffed, columns, delimiter)
}

#[test]
fn delimiters_of_several_bytes_are_found() {
    for delimiter in ["||", "::", "~|~", "|||", "<>", "|^|", "##", "¦"] {
        let d = delimiter;
        let mut text = format!("id{d}word{d}price\n");
        for i in 0..20 {
            text += &format!("{i}{d}{}{d}{i}.50\n", if i % 5 == 0 { "" } else { "a, b" });
        }
        let (sniffed, columns, _) = shape(&text);
        assert_eq!(
            columns,
            ["id", "word", "price"],
            "{d} {:?}",
            sniffed.evidence
        );
        assert_eq!(sniffed.dialect.delimiter.as_bytes(), d.as_bytes());
        assert_eq!(types(&sniffed)[2], &DataType::Decimal128(18, 2));
        assert!(says(&sniffed, &format!("3 fields with '{d}'")));
    }
    let ratings = "1::1193::5::978300760\n1::661::3::978302109\n2::914::3::978301968\n";
    assert_eq!(shape(ratings).1.len(), 4);
}

#[test]
fn tables_of_blanks_are_no_single_column() {
    let (sniffed, columns, delimiter) = shape("x y label\n1 2.5 a\n3 4.5 b\n5 6.5 c\n");
    assert_eq!(columns, ["x", "y", "label"]);
    assert_eq!(
        (delimiter.as_str(), sniffed.dialect.merge_delimiters),
        (" ", false)
    );
    assert!(says(&sniffed, "with a space") && sniffed.confidence < 0.7);

    let aligned = "name      size  day\nalpha        1  2024-01-02\nbeta       117  2024-01-03\nc      1234567  2024-01-04  \n";
    let (sniffed, columns, _) = shape(aligned);
    assert_eq!(columns, ["name", "size", "day"]);
    assert!(sniffed.dialect.merge_delimiters && says(&sniffed, "delimiters in a row are one"));
    assert_eq!(types(&sniffed)[1..], [&DataType::Int64, &DataType::Date32]);

    let right = "    1   2.5\n   10  12.5\n  100 112.5\n 1000   0.5\n";
    assert_eq!(
        types(&shape(right).0),
        [&DataType::Int64, &DataType::Decimal128(18, 1)]
    );
}

#[test]
fn prose_names_and_times_are_one_column() {
    for text in [
        "when\n2024-01-02 03:04:05\n2024-01-03 03:04:05\n2024-01-04 03:04:05\n",
        "who\nAda Lovelace\nAlan Turing\nGrace Hopper\n",
        "Ada B Lovelace\nAlan M Turing\nGrace M Hopper\nKurt F Goedel\n",
        "url\nhttps://a.example/x?y=1\nhttps://b.example/z?y=2\nhttps://c.example/z?y=2\n",
    ] {
        assert_eq!(shape(text).1.len(), 1, "{text}");
    }
}

#[test]
fn spaces_before_quotes_are_no_part_of_the_field() {
    let (sniffed, columns, _) =
        shape("id, word, n\n1, \"a, b\", 2\n2, \"c\", 3\n3, \"d, e, f\", 4\n");
    assert_eq!(columns, ["id", "word", "n"]);
    assert!(sniffed.dialect.skip_initial_space);
    assert!(says(
        &sniffed,
        "spaces after a delimiter are no part of the field, because '\"' follows them"
    ));
    assert!(!shape("id, word\n1, a\n2, b\n").0.dialect.skip_initial_space);
    let within = "id,word\n1,\"a, \"\"b\"\"\"\n2, \n3,c\n";
    assert!(!shape(within).0.dialect.skip_initial_space);
}

#[test]
fn a_delimiter_after_the_last_field_makes_no_column() {
    for text in [
        "id,word,n,\n1,a,7,\n2,b,8,\n3,c,9,\n",
        "id,word,n\n1,a,7,\n2,b,8,\n3,c,9,\n",
        "id|word|n\r\n1|a|7|\r\n2|b|8|\r\n3|c|9|\r\n",
    ] {
        let (sniffed, columns, _) = shape(text);
        assert_eq!(columns, ["id", "word", "n"], "{text}");
        assert!(sniffed.dialect.trailing_delimiter && sniffed.dialect.has_header);
        assert!(says(&sniffed, "nothing after it, which is no column"));
        assert_eq!(types(&sniffed)[2], &DataType::Int64);
    }
    // As TPC-H has them.
    let (sniffed, columns, _) = shape("1|a|7|\n2|b|8|\n3|c|9|\n");
    assert!(columns.len() == 3 && sniffed.dialect.trailing_delimiter);
    for text in [
        "id,word,n,\n1,a,7,\n2,b,8,x\n3,c,9,\n",
        "id,word,n,note\n1,a,7,\n2,b,8,\n3,c,9,\n",
        "1,a,\n",
    ] {
        assert!(!shape(text).0.dialect.trailing_delimiter, "{text}");
    }
}

#[test]
fn new_knobs_can_be_given() {
    let kept = DialectOverrides {
        trailing_delimiter: Some(false),
        ..DialectOverrides::default()
    };
    let text = "id,n,\n1,7,\n2,8,\n3,9,\n";
    assert_eq!(names(&sniffed_with(text, &kept)), ["id", "n", "column_3"]);
    let any = DialectOverrides {
        line_ending: Some(LineEnding::Any),
        ..DialectOverrides::default()
    };
    let mixed = "id,n\n1,7\r2,8\r\n3,9\n";
    let sniffed = sniffed_with(mixed, &any);
    assert_eq!(sniffed.dialect.line_ending, LineEnding::Any);
    assert!(says(
        &sniffed,
        "LF, CRLF or CR: 2, 1 and 1 in the head, as was given"
    ));
    assert_eq!(types(&sniffed), [&DataType::Int64, &DataType::Int64]);
    assert!(says(
        &sniffed_with(mixed, &DialectOverrides::default()),
        "1 CR in the head end no line"
    ));
    let spaced = DialectOverrides {
        skip_initial_space: Some(true),
        ..DialectOverrides::default()
    };
    assert!(
        sniffed_with("a, b\n1, x\n2, y\n", &spaced)
            .dialect
            .skip_initial_space
    );
    let long = DialectOverrides {
        delimiter: karyaksham_text::Delimiter::new(b"||"),
        merge_delimiters: Some(true),
        ..DialectOverrides::default()
    };
    assert!(sniff(&b"a||b\n".to_vec(), &long).is_err());
}
