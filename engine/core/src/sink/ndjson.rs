//! NDJSON out: one object a line, every key on every line, NULL as `null`. Integers and decimals are numbers with all
//! their digits; dates and timestamps are ISO strings; NaN and infinities, which JSON has no number for, are `null`.

use arrow::array::RecordBatch;

use super::PartSink;
use super::cells::{Cells, Column};
use super::pack::{Packing, TextBuffer};
use super::value::{MAX_SCALAR_BYTES, Scalar};
use crate::error::Result;
use crate::job::Output;
use crate::part::{Destination, Part};

/// What is gathered before it goes to the part.
const CHUNK_BYTES: usize = 256 << 10;

/// A part in NDJSON.
pub(super) struct NdjsonSink {
    buffer: TextBuffer,
    lines: Vec<u8>,
    rows: u64,
}

impl NdjsonSink {
    pub(super) fn new(output: &Output, destination: &Destination) -> Result<Self> {
        Ok(Self {
            buffer: TextBuffer::new(Packing::of(output)?, destination, "output.ndjson")?,
            lines: Vec::with_capacity(CHUNK_BYTES),
            rows: 0,
        })
    }

    fn flush(&mut self) -> Result<()> {
        self.buffer.push(&self.lines)?;
        self.lines.clear();
        Ok(())
    }
}

impl PartSink for NdjsonSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns: Result<Vec<Column>> = batch.columns().iter().map(Column::of).collect();
        let columns = columns?;
        let schema = batch.schema();
        let prefixes: Vec<Vec<u8>> = schema
            .fields()
            .iter()
            .enumerate()
            .map(|(position, field)| prefix(position, field.name()))
            .collect();
        for row in 0..batch.num_rows() {
            if prefixes.is_empty() {
                self.lines.push(b'{');
            }
            for (prefix, column) in prefixes.iter().zip(&columns) {
                self.lines.extend_from_slice(prefix);
                write_cell(column, row, &mut self.lines);
            }
            self.lines.extend_from_slice(b"}\n");
            if self.lines.len() >= CHUNK_BYTES {
                self.flush()?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Part> {
        self.flush()?;
        let (content, size_bytes) = self.buffer.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

/// What stands before the value at `position` of an object: `{"name":` or `,"name":`.
fn prefix(position: usize, name: &str) -> Vec<u8> {
    let mut prefix = vec![if position == 0 { b'{' } else { b',' }];
    write_string(name.as_bytes(), &mut prefix);
    prefix.push(b':');
    prefix
}

fn write_cell(column: &Column, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.extend_from_slice(b"null");
    } else {
        write_json(&column.cells, row, out);
    }
}

/// The value of `row`, which is not null, as JSON.
pub(crate) fn write_json(cells: &Cells, row: usize, out: &mut Vec<u8>) {
    match cells {
        Cells::Null => out.extend_from_slice(b"null"),
        Cells::Scalar(scalar) => write_scalar(scalar, row, out),
        Cells::View(array) => write_string(array.value(row).as_bytes(), out),
        Cells::Utf8(array) => write_string(array.value(row).as_bytes(), out),
        Cells::LargeUtf8(array) => write_string(array.value(row).as_bytes(), out),
        Cells::List(ranges, child) => {
            out.push(b'[');
            for element in ranges[row].clone() {
                if element > ranges[row].start {
                    out.push(b',');
                }
                write_cell(child, element, out);
            }
            out.push(b']');
        }
        Cells::Struct(children) => {
            if children.is_empty() {
                out.push(b'{');
            }
            for (position, (name, child)) in children.iter().enumerate() {
                out.extend_from_slice(&prefix(position, name));
                write_cell(child, row, out);
            }
            out.push(b'}');
        }
        Cells::Map(ranges, entries) => {
            out.push(b'{');
            for entry in ranges[row].clone() {
                if entry > ranges[row].start {
                    out.push(b',');
                }
                write_key(&entries.0, entry, out);
                out.push(b':');
                write_cell(&entries.1, entry, out);
            }
            out.push(b'}');
        }
    }
}

/// JSON's keys are strings, whatever the map's are.
fn write_key(keys: &Column, entry: usize, out: &mut Vec<u8>) {
    let start = out.len();
    write_cell(keys, entry, out);
    if out[start] != b'"' {
        let text = out.split_off(start);
        write_string(&text, out);
    }
}

fn write_scalar(scalar: &Scalar, row: usize, out: &mut Vec<u8>) {
    if scalar.is_not_finite(row) {
        return out.extend_from_slice(b"null");
    }
    let quotes = scalar.is_temporal();
    if quotes {
        out.push(b'"');
    }
    let start = out.len();
    out.resize(start + MAX_SCALAR_BYTES, 0);
    let length = scalar.write(row, &mut out[start..]);
    out.truncate(start + length);
    if quotes {
        out.push(b'"');
    }
}

/// `text` in quotes.
fn write_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let special = |byte: u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let found = text
        .iter()
        .fold(false, |found, &byte| found | special(byte));
    if !found {
        out.extend_from_slice(text);
    } else {
        for &byte in text {
            if special(byte) {
                write_escape(byte, out);
            } else {
                out.push(byte);
            }
        }
    }
    out.push(b'"');
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
