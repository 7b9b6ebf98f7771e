//! How fast a file is scanned: `scan_speed FILE [COLUMNS] [--threads 1,2] [--rounds 3]`.
//!
//! Prints GB/s (1e9 bytes of input a second) of three things, the best of a few rounds: the structural index over the
//! file's bytes, a count of rows (no columns), and the columns decoded to Arrow. Columns are names, separated by commas;
//! without them all are decoded. Shards of 64 MiB, their starts guessed, proved to join.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use arrow_schema::{Field, Schema};
use karyaksham_text::index::{Index, PADDING_BYTES, Simd, Symbols};
use karyaksham_text::{
    BadRowPolicy, CsvScan, DialectOverrides, FileSource, ReadAt, ScanOptions, ShardRange,
    ShardReport, TextScan, chain, cut, simd_path, sniff,
};

const SHARD_BYTES: u64 = 64 << 20;
const INDEX_BYTES: usize = 256 << 10;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Request {
    path: String,
    columns: Vec<String>,
    threads: Vec<usize>,
    rounds: usize,
}

fn request() -> Outcome<Request> {
    let mut request = Request {
        path: String::new(),
        columns: vec![],
        threads: vec![1, 2],
        rounds: 3,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
        match argument.as_str() {
            "--threads" => {
                request.threads = value()?
                    .split(',')
                    .map(str::parse)
                    .collect::<Result<_, _>>()?
            }
            "--rounds" => request.rounds = value()?.parse()?,
            _ if request.path.is_empty() => request.path = argument,
            _ => request.columns = argument.split(',').map(str::to_owned).collect(),
        }
    }
    if request.path.is_empty() {
        Err("usage: scan_speed FILE [COLUMNS] [--threads 1,2] [--rounds 3]".into())
    } else {
        Ok(request)
    }
}

fn main() -> Outcome<()> {
    let request = request()?;
    let source: Arc<FileSource> = Arc::new(FileSource::open(Path::new(&request.path))?);
    let sniffed = sniff(&*source, &DialectOverrides::default())?;
    let fields: Vec<_> = sniffed
        .columns
        .iter()
        .map(|c| Field::new(&c.name, c.data_type.clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let projection = match request.columns.len() {
        0 => (0..schema.fields().len()).collect(),
        _ => request
            .columns
            .iter()
            .map(|name| schema.index_of(name))
            .collect::<Result<Vec<_>, _>>()?,
    };
    let size = source.size_bytes();
    let options = |projection: Vec<usize>| {
        Arc::new(ScanOptions {
            dialect: sniffed.dialect.clone(),
            schema: schema.clone(),
            projection,
            bad_rows: BadRowPolicy::RejectRow,
            batch_rows: 8192,
            max_record_bytes: 16 << 20,
        })
    };
    println!(
        "{} {:.3} GB, index {}",
        request.path,
        size as f64 / 1e9,
        simd_path()
    );
    for field in projection.iter().map(|column| schema.field(*column)) {
        println!("  {} {}", field.name(), field.data_type());
    }
    let ranges = cut(sniffed.data_start, size, SHARD_BYTES);
    let symbols = Symbols {
        delimiter: sniffed.dialect.delimiter,
        quote: sniffed.dialect.quote,
        escape: sniffed.dialect.escape,
        comment: None,
        line_ending: sniffed.dialect.line_ending,
        skips_spaces: sniffed.dialect.skip_initial_space,
        merges: sniffed.dialect.merge_delimiters,
    };
    for threads in request.threads {
        let (mut best, mut best_cpu) = ([f64::MAX; 3], [f64::MAX; 3]);
        let mut counts = (0, 0);
        for _ in 0..request.rounds {
            let measures: [&dyn Fn() -> Outcome<(u64, u64)>; 3] = [
                &|| index_all(&*source, symbols, threads),
                &|| scan_all(&source, &options(vec![]), &ranges, threads),
                &|| scan_all(&source, &options(projection.clone()), &ranges, threads),
            ];
            for (number, measure) in measures.into_iter().enumerate() {
                CPU_NS.store(0, Ordering::Relaxed);
                let start = Instant::now();
                counts = measure()?;
                best[number] = best[number].min(start.elapsed().as_secs_f64());
                best_cpu[number] =
                    best_cpu[number].min(CPU_NS.load(Ordering::Relaxed) as f64 / 1e9);
            }
        }
        println!(
            "{threads} thread(s): {} rows, {} rejected",
            counts.0, counts.1
        );
        for (number, name) in ["index", "count", "columns"].iter().enumerate() {
            let speed = |seconds: f64| size as f64 / 1e9 / seconds;
            println!(
                "  {name:8} {:6.2} GB/s, {:6.2} GB a CPU second",
                speed(best[number]),
                speed(best_cpu[number])
            );
        }
    }
    Ok(())
}

/// Nanoseconds that this thread ran; 0 where the system does not say.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|ns| ns.parse().ok())
        .unwrap_or(0)
}

static CPU_NS: AtomicU64 = AtomicU64::new(0);

/// Run `work` for each number below `count` on some threads.
fn spread<T: Send>(
    threads: usize,
    count: usize,
    work: impl Fn(usize) -> Outcome<T> + Sync,
) -> Outcome<Vec<(usize, T)>> {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let run = || -> Outcome<Vec<(usize, T)>> {
            let start = cpu_ns();
            let mut done = vec![];
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    CPU_NS.fetch_add(cpu_ns() - start, Ordering::Relaxed);
                    return Ok(done);
                }
                done.push((number, work(number)?));
            }
        };
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let mut all = vec![];
        for handle in handles {
            all.extend(handle.join().map_err(|_| "a thread panicked")??);
        }
        all.sort_by_key(|(number, _): &(usize, T)| *number);
        Ok(all)
    })
}

/// The index alone, over bytes read into a reused buffer; quotes that span blocks are not followed.
fn index_all(source: &dyn ReadAt, symbols: Symbols, threads: usize) -> Outcome<(u64, u64)> {
    let size = source.size_bytes();
    let pieces = size.div_ceil(SHARD_BYTES) as usize;
    let done = spread(threads, pieces, |piece| {
        let mut buffer = vec![0; 64 + INDEX_BYTES + PADDING_BYTES];
        let mut index = Index::default();
        let (mut at, hi) = (
            piece as u64 * SHARD_BYTES,
            size.min((piece as u64 + 1) * SHARD_BYTES),
        );
        let mut fields = 0;
        while at < hi {
            let want = INDEX_BYTES.min((hi - at) as usize);
            let read = source.read_at(at, &mut buffer[64..64 + want])?;
            index.restart(64);
            index.run(Simd::get(), symbols, &buffer, 64, 64 + read);
            fields += index.ends.len() as u64;
            at += read as u64;
        }
        Ok(fields)
    })?;
    Ok((done.iter().map(|(_, fields)| fields).sum(), 0))
}

fn scan_all(
    source: &Arc<FileSource>,
    options: &Arc<ScanOptions>,
    ranges: &[ShardRange],
    threads: usize,
) -> Outcome<(u64, u64)> {
    let reports = spread(threads, ranges.len(), |shard| {
        let mut scan = CsvScan::new(source.clone(), options.clone(), ranges[shard]);
        while let Some(batch) = scan.next_batch()? {
            std::hint::black_box(&batch);
            scan.take_rejects();
        }
        Ok(scan.report().clone())
    })?;
    let reports: Vec<ShardReport> = reports.into_iter().map(|(_, report)| report).collect();
    chain(&reports, source.size_bytes()).map_err(|shard| format!("shard {shard} does not join"))?;
    Ok((
        reports.iter().map(|r| r.rows_passed).sum(),
        reports.iter().map(|r| r.rows_rejected).sum(),
    ))
}
