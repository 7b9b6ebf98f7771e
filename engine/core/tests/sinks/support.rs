//! What several of these tests need.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringViewArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use karyaksham_core::commit::{Committed, OutputWriter};
use karyaksham_core::job::{Column, FileFormat, FileRef, Output, OutputFormat, Source, columns_of};
use karyaksham_core::part::{Destination, Keep, Part};
use karyaksham_core::sink;
use tempfile::TempDir;

/// A folder for one test.
pub struct Bench {
    pub dir: TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { dir }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A new folder for one attempt.
    pub fn destination(&self, keep: Keep) -> Destination {
        let attempt = tempfile::tempdir_in(self.dir.path()).unwrap();
        Destination {
            staging_dir: attempt.keep(),
            keep,
        }
    }

    pub fn part(&self, output: &Output, keep: Keep, batches: &[RecordBatch]) -> Part {
        let destination = self.destination(keep);
        let mut writer = sink::open(output, batches[0].schema(), &destination).unwrap();
        for batch in batches {
            writer.write(batch).unwrap();
        }
        writer.finish().unwrap()
    }

    /// One file from one part a batch, which takes turns in memory and in a file.
    pub fn write(&self, name: &str, output: &Output, batches: &[RecordBatch]) -> Committed {
        let columns = columns_of(&batches[0].schema());
        let mut writer = OutputWriter::new(self.path(name), output, &columns, true).unwrap();
        for (number, batch) in batches.iter().enumerate() {
            let keep = if number % 2 == 0 {
                Keep::Memory
            } else {
                Keep::File
            };
            writer
                .append(&self.part(output, keep, std::slice::from_ref(batch)))
                .unwrap();
        }
        writer.commit().unwrap()
    }

    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// What lies in the folder, hidden files among it.
    pub fn names(&self) -> Vec<String> {
        names_in(self.dir.path())
    }

    pub fn source(&self, path: &str) -> Source {
        let sniffed = karyaksham_core::inspect::sniff(
            path,
            &Default::default(),
            None,
            &Default::default(),
            None,
        )
        .unwrap();
        Source {
            name: "input".into(),
            aliases: vec![],
            format: sniffed.format,
            files: vec![FileRef {
                path: path.into(),
                size_bytes: sniffed.size_bytes,
                ..FileRef::default()
            }],
            dialect: sniffed.dialect,
            columns: sniffed.columns,
            storage: Default::default(),
        }
    }
}

pub fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn output(format: OutputFormat) -> Output {
    Output {
        format,
        compression: None,
        header: true,
        delimiter: None,
        formula_safe: false,
        partition_by: vec![],
    }
}

pub fn column(name: &str, data_type: &str) -> Column {
    Column {
        name: name.into(),
        data_type: data_type.into(),
        nullable: true,
        evidence: None,
    }
}

pub fn is_csv(source: &Source) -> bool {
    source.format == FileFormat::Csv
}

/// The same numbers in every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.bits() % limit
    }

    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(6) > 0).then(|| make(self))
    }

    /// Text of the characters that are hard for CSV.
    pub fn text(&mut self) -> String {
        const PIECES: [&str; 18] = [
            ",",
            "\"",
            "\n",
            "\r\n",
            ";",
            "|",
            "\t",
            "#",
            " ",
            "a",
            "bc",
            "Straße",
            "日本",
            "🦀",
            "\\",
            "'",
            "0",
            "a longer piece of plain text",
        ];
        let length = [0, 1, 2, 3, 5, 9, 30][self.below(7) as usize];
        (0..length)
            .map(|_| PIECES[self.below(PIECES.len() as u64) as usize])
            .collect()
    }
}

pub fn every_type() -> SchemaRef {
    let utc = Some("UTC".into());
    Arc::new(Schema::new(vec![
        Field::new("text", DataType::Utf8View, true),
        Field::new("whole", DataType::Int64, true),
        Field::new("money", DataType::Decimal128(18, 2), true),
        Field::new("wide", DataType::Decimal128(38, 10), true),
        Field::new("float", DataType::Float64, true),
        Field::new("day", DataType::Date32, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
        Field::new(
            "at_utc",
            DataType::Timestamp(TimeUnit::Microsecond, utc),
            true,
        ),
        Field::new("flag", DataType::Boolean, true),
        Field::new("more, \"text\"", DataType::Utf8View, true),
    ]))
}

/// Rows of [`every_type`].
pub fn random_batch(random: &mut Random, rows: usize) -> RecordBatch {
    let mut each = |make: &mut dyn FnMut(&mut Random) -> ArrayRef| make(random);
    let moment = |r: &mut Random| r.below(8_000_000_000_000_000) as i64 - 4_000_000_000_000_000;
    let columns: Vec<ArrayRef> = vec![
        each(&mut |r| {
            Arc::new(
                (0..rows)
                    .map(|_| r.maybe(Random::text))
                    .collect::<StringViewArray>(),
            )
        }),
        each(&mut |r| {
            Arc::new(
                (0..rows)
                    .map(|_| r.maybe(|r| r.bits() as i64 >> r.below(64)))
                    .collect::<Int64Array>(),
            )
        }),
        each(&mut |r| {
            let array: Decimal128Array = (0..rows)
                .map(|_| r.maybe(|r| i128::from(r.below(1_000_000)) - 500_000))
                .collect();
            Arc::new(array.with_precision_and_scale(18, 2).unwrap())
        }),
        each(&mut |r| {
            let array: Decimal128Array = (0..rows)
                .map(|_| r.maybe(|r| i128::from(r.bits() as i64) * i128::from(r.below(1 << 40))))
                .collect();
            Arc::new(array.with_precision_and_scale(38, 10).unwrap())
        }),
        each(&mut |r| {
            let number = |r: &mut Random| f64::from_bits(r.bits());
            let finite = |r: &mut Random| Some(number(r)).filter(|n| n.is_finite());
            Arc::new((0..rows).map(|_| finite(r)).collect::<Float64Array>())
        }),
        each(&mut |r| {
            Arc::new(
                (0..rows)
                    .map(|_| r.maybe(|r| r.below(100_000) as i32 - 50_000))
                    .collect::<Date32Array>(),
            )
        }),
        each(&mut |r| {
            Arc::new(
                (0..rows)
                    .map(|_| r.maybe(moment))
                    .collect::<TimestampMicrosecondArray>(),
            )
        }),
        each(&mut |r| {
            let array: TimestampMicrosecondArray = (0..rows).map(|_| r.maybe(moment)).collect();
            Arc::new(array.with_timezone("UTC"))
        }),
        each(&mut |r| {
            Arc::new(
                (0..rows)
                    .map(|_| r.maybe(|r| r.below(2) == 1))
                    .collect::<BooleanArray>(),
            )
        }),
        each(&mut |r| {
            Arc::new(
                (0..rows)
                    .map(|_| r.maybe(Random::text))
                    .collect::<StringViewArray>(),
            )
        }),
    ];
    RecordBatch::try_new(every_type(), columns).unwrap()
}
