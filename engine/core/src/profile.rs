//! Statistics of every column of a source, in one pass over all rows that can be read. Memory does not grow with the
//! rows: distinct values are counted by a sketch, frequent values by a bounded table, quantiles and histogram come from
//! a sample. Columns are shared out among threads and each sees its rows in order, so the answer does not depend on
//! threads.

mod column;
mod frequent;
mod moments;
mod sample;
mod sketch;
mod value;

use std::sync::Mutex;
use std::thread;

use arrow::array::RecordBatch;
use serde::Serialize;
use serde_json::Value;

use crate::error::{EngineError, Result};
use crate::job::{Column, Source};
use crate::preview::rows::Rows;

use column::{Limits, Statistics};

/// Held at most, where the caller does not say.
const MEMORY_BYTES: usize = 512 << 20;

/// Batches that are looked at together.
const ROUND_BATCHES: usize = 16;

const BATCH_ROWS: usize = 8192;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Which one.
    pub column: Column,
    /// Rows, those with NULL among them.
    pub count: u64,
    /// Rows with NULL.
    pub null_count: u64,
    /// Exact for some thousand values, else within about a percent.
    pub approx_distinct: u64,
    /// Of numbers by size, of dates by time, of text by bytes. NaN is left out.
    pub min: Value,
    /// As `min`.
    pub max: Value,
    /// Of finite numbers.
    pub mean: Option<f64>,
    /// Of the sample, of finite numbers.
    pub stddev: Option<f64>,
    /// Of numbers, dates and timestamps: `0.05`, `0.25`, `0.5`, `0.75`, `0.95`; exact for up to some ten thousand rows.
    pub quantiles: Option<serde_json::Map<String, Value>>,
    /// `value` and `count`, most frequent first. Where there are many values, only those that are surely frequent, with
    /// counts that may be a little low.
    pub top_values: Vec<TopValue>,
    /// Of numbers: `lo`, `hi` and `count` of bins of one width; from the sample, as `quantiles`.
    pub histogram: Option<Vec<Bin>>,
}

/// A frequent value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TopValue {
    /// As in a preview.
    pub value: Value,
    /// Rows that have it.
    pub count: u64,
}

/// Rows with values from `lo` to below `hi`; the last bin holds its `hi` as well.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Bin {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
    /// Rows, estimated where the column is larger than the sample.
    pub count: u64,
}

/// Statistics of every column of a whole source. Rows that can't be read are left out.
///
/// # Errors
/// SourceError where a file is missing, has changed, or has a format that can't be read.
pub fn profile(
    source: &Source,
    threads: usize,
    memory_bytes: Option<usize>,
) -> Result<Vec<ColumnProfile>> {
    let width = source.columns.len();
    let limits = Limits::within(memory_bytes.unwrap_or(MEMORY_BYTES), width);
    let mut rows = Rows::new(source, BATCH_ROWS)?;
    let mut statistics: Vec<Statistics> = (0..width).map(|_| Statistics::new(limits)).collect();
    let mut round = next_round(&mut rows)?;
    while !round.is_empty() {
        round = work(&mut rows, &round, &mut statistics, threads.max(1))?;
    }
    let columns = source.columns.iter().cloned();
    Ok(columns
        .zip(statistics)
        .map(|(column, found)| found.finish(column))
        .collect())
}

fn update(statistics: &mut Statistics, batch: &RecordBatch, column: usize) -> Result<()> {
    let array = batch.columns().get(column).ok_or_else(|| {
        EngineError::source_error("SOURCE_CHANGED", "The file has fewer columns than it had.")
            .hint("Inspect the file again.")
    })?;
    statistics.update(array)
}

/// Some batches; none at the end.
fn next_round(rows: &mut Rows<'_>) -> Result<Vec<RecordBatch>> {
    let mut round = Vec::with_capacity(ROUND_BATCHES);
    while round.len() < ROUND_BATCHES
        && let Some(batch) = rows.next_batch()?
    {
        if batch.num_rows() > 0 {
            round.push(batch);
        }
    }
    Ok(round)
}

/// Look at all columns of a round while the next one is read, which is one more piece of work. Whichever thread is free
/// takes the next piece; each column still sees its rows in order.
fn work(
    rows: &mut Rows<'_>,
    round: &[RecordBatch],
    statistics: &mut [Statistics],
    threads: usize,
) -> Result<Vec<RecordBatch>> {
    type Piece<'a> = Box<dyn FnOnce() -> Result<()> + Send + 'a>;
    let mut next = Ok(Vec::new());
    {
        let next = &mut next;
        let read: Piece = Box::new(move || {
            *next = next_round(rows);
            Ok(())
        });
        let columns = statistics.iter_mut().enumerate().map(|(column, found)| {
            let look = move || {
                round
                    .iter()
                    .try_for_each(|batch| update(found, batch, column))
            };
            Box::new(look) as Piece
        });
        let pieces = Mutex::new(std::iter::once(read).chain(columns));
        let take = || pieces.lock().ok()?.next();
        let run = || {
            while let Some(piece) = take() {
                piece()?;
            }
            Ok(())
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(run)).collect();
            let mut done: Result<()> = run();
            for other in others {
                let ended = other
                    .join()
                    .map_err(|_| EngineError::internal("a thread of a profile panicked"));
                done = done.and(ended?);
            }
            done
        })?;
    }
    next
}
