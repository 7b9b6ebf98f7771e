//! Statistics of every column of a source, in one pass over all rows that can be read. Memory does not grow with the
//! rows: distinct values are counted by a sketch, frequent values by a bounded table, quantiles and histogram come from
//! a sample. Columns are shared out among threads and rows are seen in order, so the answer does not depend on threads.

mod column;
mod frequent;
mod sample;
mod sketch;

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
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

/// Batches that wait for a thread.
const QUEUED_BATCHES: usize = 4;

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
    let workers = threads.clamp(1, width.max(1));
    if workers == 1 {
        while let Some(batch) = rows.next_batch()? {
            for (column, statistics) in statistics.iter_mut().enumerate() {
                update(statistics, &batch, column)?;
            }
        }
    } else {
        statistics = on_threads(&mut rows, statistics, workers)?;
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

/// Each thread has every `workers`th column, and sees all batches in order.
fn on_threads(
    rows: &mut Rows<'_>,
    statistics: Vec<Statistics>,
    workers: usize,
) -> Result<Vec<Statistics>> {
    let mut shares: Vec<Vec<(usize, Statistics)>> = (0..workers).map(|_| Vec::new()).collect();
    for (column, statistics) in statistics.into_iter().enumerate() {
        shares[column % workers].push((column, statistics));
    }
    thread::scope(|scope| {
        let mut senders: Vec<SyncSender<RecordBatch>> = Vec::new();
        let mut running = Vec::new();
        for share in shares {
            let (sender, receiver) = sync_channel(QUEUED_BATCHES);
            senders.push(sender);
            running.push(scope.spawn(move || work(share, &receiver)));
        }
        // A thread that failed hangs up; its error is found when it is joined.
        let read = feed(rows, &senders);
        drop(senders);
        let mut done = Vec::new();
        for thread in running {
            done.extend(
                thread
                    .join()
                    .map_err(|_| EngineError::internal("a thread of a profile panicked"))??,
            );
        }
        read?;
        done.sort_by_key(|(column, _)| *column);
        Ok(done.into_iter().map(|(_, statistics)| statistics).collect())
    })
}

fn feed(rows: &mut Rows<'_>, senders: &[SyncSender<RecordBatch>]) -> Result<()> {
    while let Some(batch) = rows.next_batch()? {
        if batch.num_rows() > 0
            && senders
                .iter()
                .any(|sender| sender.send(batch.clone()).is_err())
        {
            break;
        }
    }
    Ok(())
}

fn work(
    mut share: Vec<(usize, Statistics)>,
    batches: &Receiver<RecordBatch>,
) -> Result<Vec<(usize, Statistics)>> {
    for batch in batches {
        for (column, statistics) in &mut share {
            update(statistics, &batch, *column)?;
        }
    }
    Ok(share)
}
