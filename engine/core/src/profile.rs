//! Statistics of every column of a source, in one pass over all rows that can be read. Memory does not grow with the
//! rows: distinct values are counted by a sketch, frequent values by a bounded table, quantiles and histogram come from
//! a sample.
//!
//! Rows are looked at in pieces ([`pieces`]) whose size has nothing to do with threads, and what is known of them is
//! merged in their order, so that the answer does not depend on threads. A source of one piece, a gzip file say, has its
//! columns shared out among threads, of which each sees its rows in order.

mod column;
mod frequent;
mod moments;
mod pieces;
mod sample;
mod sketch;
mod value;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::job::{Column, Source};

/// Held at most, where the caller does not say.
const MEMORY_BYTES: usize = 512 << 20;

/// Stored bytes of a piece, about. A constant, because the answer depends on it within its error.
const PIECE_BYTES: u64 = 64 << 20;

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColumnProfile {
    /// Which one.
    pub column: Column,
    /// Rows, those with NULL among them.
    pub count: u64,
    /// Rows with NULL.
    pub null_count: u64,
    /// Rows of the table that could not be read, the same for all its columns: they are in none of the figures.
    pub rejected: u64,
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

/// Statistics of every column of a whole source. Rows that can't be read are left out, and counted.
///
/// # Errors
/// SourceError where a file is missing, has changed, or has a format that can't be read.
pub fn profile(
    source: &Source,
    threads: usize,
    memory_bytes: Option<usize>,
) -> Result<Vec<ColumnProfile>> {
    profile_in_pieces(source, threads, memory_bytes, PIECE_BYTES)
}

/// As [`profile`], with another size of the pieces that are looked at in parallel.
///
/// # Errors
/// Those of `profile`.
pub fn profile_in_pieces(
    source: &Source,
    threads: usize,
    memory_bytes: Option<usize>,
    piece_bytes: u64,
) -> Result<Vec<ColumnProfile>> {
    let columns = source.columns.iter().cloned();
    let memory_bytes = memory_bytes.unwrap_or(MEMORY_BYTES);
    let (found, rejected) = pieces::look_at_all(source, threads.max(1), memory_bytes, piece_bytes)?;
    Ok(columns
        .zip(found)
        .map(|(column, found)| found.finish(column, rejected))
        .collect())
}
