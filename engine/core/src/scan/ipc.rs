//! Arrow IPC files and streams, batch by batch. Where the batches lie is found out first, from the footer of a file or by
//! walking over a stream, and checked against the size of the file, so that a damaged length is an error and no
//! allocation; then any run of batches can be read alone, after the dictionaries that come before it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::FileDecoder;
use arrow::ipc::{
    Block, Message, MessageHeader, MetadataVersion, RecordBatch as BatchHeader, Schema,
    root_as_footer, root_as_message,
};

use crate::error::{EngineError, Result};
use crate::storage::Opened;

/// First and last bytes of an Arrow IPC file.
pub(crate) const MAGIC: &[u8] = b"ARROW1";

/// Before each message of a stream.
pub(crate) const CONTINUATION: [u8; 4] = [0xff; 4];

/// The magic and its padding, with which a file begins.
const HEAD_BYTES: u64 = 8;

/// The length of the footer and the magic, with which a file ends.
const TAIL_BYTES: u64 = 10;

/// Buffers of one batch, unpacked. Programs write batches of some megabytes.
const MAX_UNPACKED_BYTES: u64 = 4 << 30;

/// Heads of batches that are read together, which takes one round trip where the file is an object.
const HEADS_AT_ONCE: usize = 256;
const HEADS_BYTES: u64 = 16 << 20;

/// Rows of one batch; the format advises to stay below.
const MAX_BATCH_ROWS: u64 = i32::MAX as u64;

/// An open file, and where its messages lie.
#[derive(Debug)]
pub(crate) struct IpcFile {
    file: Opened,
    size_bytes: u64,
    schema: SchemaRef,
    version: MetadataVersion,
    messages: Vec<Located>,
}

/// One message: a record batch, or a dictionary.
#[derive(Debug, Clone, Copy)]
struct Located {
    block: Block,
    rows: Option<u64>,
}

impl IpcFile {
    /// Look at a whole file: its footer, or the heads of its messages where it is a stream.
    ///
    /// # Errors
    /// SourceError INVALID_ARROW.
    pub(crate) fn open(file: Opened) -> Result<Self> {
        let size_bytes = file.size_bytes();
        let mut head = [0; MAGIC.len()];
        if size_bytes < head.len() as u64 {
            return Err(invalid("it is too short"));
        }
        file.read_exact_at(&mut head, 0)?;
        let found = Self {
            file,
            size_bytes,
            schema: Arc::new(arrow::datatypes::Schema::empty()),
            version: MetadataVersion::V5,
            messages: Vec::new(),
        };
        // What the flatbuffers promise and do not keep makes the library panic.
        catch_unwind(AssertUnwindSafe(|| {
            if head == *MAGIC {
                found.with_footer()
            } else {
                found.with_walk()
            }
        }))
        .unwrap_or_else(|_| Err(invalid("its schema makes no sense")))
    }

    /// As in the file.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Rows and bytes of each batch.
    pub(crate) fn batches(&self) -> impl Iterator<Item = (u64, u64)> {
        self.messages
            .iter()
            .filter_map(|m| m.rows.map(|rows| (rows, length(&m.block))))
    }

    /// Reads `count` batches from the number `first` on, with the columns of `projection` in its order.
    pub(crate) fn rows(self, first: usize, count: usize, projection: Vec<usize>) -> IpcRows {
        let decoder = FileDecoder::new(Arc::clone(&self.schema), self.version);
        let mut run = self.messages.iter().filter(|m| m.rows.is_some());
        let ends = run
            .nth(first)
            .map(|from| (from, run.take(count.saturating_sub(1)).last()));
        if let Some((from, to)) = ends {
            let to = to.unwrap_or(from);
            let end = to.block.offset() as u64 + length(&to.block);
            self.file.will_read(from.block.offset() as u64, end);
        }
        IpcRows {
            decoder: decoder.with_projection(projection),
            file: self,
            next: 0,
            skip: first,
            left: count,
        }
    }

    fn with_footer(mut self) -> Result<Self> {
        let mut tail = [0; TAIL_BYTES as usize];
        let tail_at = self
            .size_bytes
            .checked_sub(TAIL_BYTES)
            .ok_or_else(|| invalid("it is too short"))?;
        self.file.read_exact_at(&mut tail, tail_at)?;
        let (length, magic) = tail.split_at(4);
        if magic != MAGIC {
            return Err(invalid("its end is missing"));
        }
        let length: u64 = i32::from_le_bytes([length[0], length[1], length[2], length[3]])
            .try_into()
            .map_err(|_| invalid("its footer has no length"))?;
        let footer_at = tail_at
            .checked_sub(length)
            .filter(|at| *at >= HEAD_BYTES)
            .ok_or_else(|| invalid("its footer does not fit into it"))?;
        let bytes = self.read(footer_at, length)?;
        let footer =
            root_as_footer(&bytes).map_err(|e| invalid(&format!("its footer is damaged ({e})")))?;
        self.version = footer.version();
        self.take_schema(footer.schema())?;
        let dictionaries = footer.dictionaries().into_iter().flatten();
        let batches = footer.recordBatches().into_iter().flatten();
        self.add(dictionaries.chain(batches).copied().collect())?;
        Ok(self)
    }

    fn with_walk(mut self) -> Result<Self> {
        let mut at = 0;
        while at < self.size_bytes {
            let (prefix, length) = self.prefix(at)?;
            if length == 0 {
                break;
            }
            let bytes = self.read(at + prefix, length)?;
            let message = message(&bytes)?;
            if message.header_type() == MessageHeader::Schema {
                if at > 0 {
                    return Err(invalid("it has two schemas"));
                }
                self.version = message.version();
                self.take_schema(message.header_as_schema())?;
                at += prefix + length;
                continue;
            }
            if at == 0 {
                return Err(invalid("it does not begin with a schema"));
            }
            let head_bytes =
                i32::try_from(prefix + length).map_err(|_| invalid("a message is too long"))?;
            let block = Block::new(at as i64, head_bytes, message.bodyLength());
            self.check(&block)?;
            self.messages.push(Located {
                block,
                rows: rows(&message)?,
            });
            at += self::length(&block);
        }
        Ok(self)
    }

    /// Bytes before a message, and its length; 0 at the end of a stream.
    fn prefix(&self, at: u64) -> Result<(u64, u64)> {
        let word = |at| -> Result<[u8; 4]> {
            let bytes = self.read(at, 4)?;
            Ok([bytes[0], bytes[1], bytes[2], bytes[3]])
        };
        let first = word(at)?;
        let (prefix, length) = match first == CONTINUATION {
            true => (8, word(at + 4)?),
            // As streams were before version 0.15 of Arrow.
            false => (4, first),
        };
        let length = i32::from_le_bytes(length)
            .try_into()
            .map_err(|_| invalid("a message has no length"))?;
        Ok((prefix, length))
    }

    fn take_schema(&mut self, schema: Option<Schema<'_>>) -> Result<()> {
        let schema = schema.ok_or_else(|| invalid("it has no schema"))?;
        if !schema.endianness().equals_to_target_endianness() {
            return Err(invalid("it was written by a machine of another byte order"));
        }
        self.schema = Arc::new(fb_to_schema(schema));
        Ok(())
    }

    /// Take in blocks by their heads, of which several are read at a time.
    fn add(&mut self, blocks: Vec<Block>) -> Result<()> {
        let mut left = blocks.as_slice();
        while !left.is_empty() {
            let mut heads = Vec::new();
            let mut heads_bytes = 0;
            for block in left.iter().take(HEADS_AT_ONCE) {
                self.check(block)?;
                let at = block.offset() as u64;
                let length = block.metaDataLength() as u64;
                if !heads.is_empty() && heads_bytes + length > HEADS_BYTES {
                    break;
                }
                heads_bytes += length;
                heads.push(at..at + length);
            }
            let (these, rest) = left.split_at(heads.len());
            for (block, bytes) in these.iter().zip(self.file.read_ranges(heads)?) {
                let message = message(unprefixed(&bytes)?)?;
                let rows = rows(&message)?;
                self.messages.push(Located {
                    block: *block,
                    rows,
                });
            }
            left = rest;
        }
        Ok(())
    }

    /// Whether a block lies in the file.
    fn check(&self, block: &Block) -> Result<()> {
        let end = u64::try_from(block.offset()).ok().and_then(|at| {
            let head = u64::try_from(block.metaDataLength()).ok()?;
            let body = u64::try_from(block.bodyLength()).ok()?;
            (head >= 8).then_some(())?;
            at.checked_add(head)?.checked_add(body)
        });
        match end {
            Some(end) if end <= self.size_bytes => Ok(()),
            _ => Err(invalid(
                "a batch does not lie in it; it may have been cut off",
            )),
        }
    }

    fn read(&self, at: u64, length: u64) -> Result<Vec<u8>> {
        if at
            .checked_add(length)
            .is_none_or(|end| end > self.size_bytes)
        {
            return Err(invalid("it ends in the middle of a message"));
        }
        let mut bytes = vec![0; length as usize];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// Batches of a file, one at a time.
#[derive(Debug)]
pub(crate) struct IpcRows {
    file: IpcFile,
    decoder: FileDecoder,
    next: usize,
    skip: usize,
    left: usize,
}

impl IpcRows {
    /// The next batch with the types of the file; None at the end.
    ///
    /// # Errors
    /// SourceError INVALID_ARROW.
    pub(crate) fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        while self.left > 0 {
            let Some(Located { block, rows }) = self.file.messages.get(self.next).copied() else {
                return Ok(None);
            };
            self.next += 1;
            if rows.is_some() && self.skip > 0 {
                self.skip -= 1;
                continue;
            }
            let bytes = Buffer::from_vec(self.file.read(block.offset() as u64, length(&block))?);
            let decode = AssertUnwindSafe(|| self.decode(&block, &bytes, rows));
            let batch =
                catch_unwind(decode).unwrap_or_else(|_| Err(invalid("a batch makes no sense")))?;
            if rows.is_some() {
                self.left -= 1;
                return Ok(batch);
            }
        }
        Ok(None)
    }

    fn decode(
        &mut self,
        block: &Block,
        bytes: &Buffer,
        rows: Option<u64>,
    ) -> Result<Option<RecordBatch>> {
        let head = &bytes[..block.metaDataLength() as usize];
        let body = &bytes[block.metaDataLength() as usize..];
        let message = message(unprefixed(head)?)?;
        let batch = match rows {
            Some(_) => message.header_as_record_batch(),
            None => message.header_as_dictionary_batch().and_then(|d| d.data()),
        };
        check_buffers(batch.ok_or_else(|| invalid("a batch has no head"))?, body)?;
        if rows.is_none() {
            self.decoder
                .read_dictionary(block, bytes)
                .map_err(damaged)?;
            return Ok(None);
        }
        let batch = self.decoder.read_record_batch(block, bytes);
        batch.map_err(damaged)
    }
}

/// Whether all buffers lie in the body, and unpack to a size that is reasonable.
fn check_buffers(batch: BatchHeader<'_>, body: &[u8]) -> Result<()> {
    let mut unpacked = 0u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let range = usize::try_from(buffer.offset())
            .ok()
            .zip(usize::try_from(buffer.length()).ok());
        let bytes = range
            .and_then(|(at, length)| body.get(at..at.checked_add(length)?))
            .ok_or_else(|| invalid("a column does not lie in its batch"))?;
        if batch.compression().is_some()
            && let Some(size) = bytes.first_chunk()
        {
            unpacked =
                unpacked.saturating_add(u64::try_from(i64::from_le_bytes(*size)).unwrap_or(0));
        }
    }
    if unpacked > MAX_UNPACKED_BYTES {
        return Err(EngineError::source_error(
            "TOO_LARGE",
            format!("A batch of the file unpacks to {unpacked} bytes."),
        )
        .hint("Write the file again with smaller batches."));
    }
    Ok(())
}

fn rows(message: &Message<'_>) -> Result<Option<u64>> {
    if message.header_type() == MessageHeader::DictionaryBatch {
        return Ok(None);
    }
    let batch = message
        .header_as_record_batch()
        .ok_or_else(|| invalid("it holds something else than batches of rows"))?;
    match u64::try_from(batch.length()) {
        Ok(rows) if rows <= MAX_BATCH_ROWS => Ok(Some(rows)),
        _ => Err(invalid("a batch has no number of rows")),
    }
}

fn message(bytes: &[u8]) -> Result<Message<'_>> {
    root_as_message(bytes).map_err(|e| invalid(&format!("a message is damaged ({e})")))
}

fn unprefixed(bytes: &[u8]) -> Result<&[u8]> {
    let prefix = if bytes.starts_with(&CONTINUATION) {
        8
    } else {
        4
    };
    bytes
        .get(prefix..)
        .ok_or_else(|| invalid("a message is too short"))
}

/// Of a block that was checked.
fn length(block: &Block) -> u64 {
    block.metaDataLength() as u64 + block.bodyLength() as u64
}

fn damaged(error: ArrowError) -> EngineError {
    invalid(&format!("a batch can't be read ({error})"))
}

fn invalid(why: &str) -> EngineError {
    EngineError::source_error(
        "INVALID_ARROW",
        format!("This is not a whole Arrow file: {why}."),
    )
    .hint("Write the file again; it may have been cut off.")
}
