//! Some rows of a source that follow each other: the first, read from the head of its files only, or those from a row
//! with some number on.

pub(crate) mod cell;
mod jump;
pub(crate) mod rows;

use serde::Serialize;
use serde_json::Value;

use crate::error::Result;
use crate::job::{Column, FileRef, Source};
use crate::sink::TextColumn;

/// Whatever is asked for.
const MAX_ROWS: usize = 10_000;

/// Text is looked at this far for rows that can be read.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// Some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preview {
    /// As the source has them.
    pub columns: Vec<Column>,
    /// Cells as JSON values, see [`cell::json`].
    pub rows: Vec<Vec<Value>>,
    /// There are more rows, or there may be.
    pub truncated: bool,
    /// Of each row its number in the table, from 1, rows that can't be read counted.
    pub row_numbers: Vec<u64>,
    /// Rows of the table, those that can't be read among them; None where they were not all counted.
    pub row_count: Option<u64>,
}

/// The first `limit` rows after the first `offset` ones; a row that can't be read is counted and left out. With a
/// record index in the files of the source, the rows before are not read.
///
/// # Errors
/// SourceError where a file is missing, has changed, or has a format that can't be read.
pub fn preview(source: &Source, limit: usize, offset: u64) -> Result<Preview> {
    let limit = limit.min(MAX_ROWS);
    let mut preview = Preview {
        columns: source.columns.clone(),
        rows: Vec::new(),
        truncated: false,
        row_numbers: Vec::new(),
        row_count: known_rows(source),
    };
    let mut reader = match offset {
        0 => Box::new(rows::Rows::new(source, limit + 1)?.numbered(0, 0)),
        _ => match jump::to(source, offset, limit + 1)? {
            jump::Place::Among(rows) => rows,
            jump::Place::Beyond(rows) => {
                preview.row_count = Some(rows);
                return Ok(preview);
            }
        },
    };
    let mut bytes_before = 0;
    while let Some(batch) = reader.next_batch()? {
        let numbers = reader.numbers(batch.num_rows());
        if numbers.last().is_some_and(|number| *number < offset) {
            bytes_before = reader.bytes_read();
            continue;
        }
        let columns: Result<Vec<TextColumn>> = batch.columns().iter().map(TextColumn::of).collect();
        let columns = columns?;
        for (row, number) in numbers.into_iter().enumerate() {
            if number < offset {
                continue;
            }
            if preview.rows.len() == limit {
                preview.truncated = true;
                break;
            }
            let cells = columns.iter().map(|c| cell::json(c, row));
            preview.rows.push(cells.collect());
            preview.row_numbers.push(number + 1);
        }
        preview.truncated |= reader.bytes_read() - bytes_before > MAX_TEXT_BYTES;
        if preview.truncated {
            return Ok(preview);
        }
    }
    preview.row_count = Some(reader.number_after());
    Ok(preview)
}

/// Where all files have a record index.
fn known_rows(source: &Source) -> Option<u64> {
    let rows = |file: &FileRef| Some(file.index.as_ref()?.rows);
    source.files.iter().map(rows).sum()
}
