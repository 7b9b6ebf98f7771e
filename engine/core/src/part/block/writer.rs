//! The rows of one task on their way into a block.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use datafusion::physical_plan::metrics::Time;
use datafusion::physical_plan::repartition::BatchPartitioner;

use super::{Block, Held, MAGIC, Segment, compact};
use crate::error::{EngineError, Result};
use crate::part::{Destination, Keep, Layout, SortKeys, create, not_kept};

/// The file's name in the folder of the attempt.
const FILE_NAME: &str = "block.arrow";

/// What is larger goes into a file; rows take several times the bytes of their text.
const MEMORY_LIMIT_BYTES: usize = 128 << 20;

/// Rows of a segment in a file. Sorted blocks are looked into a segment at a time.
const SEGMENT_ROWS: usize = 16_384;

/// Rows of a batch of a partition.
const BATCH_ROWS: usize = 8192;

/// Gathers the rows of one task.
pub struct BlockWriter {
    schema: SchemaRef,
    path: PathBuf,
    splitter: Splitter,
    /// By partition, what is in no file yet.
    waiting: Vec<Vec<RecordBatch>>,
    waiting_bytes: usize,
    rows: u64,
    file: Option<File>,
    /// Bytes of the file.
    written: u64,
    segments: Vec<Segment>,
}

/// Rows into partitions.
enum Splitter {
    Whole,
    Hashed {
        partitioner: Box<BatchPartitioner>,
        coalescers: Vec<BatchCoalescer>,
    },
    Sorted(Box<SortKeys>),
}

impl BlockWriter {
    /// For the attempt that owns `destination`.
    ///
    /// # Errors
    /// Those of making the file.
    pub fn new(schema: SchemaRef, layout: &Layout, destination: &Destination) -> Result<Self> {
        let splitter = match layout {
            Layout::Whole => Splitter::Whole,
            Layout::Sorted { order, .. } => {
                Splitter::Sorted(Box::new(SortKeys::new(order, &schema)?))
            }
            Layout::Hashed { keys, partitions } => {
                let partitioner =
                    BatchPartitioner::new_hash_partitioner(keys.clone(), *partitions, Time::new())?;
                let coalescer = || BatchCoalescer::new(schema.clone(), BATCH_ROWS);
                Splitter::Hashed {
                    partitioner: Box::new(partitioner),
                    coalescers: (0..*partitions).map(|_| coalescer()).collect(),
                }
            }
        };
        let partitions = match layout {
            Layout::Hashed { partitions, .. } => *partitions,
            Layout::Whole | Layout::Sorted { .. } => 1,
        };
        let mut writer = Self {
            schema,
            path: destination.staging_dir.join(FILE_NAME),
            splitter,
            waiting: vec![Vec::new(); partitions],
            waiting_bytes: 0,
            rows: 0,
            file: None,
            written: 0,
            segments: Vec::new(),
        };
        if destination.keep == Keep::File {
            writer.make_file()?;
        }
        Ok(writer)
    }

    /// Add rows.
    ///
    /// # Errors
    /// ResourceError DISK_FULL, and others of writing.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        let mut full = Vec::new();
        match &mut self.splitter {
            Splitter::Whole | Splitter::Sorted(_) => full.push((0, compact(batch)?)),
            Splitter::Hashed {
                partitioner,
                coalescers,
            } => {
                for split in partitioner.partition_iter(batch.clone())? {
                    let (partition, rows) = split?;
                    coalescers[partition].push_batch(rows)?;
                    while let Some(batch) = coalescers[partition].next_completed_batch() {
                        full.push((partition, batch));
                    }
                }
            }
        }
        for (partition, batch) in full {
            self.waits(partition, batch)?;
        }
        self.relieve()
    }

    /// Rows so far.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// All of them.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> Result<Block> {
        let mut rest = Vec::new();
        if let Splitter::Hashed { coalescers, .. } = &mut self.splitter {
            for (partition, coalescer) in coalescers.iter_mut().enumerate() {
                coalescer.finish_buffered_batch()?;
                while let Some(batch) = coalescer.next_completed_batch() {
                    rest.push((partition, batch));
                }
            }
        }
        for (partition, batch) in rest {
            self.waits(partition, batch)?;
        }
        let (held, size_bytes) = if self.file.is_some() {
            self.flush(0)?;
            (Held::File(self.path.clone()), self.end_file()?)
        } else {
            let size_bytes = self.waiting_bytes as u64;
            let mut held = Vec::new();
            for (partition, batches) in std::mem::take(&mut self.waiting).into_iter().enumerate() {
                for batch in batches {
                    let segment = self.segment(partition, &batch)?;
                    held.push((segment, batch));
                }
            }
            (Held::Memory(held.into()), size_bytes)
        };
        Ok(Block {
            rows: self.rows,
            size_bytes,
            held,
        })
    }

    fn waits(&mut self, partition: usize, batch: RecordBatch) -> Result<()> {
        self.waiting_bytes += held_bytes(&batch)?;
        self.waiting[partition].push(batch);
        Ok(())
    }

    /// Write what there is too much of.
    fn relieve(&mut self) -> Result<()> {
        let is_much = self.waiting_bytes > MEMORY_LIMIT_BYTES;
        match (&self.file, &self.splitter) {
            (None, _) if !is_much => Ok(()),
            (None, _) => {
                self.make_file()?;
                self.flush(0)
            }
            (Some(_), Splitter::Hashed { .. }) if !is_much => Ok(()),
            (Some(_), Splitter::Hashed { .. }) => self.flush(0),
            (Some(_), _) => self.flush(SEGMENT_ROWS),
        }
    }

    /// Write the partitions in which at least `rows` rows wait.
    fn flush(&mut self, rows: usize) -> Result<()> {
        for partition in 0..self.waiting.len() {
            let waiting: usize = self.waiting[partition].iter().map(|b| b.num_rows()).sum();
            if waiting == 0 || waiting < rows {
                continue;
            }
            let mut segment = Vec::new();
            let mut segment_rows = 0;
            for batch in std::mem::take(&mut self.waiting[partition]) {
                self.waiting_bytes -= held_bytes(&batch)?.min(self.waiting_bytes);
                segment_rows += batch.num_rows();
                segment.push(batch);
                if segment_rows >= SEGMENT_ROWS {
                    self.write_segment(partition, &segment)?;
                    segment.clear();
                    segment_rows = 0;
                }
            }
            if !segment.is_empty() {
                self.write_segment(partition, &segment)?;
            }
        }
        Ok(())
    }

    fn write_segment(&mut self, partition: usize, batches: &[RecordBatch]) -> Result<()> {
        let mut segment = self.segment(partition, &batches[0])?;
        let mut stream = StreamWriter::try_new(Vec::new(), &self.schema)?;
        for batch in batches {
            stream.write(batch)?;
        }
        let bytes = stream.into_inner()?;
        segment.rows = batches.iter().map(|batch| batch.num_rows() as u64).sum();
        segment.offset = self.written;
        segment.length = bytes.len() as u64;
        self.segments.push(segment);
        self.append(&bytes)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let file = self.file.as_mut();
        let file = file.ok_or_else(|| EngineError::internal("a segment without its file"))?;
        file.write_all(bytes).map_err(not_kept)?;
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn segment(&mut self, partition: usize, first: &RecordBatch) -> Result<Segment> {
        let key = match &mut self.splitter {
            Splitter::Sorted(keys) => keys.of(&first.slice(0, 1))?.row(0).as_ref().to_vec(),
            Splitter::Whole | Splitter::Hashed { .. } => Vec::new(),
        };
        Ok(Segment {
            partition,
            rows: first.num_rows() as u64,
            key,
            offset: 0,
            length: 0,
        })
    }

    fn make_file(&mut self) -> Result<()> {
        self.file = Some(create(&self.path).map_err(not_kept)?);
        Ok(())
    }

    /// Write the table; returns the size of the file.
    fn end_file(&mut self) -> Result<u64> {
        let mut end = serde_json::to_vec(&self.segments)
            .map_err(|e| EngineError::internal(format!("a block's table: {e}")))?;
        end.extend((end.len() as u64).to_le_bytes());
        end.extend(MAGIC);
        self.append(&end)?;
        Ok(self.written)
    }
}

/// What the rows take, without counting twice what slices share.
fn held_bytes(batch: &RecordBatch) -> Result<usize> {
    let mut total = 0;
    for column in batch.columns() {
        total += column.to_data().get_slice_memory_size()?;
        total += match column.data_type() {
            DataType::Utf8View => column.as_string_view().total_buffer_bytes_used(),
            DataType::BinaryView => column.as_binary_view().total_buffer_bytes_used(),
            _ => 0,
        };
    }
    Ok(total)
}
