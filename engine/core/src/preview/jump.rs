//! To the row with some number, without reading all before it: over whole files and to the nearest mark where a text
//! file has a record index, by the footer of Parquet and the messages of Arrow; over other text by walking its
//! structure, which decodes no field.

use datafusion::catalog::TableProvider;
use karyaksham_text::{BadRowPolicy, ShardRange, Start, TextError, TextScan};

use super::rows::{Rows, Span};
use crate::error::{EngineError, Result};
use crate::job::{FileFormat, MAX_RECORD_BYTES, RecordIndex, Source, Validate};
use crate::scan::{Footer, Reading, Shape, Table, TextFile, open_arrow};

/// Rows that are passed over at once.
const STEP_ROWS: usize = 8192;

/// Where a row is found.
pub(crate) enum Place<'a> {
    /// Among these rows, few of them before it.
    Among(Box<Rows<'a>>),
    /// The source ends before it; how many rows it has.
    Beyond(u64),
}

/// Find the row with the number `offset`, from 0, rows that can't be read among them. `batch_rows` as in [`Rows::new`].
///
/// # Errors
/// Those of reading.
pub(crate) fn to(source: &Source, offset: u64, batch_rows: usize) -> Result<Place<'_>> {
    let mut before = 0;
    for file in 0..source.files.len() {
        let path = &source.files[file].path;
        let found = in_file(source, file, offset - before).map_err(|e| e.in_file(path))?;
        match found {
            Found::Rows(rows) => before += rows,
            Found::Within { span, row, skipped } => {
                let rest = (file + 1..source.files.len()).map(|file| (file, Span::File));
                let spans = std::iter::once((file, span)).chain(rest).collect();
                let rows = Rows::of(source, batch_rows, spans)?;
                let rows = rows.numbered(before + row, skipped);
                return Ok(Place::Among(Box::new(rows)));
            }
        }
    }
    Ok(Place::Beyond(before))
}

/// What a file says of one of its rows.
enum Found {
    /// It has only so many.
    Rows(u64),
    /// It is, or may be, in a span whose first row has the number `row`; the first rows are to be skipped.
    Within {
        span: Span,
        row: u64,
        skipped: usize,
    },
}

fn in_file(source: &Source, file: usize, offset: u64) -> Result<Found> {
    match source.format {
        FileFormat::Parquet => {
            let groups = Footer::read(source, file)?.row_groups;
            Ok(in_blocks(&groups, offset, true))
        }
        FileFormat::Arrow => {
            let batches: Vec<_> = open_arrow(source, file)?.batches().collect();
            Ok(in_blocks(&batches, offset, false))
        }
        FileFormat::Csv | FileFormat::Ndjson => in_text(source, file, offset),
    }
}

fn in_blocks(blocks: &[(u64, u64)], offset: u64, can_skip: bool) -> Found {
    let mut row = 0;
    for (number, (rows, _)) in blocks.iter().enumerate() {
        if row + rows > offset {
            let skipped = if can_skip { (offset - row) as usize } else { 0 };
            let span = Span::Blocks(number, blocks.len() - number);
            return Found::Within { span, row, skipped };
        }
        row += rows;
    }
    Found::Rows(row)
}

fn in_text(source: &Source, file: usize, offset: u64) -> Result<Found> {
    let text = TextFile::open(source, file)?;
    let index = source.files[file].index.as_ref();
    if let Some(RecordIndex { rows, .. }) = index
        && *rows <= offset
    {
        return Ok(Found::Rows(*rows));
    }
    let (mut start, mut row) = (text.data_start()?, 0);
    let marks = index.map_or(&[][..], |index| &index.marks);
    let after = marks.partition_point(|mark| mark.row <= offset);
    if let Some(mark) = marks[..after].last() {
        (start, row) = (mark.offset, mark.row);
    }
    let size_bytes = text.size_bytes();
    // What can only be read in order is read once.
    if !text.is_stream() {
        match walked(text, (source, file), start, offset - row)? {
            Walked::To(offset, rows) => (start, row) = (offset, row + rows),
            Walked::Over(rows) => return Ok(Found::Rows(row + rows)),
        }
    }
    let span = Span::Text(ShardRange {
        lo: start,
        hi: size_bytes,
        start: Start::Exact(start),
    });
    let skipped = 0;
    Ok(Found::Within { span, row, skipped })
}

enum Walked {
    /// Where a record begins, and how many were passed over.
    To(u64, u64),
    /// So many rows are all.
    Over(u64),
}

/// From a record to one that is `rows` records further on, or a few less.
fn walked(
    text: TextFile<'_>,
    (source, file): (&Source, usize),
    start: u64,
    rows: u64,
) -> Result<Walked> {
    let table = Table::new(0, source, 1)?.schema();
    let range = ShardRange {
        lo: start,
        hi: text.size_bytes(),
        start: Start::Exact(start),
    };
    let reading = Reading {
        projection: Vec::new(),
        schema: Shape::of_text(source, file, &table, &[])?.1,
        filter: None,
        verbatim: None,
        carries: None,
        validate: Validate::Touched,
        bad_rows: BadRowPolicy::RejectRow,
        batch_rows: STEP_ROWS,
        max_record_bytes: MAX_RECORD_BYTES,
    };
    let (mut scan, _) = text.scan(reading, range)?;
    let mut place = (start, 0);
    loop {
        let is_over = next(&mut *scan)?;
        let report = scan.report();
        if report.rows_read > rows {
            return Ok(Walked::To(place.0, place.1));
        }
        place = (report.end, report.rows_read);
        if is_over {
            return Ok(Walked::Over(report.rows_read));
        }
    }
}

fn next(scan: &mut dyn TextScan) -> Result<bool> {
    let batch = scan
        .next_batch()
        .map_err(|e: TextError| EngineError::from(e))?;
    scan.take_rejects();
    Ok(batch.is_none())
}
