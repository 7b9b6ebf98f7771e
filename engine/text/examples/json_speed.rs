//! How fast an NDJSON file is scanned on one thread: `json_speed FILE [COLUMNS] [ROUNDS]`.
//!
//! Prints GB (1e9 bytes of input) a CPU second, the best of a few rounds, of: a count of rows (no columns), the columns,
//! and the columns by the exact reader. Columns are separated by commas; `repo.name` reads one field of a struct.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use arrow_schema::{DataType, Field, Fields, Schema};
use karyaksham_text::{
    BadRowPolicy, FileSource, JsonOptions, JsonScan, ReadAt, ShardRange, Start, TextScan,
    simd_path, sniff_json,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments
        .next()
        .ok_or("usage: json_speed FILE [COLUMNS] [ROUNDS]")?;
    let wanted = arguments.next().unwrap_or_default();
    let rounds: usize = arguments.next().map_or(Ok(3), |rounds| rounds.parse())?;
    let source = Arc::new(FileSource::open(Path::new(&path))?);
    let sniffed = sniff_json(&*source)?;
    let fields: Fields = sniffed
        .columns
        .iter()
        .map(|column| Field::new(&column.name, column.data_type.clone(), true))
        .collect();
    let fields: Vec<Field> = match wanted.as_str() {
        "" => fields.iter().map(|field| field.as_ref().clone()).collect(),
        names => names
            .split(',')
            .map(|name| pick(&fields, name).ok_or(format!("there is no {name}")))
            .collect::<Result<_, _>>()?,
    };
    let size = source.size_bytes();
    println!("{path} {:.3} GB, {}", size as f64 / 1e9, simd_path());
    for field in &fields {
        println!("  {} {}", field.name(), field.data_type());
    }
    let range = ShardRange {
        lo: sniffed.data_start,
        hi: size,
        start: Start::Exact(sniffed.data_start),
    };
    let options = |projection| {
        Arc::new(JsonOptions {
            schema: Arc::new(Schema::new(fields.clone())),
            projection,
            bad_rows: BadRowPolicy::RejectRow,
            batch_rows: 8192,
            max_record_bytes: 16 << 20,
        })
    };
    let all = options((0..fields.len()).collect());
    let scans: [(&str, &dyn Fn() -> JsonScan); 3] = [
        ("count", &|| {
            JsonScan::new(source.clone(), options(vec![]), range)
        }),
        ("columns", &|| {
            JsonScan::new(source.clone(), all.clone(), range)
        }),
        ("exact", &|| {
            JsonScan::new(source.clone(), all.clone(), range).exact()
        }),
    ];
    for (name, make) in scans {
        let mut best = f64::MAX;
        let mut rows = (0, 0);
        for _ in 0..rounds {
            let (start, cpu) = (Instant::now(), cpu_seconds());
            let mut scan = make();
            while let Some(batch) = scan.next_batch()? {
                std::hint::black_box(&batch);
                scan.take_rejects();
            }
            rows = (scan.report().rows_passed, scan.report().rows_rejected);
            let cpu = cpu_seconds() - cpu;
            let took = if cpu > 0.0 {
                cpu
            } else {
                start.elapsed().as_secs_f64()
            };
            best = best.min(took);
        }
        println!(
            "{name:8} {:6.2} GB/s, {} rows, {} rejected",
            size as f64 / 1e9 / best,
            rows.0,
            rows.1
        );
    }
    Ok(())
}

/// A column, or one field of a struct as a struct of its own.
fn pick(fields: &Fields, name: &str) -> Option<Field> {
    let (name, rest) = match name.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (name, None),
    };
    let (_, field) = fields.find(name)?;
    match (rest, field.data_type()) {
        (None, _) => Some(field.as_ref().clone()),
        (Some(rest), DataType::Struct(inner)) => {
            let inner = vec![pick(inner, rest)?];
            Some(Field::new(name, DataType::Struct(inner.into()), true))
        }
        _ => None,
    }
}

/// Seconds that this thread ran; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns: Option<f64> = text.split(' ').next().and_then(|ns| ns.parse().ok());
    ns.unwrap_or(0.0) / 1e9
}
