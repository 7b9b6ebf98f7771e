//! A table for a terminal: the first rows, and how many more there are. A part holds its first rows as Arrow, because
//! the widths of the columns are known only when all parts are there.

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::writer::StreamWriter;

use super::PartSink;
use super::cells::{Cells, Column};
use super::ndjson::write_json;
use super::value::MAX_SCALAR_BYTES;
use crate::error::Result;
use crate::part::{Destination, Part, PartBuffer};

/// Rows that are shown.
pub const MAX_ROWS: usize = 40;

/// Characters of a cell that are shown.
const MAX_CELL_CHARS: usize = 60;

/// The first rows of a part.
pub(super) struct TableSink {
    schema: SchemaRef,
    destination: Destination,
    first: Vec<RecordBatch>,
    rows: u64,
}

impl TableSink {
    pub(super) fn new(schema: SchemaRef, destination: &Destination) -> Self {
        Self {
            schema,
            destination: destination.clone(),
            first: Vec::new(),
            rows: 0,
        }
    }
}

impl PartSink for TableSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let shown = self.rows.min(MAX_ROWS as u64) as usize;
        let wanted = (MAX_ROWS - shown).min(batch.num_rows());
        if wanted > 0 {
            self.first
                .push(crate::part::compact(&batch.slice(0, wanted))?);
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Part> {
        let buffer = PartBuffer::new(&self.destination, "output.arrow")?;
        let mut writer = StreamWriter::try_new(buffer, &self.schema)?;
        for batch in &self.first {
            writer.write(batch)?;
        }
        let (content, size_bytes) = writer.into_inner()?.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

/// The table of `batches`, which are the first of `rows` rows.
///
/// # Errors
/// InvalidJob UNSUPPORTED_TYPE.
pub fn render(schema: &SchemaRef, batches: &[RecordBatch], rows: u64) -> Result<String> {
    let titles = schema.fields().iter().map(|f| shown(f.name())).collect();
    let mut lines: Vec<Vec<String>> = vec![titles];
    for batch in batches {
        let columns: Result<Vec<Column>> = batch.columns().iter().map(Column::of).collect();
        let columns = columns?;
        for row in 0..batch.num_rows().min(MAX_ROWS + 1 - lines.len()) {
            lines.push(columns.iter().map(|c| shown(&text(c, row))).collect());
        }
    }
    let right: Vec<bool> = schema
        .fields()
        .iter()
        .map(|f| is_number(f.data_type()))
        .collect();
    let mut table = draw(&lines, &right);
    let more = rows.saturating_sub(lines.len() as u64 - 1);
    if more > 0 {
        let word = if more == 1 { "row" } else { "rows" };
        table.push_str(&format!("… and {more} more {word}\n"));
    }
    Ok(table)
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric()
}

/// The cell as CSV would have it without quotes; NULL in words.
pub(crate) fn text(column: &Column, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    match &column.cells {
        Cells::View(array) => array.value(row).to_owned(),
        Cells::Utf8(array) => array.value(row).to_owned(),
        Cells::LargeUtf8(array) => array.value(row).to_owned(),
        Cells::Scalar(scalar) => {
            let mut out = [0; MAX_SCALAR_BYTES];
            let length = scalar.write(row, &mut out);
            String::from_utf8_lossy(&out[..length]).into_owned()
        }
        nested => {
            let mut json = Vec::new();
            write_json(nested, row, &mut json);
            String::from_utf8_lossy(&json).into_owned()
        }
    }
}

/// On one line, without anything that steers a terminal, and not too long.
fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (at, character) in text.chars().enumerate() {
        if at == MAX_CELL_CHARS {
            shown.push('…');
            break;
        }
        match character {
            '\n' => shown.push('⏎'),
            '\t' => shown.push('⇥'),
            other if other.is_control() => shown.push('�'),
            other => shown.push(other),
        }
    }
    shown
}

fn draw(lines: &[Vec<String>], right: &[bool]) -> String {
    let widths: Vec<usize> = (0..right.len())
        .map(|c| lines.iter().map(|line| width(&line[c])).max().unwrap_or(0))
        .collect();
    let rule = |left: &str, middle: &str, end: &str| {
        let pieces: Vec<String> = widths.iter().map(|w| "─".repeat(w + 2)).collect();
        format!("{left}{}{end}\n", pieces.join(middle))
    };
    let mut table = rule("┌", "┬", "┐");
    for (number, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let gap = " ".repeat(widths[column] - width(cell));
            let padded = if right[column] {
                format!("│ {gap}{cell} ")
            } else {
                format!("│ {cell}{gap} ")
            };
            table.push_str(&padded);
        }
        table.push_str("│\n");
        if number == 0 {
            table.push_str(&rule("├", "┼", "┤"));
        }
    }
    table.push_str(&rule("└", "┴", "┘"));
    table
}

/// Columns of a terminal: East Asian characters and emoji take two, combining ones none.
fn width(text: &str) -> usize {
    text.chars()
        .map(|character| match u32::from(character) {
            0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
            0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff => 2,
            0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff => 2,
            0x20000..=0x3fffd => 2,
            _ => 1,
        })
        .sum()
}
