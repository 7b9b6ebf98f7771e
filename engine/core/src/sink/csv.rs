//! CSV out. Cells are written row by row into a buffer that stays in the cache, and are quoted only where they must be:
//! text with a delimiter, a quote or a line end; a record that begins with `#`; and the empty string, because a NULL is
//! an empty field without quotes. With a single column a NULL is a blank line. Lists and structs are JSON text. The
//! header is not the parts' business, see [`header`].

use arrow::array::{AsArray, BinaryViewArray, RecordBatch};
use karyaksham_text::TEXT_COLUMN;

use super::cells::{Cells, Column};
use super::ndjson::write_json;
use super::pack::{Packing, TextBuffer};
use super::value::MAX_SCALAR_BYTES;
use super::{PartSink, delimiter};
use crate::error::Result;
use crate::job::Output;
use crate::part::{Destination, Part};

const SCRATCH_BYTES: usize = 256 << 10;

/// Free bytes before each cell: the longest scalar, and a quote or delimiter on either side.
const CELL_BYTES: usize = MAX_SCALAR_BYTES + 2;

/// A part in CSV.
pub(super) struct CsvSink {
    encoder: Encoder,
    buffer: TextBuffer,
    rows: u64,
}

impl CsvSink {
    pub(super) fn new(output: &Output, destination: &Destination) -> Result<Self> {
        Ok(Self {
            encoder: Encoder::new(delimiter(output)?, output.formula_safe),
            buffer: TextBuffer::new(Packing::of(output)?, destination, "output.csv")?,
            rows: 0,
        })
    }
}

impl PartSink for CsvSink {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        if let Some(lines) = carried(batch) {
            return lines
                .iter()
                .flatten()
                .try_for_each(|line| self.buffer.push(line));
        }
        self.encoder.encode(batch, &mut self.buffer)
    }

    fn write_text(&mut self, text: &[u8], rows: u64) -> Result<()> {
        self.rows += rows;
        self.buffer.push(text)
    }

    fn finish(self: Box<Self>) -> Result<Part> {
        let (content, size_bytes) = self.buffer.finish()?;
        Ok(Part::new(content, self.rows, size_bytes))
    }
}

/// Rows that come as the lines that they are in the result.
fn carried(batch: &RecordBatch) -> Option<&BinaryViewArray> {
    match batch.schema_ref().fields().as_ref() {
        [only] if only.name() == TEXT_COLUMN => batch.column(0).as_binary_view_opt(),
        _ => None,
    }
}

/// The first line of a file with these columns.
pub fn header<'a>(
    names: impl Iterator<Item = &'a str>,
    delimiter: u8,
    formula_safe: bool,
) -> Vec<u8> {
    let mut line = Vec::new();
    for (position, name) in names.enumerate() {
        if position > 0 {
            line.push(delimiter);
        }
        if formula_safe && is_formula(name.as_bytes()) {
            push_text(&mut line, &format!("'{name}"), delimiter, position == 0);
            continue;
        }
        push_text(&mut line, name, delimiter, position == 0);
    }
    line.push(b'\n');
    line
}

/// One field of text; `first` says that it begins a record.
pub(crate) fn push_text(line: &mut Vec<u8>, text: &str, delimiter: u8, first: bool) {
    let bytes = text.as_bytes();
    let start = line.len();
    line.resize(start + bytes.len(), 0);
    let comment = first && bytes.first() == Some(&b'#');
    if bytes.is_empty() || comment || !(Marks { delimiter }).copy_plain(bytes, &mut line[start..]) {
        line.truncate(start);
        line.push(b'"');
        line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
        line.push(b'"');
    }
}

/// The bytes that make quotes necessary.
#[derive(Clone, Copy)]
struct Marks {
    delimiter: u8,
}

impl Marks {
    /// Whether one of the bytes is in `block`.
    #[inline(always)]
    fn find<const N: usize>(self, block: &[u8; N]) -> bool {
        block.iter().fold(false, |found, &byte| {
            found | (byte == self.delimiter) | (byte == b'"') | (byte == b'\n') | (byte == b'\r')
        })
    }

    /// Copy `text` over `out`, which has its length; false where it needs quotes, and `out` is then of no use.
    #[inline(always)]
    fn copy_plain(self, text: &[u8], out: &mut [u8]) -> bool {
        if text.len() >= 16 {
            return self.copy_blocks::<16>(text, out);
        }
        if text.len() >= 4 {
            return self.copy_blocks::<4>(text, out);
        }
        let mut found = false;
        for (at, &byte) in text.iter().enumerate() {
            out[at] = byte;
            found |= self.find(&[byte]);
        }
        !found
    }

    /// Whole blocks, and one more that ends where the text ends.
    #[inline(always)]
    fn copy_blocks<const N: usize>(self, text: &[u8], out: &mut [u8]) -> bool {
        let mut found = false;
        let (blocks, _) = text.as_chunks::<N>();
        let (places, _) = out.as_chunks_mut::<N>();
        for (at, place) in places.iter_mut().enumerate() {
            found |= self.find(&blocks[at]);
            *place = blocks[at];
        }
        if let (Some(block), Some(place)) = (text.last_chunk::<N>(), out.last_chunk_mut::<N>()) {
            found |= self.find(block);
            *place = *block;
        }
        !found
    }
}

/// Whether a spreadsheet would take the text for a formula.
fn is_formula(text: &[u8]) -> bool {
    matches!(
        text.first(),
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r')
    )
}

struct Encoder {
    marks: Marks,
    formula_safe: bool,
    scratch: Box<[u8]>,
    at: usize,
    json: Vec<u8>,
}

impl Encoder {
    fn new(delimiter: u8, formula_safe: bool) -> Self {
        Self {
            marks: Marks { delimiter },
            formula_safe,
            scratch: vec![0; SCRATCH_BYTES].into(),
            at: 0,
            json: Vec::new(),
        }
    }

    fn encode(&mut self, batch: &RecordBatch, out: &mut TextBuffer) -> Result<()> {
        let columns: Result<Vec<Column>> = batch.columns().iter().map(Column::of).collect();
        let columns = columns?;
        for row in 0..batch.num_rows() {
            for (position, column) in columns.iter().enumerate() {
                self.make_room(CELL_BYTES, out)?;
                if !column.is_null(row) {
                    self.cell(&column.cells, row, position == 0, out)?;
                }
                self.put(self.marks.delimiter);
            }
            self.end_record(columns.is_empty(), out)?;
        }
        self.flush(out)
    }

    #[inline]
    fn cell(&mut self, cells: &Cells, row: usize, first: bool, out: &mut TextBuffer) -> Result<()> {
        match cells {
            Cells::Scalar(scalar) => {
                self.at += scalar.write(row, &mut self.scratch[self.at..]);
                Ok(())
            }
            Cells::View(array) => {
                let view = array.views()[row];
                let length = view as u32 as usize;
                if length > 12 || self.formula_safe {
                    return self.text(array.value(row).as_bytes(), first, out);
                }
                let block = (view >> 32).to_le_bytes();
                let comment = first && block[0] == b'#';
                if length == 0 || comment || self.marks.find(&block) {
                    return self.text(&block[..length], first, out);
                }
                // Views are padded with zeros, which the next cell overwrites.
                if let Some(place) = self.scratch[self.at..].first_chunk_mut() {
                    *place = block;
                }
                self.at += length;
                Ok(())
            }
            Cells::Utf8(array) => self.text(array.value(row).as_bytes(), first, out),
            Cells::LargeUtf8(array) => self.text(array.value(row).as_bytes(), first, out),
            Cells::Null => Ok(()),
            Cells::List(..) | Cells::Struct(_) | Cells::Map(..) => {
                let mut json = std::mem::take(&mut self.json);
                json.clear();
                write_json(cells, row, &mut json);
                let done = self.text(&json, first, out);
                self.json = json;
                done
            }
        }
    }

    #[inline]
    fn text(&mut self, text: &[u8], first: bool, out: &mut TextBuffer) -> Result<()> {
        if self.formula_safe && is_formula(text) {
            return self.quoted(&[b"'", text].concat(), false, out);
        }
        self.make_room(text.len() + 2, out)?;
        let comment = first && text.first() == Some(&b'#');
        if !text.is_empty() && !comment && text.len() + 2 <= self.scratch.len() - self.at {
            let place = &mut self.scratch[self.at..self.at + text.len()];
            if self.marks.copy_plain(text, place) {
                self.at += text.len();
                return Ok(());
            }
        }
        self.quoted(text, comment, out)
    }

    /// Text that does not fit as it is, because it needs quotes or is longer than the scratch.
    fn quoted(&mut self, text: &[u8], comment: bool, out: &mut TextBuffer) -> Result<()> {
        if text.len() + 2 > SCRATCH_BYTES
            && !comment
            && !text.iter().any(|byte| self.marks.find(&[*byte]))
        {
            self.flush(out)?;
            return out.push(text);
        }
        self.put(b'"');
        for piece in text.split_inclusive(|&byte| byte == b'"') {
            for chunk in piece.chunks(SCRATCH_BYTES / 2) {
                self.make_room(chunk.len() + 1, out)?;
                self.scratch[self.at..self.at + chunk.len()].copy_from_slice(chunk);
                self.at += chunk.len();
            }
            if piece.ends_with(b"\"") {
                self.put(b'"');
            }
        }
        self.make_room(CELL_BYTES, out)?;
        self.put(b'"');
        Ok(())
    }

    /// The last delimiter becomes the line end.
    #[inline]
    fn end_record(&mut self, without_cells: bool, out: &mut TextBuffer) -> Result<()> {
        if without_cells {
            self.make_room(1, out)?;
            self.at += 1;
        }
        self.scratch[self.at - 1] = b'\n';
        Ok(())
    }

    #[inline]
    fn put(&mut self, byte: u8) {
        self.scratch[self.at] = byte;
        self.at += 1;
    }

    /// See to it that `bytes` fit, if they fit at all; the last byte stays where it is.
    #[inline]
    fn make_room(&mut self, bytes: usize, out: &mut TextBuffer) -> Result<()> {
        if self.scratch.len() - self.at < bytes {
            self.flush(out)?;
        }
        Ok(())
    }

    #[cold]
    fn flush(&mut self, out: &mut TextBuffer) -> Result<()> {
        let at = std::mem::take(&mut self.at);
        out.push(&self.scratch[..at])
    }
}
