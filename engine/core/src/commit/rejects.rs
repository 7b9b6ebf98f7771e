//! The rejects of a job as one CSV file, for a person who wants to mend the rows or to show them to their owner.

use std::io::Write;
use std::path::Path;

use super::target::{Target, not_written};
use super::{Committed, ended};
use crate::error::Result;
use crate::job::FileReject;
use crate::part::RejectsPart;
use crate::sink::csv::{header, push_text};
use crate::storage::Storage;

const COLUMNS: [&str; 10] = [
    "file",
    "row",
    "line",
    "record_offset",
    "field_offset",
    "column",
    "expected",
    "code",
    "message",
    "raw",
];

/// Written to the target at once.
const CHUNK_BYTES: usize = 256 << 10;

/// The rejects artifact from parts in order. Dropped without a commit it leaves nothing behind.
pub struct RejectsWriter {
    target: Option<Target>,
    lines: Vec<u8>,
    rows: u64,
}

impl RejectsWriter {
    /// A file at `target`, or standard output for `-`. The folder must exist.
    ///
    /// # Errors
    /// InvalidJob OUTPUT_NOT_WRITABLE.
    pub fn new(target: impl AsRef<Path>, checksum: bool) -> Result<Self> {
        Self::in_storage(target, &Storage::default(), checksum)
    }

    /// The same, where `target` may be the URI of an object that is reached as `storage` says.
    ///
    /// # Errors
    /// As `new`.
    pub fn in_storage(target: impl AsRef<Path>, storage: &Storage, checksum: bool) -> Result<Self> {
        Ok(Self {
            target: Some(Target::create(target.as_ref(), storage, checksum)?),
            lines: header(COLUMNS.into_iter(), b',', false),
            rows: 0,
        })
    }

    /// Add the next part; `row_base` and `line_base` are the rows and lines of the file before its shard. After an
    /// error there is nothing left to commit.
    ///
    /// # Errors
    /// ResourceError DISK_FULL; TransientIo PART_LOST.
    pub fn append(&mut self, part: &RejectsPart, row_base: u64, line_base: u64) -> Result<()> {
        let mut target = self.target.take().ok_or_else(ended)?;
        for reject in part.rejects()? {
            push_line(&mut self.lines, &reject?, row_base, line_base);
            self.rows += 1;
            if self.lines.len() >= CHUNK_BYTES {
                target.write_all(&self.lines).map_err(not_written)?;
                self.lines.clear();
            }
        }
        self.target = Some(target);
        Ok(())
    }

    /// Make it whole, as [`super::OutputWriter::commit`] does.
    ///
    /// # Errors
    /// Those of writing; the target is then as it was before.
    pub fn commit(&mut self) -> Result<Committed> {
        let mut target = self.target.take().ok_or_else(ended)?;
        target.write_all(&self.lines).map_err(not_written)?;
        let (size_bytes, sha256) = target.commit()?;
        Ok(Committed {
            rows: self.rows,
            size_bytes,
            sha256,
        })
    }

    /// Remove what was written. Nothing happens after a commit, or the second time.
    pub fn abort(&mut self) {
        self.target = None;
    }
}

fn push_line(line: &mut Vec<u8>, found: &FileReject, row_base: u64, line_base: u64) {
    let reject = &found.reject;
    let code = serde_json::to_value(reject.code).ok();
    let code = code.as_ref().and_then(|code| code.as_str());
    let number = |number: u64| Some(number.to_string());
    let fields = [
        Some(found.file.clone()),
        number(reject.row + row_base),
        number(reject.line + line_base),
        number(reject.record_offset),
        reject.field_offset.and_then(number),
        reject.column.clone(),
        reject.expected.clone(),
        code.map(str::to_owned),
        Some(reject.message.clone()),
        Some(reject.raw.clone()),
    ];
    for (position, field) in fields.iter().enumerate() {
        if position > 0 {
            line.push(b',');
        }
        if let Some(text) = field {
            push_text(line, text, b',', position == 0);
        }
    }
    line.push(b'\n');
}
