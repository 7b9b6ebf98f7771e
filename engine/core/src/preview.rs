//! The first rows of a source, read from the head of its files only.

pub(crate) mod cell;
pub(crate) mod rows;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::job::{Column, Source};
use crate::sink::TextColumn;

/// Whatever is asked for.
const MAX_ROWS: usize = 10_000;

/// Text is looked at this far for rows that can be read.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// The first rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// As the source has them.
    pub columns: Vec<Column>,
    /// Cells as JSON values, see [`cell::json`].
    pub rows: Vec<Vec<Value>>,
    /// There are more rows, or there may be.
    pub truncated: bool,
}

/// The first `limit` rows; a row that can't be read is left out.
///
/// # Errors
/// SourceError where a file is missing, has changed, or has a format that can't be read.
pub fn preview(source: &Source, limit: usize) -> Result<Preview> {
    let limit = limit.min(MAX_ROWS);
    let mut reader = rows::Rows::new(source, limit + 1)?;
    let mut rows: Vec<Vec<Value>> = Vec::new();
    let mut truncated = false;
    while let Some(batch) = reader.next_batch()? {
        let columns: Result<Vec<TextColumn>> = batch.columns().iter().map(TextColumn::of).collect();
        let columns = columns?;
        for row in 0..batch.num_rows() {
            if rows.len() == limit {
                truncated = true;
                break;
            }
            rows.push(columns.iter().map(|c| cell::json(c, row)).collect());
        }
        truncated |= reader.bytes_read() > MAX_TEXT_BYTES;
        if truncated {
            break;
        }
    }
    Ok(Preview {
        columns: source.columns.clone(),
        rows,
        truncated,
    })
}
